"""Export: the catalog as rows of the exchange format, streamed; what `importing` reads back gives the same catalog.

Accounts, review notes, the audit log, earlier versions and attachments are no part of the file: a backup keeps those.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from catalog.domain.entry import Entry, Place, dump
from catalog.domain.workflow import OPEN, Status
from catalog.models.group import WorkingGroup
from catalog.models.organisation import Organisation
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.topic import Technology, Topic
from catalog.services import entries
from catalog.services.solutions import WHOLE
from catalog.services.transfer.rows import (
    Catalog,
    OrganisationRow,
    Pending,
    Record,
    TechnologyRow,
    TopicRow,
    WorkingGroupRow,
)

_CHUNK = 200
_Named = TypeVar("_Named", Organisation, Technology, WorkingGroup)

Row = dict[str, Any]


def rows(session: Session, *, published_only: bool = False) -> Iterator[Row]:
    """The whole catalog, what others refer to first; with `published_only` without drafts, pending changes and archive.

    The session should see one state of the database throughout; memory stays flat, however many entries there are.
    """
    yield _row("catalog", Catalog(complete=True))
    yield from _topics(session)
    yield from _all(session, Technology, lambda tag: _row("technology", _technology(tag)))
    yield from _all(session, WorkingGroup, _group_row(session))
    yield from _all(session, Organisation, lambda found: _row("organisation", _organisation(found)))
    yield from _solutions(session, published_only=published_only)


def _row(kind: str, content: BaseModel) -> Row:
    return {"type": kind} | content.model_dump(mode="json", exclude_defaults=True)


def _all(session: Session, model: type[_Named], row_of: Callable[[_Named], Row]) -> Iterator[Row]:
    """Every row of a table in the order of slugs, in chunks."""
    last = ""
    while True:
        found = list(session.scalars(select(model).where(model.slug > last).order_by(model.slug).limit(_CHUNK)))
        if not found:
            return
        yield from (row_of(thing) for thing in found)
        last = found[-1].slug
        session.expunge_all()


def _topics(session: Session) -> Iterator[Row]:
    topics = list(session.scalars(select(Topic).order_by(Topic.position, Topic.slug)))
    below: dict[int | None, list[Topic]] = {}
    for topic in topics:
        below.setdefault(topic.parent_id, []).append(topic)

    def walk(children: Iterable[Topic], parent: str) -> Iterator[Row]:
        for topic in children:
            yield _row(
                "topic",
                TopicRow(
                    slug=topic.slug,
                    name=topic.name,
                    name_en=topic.name_en,
                    description=topic.description,
                    description_en=topic.description_en,
                    parent=parent,
                    position=topic.position,
                ),
            )
            yield from walk(below.get(topic.id, ()), topic.slug)

    yield from walk(below.get(None, ()), "")


def _technology(tag: Technology) -> TechnologyRow:
    return TechnologyRow(slug=tag.slug, name=tag.name, name_en=tag.name_en)


def _group_row(session: Session) -> Callable[[WorkingGroup], Row]:
    topics = {topic.id: topic.slug for topic in session.scalars(select(Topic))}

    def row_of(group: WorkingGroup) -> Row:
        topic = topics.get(group.topic_id, "") if group.topic_id else ""
        return _row("working_group", WorkingGroupRow(slug=group.slug, name=group.name, aim=group.aim, topic=topic))

    return row_of


def _organisation(found: Organisation) -> OrganisationRow:
    return OrganisationRow(
        slug=found.slug,
        name=found.name,
        short_name=found.short_name,
        kind=found.kind,
        membership=found.membership,
        place=Place(ags=found.ags or "", name=found.place_name),
        website=found.website,
        mailbox=found.mailbox,
        population_served=found.population_served,
        has_data_platform=found.has_data_platform,
        divisions=[row.division for row in found.divisions],
        networks=[row.network for row in found.networks],
        demo=found.is_demo,
    )


def _solutions(session: Session, *, published_only: bool) -> Iterator[Row]:
    last = 0
    while True:
        query = select(Solution).where(Solution.id > last).order_by(Solution.id).limit(_CHUNK)
        if published_only:
            query = query.where(Solution.status == Status.PUBLISHED)
        found = list(session.scalars(query.options(*WHOLE, selectinload(Solution.former_slugs))).unique())
        if not found:
            return
        opened: dict[int, Revision] = {}
        if not published_only:
            ids = [solution.id for solution in found]
            revisions = session.scalars(
                select(Revision).where(Revision.solution_id.in_(ids), Revision.status.in_(OPEN))
            )
            opened = {revision.solution_id: revision for revision in revisions}
        for solution in found:
            yield solution_row(solution, opened.get(solution.id))
        last = found[-1].id
        session.expunge_all()


def solution_row(solution: Solution, opened: Revision | None = None) -> Row:
    """One entry as a row: what readers see, or the draft of an entry that was never published."""
    entry = entries.read(solution)
    pending = None
    if opened is not None:
        draft = Entry.model_validate(opened.content)
        if solution.first_published_at is None:
            entry = draft
            for site, stored in zip(entry.deployments, solution.deployments, strict=False):
                site.external_id = site.external_id or stored.external_id
        else:
            pending = Pending(status=opened.status, entry=draft)
    # The rows keep no order of these; sorted, the same catalog always gives the same file.
    content = dump(entry) | {"external_id": solution.external_id}
    for name in ("topics", "technologies"):
        if name in content and opened is None:
            content[name] = sorted(content[name])
    record = Record.model_construct(
        status=solution.status,
        slug=solution.slug,
        former_slugs=sorted(former.slug for former in solution.former_slugs),
        created_at=solution.created_at,
        published_at=solution.published_at,
        first_published_at=solution.first_published_at,
        pending=pending,
    )
    return {"type": "solution"} | content | {"record": record.model_dump(mode="json", exclude_defaults=True)}
