"""Suggestions while somebody types: entries, topics, organisations, technologies and places; results are `search`'s."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.permissions import audiences_of
from catalog.domain.text import squeeze
from catalog.domain.workflow import Status
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality, PlaceAlias
from catalog.models.solution import Solution
from catalog.models.topic import Technology, Topic
from catalog.services.places import search_name
from catalog.services.solutions import visible_to
from index import IndexUnavailable, Query, SearchIndex

_SHORTEST_PREFIX = 2
_AT_MOST = 10
_OF_EACH_KIND = 3
_PLACES_LOOKED_AT = 100


@dataclass(frozen=True, slots=True)
class Suggested:
    """Something to offer while typing: kind "entry" (key: its slug) or a filter's name (key: its value)."""

    kind: str
    text: str
    key: str


def suggest(session: Session, index: SearchIndex, actor: Actor, typed: str, *, language: str = "de") -> list[Suggested]:
    """What the beginning of a query could mean: entries, topics, organisations, technologies and places.

    Only what a readable entry has; nothing while the index can't be read.
    """
    typed = squeeze(typed.replace("\x00", " "))[:100]
    folded = search_name(typed)
    if len(folded) < _SHORTEST_PREFIX:
        return []
    audiences = audiences_of(actor)
    try:
        entries = index.suggest(typed, audiences, _AT_MOST)
        used = index.search(
            Query(audiences=audiences, facets=("topic", "organisation", "technology", "place"), limit=0)
        ).facets
    except IndexUnavailable:
        return []
    english = language == "en"
    terms = [
        *_beginning(
            folded, "topic", session.execute(select(Topic.slug, Topic.name_en if english else Topic.name)), used
        ),
        *_beginning(folded, "organisation", session.execute(select(Organisation.slug, Organisation.name)), used),
        *_beginning(folded, "technology", session.execute(select(Technology.slug, Technology.name)), used),
        *_places(session, folded, used["place"]),
    ]
    numbers = [int(item.id) for item in entries if item.kind == "entry" and item.id]
    rows = session.execute(
        select(Solution.id, Solution.slug, Solution.title, Solution.title_en).where(
            Solution.id.in_(numbers), Solution.status == Status.PUBLISHED, visible_to(actor)
        )
    ).all()
    titles = {row.id: Suggested("entry", (english and row.title_en) or row.title, row.slug) for row in rows}
    found = [titles[number] for number in dict.fromkeys(numbers) if number in titles]
    return [*terms, *found[: max(0, _AT_MOST - len(terms))]][:_AT_MOST]


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
    found = [
        (key, name) for key, name in session.execute(own.order_by(by_size).limit(_PLACES_LOOKED_AT)) if key in counts
    ]
    found += [
        (key, f"{part} ({name})")
        for key, part, name in session.execute(parts.order_by(by_size).limit(_PLACES_LOOKED_AT))
        if key in counts
    ]
    return [Suggested("place", name, key) for key, name in found[:_OF_EACH_KIND]]
