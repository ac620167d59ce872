"""Addresses of searches: parameters into a request and back, in German for pages and in English for the interface.

Whatever is in an address gives a request; what does not fit is left out. Nothing is searched here.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from catalog.services.facets import FILTERS, year_span
from catalog.services.search import LAST_RANK, MOST_PER_PAGE, PER_PAGE, Request, Sort

_LONGEST_TEXT = 10_000
_LONGEST_VALUE = 200
_MOST_VALUES = 50

# Filter to parameter, in the order in which parameters stand in an address.
GERMAN: Final[Mapping[str, str]] = {
    "topic": "thema",
    "status": "status",
    "state": "land",
    "kind": "art",
    "organisation": "organisation",
    "technology": "technologie",
    "year": "jahr",
    "cause": "grund",
    "place": "ort",
}
ENGLISH: Final[Mapping[str, str]] = {name: name for name in GERMAN}
SORTS: Final[Mapping[Sort, str]] = {Sort.RELEVANCE: "relevanz", Sort.NEWEST: "neueste", Sort.REUSED: "nachgenutzt"}


def parse(args: MultiDict[str, str], language: str = "de") -> Request:
    """The request a page's address stands for; anything at all is understood as far as it goes."""
    filters = _filters(args, GERMAN)
    first, last = _year(args.get("von", "")), _year(args.get("bis", ""))
    if first or last:
        filters["year"] = (*filters.get("year", ()), f"{first}..{last}" if first != last else first)
    sort = sort_named(args.get("sort", ""))
    return Request(
        text=_text(args.get("q", "")),
        filters=filters,
        sort=sort,
        page=_page(args.get("seite", ""), PER_PAGE),
        language=language,
    )


def parse_english(args: MultiDict[str, str]) -> Request:
    """The request of the interface: the same with English names, and `per_page`."""
    per_page = min(max(_number(args.get("per_page", ""), PER_PAGE), 1), MOST_PER_PAGE)
    sort = next((sort for sort in Sort if sort == args.get("sort")), Sort.RELEVANCE)
    return Request(
        text=_text(args.get("q", "")),
        filters=_filters(args, ENGLISH),
        sort=sort,
        page=_page(args.get("page", ""), per_page),
        per_page=per_page,
    )


def sort_named(name: str) -> Sort:
    """The order an address means by a name; by relevance for anything else."""
    return next((sort for sort, known in SORTS.items() if known == name), Sort.RELEVANCE)


def query_string(request: Request) -> str:
    """The page's parameters for a request, always in the same order, without what is the default; may be empty."""
    pairs = [("q", request.text)] if request.text else []
    pairs += [(GERMAN[name], value) for name in GERMAN for value in request.filters.get(name, ())]
    if request.sort is not Sort.RELEVANCE:
        pairs.append(("sort", SORTS[request.sort]))
    if request.page > 1:
        pairs.append(("seite", str(request.page)))
    return urlencode(pairs)


def english_query_string(request: Request, page: int) -> str:
    """The interface's parameters for a request, with another page number."""
    pairs = [("q", request.text)] if request.text else []
    pairs += [(ENGLISH[name], value) for name in ENGLISH for value in request.filters.get(name, ())]
    if request.sort is not Sort.RELEVANCE:
        pairs.append(("sort", request.sort.value))
    if page > 1:
        pairs.append(("page", str(page)))
    if request.per_page != PER_PAGE:
        pairs.append(("per_page", str(request.per_page)))
    return urlencode(pairs)


def address(path: str, request: Request) -> str:
    """The address of a request on a page."""
    query = query_string(request)
    return f"{path}?{query}" if query else path


def without(request: Request, facet: str, value: str) -> Request:
    """The request with one filter value taken off, from its first page on."""
    rest = tuple(kept for kept in request.filters.get(facet, ()) if kept != value)
    return replace(request, filters={**request.filters, facet: rest}, page=1)


def _filters(args: MultiDict[str, str], parameters: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    filters: dict[str, tuple[str, ...]] = {}
    for name in FILTERS:
        given = dict.fromkeys(value.strip()[:_LONGEST_VALUE] for value in args.getlist(parameters[name])[:_MOST_VALUES])
        values = [value.replace("\x00", "") for value in given]
        if name == "year":
            values = [token for value in values if (token := _span(value))]
        if values := [value for value in values if value]:
            filters[name] = tuple(sorted(values))
    return filters


def _text(value: str) -> str:
    return " ".join(value[:_LONGEST_TEXT].replace("\x00", " ").split())


def _span(value: str) -> str:
    """A year or a range of years in the one way in which addresses write it."""
    span = year_span(value)
    if span is None:
        return ""
    first, last = span
    return str(first) if first == last else f"{first}..{last}"


def _year(value: str) -> str:
    span = year_span(value)
    return str(span[0]) if span and span[0] == span[1] else ""


def _number(value: str, otherwise: int) -> int:
    # isdecimal alone accepts digits of any script, which int() reads as well; the length keeps it to what can be meant
    return int(value) if value.isdecimal() and len(value) < 7 else otherwise  # noqa: PLR2004 - pages end far below a million


def _page(value: str, per_page: int) -> int:
    return min(max(_number(value, 1), 1), max(1, LAST_RANK // per_page))
