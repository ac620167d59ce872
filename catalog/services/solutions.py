"""Reading entries: one by its address, lists that obey the read rule, and the chain of sites that follow each other."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from catalog.domain.actor import ANONYMOUS, Actor
from catalog.domain.errors import NotFoundError
from catalog.domain.permissions import Permission, audiences_of, may
from catalog.models.deployment import Deployment, Reuse
from catalog.models.solution import FormerSlug, Solution, SolutionAudience

_SITE = selectinload(Solution.deployments)
WHOLE = (
    joinedload(Solution.organisation),
    joinedload(Solution.working_group),
    selectinload(Solution.topics),
    selectinload(Solution.technologies),
    selectinload(Solution.sources),
    _SITE.joinedload(Deployment.organisation),
    _SITE.joinedload(Deployment.municipality),
    _SITE.selectinload(Deployment.kpis),
    _SITE.selectinload(Deployment.stop_causes),
    _SITE.selectinload(Deployment.funding),
    _SITE.selectinload(Deployment.partners),
    _SITE.joinedload(Deployment.reuse).joinedload(Reuse.origin),
    _SITE.selectinload(Deployment.reused_by).joinedload(Reuse.deployment).joinedload(Deployment.solution),
)


def visible_to(actor: Actor, entry: type[Solution] = Solution) -> ColumnElement[bool]:
    """The read rule as SQL: the entry and the actor share an audience label. `entry` may be an alias of Solution."""
    labels = aliased(SolutionAudience)
    return exists().where(labels.solution_id == entry.id, labels.label.in_(sorted(audiences_of(actor))))


def by_slug(session: Session, actor: Actor, slug: str) -> Solution:
    """The entry at this address, present or former, with all its rows.

    Raises NotFoundError alike for an address that leads nowhere and for an entry the actor may not know of.
    """
    found = session.scalars(select(Solution).where(Solution.slug == slug).options(*WHOLE)).unique().one_or_none()
    if found is None:
        former = session.get(FormerSlug, slug)
        if former is not None:
            found = session.get(Solution, former.solution_id, options=WHOLE)
    return _visible(actor, found)


def by_external_id(session: Session, actor: Actor, external_id: str) -> Solution:
    """The entry with this public identity; raises NotFoundError as `by_slug` does."""
    found = (
        session.scalars(select(Solution).where(Solution.external_id == external_id).options(*WHOLE))
        .unique()
        .one_or_none()
    )
    return _visible(actor, found)


def by_id(session: Session, actor: Actor, solution_id: int) -> Solution:
    """The entry with this row number; raises NotFoundError as `by_slug` does."""
    return _visible(actor, session.get(Solution, solution_id, options=WHOLE))


def _visible(actor: Actor, found: Solution | None) -> Solution:
    if found is None or not may(actor, Permission.READ, found):
        raise NotFoundError
    return found


def visible_among(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, Solution]:
    """Those of the entries that the actor may read, by row number: what the index names is checked here again."""
    rows = session.scalars(
        select(Solution)
        .where(Solution.id.in_(ids), visible_to(actor))
        .options(
            joinedload(Solution.organisation),
            selectinload(Solution.topics),
            selectinload(Solution.technologies),
            _SITE.joinedload(Deployment.organisation),
            _SITE.joinedload(Deployment.municipality),
            _SITE.selectinload(Deployment.reused_by).joinedload(Reuse.deployment).joinedload(Deployment.solution),
        )
    ).unique()
    return {row.id: row for row in rows}


def known_reuses(solution: Solution) -> list[Deployment]:
    """The sites known to follow one of this entry's: its own, and those of entries that everyone may read.

    A follower in a draft or in a members' entry is not counted, so that the number tells nobody of its existence.
    """
    followers = {reuse.deployment_id: reuse.deployment for site in solution.deployments for reuse in site.reused_by}
    return [
        site
        for site in followers.values()
        if site.solution_id == solution.id or may(ANONYMOUS, Permission.READ, site.solution)
    ]


@dataclass(slots=True)
class ChainLink:
    """One site in a reuse chain, with the sites that follow it."""

    site: Deployment
    followers: list["ChainLink"] = field(default_factory=list)


def chain(actor: Actor, solution: Solution) -> list[ChainLink]:
    """The chains of sites that this entry's sites belong to, from their origins on; empty without any reuse.

    Sites of other entries appear only where the actor may read those entries.
    """
    seen: set[int] = set()
    roots = []
    for site in solution.deployments:
        origin = _first_origin(actor, solution, site)
        if id(origin) not in seen:
            root = _link(actor, solution, origin, seen)
            if root.followers or origin.reuse is not None:
                roots.append(root)
    return roots


def _shown(actor: Actor, solution: Solution, site: Deployment) -> bool:
    return site.solution is solution or may(actor, Permission.READ, site.solution)


def _first_origin(actor: Actor, solution: Solution, site: Deployment) -> Deployment:
    """Walk back along what each site follows; a circle, which imports could make, ends the walk."""
    visited = {id(site)}
    while site.reuse is not None and site.reuse.origin is not None:
        origin = site.reuse.origin
        if id(origin) in visited or not _shown(actor, solution, origin):
            break
        visited.add(id(origin))
        site = origin
    return site


def _link(actor: Actor, solution: Solution, site: Deployment, seen: set[int]) -> ChainLink:
    # Sites of a preview have no row number yet, so they are told apart by identity.
    seen.add(id(site))
    made = ChainLink(site)
    for reuse in sorted(site.reused_by, key=lambda row: (row.deployment.started or "9999", row.deployment.external_id)):
        follower = reuse.deployment
        if id(follower) not in seen and _shown(actor, solution, follower):
            made.followers.append(_link(actor, solution, follower, seen))
    return made
