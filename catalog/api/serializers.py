"""What the interface answers with, as Pydantic models: their fields are the documented shape, and nothing else leaves.

Made from what services give; nothing is read from the database here, and no right is checked.
"""

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from catalog.domain.entry import Entry
from catalog.domain.vocabulary import CostBand, DeploymentStatus, SolutionKind
from catalog.domain.workflow import Status
from catalog.services.cards import Hit, Piece
from catalog.services.facets import Choice
from catalog.services.search import Answer, Sort
from catalog.web.locale import term


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Problem(_Shape):
    """What went wrong, as RFC 9457 has it."""

    type: str = Field("about:blank", description="Always about:blank: the status says what kind of problem it is.")
    title: str = Field(description="What happened, in a few words.")
    status: int = Field(description="The HTTP status once more.")
    detail: str = Field(description="What happened and what to do, for people.")
    reference: str | None = Field(None, description="For a crash: the number under which the server's log tells more.")


class Text(_Shape):
    """A stretch of text."""

    text: str
    marked: bool = Field(description="Whether this is what was searched for.")


class Passage(_Shape):
    """The best passage of an entry for the query."""

    field: str = Field(description="Where it stands: benefit, challenge, solution, results or not_worked.")
    parts: list[Text]


class Reason(_Shape):
    """Why an entry was found where the words differ."""

    asked: str
    found: str
    kind: str = Field(description="compound, part, synonym, related, typo or similar.")


class Organisation(_Shape):
    """Who stands behind an entry."""

    slug: str
    name: str


class Topic(_Shape):
    """A topic of an entry."""

    slug: str
    name: str


class Site(_Shape):
    """A site of an entry, in short."""

    organisation: str
    place: str
    state: str
    status: DeploymentStatus | None
    started: str = Field(description="Year, month or day: 2021, 2021-05 or 2021-05-17; may be empty.")


class Result(_Shape):
    """An entry in a list of results."""

    id: str = Field(description="The entry's public identity; it never changes.")
    url: str = Field(description="The entry's page.")
    api_url: str = Field(description="The entry in this interface.")
    title: str
    benefit: str
    kind: SolutionKind
    organisation: Organisation | None
    topics: list[Topic]
    technologies: list[str]
    sites: list[Site]
    statuses: list[DeploymentStatus]
    cost_eur: float | None = Field(description="The highest known investment of a site, in euro.")
    cost_band: CostBand | None
    reuses: int = Field(description="How many sites are known to follow one of this entry's.")
    updated: datetime
    complete: bool
    demo: bool
    score: float
    title_parts: list[Text] = Field(description="The title with what was searched for marked.")
    passage: Passage
    reasons: list[Reason]


class FacetValue(_Shape):
    """A value of a facet: how many results have it, its own facet's filter left aside."""

    value: str
    label: str
    count: int
    chosen: bool
    children: list["FacetValue"] = Field(description="Narrower topics, where the topic or one below it is chosen.")


class SearchMeta(_Shape):
    """How the query was understood and what there is to filter by."""

    query: str
    filters: dict[str, list[str]]
    sort: Sort
    total: int
    page: int
    pages: int
    per_page: int
    seconds: float
    corrected: str | None = Field(description="The query with misspelt words mended, where that finds more.")
    correction_applied: bool = Field(description="Whether the results are those of the corrected query.")
    relaxed: bool = Field(description="Whether no entry has all the words, so that those with some are given.")
    available: bool = Field(description="False while the search index is being rebuilt: a plain answer without counts.")
    facets: dict[str, list[FacetValue]]


class SearchLinks(_Shape):
    """Addresses of this page of results and its neighbours."""

    self: str
    next: str | None
    previous: str | None


class SearchAnswer(_Shape):
    """A page of results."""

    data: list[Result]
    meta: SearchMeta
    links: SearchLinks


class SolutionMeta(_Shape):
    """What there is to know of an entry besides its document."""

    url: str
    status: Status
    complete: bool
    published: datetime | None
    updated: datetime
    organisations: dict[str, str] = Field(description="Names of the organisations that the document names by slug.")


class SolutionAnswer(_Shape):
    """An entry: the document as import and export have it, fields at their default left out."""

    data: Entry
    meta: SolutionMeta


def results(answer: Answer, base: str, links: SearchLinks) -> SearchAnswer:
    """A search's answer; `base` is the public address of the catalog."""
    asked = answer.request
    return SearchAnswer.model_construct(
        data=[_result(hit, base) for hit in answer.hits],
        meta=SearchMeta.model_construct(
            query=asked.text,
            filters={name: list(values) for name, values in asked.filters.items()},
            sort=asked.sort,
            total=answer.total,
            page=asked.page,
            pages=answer.pages,
            per_page=asked.per_page,
            seconds=round(answer.seconds, 6),
            corrected=answer.corrected,
            correction_applied=answer.correction_applied,
            relaxed=answer.relaxed,
            available=answer.available,
            facets={name: [_choice(item) for item in choices] for name, choices in answer.facets.items()},
        ),
        links=links,
    )


def _result(hit: Hit, base: str) -> Result:
    card = hit.card
    return Result.model_construct(
        id=card.external_id,
        url=f"{base}/loesungen/{card.slug}",
        api_url=f"{base}/api/v1/solutions/{card.external_id}",
        title=card.title,
        benefit=card.benefit,
        kind=card.kind,
        organisation=(
            Organisation(slug=card.organisation_slug, name=card.organisation) if card.organisation_slug else None
        ),
        topics=[Topic.model_construct(slug=slug, name=name) for slug, name in card.topics],
        technologies=list(card.technologies),
        sites=[
            Site.model_construct(
                organisation=site.organisation,
                place=site.place,
                state=site.state,
                status=site.status,
                started=site.started,
            )
            for site in card.sites
        ],
        statuses=list(card.statuses),
        cost_eur=card.cost_eur,
        cost_band=card.cost_band,
        reuses=card.reuses,
        updated=card.updated,
        complete=card.is_complete,
        demo=card.is_demo,
        score=hit.score,
        title_parts=_parts(hit.title),
        passage=Passage.model_construct(field=hit.passage.field, parts=_parts(hit.passage.parts)),
        reasons=[
            Reason.model_construct(asked=reason.word, found=reason.found, kind=reason.kind) for reason in hit.reasons
        ],
    )


def _parts(pieces: Iterable[Piece]) -> list[Text]:
    return [Text.model_construct(text=piece.text, marked=piece.marked) for piece in pieces]


def _choice(item: Choice) -> FacetValue:
    return FacetValue.model_construct(
        value=item.value,
        label=term(item.label),
        count=item.count,
        chosen=item.chosen,
        children=[_choice(child) for child in item.children],
    )
