"""Filters and facets of searches: their values, labels and order, and what they mean to the index; no searching."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import Select, literal, select
from sqlalchemy.orm import Session

from catalog.domain.vocabulary import DeploymentStatus, OrganisationKind, StopCause
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality, State
from catalog.models.topic import Technology, Topic
from catalog.services.places import search_name

FACETS: Final = ("topic", "status", "state", "kind", "organisation", "technology", "year", "cause")
FILTERS: Final = (*FACETS, "place")
_EARLIEST, _LATEST = 1950, 2050
_YEARS = re.compile(r"(?P<first>(?:19|20)\d\d)?(?P<to>\s*(?:\.\.\.?|-|–|bis)\s*)?(?P<last>(?:19|20)\d\d)?")
_TERMS: Final[Mapping[str, type[StrEnum]]] = {"status": DeploymentStatus, "kind": OrganisationKind, "cause": StopCause}
_KEYS: Final = {
    "state": State.code,
    "organisation": Organisation.slug,
    "technology": Technology.slug,
    "place": Municipality.ags,
}
_SHOWN_AT_MOST = 20

Filters = Mapping[str, tuple[str, ...]]


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


def year_span(token: str) -> tuple[int, int] | None:
    """The first and last year a filter value names; None for what is no year."""
    found = _YEARS.fullmatch(token.strip())
    if found is None or not (found["first"] or found["last"]):
        return None
    if not found["to"]:
        return None if found["first"] and found["last"] else (int(found["first"] or found["last"]),) * 2
    first, last = int(found["first"] or _EARLIEST), int(found["last"] or _LATEST)
    return (first, last) if first <= last else (last, first)


def index_filters(filters: Filters) -> dict[str, tuple[str, ...]]:
    """The filters as the index takes them: names it knows, and each year of a range as a value of its own."""
    wanted = {name: values for name, values in filters.items() if values and name in FILTERS}
    if "year" in wanted:
        spans = [span for value in wanted["year"] if (span := year_span(value))]
        wanted["year"] = tuple(sorted({str(year) for first, last in spans for year in range(first, last + 1)}))
        if not spans:
            del wanted["year"]
    return wanted


class Names:
    """Labels of facet values, read when first needed, a table at a time."""

    def __init__(self, session: Session, language: str) -> None:
        """Read with this session, in this language where a label exists in it."""
        self._session = session
        self._english = language == "en"
        self._topics: dict[str, tuple[int, int | None, str]] | None = None
        self._children: dict[str, list[str]] = {}

    @property
    def topics(self) -> dict[str, tuple[int, int | None, str]]:
        """Slug to row number, parent's number and name, in the order of the tree."""
        if self._topics is None:
            rows = self._session.execute(
                select(Topic.slug, Topic.id, Topic.parent_id, Topic.name, Topic.name_en).order_by(
                    Topic.position, Topic.name
                )
            ).all()
            self._topics = {
                row.slug: (row.id, row.parent_id, (self._english and row.name_en) or row.name) for row in rows
            }
            slugs = {row.id: row.slug for row in rows}
            for row in rows:
                self._children.setdefault(slugs.get(row.parent_id, ""), []).append(row.slug)
        return self._topics

    def narrower(self, slug: str) -> list[str]:
        """The topics right below one; those of the first level below ""."""
        return self._children.get(slug, []) if self.topics else []

    def below(self, slug: str) -> set[str]:
        """All topics below one; a circle in the tree ends where it began."""
        found: set[str] = set()
        waiting = [slug]
        while waiting:
            new = [child for child in self.narrower(waiting.pop()) if child not in found]
            found.update(new)
            waiting += new
        return found

    def of(self, facet: str, values: Iterable[str]) -> dict[str, str | StrEnum]:
        """Labels of the values that have one; terms of a vocabulary are their own label, to be translated."""
        wanted = set(values)
        if facet in _TERMS:
            return {term.value: term for term in _TERMS[facet] if term.value in wanted}
        if facet == "topic":
            return {value: self.topics[value][2] for value in wanted & set(self.topics)}
        if facet == "year":
            return {value: value.replace("..", "–") for value in wanted}
        if not wanted:
            return {}
        rows = self._session.execute(self._query(facet).where(_KEYS[facet].in_(wanted)))
        return {key: (self._english and english) or name for key, name, english in rows}

    @staticmethod
    def _query(facet: str) -> Select[str, str, str]:
        nothing = literal("")
        match facet:
            case "state":
                return select(State.code, State.name, nothing)
            case "organisation":
                return select(Organisation.slug, Organisation.name, nothing)
            case "technology":
                return select(Technology.slug, Technology.name, Technology.name_en)
            case _:
                return select(Municipality.ags, Municipality.name, nothing)


def narrowest(filters: Filters, names: Names) -> dict[str, tuple[str, ...]]:
    """The filters without topics below which another is chosen: who opens a topic and picks inside it narrows."""
    kept = {name: values for name, values in filters.items() if values}
    chosen = kept.get("topic", ())
    if len(chosen) > 1:
        kept["topic"] = tuple(slug for slug in chosen if not names.below(slug) & set(chosen))
    return kept


def choices(counted: Mapping[str, Mapping[str, int]], filters: Filters, names: Names) -> dict[str, tuple[Choice, ...]]:
    """The facets with their values in the order in which pages show them; `counted` is what the index counted."""
    shown: dict[str, tuple[Choice, ...]] = {}
    for facet in FACETS:
        counts, chosen = counted.get(facet, {}), filters.get(facet, ())
        if facet == "topic":
            shown[facet] = _topic_choices("", counts, set(chosen), names)
            continue
        ranked = sorted(counts, key=lambda value: (-counts[value], value))
        top = [*ranked[:_SHOWN_AT_MOST], *(value for value in ranked[_SHOWN_AT_MOST:] if value in chosen)]
        labels = names.of(facet, top)
        found = [Choice(value, labels.get(value, value), counts[value], value in chosen) for value in top]
        if facet in _TERMS:
            order = [term.value for term in _TERMS[facet]]
            found.sort(key=lambda choice: order.index(choice.value) if choice.value in order else len(order))
        elif facet == "year":
            found.sort(key=lambda choice: choice.value, reverse=True)
        else:
            found.sort(key=lambda choice: (-choice.count, search_name(str(choice.label))))
        shown[facet] = tuple(found)
    return shown


def _topic_choices(parent: str, counts: Mapping[str, int], chosen: set[str], names: Names) -> tuple[Choice, ...]:
    """The topics below one that have hits; their own narrower ones only where the path is open."""
    choices = []
    for slug in names.narrower(parent):
        inside = names.below(slug)
        is_open = slug in chosen or bool(inside & chosen)
        if counts.get(slug) or is_open:
            children = _topic_choices(slug, counts, chosen, names) if is_open else ()
            choices.append(Choice(slug, names.topics[slug][2], counts.get(slug, 0), slug in chosen, children))
    return tuple(choices)


def chips(filters: Filters, names: Names, is_known: Callable[[str, str], bool]) -> tuple[Chip, ...]:
    """The filters in force, with their labels.

    Organisations and technologies can come into being with an entry nobody may see yet, so their names are told only
    where `is_known` says that a readable entry bears them.
    """
    made = []
    for facet in FILTERS:
        values = filters.get(facet, ())
        guarded = facet in {"organisation", "technology"}
        labels = names.of(facet, [value for value in values if not guarded or is_known(facet, value)])
        made += [Chip(facet, value, labels.get(value, value)) for value in values]
    return tuple(made)
