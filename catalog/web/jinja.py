"""What every template can use: who is asking and what they may, the site, addresses, Markdown; no queries."""

import hashlib
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from flask import Flask, request, url_for
from flask_babel import get_locale
from jinja2 import StrictUndefined

from catalog.domain.permissions import Permission, may
from catalog.domain.text import N_
from catalog.web import appearance
from catalog.web.address import here
from catalog.web.context import actor, runtime
from catalog.web.locale import LANGUAGES
from catalog.web.markdown import render


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the main navigation."""

    text: str
    endpoint: str
    needs: Permission | None = None


NAVIGATION = (
    Place(N_("Suche"), "search.page"),
    Place(N_("Themen"), "topics.overview"),
    Place(N_("Organisationen"), "organisations.overview"),
    Place(N_("Einreichen"), "submission.start"),
    Place(N_("Redaktion"), "curation.queue", Permission.DESK),
)


def init_app(app: Flask) -> None:
    """Give templates their variables, filters and globals; a misspelt variable is an error, not an empty place."""
    appearance.init_app(app)
    env = app.jinja_env
    env.undefined = StrictUndefined
    env.trim_blocks = True
    env.lstrip_blocks = True
    env.globals.update(here=here, may=may, Permission=Permission)
    env.filters.update(markdown=render, hash_id=_hash_id)
    app.context_processor(_variables)


def _variables() -> dict[str, Any]:
    settings = runtime().settings
    asking = actor()
    return {
        "actor": asking,
        "site": {
            "version": _version(),
            "base_url": settings.base_url.rstrip("/"),
            "demo": settings.demo,
            "read_only": settings.read_only,
            "navigation": [
                {"text": place.text, "href": url_for(place.endpoint)}
                for place in NAVIGATION
                if place.needs is None or may(asking, place.needs)
            ],
            "language": str(get_locale() or "de"),
            "languages": LANGUAGES,
            "theme": appearance.theme(),
            "appearance": appearance.chosen(),
            "path": request.script_root + request.path,
        },
    }


def _version() -> str:
    try:
        return version("loesungskatalog")
    except PackageNotFoundError:
        return ""


def _hash_id(text: str) -> str:
    """A short name for an element, the same for the same text on every render."""
    return hashlib.blake2s(text.encode(), digest_size=4).hexdigest()
