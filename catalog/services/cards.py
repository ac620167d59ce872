"""What a list shows of an entry: cards, read for a whole page in a few queries; nothing is searched here."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Select, distinct, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from catalog.domain.actor import Actor
from catalog.domain.permissions import PUBLIC
from catalog.domain.text import excerpt, squeeze
from catalog.domain.vocabulary import CostBand, DeploymentStatus, SolutionKind, Visibility
from catalog.domain.workflow import Status
from catalog.models.deployment import Deployment, Reuse
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality, State
from catalog.models.solution import Solution, SolutionAudience, solution_technology, solution_topic
from catalog.models.topic import Technology, Topic
from catalog.services.solutions import visible_to
from index import Piece, Reason, Snippet

__all__ = ["Card", "Hit", "Piece", "Reason", "Site", "load", "plain", "unsearched"]

SNIPPET_WIDTH: Final = 240
# Links and pictures leave their text; emphasis, code, headings, quotes and list marks go.
# What stands between two letters or digits is no mark: a_b and 3*4 stay as they are.
_MARKUP = re.compile(
    r"!?\[(?P<text>[^\]\n]*)\]\([^)\n]*\)"
    r"|(?<!\w)[*_]+(?=\S)|(?<=\S)[*_]+(?!\w)|`+|~~"
    r"|^[ \t]*(?:#{1,6} |>+ ?|[-+*] )",
    re.MULTILINE,
)


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
    """The language of the title where it is not the page's, for the lang attribute."""
    foreign_benefit: str
    """The same of the benefit."""
    foreign_texts: str
    """The same of all else that people wrote."""
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
    texts: tuple[tuple[str, str], ...]
    """The texts a passage may come from, under the names the index has for them, without mark-up."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A card with what the search adds: marked title, best passage, and why it was found."""

    card: Card
    title: tuple[Piece, ...]
    passage: Snippet
    foreign: str = ""
    """The language of the passage where it is not the page's, for the lang attribute."""
    reasons: tuple[Reason, ...] = ()
    score: float = 0.0


def load(session: Session, actor: Actor, ids: Sequence[int], language: str = "de") -> dict[int, Card]:
    """Cards of those of the entries that are published and that the actor may read, by row number.

    Columns are read instead of objects: a page of results has no use for whole entries, which cost several times more.
    """
    rows = {row.id: row for row in session.execute(_OWN.where(Solution.id.in_(ids), visible_to(actor)))}
    if not rows:
        return {}
    topics = _labels(session, _TOPICS.where(solution_topic.c.solution_id.in_(rows)), language)
    technologies = _labels(session, _TECHNOLOGIES.where(solution_technology.c.solution_id.in_(rows)), language)
    sites: defaultdict[int, list[_Columns]] = defaultdict(list)
    for row in session.execute(_SITES.where(Deployment.solution_id.in_(rows))):
        sites[row.solution_id].append(row)
    reuses = {row.solution_id: row.number for row in session.execute(_REUSES.where(_ORIGIN.solution_id.in_(rows)))}
    return {
        number: Card(
            **_own(row, sites[number], language),
            topics=tuple(topics[number]),
            technologies=tuple(name for _, name in technologies[number]),
            **_of_sites(sites[number]),
            reuses=reuses.get(number, 0),
        )
        for number, row in rows.items()
    }


def unsearched(card: Card) -> Hit:
    """The entry as a hit that no words were searched for, for lists to browse."""
    passage = Snippet("benefit", (Piece(excerpt(card.benefit, SNIPPET_WIDTH)),))
    return Hit(card, (Piece(card.title),), passage, card.foreign_benefit)


@lru_cache(maxsize=8_192)
def plain(text: str) -> str:
    """A Markdown text without its marks, on one line; kept, since the same ones come up again and again."""
    return squeeze(_MARKUP.sub(lambda found: found["text"] or "", text))


