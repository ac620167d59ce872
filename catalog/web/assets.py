"""Static files: served with hashed names that may be cached for ever."""

from pathlib import Path

from flask import Flask


def init_app(app: Flask, folder: Path) -> None:
    """Serve the folder below /static."""
    app.static_folder = str(folder)
    app.add_url_rule("/static/<path:filename>", endpoint="static", view_func=app.send_static_file)
