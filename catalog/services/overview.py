"""The catalog at a glance: topics with numbers, what is new or reused, figures; always of what the actor may see."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from catalog.domain.actor import Actor
from catalog.domain.vocabulary import Membership
from catalog.domain.workflow import Status
from catalog.models.deployment import Deployment, Reuse
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality
from catalog.models.solution import Solution, solution_technology, solution_topic
from catalog.models.topic import Technology, Topic
from catalog.services.solutions import visible_to

_EXAMPLE_CANDIDATES = 8
_SHORT_WORD = 3


@dataclass(frozen=True, slots=True)
class CountedTopic:
    """A topic of the first level with the number of entries in it or below it."""

    topic: Topic
    entries: int


@dataclass(frozen=True, slots=True)
class ReusedEntry:
    """An entry with the number of sites that follow one of its sites."""

    solution: Solution
    reuses: int


@dataclass(frozen=True, slots=True)
class Figures:
    """The network in numbers."""

    members: int
    solutions: int
    sites: int
    reuses: int


def _published(actor: Actor, solution: type[Solution] = Solution) -> ColumnElement[bool]:
    return (solution.status == Status.PUBLISHED) & visible_to(actor)


def _readable(actor: Actor) -> Select[int]:
    """The row numbers of published entries the actor may read, to be used inside other queries."""
    return select(Solution.id).where(_published(actor))


def topics(session: Session, actor: Actor) -> list[CountedTopic]:
    """The first-level topics in their order, each with the number of entries; those without one included."""
    root = select(Topic.id.label("root"), Topic.id.label("id")).where(Topic.parent_id.is_(None)).cte(recursive=True)
    child = aliased(Topic)
    root = root.union_all(select(root.c.root, child.id).join(root, child.parent_id == root.c.id))
    counts: dict[int, int] = dict(
        session.execute(
            select(root.c.root, func.count(solution_topic.c.solution_id.distinct()))
            .join(solution_topic, solution_topic.c.topic_id == root.c.id)
            .where(solution_topic.c.solution_id.in_(_readable(actor)))
            .group_by(root.c.root)
        ).all()
    )
    first = session.scalars(select(Topic).where(Topic.parent_id.is_(None)).order_by(Topic.position, Topic.id))
    return [CountedTopic(topic, counts.get(topic.id, 0)) for topic in first]


def newest(session: Session, actor: Actor, count: int = 4) -> Sequence[Solution]:
    """The entries that were published last, the newest first."""
    return (
        session.scalars(
            select(Solution)
            .where(_published(actor))
            .options(*_FOR_CARDS)
            .order_by(Solution.first_published_at.desc(), Solution.id.desc())
            .limit(count)
        )
        .unique()
        .all()
    )


def most_reused(session: Session, actor: Actor, count: int = 4, without: Sequence[Solution] = ()) -> list[ReusedEntry]:
    """The entries whose sites most others follow, except those shown already.

    A follower counts where the actor may read its entry too.
    """
    origin, follower = aliased(Deployment), aliased(Deployment)
    reuses = func.count(Reuse.deployment_id)
    found = session.execute(
        select(origin.solution_id, reuses)
        .select_from(Reuse)
        .join(origin, Reuse.origin_id == origin.id)
        .join(follower, Reuse.deployment_id == follower.id)
        .where(
            origin.solution_id.in_(_readable(actor)),
            follower.solution_id.in_(_readable(actor)),
            origin.solution_id.not_in([row.id for row in without]),
        )
        .group_by(origin.solution_id)
        .order_by(reuses.desc(), origin.solution_id.desc())
        .limit(count)
    ).all()
    rows = session.scalars(
        select(Solution).where(Solution.id.in_([number for number, _ in found])).options(*_FOR_CARDS)
    ).unique()
    by_id = {row.id: row for row in rows}
    return [ReusedEntry(by_id[number], times) for number, times in found]


def figures(session: Session, actor: Actor) -> Figures:
    """Members of the association, and entries, sites and reuses among what the actor may read."""

    def count(query: Select[int]) -> int:
        return session.scalar(query) or 0

    readable = _readable(actor)
    return Figures(
        members=count(select(func.count(Organisation.id)).where(Organisation.membership != Membership.NONE)),
        solutions=count(select(func.count()).select_from(readable.subquery())),
        sites=count(select(func.count(Deployment.id)).where(Deployment.solution_id.in_(readable))),
        reuses=count(
            select(func.count(Reuse.deployment_id))
            .join(Deployment, Reuse.deployment_id == Deployment.id)
            .where(Deployment.solution_id.in_(readable))
        ),
    )


def examples(session: Session, actor: Actor) -> list[str]:
    """Words to try in the search: topics, technologies and places that occur most, so that each finds something."""
    readable = _readable(actor)
    names = (
        select(Technology.name)
        .join(solution_technology, solution_technology.c.technology_id == Technology.id)
        .where(solution_technology.c.solution_id.in_(readable))
        .group_by(Technology.id, Technology.name)
        .order_by(func.count().desc(), Technology.name),
        select(Municipality.name)
        .join(Deployment, Deployment.ags == Municipality.ags)
        .where(Deployment.solution_id.in_(readable))
        .group_by(Municipality.ags, Municipality.name)
        .order_by(func.count().desc(), Municipality.name),
        select(Topic.name)
        .join(solution_topic, solution_topic.c.topic_id == Topic.id)
        .where(Topic.parent_id.is_not(None), solution_topic.c.solution_id.in_(readable))
        .group_by(Topic.id, Topic.name)
        .order_by(func.count().desc(), Topic.name),
    )
    chosen: list[str] = []
    for query, wanted in zip(names, (1, 2, 2), strict=True):
        # Short words and words inside each other make poor examples, so a few more are asked for than are shown.
        fitting = (
            name
            for name in session.scalars(query.limit(_EXAMPLE_CANDIDATES))
            if len(name) > _SHORT_WORD
            and not any(name.lower() in one.lower() or one.lower() in name.lower() for one in chosen)
        )
        chosen.extend(itertools.islice(fitting, wanted))
    return chosen


_FOR_CARDS = (
    joinedload(Solution.organisation),
    selectinload(Solution.topics),
    selectinload(Solution.deployments).joinedload(Deployment.municipality),
)
