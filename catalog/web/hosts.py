"""Which host names and methods the application answers to; what a request may see or do is decided elsewhere."""

from typing import Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import MethodNotAllowed, SecurityError

from catalog.config import Settings
from catalog.web.context import EXTENSION

# Always answered to: they name this very machine, and no page elsewhere can make a browser believe otherwise.
_OWN: Final = ("localhost", "127.0.0.1", "::1")
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_NAMES: Final = "catalog_hosts"


def init_app(app: Flask) -> None:
    """Refuse requests for other hosts before anything else looks at them."""
    app.extensions[_NAMES] = names(app.extensions[EXTENSION].settings)
    app.before_request(_check)


def names(settings: Settings) -> frozenset[str]:
    """The host names of the settings and this machine's own; ports and case play no part."""
    further = (name.strip().lower() for name in settings.trusted_hosts.split(","))
    return frozenset(name for name in (urlsplit(settings.base_url).hostname, *further, *_OWN) if name)


def _check() -> Response | None:
    try:
        # Werkzeug's own list of trusted hosts knows neither IPv6 nor capitals.
        host = urlsplit(f"//{request.host}").hostname
    except (SecurityError, ValueError):
        host = None
    if host not in current_app.extensions[_NAMES]:
        # Plain text: the page's layout holds addresses, and for a foreign host there are none to make.
        return Response("400: This host is not served here.\n", 400, mimetype="text/plain")
    if request.method not in _METHODS:
        raise MethodNotAllowed(valid_methods=_METHODS)
    return None