_OWN = (
    select(
        *(
            Solution.id, Solution.external_id, Solution.slug, Solution.title, Solution.title_en, Solution.benefit,
            Solution.benefit_en, Solution.language, Solution.kind, Solution.visibility, Solution.challenge,
            Solution.approach, Solution.limits, Solution.technical, Solution.legal, Solution.organisational,
            Solution.data, Solution.adaptation, Solution.is_demo, Solution.is_complete, Solution.published_at,
            Solution.updated_at,
        ),
        func.coalesce(Organisation.name, "").label("organisation"),
        func.coalesce(Organisation.slug, "").label("organisation_slug"),
    )
    .join(Organisation, Organisation.id == Solution.organisation_id, isouter=True)
    .where(Solution.status == Status.PUBLISHED)
)  # fmt: skip
_TOPICS = (
    select(solution_topic.c.solution_id, Topic.slug, Topic.name, Topic.name_en)
    .join(Topic, Topic.id == solution_topic.c.topic_id)
    .order_by(Topic.position)
)
_TECHNOLOGIES = (
    select(solution_technology.c.solution_id, Technology.slug, Technology.name, Technology.name_en)
    .join(Technology, Technology.id == solution_technology.c.technology_id)
    .order_by(Technology.name)
)
_SITES = (
    select(
        *(
            Deployment.solution_id, Deployment.place_name, Deployment.status, Deployment.started, Deployment.capex_eur,
            Deployment.capex_band, Deployment.summary, Deployment.results, Deployment.worked, Deployment.not_worked,
            Deployment.would_change, Deployment.stop_reason,
        ),
        func.coalesce(Organisation.name, Deployment.organisation_name).label("organisation"),
        func.coalesce(Municipality.name, "").label("municipality"),
        func.coalesce(State.name, "").label("state"),
    )
    .join(Organisation, Organisation.id == Deployment.organisation_id, isouter=True)
    .join(Municipality, Municipality.ags == Deployment.ags, isouter=True)
    .join(State, State.code == Municipality.state_code, isouter=True)
    .order_by(Deployment.solution_id, Deployment.position)
)  # fmt: skip
_ORIGIN, _FOLLOWER = aliased(Deployment), aliased(Deployment)
# As `solutions.known_reuses` counts: sites of this very entry and of entries that everyone may read.
_REUSES = (
    select(_ORIGIN.solution_id, func.count(distinct(Reuse.deployment_id)).label("number"))
    .select_from(Reuse)
    .join(_ORIGIN, _ORIGIN.id == Reuse.origin_id)
    .join(_FOLLOWER, _FOLLOWER.id == Reuse.deployment_id)
    .where(
        or_(
            _FOLLOWER.solution_id == _ORIGIN.solution_id,
            exists().where(SolutionAudience.solution_id == _FOLLOWER.solution_id, SolutionAudience.label == PUBLIC),
        )
    )
    .group_by(_ORIGIN.solution_id)
)
_BANDS = list(CostBand)
_Columns = Any  # a row of one of the queries above; their many columns are no type of their own


def _labels(session: Session, query: Select[Any], language: str) -> defaultdict[int, list[tuple[str, str]]]:
    found: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for number, slug, name, name_en in session.execute(query):
        found[number].append((slug, name_en if language == "en" and name_en else name))
    return found


def _own(row: _Columns, sites: Sequence[_Columns], language: str) -> dict[str, Any]:
    english = language == "en"
    translated = english and bool(row.title_en)
    foreign = "" if row.language == language else row.language
    return {
        "id": row.id,
        "external_id": row.external_id,
        "slug": row.slug,
        "title": row.title_en if translated else row.title,
        "benefit": plain((english and row.benefit_en) or row.benefit),
        "foreign": "" if translated else foreign,
        "foreign_benefit": "" if english and row.benefit_en else foreign,
        "foreign_texts": foreign,
        "kind": row.kind,
        "visibility": row.visibility,
        "organisation": row.organisation,
        "organisation_slug": row.organisation_slug,
        "updated": row.published_at or row.updated_at,
        "is_demo": row.is_demo,
        "is_complete": row.is_complete,
        "texts": tuple(_texts(row, sites)),
    }


def _of_sites(sites: Sequence[_Columns]) -> dict[str, Any]:
    statuses = {site.status for site in sites}
    return {
        "sites": tuple(
            Site(site.place_name or site.municipality, site.state, site.status, site.started, site.organisation)
            for site in sites
        ),
        "statuses": tuple(status for status in DeploymentStatus if status in statuses),
        "cost_eur": max((site.capex_eur for site in sites if site.capex_eur is not None), default=None),
        "cost_band": max(
            (site.capex_band for site in sites if site.capex_band is not None), key=_BANDS.index, default=None
        ),
    }


def _texts(row: _Columns, sites: Sequence[_Columns]) -> Iterator[tuple[str, str]]:
    texts = [
        ("benefit", row.benefit),
        ("challenge", row.challenge),
        ("solution", row.approach),
        *(("solution", site.summary) for site in sites),
        *(("results", text) for site in sites for text in (site.results, site.worked)),
        *(("not_worked", text) for site in sites for text in (site.not_worked, site.would_change, site.stop_reason)),
        ("not_worked", row.limits),
        *(("solution", text) for text in (row.technical, row.legal, row.organisational, row.data, row.adaptation)),
    ]
    return ((name, plain(text)) for name, text in texts if text)
