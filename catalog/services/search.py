"""Searching: from what a person asks for to the entries they may read, with counts, labels and marked passages.

Used alike by pages, JSON interface, feed and command line. How words are understood and ranked is the index's matter;
what an entry says on its card comes from its row, which is also where the right to see it is checked once more.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.permissions import audiences_of
from catalog.domain.text import excerpt, squeeze
from catalog.domain.vocabulary import CostBand, DeploymentStatus, OrganisationKind, SolutionKind, StopCause, Visibility
from catalog.domain.workflow import Status
from catalog.models.deployment import Deployment, DeploymentStopCause
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality, PlaceAlias, State
from catalog.models.solution import Solution
from catalog.models.topic import Technology, Topic
from catalog.services.places import search_name
from catalog.services.solutions import known_reuses, visible_among, visible_to
from index import IndexUnavailable, Piece, Query, Reason, Results, SearchIndex, Snippet, Understood

__all__ = ["Answer", "Card", "Choice", "Chip", "Hit", "Piece", "Reason", "Request", "Site", "Sort", "Suggested", "card", "listed", "search", "suggest"]

PER_PAGE: Final = 20
MOST_PER_PAGE: Final = 100
LAST_RANK: Final = 10_000
FACETS: Final = ("topic", "status", "state", "kind", "organisation", "technology", "year", "cause")
FILTERS: Final = (*FACETS, "place")
_EARLIEST, _LATEST = 1950, 2050
_SNIPPET_WIDTH = 240
_YEARS = re.compile(r"(?P<first>(?:19|20)\d\d)?(?P<to>\s*(?:\.\.\.?|-|–|bis)\s*)?(?P<last>(?:19|20)\d\d)?")
_MARKUP = re.compile(r"[*_`#>|~]+|!?\[(?P<text>[^\]]*)\]\([^)]*\)")
_REASONS_WORTH_TELLING = frozenset({"compound", "part", "synonym", "related", "typo", "similar"})


class Sort(StrEnum):
    """In which order results come."""

    RELEVANCE = "relevance"
    NEWEST = "newest"
    REUSED = "reused"


_INDEX_SORT = {Sort.RELEVANCE: "relevance", Sort.NEWEST: "-updated", Sort.REUSED: "-reuses"}


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks for; any text, any filter values: what does not exist finds nothing and raises nothing.

    Filter names are those of `FILTERS`; values of "year" are "2021", "2021..2024", "2021.." or "..2024".
    """

    text: str = ""
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sort: Sort = Sort.RELEVANCE
    page: int = 1
    per_page: int = PER_PAGE
    language: str = "de"


