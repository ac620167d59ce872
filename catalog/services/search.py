"""Searching: from what a person asks for to the entries they may read, with counts, labels and marked passages.

Used alike by pages, JSON interface, feed and command line. How words are understood and ranked is the index's matter;
what an entry says on its card comes from its row, which is also where the right to see it is checked once more.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.permissions import audiences_of
from catalog.services import cards, facets, plainly
from catalog.services.cards import Hit
from catalog.services.facets import Chip, Choice, Filters
from index import IndexUnavailable, Query, Reason, Results, SearchIndex, Understood

__all__ = ["Answer", "Hit", "Request", "Sort", "search"]

PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
LAST_RANK: Final = 10_000
_PLAIN_TO_SEE = frozenset({"form", "phrase", "prefix"})


class Sort(StrEnum):
    """In which order results come."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    REUSED = "reused"


_INDEX_SORT = {Sort.RELEVANCE: "relevance", Sort.NEWEST: "-updated", Sort.REUSED: "-reuses"}


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for; any text, any filter values: what does not exist finds nothing and raises nothing.

    Filter names are those of `facets.FILTERS`; values of "year" are "2021", "2021..2024", "2021.." or "..2024".
    """

    text: str = ""
    filters: Filters = field(default_factory=dict)
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    per_page: int = PER_PAGE
    language: str = "de"


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request. With `available` False the index could not be read and the database answered plainly."""

    request: Request
    total: int
    hits: tuple[Hit, ...]
    facets: Mapping[str, tuple[Choice, ...]] = field(default_factory=dict)
    chips: tuple[Chip, ...] = ()
    understood: Understood = field(default_factory=Understood)
    corrected: str | None = None
    correction_applied: bool = False
    relaxed: bool = False
    loosened: tuple[tuple[Chip, int], ...] = ()
    suggested: tuple[Chip, ...] = ()
    """Filters that places named in the query stand for, those in force left out."""
    seconds: float = 0.0
    available: bool = True

    @property
    def pages(self) -> int:
        """How many pages the results fill; at most as many as can be asked for."""
        return -(-min(self.total, LAST_RANK) // self.request.per_page)


def search(
    session: Session,
    index: SearchIndex,
    actor: Actor,
    request: Request,
    preset: Filters | None = None,
) -> Answer:
    """The entries the actor may read that the request asks for; never raises for what was asked.

    `preset` adds filters that belong to the page (a topic's, an organisation's) and are not offered for removal.
    """
    names = facets.Names(session, request.language)
    request = replace(request, filters=facets.narrowest(request.filters, names))
    # Inside a facet values widen each other; a preset must hold whatever is chosen, so it takes its facet's place.
    filters = facets.index_filters({**request.filters, **(preset or {})})
    query = Query(
        text=request.text,
        audiences=audiences_of(actor),
        filters=filters,
        facets=facets.FACETS,
        sort=_INDEX_SORT[request.sort],
        offset=(request.page - 1) * request.per_page,
        limit=request.per_page,
    )
    try:
        results = index.search(query)
        if not results.hits and results.total and request.page > 1:
            last = -(-min(results.total, LAST_RANK) // request.per_page)
            request = replace(request, page=min(last, request.page))
            results = index.search(replace(query, offset=(request.page - 1) * request.per_page))
        hits = _hits(session, index, actor, results, request)
        chips = facets.chips(request.filters, names, _known_to(index, query))
        loosened = () if results.total else _loosened(index, query, request, chips)
    except IndexUnavailable:
        return _from_database(session, actor, request, filters, names)
    return Answer(
        request=request,
        total=results.total - (len(results.hits) - len(hits)),
        hits=hits,
        facets=facets.choices(results.facets, request.filters, names),
        chips=chips,
        understood=results.understood,
        corrected=results.corrected,
        correction_applied=results.correction_applied,
        relaxed=results.relaxed,
        loosened=loosened,
        suggested=_suggested(results.understood, filters, names),
        seconds=results.seconds,
    )


def _hits(session: Session, index: SearchIndex, actor: Actor, results: Results, request: Request) -> tuple[Hit, ...]:
    """The hits as the database knows them now: what was archived or hidden a moment ago is left out."""
    made = cards.load(session, actor, [int(hit.id) for hit in results.hits], request.language)
    understood = results.understood
    hits = []
    for found in results.hits:
        card = made.get(int(found.id))
        if card is None:
            continue
        hit = cards.unsearched(card)
        if request.text.strip():
            hit = replace(
                hit,
                title=index.highlight(understood, card.title),
                passage=index.snippet(understood, card.texts, cards.SNIPPET_WIDTH),
                foreign=card.foreign_texts,
            )
        hits.append(replace(hit, reasons=_worth_telling(found.reasons), score=found.score))
    return tuple(hits)


def _worth_telling(reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Those that explain what a reader would not see: nothing for a word that stands in the entry itself."""
    told = {reason.word for reason in reasons if reason.kind in _PLAIN_TO_SEE}
    return tuple(reason for reason in reasons if reason.kind not in _PLAIN_TO_SEE and reason.word not in told)


def _suggested(understood: Understood, filters: Filters, names: facets.Names) -> tuple[Chip, ...]:
    offered = [
        {facet: (value,)}
        for facet, value, _ in understood.suggested
        if facet in facets.FILTERS and value not in filters.get(facet, ())
    ]
    # the index suggests only what a readable entry bears
    return tuple(chip for filter_ in offered for chip in facets.chips(filter_, names, lambda *_: True))


def _known_to(index: SearchIndex, query: Query) -> Callable[[str, str], bool]:
    def is_known(facet: str, value: str) -> bool:
        return index.search(Query(audiences=query.audiences, filters={facet: (value,)}, limit=0)).total > 0

    return is_known


def _loosened(
    index: SearchIndex, query: Query, request: Request, chips: Iterable[Chip]
) -> tuple[tuple[Chip, int], ...]:
    """For each filter in force: how many would be found without it; only those that would help."""
    helpful = []
    for chip in chips:
        rest = tuple(value for value in request.filters[chip.facet] if value != chip.value)
        filters = facets.index_filters({**request.filters, chip.facet: rest})
        filters |= {name: values for name, values in query.filters.items() if name not in request.filters}
        found = index.search(replace(query, filters=filters, facets=(), offset=0, limit=0))
        if found.total and not found.correction_applied:
            helpful.append((chip, found.total))
    return tuple(helpful)


def _from_database(session: Session, actor: Actor, request: Request, filters: Filters, names: facets.Names) -> Answer:
    """The plain answer the database can give while the index can't be read; without counts."""
    wanted = plainly.wanted(actor, request.text, filters, names)
    total = plainly.count(session, wanted)
    last = max(1, -(-min(total, LAST_RANK) // request.per_page))
    request = replace(request, page=min(request.page, last))
    offset = (request.page - 1) * request.per_page
    ids = plainly.page(session, wanted, offset=offset, limit=request.per_page)
    made = cards.load(session, actor, ids, request.language)
    return Answer(
        request=request,
        total=total,
        hits=tuple(cards.unsearched(made[number]) for number in ids if number in made),
        chips=facets.chips(request.filters, names, lambda *_: False),
        available=False,
    )
