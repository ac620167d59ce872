"""The database schema's history; travels inside the package."""