@dataclass(frozen=True, slots=True)
class Site:
    """One site on a card."""

    place: str
    state: str
    status: DeploymentStatus | None
    started: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a list shows of an entry; plain values, so that a page reads nothing more while it is rendered."""

    id: int
    external_id: str
    slug: str
    title: str
    benefit: str
    foreign: str
    """The language of title and texts where it is not the page's, for the lang attribute."""
    kind: SolutionKind
    visibility: Visibility
    organisation: str
    organisation_slug: str
    topics: tuple[tuple[str, str], ...]
    technologies: tuple[str, ...]
    sites: tuple[Site, ...]
    statuses: tuple[DeploymentStatus, ...]
    cost_eur: float | None
    cost_band: CostBand | None
    updated: datetime
    reuses: int
    is_demo: bool
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A card with what the search adds: marked title, best passage, and why it was found."""

    card: Card
    title: tuple[Piece, ...]
    passage: Snippet
    reasons: tuple[Reason, ...] = ()
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Choice:
    """A value of a facet: how often, under which label, chosen or not; topics have narrower ones below."""

    value: str
    label: str | StrEnum
    count: int
    chosen: bool = False
    children: tuple["Choice", ...] = ()


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, for taking it off again."""

    facet: str
    value: str
    label: str | StrEnum


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
    seconds: float = 0.0
    available: bool = True

    @property
    def pages(self) -> int:
        """How many pages the results fill; at most as many as can be asked for."""
        return -(-min(self.total, LAST_RANK) // self.request.per_page)


def year_span(token: str) -> tuple[int, int] | None:
    """The first and last year a filter value names; None for what is no year."""
    found = _YEARS.fullmatch(token.strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["to"]:
        return None if found["first"] and found["last"] else (int(found["first"] or found["last"]),) * 2
    first, last = int(found["first"] or _EARLIEST), int(found["last"] or _LATEST)
    return (first, last) if first <= last else (last, first)


def search(
    session: Session, index: SearchIndex, actor: Actor, request: Request, preset: Mapping[str, tuple[str, ...]] | None = None
) -> Answer:
    """The entries the actor may read that the request asks for; never raises for what was asked.

    `preset` adds filters that belong to the page (a topic's, an organisation's) and are not offered for removal.
    """
    names = _Names(session, request.language)
    request = replace(request, filters=_narrowest(request.filters, names))
    # Inside a facet values widen each other; a preset must hold whatever is chosen, so it takes its facet's place.
    filters = _index_filters({**request.filters, **(preset or {})})
    query = Query(
        text=request.text, audiences=audiences_of(actor), filters=filters, facets=FACETS,
        sort=_INDEX_SORT[request.sort], offset=(request.page - 1) * request.per_page, limit=request.per_page,
    )
    try:
        results = index.search(query)
        if not results.hits and results.total and request.page > 1:
            last = -(-min(results.total, LAST_RANK) // request.per_page)
            request = replace(request, page=min(last, request.page))
            results = index.search(replace(query, offset=(request.page - 1) * request.per_page))
        hits = _hits(session, index, actor, results, request)
        chips = _chips(request, names, _known_to(index, query))
        loosened = () if results.total else _loosened(index, query, request, chips)
    except IndexUnavailable:
        return _from_database(session, actor, request, filters, names)
    return Answer(
        request=request,
        total=results.total - (len(results.hits) - len(hits)),
        hits=hits,
        facets=_facets(results, request, names),
        chips=chips,
        understood=results.understood,
        corrected=results.corrected,
        correction_applied=results.correction_applied,
        relaxed=results.relaxed,
        loosened=loosened,
        seconds=results.seconds,
    )


def _index_filters(filters: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    wanted = {name: values for name, values in filters.items() if values and name in FILTERS}
    if "year" in wanted:
        spans = [span for value in wanted["year"] if (span := year_span(value))]
        wanted["year"] = tuple(sorted({str(year) for first, last in spans for year in range(first, last + 1)}))
        if not spans:
            del wanted["year"]
    return wanted


# --- what entries look like in a list ------------------------------------------------------------------------------


def card(solution: Solution, language: str = "de") -> Card:
    """What a list shows of the entry; its relations should be loaded as `solutions.visible_among` does."""
    english = language == "en"
    costs = [site.capex_eur for site in solution.deployments if site.capex_eur is not None]
    bands = [site.capex_band for site in solution.deployments if site.capex_band is not None]
    statuses = {site.status for site in solution.deployments if site.status is not None}
    translated = english and bool(solution.title_en)
    return Card(
        id=solution.id,
        external_id=solution.external_id,
        slug=solution.slug,
        title=solution.title_en if translated else solution.title,
        benefit=plain((english and solution.benefit_en) or solution.benefit),
        foreign="" if translated or solution.language == language else solution.language,
        kind=solution.kind,
        visibility=solution.visibility,
        organisation=solution.organisation.name if solution.organisation else "",
        organisation_slug=solution.organisation.slug if solution.organisation else "",
        topics=tuple((topic.slug, (english and topic.name_en) or topic.name) for topic in solution.topics),
        technologies=tuple((english and tag.name_en) or tag.name for tag in solution.technologies),
        sites=tuple(
            Site(
                place=site.place_name or (site.municipality.name if site.municipality else ""),
                state=site.municipality.state.name if site.municipality else "",
                status=site.status,
                started=site.started,
                organisation=site.organisation.name if site.organisation else site.organisation_name,
            )
            for site in solution.deployments
        ),
        statuses=tuple(status for status in DeploymentStatus if status in statuses),
        cost_eur=max(costs) if costs else None,
        cost_band=max(bands, key=list(CostBand).index) if bands else None,
        updated=solution.published_at or solution.updated_at,
        reuses=len(known_reuses(solution)),
        is_demo=solution.is_demo,
        is_complete=solution.is_complete,
    )


def listed(solution: Solution, language: str = "de") -> Hit:
    """The entry as a hit that nothing was searched for, for lists that do not come from a search."""
    made = card(solution, language)
    return Hit(made, (Piece(made.title),), Snippet("benefit", (Piece(excerpt(made.benefit, _SNIPPET_WIDTH)),)))


def plain(text: str) -> str:
    """A Markdown text without its marks, on one line, for passages."""
    return squeeze(_MARKUP.sub(lambda found: found["text"] or "", text))


def _passages(solution: Solution) -> list[tuple[str, str]]:
    """The texts a passage may come from, under the names the index has for them."""
    sites = solution.deployments
    texts = (
        ("benefit", solution.benefit),
        ("challenge", solution.challenge),
        ("solution", solution.approach),
        ("solution", " ".join(site.summary for site in sites)),
        ("results", " ".join(f"{site.results} {site.worked}" for site in sites)),
        ("not_worked", " ".join(f"{site.not_worked} {site.would_change} {site.stop_reason}" for site in sites)),
        ("not_worked", solution.limits),
        ("solution", f"{solution.technical} {solution.legal} {solution.organisational} {solution.data} {solution.adaptation}"),
    )
    return [(name, cleaned) for name, text in texts if (cleaned := plain(text))]


def _hits(session: Session, index: SearchIndex, actor: Actor, results: Results, request: Request) -> tuple[Hit, ...]:
    found = results.hits
    rows = visible_among(session, actor, [int(hit.id) for hit in found])
    understood = results.understood
    hits = []
    for hit in found:
        solution = rows.get(int(hit.id))
        if solution is None or solution.status is not Status.PUBLISHED:
            continue  # archived or hidden a moment ago: the database knows better
        made = card(solution, request.language)
        if request.text.strip():
            title = index.highlight(understood, made.title)
            passage = index.snippet(understood, _passages(solution), _SNIPPET_WIDTH)
        else:
            title = (Piece(made.title),)
            passage = Snippet("benefit", (Piece(excerpt(made.benefit, _SNIPPET_WIDTH)),))
        reasons = tuple(reason for reason in hit.reasons if reason.kind in _REASONS_WORTH_TELLING)
        hits.append(Hit(made, title, passage, reasons, hit.score))
    return tuple(hits)


# --- facets ----------------------------------------------------------------------------------------------------------


class _Names:
    """Labels of facet values, read when first needed, a table at a time."""

    def __init__(self, session: Session, language: str) -> None:
        self._session = session
        self._english = language == "en"
        self._topics: dict[str, tuple[int, int | None, str]] | None = None
        self._children: dict[str, list[str]] = {}

    @property
    def topics(self) -> dict[str, tuple[int, int | None, str]]:
        """Slug to row number, parent's number and name, in the order of the tree."""
        if self._topics is None:
            rows = self._session.execute(
                select(Topic.slug, Topic.id, Topic.parent_id, Topic.name, Topic.name_en).order_by(Topic.position, Topic.name)
            ).all()
            self._topics = {row.slug: (row.id, row.parent_id, (self._english and row.name_en) or row.name) for row in rows}
            slugs = {row.id: row.slug for row in rows}
            for row in rows:
                self._children.setdefault(slugs.get(row.parent_id, ""), []).append(row.slug)
        return self._topics

    def narrower(self, slug: str) -> list[str]:
        """The topics right below one; those of the first level below ""."""
        return self._children.get(slug, []) if self.topics else []

    def below(self, slug: str) -> set[str]:
        """All topics below one."""
        return {found for child in self.narrower(slug) for found in (child, *self.below(child))}

    def of(self, facet: str, values: Iterable[str]) -> dict[str, str | StrEnum]:
        """Labels of the values that have one."""
        wanted = set(values)
        if not wanted:
            return {}
        match facet:
            case "topic":
                return {value: self.topics[value][2] for value in wanted & set(self.topics)}
            case "status":
                return _terms(DeploymentStatus, wanted)
            case "kind":
                return _terms(OrganisationKind, wanted)
            case "cause":
                return _terms(StopCause, wanted)
            case "state":
                found = self._session.execute(select(State.code, State.name))
            case "organisation":
                found = self._session.execute(select(Organisation.slug, Organisation.name).where(Organisation.slug.in_(wanted)))
            case "technology":
                name = Technology.name_en if self._english else Technology.name
                found = self._session.execute(
                    select(Technology.slug, func.coalesce(func.nullif(name, ""), Technology.name)).where(Technology.slug.in_(wanted))
                )
            case "place":
                found = self._session.execute(select(Municipality.ags, Municipality.name).where(Municipality.ags.in_(wanted)))
            case _:
                return {value: value.replace("..", "–") for value in wanted}
        return {key: label for key, label in found if key in wanted}


def _terms(kind: type[StrEnum], wanted: set[str]) -> dict[str, str | StrEnum]:
    return {term.value: term for term in kind if term.value in wanted}


def _narrowest(filters: Mapping[str, tuple[str, ...]], names: _Names) -> dict[str, tuple[str, ...]]:
    """The filters with a topic left out where one below it is chosen too: who opens a topic and picks inside narrows."""
    kept = {name: values for name, values in filters.items() if values}
    chosen = kept.get("topic", ())
    if len(chosen) > 1:
        kept["topic"] = tuple(slug for slug in chosen if not names.below(slug) & set(chosen))
    return kept


_SHOWN_AT_MOST = 30


def _facets(results: Results, request: Request, names: _Names) -> dict[str, tuple[Choice, ...]]:
    shown: dict[str, tuple[Choice, ...]] = {}
    for facet in FACETS:
        counts = results.facets.get(facet, {})
        chosen = request.filters.get(facet, ())
        if facet == "topic":
            shown[facet] = _topic_choices("", counts, set(chosen), names)
            continue
        ranked = sorted(counts, key=lambda value: (-counts[value], value))
        top = [*ranked[:_SHOWN_AT_MOST], *(value for value in ranked[_SHOWN_AT_MOST:] if value in chosen)]
        labels = names.of(facet, top)
        choices = [Choice(value, labels.get(value, value), counts[value], value in chosen) for value in top]
        if facet == "year":
            choices.sort(key=lambda choice: choice.value, reverse=True)
        elif facet in {"state", "organisation", "technology"}:
            choices.sort(key=lambda choice: (-choice.count, search_name(str(choice.label))))
        elif labels:
            order = [str(term) for term in type(next(iter(labels.values())))]  # type: ignore[arg-type]
            choices.sort(key=lambda choice: order.index(choice.value))
        shown[facet] = tuple(choices)
    return shown


def _topic_choices(parent: str, counts: Mapping[str, int], chosen: set[str], names: _Names) -> tuple[Choice, ...]:
    """The topics below one that have hits; their own narrower ones only where the path is open."""
    choices = []
    for slug in names.narrower(parent):
        inside = names.below(slug)
        is_open = slug in chosen or bool(inside & chosen)
        if counts.get(slug) or is_open:
            children = _topic_choices(slug, counts, chosen, names) if is_open else ()
            choices.append(Choice(slug, names.topics[slug][2], counts.get(slug, 0), slug in chosen, children))
    return tuple(choices)


def _chips(request: Request, names: _Names, is_known: Callable[[str, str], bool]) -> tuple[Chip, ...]:
    """The filters in force. Organisations and technologies can come into being with an entry nobody may see yet, so their
    names are told only where `is_known` says that a readable entry bears them."""
    chips = []
    for facet in FILTERS:
        values = request.filters.get(facet, ())
        guarded = facet in {"organisation", "technology"}
        labels = names.of(facet, [value for value in values if not guarded or is_known(facet, value)])
        chips += [Chip(facet, value, labels.get(value, value)) for value in values]
    return tuple(chips)


def _known_to(index: SearchIndex, query: Query) -> Callable[[str, str], bool]:
    def is_known(facet: str, value: str) -> bool:
        return index.search(Query(audiences=query.audiences, filters={facet: (value,)}, limit=0)).total > 0

    return is_known


def _loosened(index: SearchIndex, query: Query, request: Request, chips: Iterable[Chip]) -> tuple[tuple[Chip, int], ...]:
    """For each filter in force: how many would be found without it; only those that would help."""
    helpful = []
    for chip in chips:
        rest = tuple(value for value in request.filters[chip.facet] if value != chip.value)
        filters = _index_filters({**request.filters, chip.facet: rest})
        filters |= {name: values for name, values in query.filters.items() if name not in request.filters}
        found = index.search(replace(query, filters=filters, facets=(), offset=0, limit=0))
        if found.total and not found.correction_applied:
            helpful.append((chip, found.total))
    return tuple(helpful)


# --- without the index -----------------------------------------------------------------------------------------------


def _from_database(
    session: Session, actor: Actor, request: Request, filters: Mapping[str, tuple[str, ...]], names: _Names
) -> Answer:
    """A plain answer by LIKE while the index can't be read: every word somewhere in the main texts; no counts."""
    conditions: list[ColumnElement[bool]] = [Solution.status == Status.PUBLISHED, visible_to(actor), *_conditions(filters, names)]
    columns = (Solution.title, Solution.title_en, Solution.benefit, Solution.challenge, Solution.approach)
    words = [word for word in re.findall(r"\w+", request.text) if len(word) > 1][:10]
    conditions += [or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words]
    total = session.scalar(select(func.count()).select_from(Solution).where(*conditions)) or 0
    last = max(1, -(-min(total, LAST_RANK) // request.per_page))
    request = replace(request, page=min(request.page, last))
    newest = func.coalesce(Solution.published_at, Solution.updated_at).desc()
    ids = session.scalars(
        select(Solution.id).where(*conditions).order_by(newest, Solution.id)
        .offset((request.page - 1) * request.per_page).limit(request.per_page)
    ).all()
    rows = visible_among(session, actor, ids)
    hits = tuple(listed(rows[number], request.language) for number in ids if number in rows)
    return Answer(request=request, total=total, hits=hits, chips=_chips(request, names, lambda *_: False), available=False)


def _conditions(filters: Mapping[str, tuple[str, ...]], names: _Names) -> Sequence[ColumnElement[bool]]:
    sites = Solution.deployments
    made: list[ColumnElement[bool]] = []
    for name, values in filters.items():
        match name:
            case "topic":
                wanted = {found for slug in values for found in (slug, *names.below(slug))}
                made.append(Solution.topics.any(Topic.slug.in_(wanted)))
            case "technology":
                made.append(Solution.technologies.any(Technology.slug.in_(values)))
            case "status":
                made.append(sites.any(Deployment.status.in_(_members(DeploymentStatus, values))))
            case "cause":
                causes = DeploymentStopCause.cause.in_(_members(StopCause, values))
                made.append(sites.any(Deployment.stop_causes.any(causes)))
            case "state":
                made.append(sites.any(Deployment.municipality.has(Municipality.state_code.in_(values))))
            case "place":
                made.append(sites.any(Deployment.ags.in_(values)))
            case "organisation" | "kind":
                who = (
                    Organisation.slug.in_(values)
                    if name == "organisation"
                    else Organisation.kind.in_(_members(OrganisationKind, values))
                )
                made.append(or_(Solution.organisation.has(who), sites.any(Deployment.organisation.has(who))))
            case _:
                begins, ends = func.substr(Deployment.started, 1, 4), func.substr(Deployment.ended, 1, 4)
                made.append(
                    sites.any(
                        or_(*((begins <= year) & (func.coalesce(func.nullif(ends, ""), begins) >= year) & (begins != "") for year in values))
                    )
                )
    return made


def _members(kind: type[StrEnum], values: Iterable[str]) -> list[StrEnum]:
    return [term for term in kind if term.value in set(values)]


# --- suggestions -----------------------------------------------------------------------------------------------------

_SHORTEST_PREFIX = 2
_OF_EACH_KIND = 3
_PLACES_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Suggested:
    """Something to offer while typing: kind "entry" (key: its slug) or a filter's name (key: its value)."""

    kind: str
    text: str
    key: str


def suggest(
    session: Session, index: SearchIndex, actor: Actor, typed: str, *, language: str = "de", limit: int = 10
) -> list[Suggested]:
    """What the beginning of a query could mean: entries, topics, organisations, technologies and places.

    Only what a readable entry has; nothing while the index can't be read.
    """
    typed = squeeze(typed.replace("\x00", " "))[:100]
    folded = search_name(typed)
    if len(folded) < _SHORTEST_PREFIX:
        return []
    audiences = audiences_of(actor)
    try:
        entries = index.suggest(typed, audiences, limit)
        used = index.search(
            Query(audiences=audiences, facets=("topic", "organisation", "technology", "place"), limit=0)
        ).facets
    except IndexUnavailable:
        return []
    english = language == "en"
    terms = [
        *_beginning(folded, "topic", session.execute(select(Topic.slug, Topic.name_en if english else Topic.name)), used),
        *_beginning(folded, "organisation", session.execute(select(Organisation.slug, Organisation.name)), used),
        *_beginning(folded, "technology", session.execute(select(Technology.slug, Technology.name)), used),
        *_places(session, folded, used["place"]),
    ]
    numbers = [int(item.id) for item in entries if item.kind == "entry" and item.id]
    rows = session.execute(
        select(Solution.id, Solution.slug, Solution.title, Solution.title_en)
        .where(Solution.id.in_(numbers), Solution.status == Status.PUBLISHED, visible_to(actor))
    ).all()
    titles = {row.id: Suggested("entry", (english and row.title_en) or row.title, row.slug) for row in rows}
    found = [titles[number] for number in dict.fromkeys(numbers) if number in titles]
    return [*terms, *found[: max(0, limit - len(terms))]][:limit]


def _beginning(
    folded: str, facet: str, names: Iterable[tuple[str, str]], used: Mapping[str, Mapping[str, int]]
) -> list[Suggested]:
    """Those of the names a word of which begins as typed, the most used first."""
    counts = used[facet]
    found = [
        (not simple.startswith(folded), -counts[key], name, key)
        for key, name in names
        if key in counts and name and f" {folded}" in f" {(simple := search_name(name)).replace('-', ' ')}"
    ]
    return [Suggested(facet, name, key) for _, _, name, key in sorted(found)[:_OF_EACH_KIND]]


def _places(session: Session, folded: str, counts: Mapping[str, int]) -> list[Suggested]:
    if not counts:
        return []
    begins = folded.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    own = select(Municipality.ags, Municipality.name).where(Municipality.search_name.like(begins, escape="\\"))
    parts = (
        select(PlaceAlias.ags, PlaceAlias.name, Municipality.name)
        .join(Municipality, Municipality.ags == PlaceAlias.ags)
        .where(PlaceAlias.search_name.like(begins, escape="\\"))
    )
    by_size = Municipality.population.desc().nulls_last()
    found = [(key, name) for key, name in session.execute(own.order_by(by_size).limit(_PLACES_LOOKED_AT)) if key in counts]
    found += [
        (key, f"{part} ({name})")
        for key, part, name in session.execute(parts.order_by(by_size).limit(_PLACES_LOOKED_AT))
        if key in counts
    ]
    return [Suggested("place", name, key) for key, name in found[:_OF_EACH_KIND]]
