"""What every template can use."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Wire it into the application."""
