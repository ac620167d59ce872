"""Organisations for reading: the list with numbers, and one with those sites and reuses a reader may see."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from catalog.domain.actor import Actor
from catalog.domain.errors import NotFoundError
from catalog.domain.vocabulary import OrganisationKind
from catalog.domain.workflow import Status
from catalog.models.deployment import Deployment, Reuse
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality
from catalog.models.solution import Solution
from catalog.services.solutions import visible_to
from catalog.services.taxonomy import facet_counts
from index import SearchIndex


@dataclass(frozen=True, slots=True)
class Listed:
    """An organisation with the number of entries it has a part in; None while that can't be told."""

    organisation: Organisation
    count: int | None


def listed(
    session: Session, index: SearchIndex, actor: Actor, *, kind: OrganisationKind | None = None, state: str = ""
) -> list[Listed]:
    """All organisations by name, of one kind or one federal state where asked; partners only where they run a site."""
    counts = facet_counts(index, actor, "organisation")
    query = select(Organisation).outerjoin(Organisation.municipality).order_by(Organisation.name)
    if kind is not None:
        query = query.where(Organisation.kind == kind)
    if state:
        query = query.where(Municipality.state_code == state)
    found = [
        Listed(organisation, None if counts is None else counts.get(organisation.slug, 0))
        for organisation in session.scalars(query).unique()
    ]
    if kind is OrganisationKind.PARTNER:
        return found
    return [row for row in found if row.organisation.kind is not OrganisationKind.PARTNER or row.count]


@dataclass(frozen=True, slots=True)
class Profile:
    """What a reader may see of an organisation's part in the catalog."""

    organisation: Organisation
    sites: Sequence[Deployment]
    reuses: Sequence[Reuse]
    reused_by: Sequence[Reuse]
    helps: Sequence[Solution]


def profile(session: Session, actor: Actor, slug: str) -> Profile:
    """One organisation with its sites, what it took over, who took over from it, and where it helped.

    Raises NotFoundError for an unknown address.
    """
    organisation = session.scalars(
        select(Organisation)
        .where(Organisation.slug == slug)
        .options(selectinload(Organisation.divisions), selectinload(Organisation.networks))
    ).one_or_none()
    if organisation is None:
        raise NotFoundError
    shown = (Solution.status == Status.PUBLISHED, visible_to(actor))
    sites = session.scalars(
        select(Deployment)
        .join(Deployment.solution)
        .where(Deployment.organisation_id == organisation.id, *shown)
        .options(joinedload(Deployment.solution), joinedload(Deployment.municipality))
        .order_by(Deployment.started.desc(), Deployment.id)
    ).all()
    return Profile(
        organisation,
        sites,
        reuses=_reuses(session, actor, organisation, following=True),
        reused_by=_reuses(session, actor, organisation, following=False),
        helps=_helps(session, actor, organisation),
    )


def _reuses(session: Session, actor: Actor, organisation: Organisation, *, following: bool) -> Sequence[Reuse]:
    """Reuses between two sites whose entries the reader may both see, with this organisation on one end."""
    origin, origin_entry = aliased(Deployment), aliased(Solution)
    end = Deployment if following else origin
    other = origin if following else Deployment
    rows = session.scalars(
        select(Reuse)
        .join(Deployment, Reuse.deployment_id == Deployment.id)
        .join(Solution, Deployment.solution_id == Solution.id)
        .join(origin, Reuse.origin_id == origin.id)
        .join(origin_entry, origin.solution_id == origin_entry.id)
        .where(
            end.organisation_id == organisation.id,
            or_(other.organisation_id.is_(None), other.organisation_id != organisation.id),
            Solution.status == Status.PUBLISHED,
            visible_to(actor),
            visible_to(actor, origin_entry),
        )
        .options(
            *(
                joinedload(side).joinedload(part)
                for side in (Reuse.deployment, Reuse.origin)
                for part in (Deployment.organisation, Deployment.municipality, Deployment.solution)
            )
        )
        .order_by(Deployment.started, Deployment.id)
    )
    return rows.unique().all()


def _helps(session: Session, actor: Actor, organisation: Organisation) -> Sequence[Solution]:
    """Entries at one of whose sites the organisation is named as a partner."""
    partner = Deployment.partners.any(organisation_id=organisation.id)
    return session.scalars(
        select(Solution)
        .where(Solution.deployments.any(partner), Solution.status == Status.PUBLISHED, visible_to(actor))
        .order_by(Solution.title)
    ).all()
