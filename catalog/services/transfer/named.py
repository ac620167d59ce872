"""Rows of organisations, topics, technologies and working groups, laid into their tables."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from catalog.domain.text import slug
from catalog.models.group import WorkingGroup
from catalog.models.organisation import Organisation, OrganisationDivision, OrganisationNetwork
from catalog.models.topic import Technology, Topic
from catalog.services.references import kind_from_name
from catalog.services.transfer.places import PlaceNames
from catalog.services.transfer.rows import NamedRow, OrganisationRow, Problem, TechnologyRow, TopicRow


class RowError(Exception):
    """A row can't be taken for a reason only the catalog knows."""

    def __init__(self, problem: Problem) -> None:
        """Keep what is wrong, for the report."""
        super().__init__(problem.reason)
        self.problem = problem


Outcome = Literal["created", "updated", "unchanged"]

# Fields of an organisation's row that a column of the same name holds.
_SAME = (
    "name", "short_name", "kind", "membership", "website", "mailbox", "population_served", "has_data_platform",
)  # fmt: skip


def upsert(session: Session, row: NamedRow, places: PlaceNames | None, *, dry_run: bool) -> Outcome:
    """Add what the row names, or change what it says differently; fields it does not give stay as they are."""
    # Flushed before each look: an earlier row of the batch may have added what this one changes or refers to.
    session.flush()
    match row:
        case OrganisationRow():
            return _organisation(session, row, places, dry_run=dry_run)
        case TopicRow():
            return _topic(session, row, dry_run=dry_run)
        case TechnologyRow():
            return _plain(session, Technology, row, ("name", "name_en"), {}, dry_run=dry_run)
        case _:
            topic = session.scalars(select(Topic).where(Topic.slug == row.topic)).first() if row.topic else None
            if row.topic and topic is None:
                raise RowError(Problem("topic", f"{row.topic[:60]!r} is no topic of the catalog"))
            further = {"topic_id": topic.id if topic else None} if "topic" in row.model_fields_set else {}
            return _plain(session, WorkingGroup, row, ("name", "aim"), further, dry_run=dry_run)


def _plain(  # noqa: PLR0913 - what, from what, which fields
    session: Session,
    model: type[Any],
    row: Any,  # noqa: ANN401 - rows share slug and name, no more
    names: Sequence[str],
    further: dict[str, Any],
    *,
    dry_run: bool,
) -> Outcome:
    found = _by_slug_or_name(session, model, row.slug, row.name)
    values = {name: getattr(row, name) for name in names if name in row.model_fields_set} | further
    if found is None:
        if not row.name:
            raise RowError(Problem("name", "is missing"))
        if not dry_run:
            session.add(model(slug=row.slug or slug(row.name), **values))
        return "created"
    return _assign(found, values, dry_run=dry_run)


def _by_slug_or_name(session: Session, model: type[Any], wanted: str, name: str) -> Any:  # noqa: ANN401 - any of the models with slug and name
    if wanted:
        return session.scalars(select(model).where(model.slug == wanted)).first()
    return session.scalars(
        select(model).where(or_(func.lower(model.name) == name.lower(), model.name == name, model.slug == slug(name)))
    ).first()


def _assign(found: Any, values: dict[str, Any], *, dry_run: bool) -> Outcome:  # noqa: ANN401 - any row class
    changed = {name: value for name, value in values.items() if getattr(found, name) != value}
    if not dry_run:
        for name, value in changed.items():
            setattr(found, name, value)
    return "updated" if changed else "unchanged"


def _topic(session: Session, row: TopicRow, *, dry_run: bool) -> Outcome:
    further: dict[str, Any] = {}
    if "parent" in row.model_fields_set:
        parent = session.scalars(select(Topic).where(Topic.slug == row.parent)).first() if row.parent else None
        if row.parent and parent is None:
            raise RowError(
                Problem("parent", f"{row.parent[:60]!r} is no topic of the catalog; its row must come first")
            )
        above = parent
        while above is not None:
            if above.slug == row.slug:
                raise RowError(Problem("parent", f"{row.parent[:60]!r} lies below {row.slug!r}"))
            above = above.parent
        further["parent_id"] = parent.id if parent else None
    return _plain(
        session, Topic, row, ("name", "name_en", "description", "description_en", "position"), further, dry_run=dry_run
    )


def _organisation(session: Session, row: OrganisationRow, places: PlaceNames | None, *, dry_run: bool) -> Outcome:
    found: Organisation | None = _by_slug_or_name(session, Organisation, row.slug, row.name)
    namesake = session.scalars(select(Organisation).where(Organisation.name == row.name)).first() if row.name else None
    if namesake is not None and namesake is not found:
        raise RowError(Problem("name", f"{row.name[:60]!r} is the name of the organisation {namesake.slug!r}"))
    values = _columns(session, row, places)
    outcome: Outcome = "created"
    if found is None:
        name = row.name or row.slug
        found = Organisation(
            **{"slug": row.slug or slug(name, "organisation"), "name": name, "kind": kind_from_name(name)} | values
        )
        if not dry_run:
            session.add(found)
    else:
        outcome = _assign(found, values, dry_run=dry_run)
    for name, key, model in (
        ("divisions", "division", OrganisationDivision),
        ("networks", "network", OrganisationNetwork),
    ):
        if name in row.model_fields_set:
            kept = {getattr(child, key): child for child in getattr(found, name)}
            wanted = sorted(dict.fromkeys(getattr(row, name)))
            if sorted(kept) != wanted:
                outcome = "created" if outcome == "created" else "updated"
                if not dry_run:
                    setattr(found, name, [kept.get(value) or model(**{key: value}) for value in wanted])
    return outcome


def _columns(session: Session, row: OrganisationRow, places: PlaceNames | None) -> dict[str, Any]:
    """The columns the row gives, and no others."""
    given = row.model_fields_set
    values: dict[str, Any] = {
        name: getattr(row, name) for name in _SAME if name in given and not (name == "kind" and row.kind is None)
    }
    if "demo" in given:
        values["is_demo"] = row.demo
    if "place" in given:
        place = row.place
        if places is not None or place.ags:
            place, _ = (places or PlaceNames(session)).resolve(place)
        values |= {"ags": place.ags or None, "place_name": place.name}
    return values
