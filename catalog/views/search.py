"""The search page, its feed and its suggestions; other pages show results through `present`. No rule of searching."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import get_locale, gettext
from markupsafe import Markup, escape

from catalog.domain.text import N_
from catalog.forms import search as form
from catalog.services import search as service
from catalog.services import suggestions as suggesting
from catalog.services.cards import Piece, Reason
from catalog.services.facets import year_span
from catalog.services.search import Answer, Request, Sort
from catalog.web.context import actor, reading, runtime
from catalog.web.limits import limited_searches

blueprint = Blueprint("search", __name__)

PATH = "/suche"
_FEED_ENTRIES = 50
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_NEVER = datetime(2000, 1, 1, tzinfo=UTC)  # a feed must say when it changed, even one without entries

FACET_NAMES = {
    "topic": N_("Thema"),
    "status": N_("Stand"),
    "state": N_("Bundesland"),
    "kind": N_("Art der Organisation"),
    "organisation": N_("Organisation"),
    "technology": N_("Technologie"),
    "year": N_("Jahr"),
    "cause": N_("Grund der Beendigung"),
    "place": N_("Ort"),
}
SORT_NAMES = {
    Sort.RELEVANCE: N_("Relevanz"),
    Sort.NEWEST: N_("Neueste zuerst"),
    Sort.REUSED: N_("Am häufigsten nachgenutzt"),
}
KIND_NAMES = FACET_NAMES | {"entry": N_("Lösung")}
FIELD_NAMES = {
    "challenge": N_("Herausforderung"),
    "solution": N_("Lösung"),
    "results": N_("Ergebnisse"),
    "not_worked": N_("Was nicht funktioniert hat"),
}


@blueprint.get(PATH)
@limited_searches
def page() -> ResponseReturnValue:
    """Results with filters; without a query the whole catalog to browse."""
    return render_template("search/page.html", **present(PATH))


@blueprint.get("/suche.atom")
@limited_searches
def feed() -> ResponseReturnValue:
    """The newest entries of a search as an Atom feed; its order is by date whatever the address says."""
    wanted = replace(_request(), sort=Sort.NEWEST, page=1, per_page=_FEED_ENTRIES)
    answer = service.search(reading(), runtime().index, actor(), wanted)
    base = runtime().settings.base_url.rstrip("/")
    plain = replace(wanted, sort=Sort.RELEVANCE)
    body = render_template(
        "search/feed.xml",
        answer=answer,
        base=base,
        page=base + form.address(PATH, plain),
        here=base + form.address("/suche.atom", plain),
        updated=max((hit.card.updated for hit in answer.hits), default=_NEVER).isoformat(),
    )
    return Response(body, mimetype="application/atom+xml")


@blueprint.get("/suche.xml")
def description() -> ResponseReturnValue:
    """The OpenSearch description, with which browsers offer the catalog as a search engine."""
    body = render_template("search/opensearch.xml", base=runtime().settings.base_url.rstrip("/"))
    return Response(body, mimetype="application/opensearchdescription+xml")


@blueprint.get("/vorschlaege")
def suggestions() -> ResponseReturnValue:
    """What could be meant by the beginning of a query, as JSON: a list of kind, text and address."""
    typed = request.args.get("q", "")
    found = suggesting.suggest(reading(), runtime().index, actor(), typed, language=_language())
    return jsonify(
        [
            {
                "art": item.kind,
                "name": gettext(KIND_NAMES[item.kind]),
                "text": item.text,
                "adresse": suggestion_address(item),
            }
            for item in found
        ]
    )


def suggestion_address(item: suggesting.Suggested) -> str:
    """Where choosing a suggestion leads: to the entry, else to the search filtered by it."""
    if item.kind == "entry":
        return f"/loesungen/{item.key}"
    return form.address(PATH, Request(filters={item.kind: (item.key,)}))


def present(path: str, preset: Mapping[str, tuple[str, ...]] | None = None) -> dict[str, Any]:
    """Search as the request's address says; gives what `search/_results.html` shows.

    `path` is the page's own address, where filters, order and page numbers lead back to; `preset` are filters that
    belong to the page, e.g. {"topic": ("wasser",)}, whose facet is then not offered.
    """
    answer = service.search(reading(), runtime().index, actor(), _request(), preset)
    asked = answer.request
    return {
        "answer": answer,
        "path": path,
        "facets": {name: choices for name, choices in answer.facets.items() if choices and name not in (preset or {})},
        "facet_names": FACET_NAMES,
        "field_names": FIELD_NAMES,
        "parameters": form.GERMAN,
        "sorts": [(form.SORTS[sort], SORT_NAMES[sort], sort is asked.sort) for sort in Sort],
        "chips": [
            (FACET_NAMES[chip.facet], chip.label, form.address(path, form.without(asked, chip.facet, chip.value)))
            for chip in answer.chips
        ],
        "suggested": [
            (FACET_NAMES[chip.facet], chip.label, form.address(path, _with(asked, chip.facet, chip.value)))
            for chip in answer.suggested
        ],
        "loosened": [
            (
                FACET_NAMES[chip.facet],
                chip.label,
                count,
                form.address(path, form.without(asked, chip.facet, chip.value)),
            )
            for chip, count in answer.loosened
        ],
        "reset": form.address(path, Request(text=asked.text, sort=asked.sort)),
        "sort_address": lambda name: form.address(path, replace(asked, sort=form.sort_named(name), page=1)),
        "page_address": lambda number: form.address(path, replace(asked, page=number)),
        "instead": lambda text: form.address(path, replace(asked, text=text, page=1)),
        "feed": form.address("/suche.atom", replace(asked, page=1, sort=Sort.RELEVANCE)) if path == PATH else None,
        "canonical": runtime().settings.base_url.rstrip("/") + form.address(path, asked),
        "spans": _spans(answer),
    }


def _request() -> Request:
    return form.parse(request.args, _language())


def _with(asked: Request, facet: str, value: str) -> Request:
    return replace(asked, filters={**asked.filters, facet: (*asked.filters.get(facet, ()), value)}, page=1)


def _language() -> str:
    return str(get_locale() or "de")


def _spans(answer: Answer) -> tuple[str, str]:
    """First and last year for the two fields, where a range is in force."""
    for value in answer.request.filters.get("year", ()):
        span = year_span(value)
        if span and span[0] != span[1]:
            return str(span[0]), str(span[1])
    return "", ""


@blueprint.app_template_filter("marked")
def marked(pieces: Iterable[Piece]) -> Markup:
    """Pieces of text as HTML: everything escaped, what was found in <mark>."""
    return Markup("").join(
        Markup("<mark>{}</mark>").format(piece.text) if piece.marked else escape(piece.text) for piece in pieces
    )


@blueprint.app_template_filter("xml")
def xml(text: object) -> Markup:
    """Text for an XML document: escaped, without the control characters XML can't hold."""
    return escape(_NOT_IN_XML.sub("", str(text)))


@blueprint.app_template_filter("why")
def why(reasons: Iterable[Reason]) -> list[tuple[str, str]]:
    """Pairs of what was asked and what was found for it, each once."""
    return list(dict.fromkeys((reason.word, reason.found) for reason in reasons if reason.word != reason.found))


@blueprint.app_template_global("search_address")
def search_address(**filters: str) -> str:
    """The search page with German parameters, for links from other templates."""
    return f"{PATH}?{urlencode(filters)}" if filters else PATH
