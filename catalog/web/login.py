"""Who is signed in: accounts, sessions and passwords by Flask-Security."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Wire it into the application."""
