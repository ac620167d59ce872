"""What every catalog starts with: states, municipalities, place names, roles, the first topics and technologies.

All of it repeatable: a second run changes nothing. Demo content is not here but in `demo`.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from catalog.domain.actor import Role as RoleName
from catalog.models.base import Base
from catalog.models.place import Municipality, PlaceAlias, State
from catalog.models.topic import Technology, Topic
from catalog.models.user import Role
from catalog.paths import DATA
from catalog.services.places import search_name

_ROLE_DESCRIPTIONS = {
    RoleName.CURATOR: "Prüft und veröffentlicht Einträge.",
    RoleName.ADMIN: "Verwaltet Konten, Organisationen und Einstellungen.",
}
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Seeded:
    """How many rows a run added and how many it brought up to date."""

    added: int = 0
    changed: int = 0

    def __add__(self, other: "Seeded") -> "Seeded":
        """Both runs together."""
        return Seeded(self.added + other.added, self.changed + other.changed)


def seed(session: Session, data: Path = DATA) -> Seeded:
    """Lay the whole ground; gives what it added or changed. The caller commits."""
    return places(session, data) + roles(session) + taxonomy(session, data / "taxonomy.yaml")


def _table(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines, delimiter=";")


def _number(text: str, kind: type[int] | type[float]) -> float | int | None:
    return kind(text) if text else None


def places(session: Session, data: Path = DATA) -> Seeded:
    """States, municipalities and their other names, from the gazetteer files.

    A newer gazetteer corrects rows in place; municipalities it no longer lists stay, because entries may name them.
    """
    states = {
        row["code"]: {"code": row["code"], "name": row["name"], "abbreviation": row["abbr"]}
        for row in _table(data / "states.csv")
    }
    done = _bring_up_to_date(session, State, "code", states)
    municipalities = {
        row["ags"]: {
            "ags": row["ags"],
            "name": row["name"],
            "search_name": search_name(row["name"]),
            "kind": row["kind"],
            "district": row["district"],
            "state_code": row["state"],
            "population": _number(row["population"], int),
            "latitude": _number(row["lat"], float),
            "longitude": _number(row["lon"], float),
            "town_type": row["bbsr_type"],
        }
        for row in _table(data / "gazetteer.csv")
    }
    done += _bring_up_to_date(session, Municipality, "ags", municipalities)
    return done + _aliases(session, data / "places.csv")


def _bring_up_to_date(session: Session, model: type[Base], key: str, wanted: dict[str, dict[str, Any]]) -> Seeded:
    """Insert the missing rows and correct the changed ones, in bulk: eleven thousand rows take a second at most."""
    names = list(next(iter(wanted.values())))
    columns = [getattr(model, name) for name in names]
    found = {row[names.index(key)]: tuple(row) for row in session.execute(select(*columns))}
    new = [values for code, values in wanted.items() if code not in found]
    changed = [values for code, values in wanted.items() if code in found and found[code] != tuple(values.values())]
    if new:
        session.execute(insert(model), new)
    if changed:
        session.execute(update(model), changed)  # by primary key, which each row carries
    return Seeded(len(new), len(changed))


def _aliases(session: Session, file: Path) -> Seeded:
    known = set(session.scalars(select(Municipality.ags)))
    found = {(row.search_name, row.ags) for row in session.execute(select(PlaceAlias.search_name, PlaceAlias.ags))}
    new: dict[tuple[str, str], dict[str, str]] = {}
    for row in _table(file):
        identity = (search_name(row["name"]), row["ags"])
        if row["ags"] in known and identity not in found:
            new[identity] = {"name": row["name"], "search_name": identity[0], "ags": row["ags"]}
    if new:
        session.execute(insert(PlaceAlias), list(new.values()))
    return Seeded(len(new))


def roles(session: Session) -> Seeded:
    """The catalog-wide roles that people can be given."""
    found = set(session.scalars(select(Role.name)))
    new = [
        Role(name=name.value, description=text) for name, text in _ROLE_DESCRIPTIONS.items() if name.value not in found
    ]
    session.add_all(new)
    session.flush()
    return Seeded(len(new))


def taxonomy(session: Session, file: Path = DATA / "taxonomy.yaml") -> Seeded:
    """The curated topics and technologies of the file; only missing ones are added, so curators' later edits stay."""
    content = yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - both loaders are safe ones
    done = _topics(session, content["topics"], None)
    known = set(session.scalars(select(Technology.slug)))
    for row in content["technologies"]:
        if row["slug"] not in known:
            session.add(Technology(slug=row["slug"], name=row["name"], name_en=row.get("name_en", "")))
            done.added += 1
    session.flush()
    return done


def _topics(session: Session, rows: list[dict[str, Any]], parent: Topic | None) -> Seeded:
    known = {topic.slug: topic for topic in session.scalars(select(Topic))}
    done = Seeded()
    for position, row in enumerate(rows):
        topic = known.get(row["slug"])
        if topic is None:
            topic = Topic(
                slug=row["slug"],
                name=row["name"],
                name_en=row.get("name_en", ""),
                description=row.get("description", ""),
                description_en=row.get("description_en", ""),
                parent=parent,
                position=position,
            )
            session.add(topic)
            session.flush()
            done.added += 1
        done += _topics(session, row.get("children", []), topic)
    return done
