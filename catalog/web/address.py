"""Addresses: which row numbers can stand in one, and that of the page one is on with other parameters.

Nothing about other pages, which url_for knows.
"""

from typing import Any, Final
from urllib.parse import urlencode

from flask import Flask, request
from werkzeug.routing import IntegerConverter, Map

_LARGEST_ROW_NUMBER: Final = 2**31 - 1  # what a column of either database holds; asking for more is an error to them


class RowNumber(IntegerConverter):
    """A number that a row can have; an address with a larger one leads nowhere."""

    def __init__(self, map: Map, **given: Any) -> None:  # noqa: A002 - Werkzeug's name
        """Take what an address rule says in brackets."""
        super().__init__(map, **({"max": _LARGEST_ROW_NUMBER} | given))


def init_app(app: Flask) -> None:
    """Have every `<int:…>` in an address stand for a row number."""
    app.url_map.converters["int"] = RowNumber


def here(**changes: str | int | None) -> str:
    """The path and query of this request with parameters set, or left out where the value is None.

    The page's other parameters keep their order; what only a POST can reach leads to the home page.
    """
    rule = request.url_rule
    if rule is not None and rule.methods is not None and "GET" not in rule.methods:
        return request.script_root + "/"
    kept = [(name, value) for name, value in request.args.items(multi=True) if name not in changes]
    # Two slashes at the beginning would be another host to the browser.
    path = request.script_root + "/" + request.path.lstrip("/")
    query = urlencode([*kept, *((name, value) for name, value in changes.items() if value is not None)])
    return f"{path}?{query}" if query else path
