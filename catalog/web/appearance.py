"""Light or dark: a reader's choice, kept in a cookie and rendered by the server; without one the system decides."""

from flask import Flask, Response, redirect, request

from catalog.web.address import here
from catalog.web.context import runtime

COOKIE = "darstellung"
# What readers see in the address and what the design system calls it; "automatisch" is the absence of a choice.
THEMES = {"hell": "light", "dunkel": "dark"}
AUTOMATIC = "automatisch"
_YEAR = 31_536_000


def init_app(app: Flask) -> None:
    """Have `?darstellung=…` on any page switch and come back to the same page."""
    app.before_request(_switch)


def chosen() -> str:
    """The reader's choice: "hell", "dunkel" or "automatisch"."""
    value = request.cookies.get(COOKIE, AUTOMATIC)
    return value if value in THEMES else AUTOMATIC


def theme() -> str | None:
    """The name the design system has for the choice, None to follow the system."""
    return THEMES.get(chosen())


def _switch() -> Response | None:
    wanted = request.args.get(COOKIE)
    if wanted is None or request.method != "GET" or request.endpoint == "static":
        return None
    # The parameter leaves the address again: a link that is passed on must not change how others read.
    answer = redirect(here(**{COOKIE: None}), 303)
    if wanted in THEMES:
        answer.set_cookie(COOKIE, wanted, max_age=_YEAR, samesite="Lax", secure=runtime().settings.secure)
    else:
        answer.delete_cookie(COOKIE, samesite="Lax", secure=runtime().settings.secure)
    return answer  # type: ignore[return-value]  # werkzeug's base class; Flask's own is what redirect() makes
