"""Resolving what an entry refers to (organisations, topics, technologies, places) by public key or by plain name.

One `References` serves one session; it remembers what it found, so that an import of thousands of rows asks once.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from catalog.domain.text import slug, squeeze
from catalog.domain.vocabulary import OrganisationKind
from catalog.models.deployment import Deployment
from catalog.models.group import WorkingGroup
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality
from catalog.models.topic import Technology, Topic
from catalog.services import places

_KIND_BY_NAME = (
    (
        re.compile(r"\b(?:stadtwerk|gemeindewerk|kommunalwerk|technische werke|werke|swk?)", re.IGNORECASE),
        OrganisationKind.UTILITY,
    ),
    (re.compile(r"\b(?:netz|netze|netzgesellschaft)\b", re.IGNORECASE), OrganisationKind.NETWORK_OPERATOR),
    (re.compile(r"(?:wasser|zweckverband|entwässerung)", re.IGNORECASE), OrganisationKind.WATER_ASSOCIATION),
    (re.compile(r"kreis\b", re.IGNORECASE), OrganisationKind.DISTRICT),
    (re.compile(r"^(?:stadt|gemeinde|hansestadt|markt)\b", re.IGNORECASE), OrganisationKind.CITY),
)


def kind_from_name(name: str) -> OrganisationKind:
    """A guess at what an organisation is from its name, for rows that name one the catalog does not know yet."""
    return next((kind for pattern, kind in _KIND_BY_NAME if pattern.search(name)), OrganisationKind.PARTNER)


_CHUNK: Final = 300  # values in one IN list


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


class References:
    """Look-ups within one session, each asked of the database once."""

    def __init__(self, session: Session) -> None:
        """Bind to the session whose rows are handed out."""
        self._session = session
        self._organisations: dict[str, Organisation | None] = {}
        self._topics: dict[str, Topic] | None = None
        self._technologies: dict[str, Technology] | None = None
        self._places: dict[tuple[str, str], Municipality | None] = {}
        self._municipalities: dict[str, Municipality] = {}

    def organisation(self, key: str, *, create: bool = False) -> Organisation | None:
        """The organisation with this slug, name or short name; with `create` an unknown one is added."""
        key = squeeze(key)
        if not key:
            return None
        if key not in self._organisations or (create and self._organisations[key] is None):
            found = self._session.scalars(
                select(Organisation)
                .where(
                    or_(
                        Organisation.slug == key,
                        Organisation.name == key,  # SQLite folds the case of ASCII letters only, and not that of an Ü
                        func.lower(Organisation.name) == key.lower(),
                        Organisation.short_name == key,
                    )
                )
                .order_by((Organisation.slug == key).desc())
            ).first()
            if found is None and create:
                found = Organisation(slug=self._free_slug(key), name=key, kind=kind_from_name(key))
                self._session.add(found)
                self._session.flush()  # the row number is needed for the entries that name it
            self._organisations[key] = found
        return self._organisations[key]

    def _free_slug(self, name: str) -> str:
        wanted = slug(name, "organisation")
        taken = set(self._session.scalars(select(Organisation.slug).where(Organisation.slug.like(f"{wanted}%"))))
        if wanted not in taken:
            return wanted
        return next(f"{wanted}-{number}" for number in range(2, len(taken) + 3) if f"{wanted}-{number}" not in taken)

    def prefetch(self, organisations: Iterable[str], ags: Iterable[str], *, create: bool = False) -> None:
        """Answer the look-ups of many entries with few questions; with `create` unknown organisations are added.

        What was asked before is not asked again; the rows stay at hand for as long as this object lives.
        """
        keys = {squeeze(key) for key in organisations} - {""}
        keys -= {key for key in keys if self._organisations.get(key) is not None}
        for chunk in _chunks(sorted(keys)):
            named = or_(
                Organisation.slug.in_(chunk),
                Organisation.name.in_(chunk),
                func.lower(Organisation.name).in_([key.lower() for key in chunk]),
                Organisation.short_name.in_(chunk),
            )
            found = self._session.scalars(select(Organisation).where(named).order_by(Organisation.id.desc())).all()
            slugs = {row.slug: row for row in found}
            names = {row.name: row for row in found}
            folded = {row.name.lower(): row for row in found}
            short = {row.short_name: row for row in found}
            for key in chunk:
                self._organisations[key] = slugs.get(key) or names.get(key) or folded.get(key.lower()) or short.get(key)
        if create:
            self._add_organisations(sorted(key for key in keys if self._organisations.get(key) is None))
        self._fetch_places(set(ags) - {""})

    def _add_organisations(self, names: list[str]) -> None:
        wanted = {name: slug(name, "organisation") for name in names}
        taken: set[str] = set()
        for chunk in _chunks(sorted(set(wanted.values()))):
            taken |= set(self._session.scalars(select(Organisation.slug).where(Organisation.slug.in_(chunk))))
        added: dict[str, Organisation] = {}
        for name, address in wanted.items():
            same = added.get(name.lower())
            if same is None and address not in taken:
                same = Organisation(slug=address, name=name, kind=kind_from_name(name))
                taken.add(address)
                added[name.lower()] = self._organisations[name] = same
            elif same is not None:
                self._organisations[name] = same
            # A taken address is left to `organisation`, which looks for the next free one.
        self._session.add_all(added.values())
        self._session.flush()

    def _fetch_places(self, ags: set[str]) -> None:
        for chunk in _chunks(sorted(ags - self._municipalities.keys())):
            for place in self._session.scalars(select(Municipality).where(Municipality.ags.in_(chunk))):
                self._municipalities[place.ags] = place

    def topic(self, key: str) -> Topic | None:
        """The topic with this slug or German or English name."""
        if self._topics is None:
            self._topics = {}
            for topic in self._session.scalars(select(Topic)):
                for name in (topic.name_en, topic.name, topic.slug):
                    self._topics[name.lower()] = topic
        return self._topics.get(squeeze(key).lower()) if key else None

    def technology(self, key: str, *, create: bool = False) -> Technology | None:
        """The technology tag with this slug or name; with `create` an unknown one is added."""
        if self._technologies is None:
            self._technologies = {}
            for technology in self._session.scalars(select(Technology)):
                for name in (technology.name_en, technology.name, technology.slug):
                    self._technologies[name.lower()] = technology
        key = squeeze(key)
        found = self._technologies.get(key.lower()) or self._technologies.get(slug(key, ""))
        if found is None and create and key:
            wanted = address = slug(key, "technologie")
            numbers = itertools.count(2)
            while address in self._technologies:  # names of signs alone have no address of their own
                address = f"{wanted}-{next(numbers)}"
            found = Technology(slug=address, name=key)
            self._session.add(found)
            self._technologies[key.lower()] = self._technologies[found.slug] = found
        return found

    def place(self, ags: str, name: str) -> Municipality | None:
        """The municipality of this key or name, or None where the gazetteer does not know it."""
        if ags in self._municipalities:
            return self._municipalities[ags]
        key = (ags, name)
        if key not in self._places:
            self._places[key] = places.find(self._session, ags=ags, name=name)
        return self._places[key]

    def working_group(self, key: str) -> WorkingGroup | None:
        """The working group with this slug or name."""
        if not key:
            return None
        return self._session.scalars(
            select(WorkingGroup).where(or_(WorkingGroup.slug == key, WorkingGroup.name == key))
        ).first()

    def deployment(self, external_id: str) -> Deployment | None:
        """The site with this external id."""
        if not external_id:
            return None
        return self._session.scalars(select(Deployment).where(Deployment.external_id == external_id)).first()
