"""Where templates, static files and packaged data lie, in a checkout or in an installed wheel; nothing else knows."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _resource_dir(name: str) -> Path:
    # The packaged place first: site-packages may hold someone else's folder called "templates".
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


TEMPLATES = _resource_dir("templates")
STATIC = _resource_dir("static")
DATA = _PACKAGE / "data"
TRANSLATIONS = _PACKAGE / "translations"
MIGRATIONS = _PACKAGE / "migrations"
