"""How often an address or account may try things."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Wire it into the application."""
