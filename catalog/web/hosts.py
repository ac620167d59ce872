"""Which host names the application answers to."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Wire it into the application."""
