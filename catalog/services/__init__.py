"""Use cases: plain functions over a session and an actor, free of HTTP and of commits."""
