"""Addresses of the page one is on, with other parameters; nothing about other pages, which url_for knows."""

from urllib.parse import urlencode

from flask import request


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
