"""The tables, one file per noun; `load_all` brings every mapper into the registry and nothing else lives here."""

from importlib import import_module
from pkgutil import iter_modules


def load_all() -> None:
    """Import every model module, so that relationships by name resolve and `Base.metadata` is whole."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
