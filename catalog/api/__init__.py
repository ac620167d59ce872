"""JSON over the same services as the pages."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the interface's addresses below /api/v1."""
