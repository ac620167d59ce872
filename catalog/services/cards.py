"""What a list shows of an entry: cards from rows, and the texts passages are taken from; nothing is searched here."""

import re
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

from catalog.domain.text import excerpt, squeeze
from catalog.domain.vocabulary import CostBand, DeploymentStatus, SolutionKind, Visibility
from catalog.models.solution import Solution
from catalog.services.solutions import known_reuses
from index import Piece, Reason, Snippet

__all__ = ["Card", "Hit", "Piece", "Reason", "Site", "card", "listed", "passages", "plain"]

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
    return Hit(made, (Piece(made.title),), Snippet("benefit", (Piece(excerpt(made.benefit, SNIPPET_WIDTH)),)))


@lru_cache(maxsize=8_192)
def plain(text: str) -> str:
    """A Markdown text without its marks, on one line; kept, since the same ones come up again and again."""
    return squeeze(_MARKUP.sub(lambda found: found["text"] or "", text))


def passages(solution: Solution) -> list[tuple[str, str]]:
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
        (
            "solution",
            f"{solution.technical} {solution.legal} {solution.organisational} {solution.data} {solution.adaptation}",
        ),
    )
    return [(name, cleaned) for name, text in texts if (cleaned := plain(text))]
