"""Finding entries by LIKE alone, for the time in which the search index can't be read; literal, but always there."""

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.vocabulary import DeploymentStatus, OrganisationKind, StopCause
from catalog.domain.workflow import Status
from catalog.models.deployment import Deployment, DeploymentStopCause
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality
from catalog.models.solution import Solution
from catalog.models.topic import Technology, Topic
from catalog.services.facets import Filters, Names
from catalog.services.solutions import visible_to

_MOST_WORDS = 10


def count(session: Session, wanted: Sequence[ColumnElement[bool]]) -> int:
    """How many entries fit the conditions."""
    return session.scalar(select(func.count()).select_from(Solution).where(*wanted)) or 0


def page(session: Session, wanted: Sequence[ColumnElement[bool]], *, offset: int, limit: int) -> Sequence[int]:
    """Row numbers of a page of those that fit, the newest first."""
    newest = func.coalesce(Solution.published_at, Solution.updated_at).desc()
    return session.scalars(
        select(Solution.id).where(*wanted).order_by(newest, Solution.id).offset(offset).limit(limit)
    ).all()


def wanted(actor: Actor, text: str, filters: Filters, names: Names) -> list[ColumnElement[bool]]:
    """What holds for published entries that the actor may read and that have every word somewhere in the main texts."""
    columns = (Solution.title, Solution.title_en, Solution.benefit, Solution.challenge, Solution.approach)
    words = [word for word in re.findall(r"\w+", text) if len(word) > 1][:_MOST_WORDS]
    return [
        Solution.status == Status.PUBLISHED,
        visible_to(actor),
        *_conditions(filters, names),
        *(or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in words),
    ]


def _conditions(filters: Filters, names: Names) -> list[ColumnElement[bool]]:
    sites = Solution.deployments
    made: list[ColumnElement[bool]] = []
    for name, values in filters.items():
        match name:
            case "topic":
                wanted = {found for slug in values for found in (slug, *names.below(slug))}
                made.append(Solution.topics.any(Topic.slug.in_(wanted)))
            case "technology":
                made.append(Solution.technologies.any(Technology.slug.in_(values)))
            case "status":
                made.append(sites.any(Deployment.status.in_(_members(DeploymentStatus, values))))
            case "cause":
                causes = DeploymentStopCause.cause.in_(_members(StopCause, values))
                made.append(sites.any(Deployment.stop_causes.any(causes)))
            case "state":
                made.append(sites.any(Deployment.municipality.has(Municipality.state_code.in_(values))))
            case "place":
                made.append(sites.any(Deployment.ags.in_(values)))
            case "organisation" | "kind":
                who = (
                    Organisation.slug.in_(values)
                    if name == "organisation"
                    else Organisation.kind.in_(_members(OrganisationKind, values))
                )
                made.append(or_(Solution.organisation.has(who), sites.any(Deployment.organisation.has(who))))
            case _:
                begins, ends = func.substr(Deployment.started, 1, 4), func.substr(Deployment.ended, 1, 4)
                made.append(
                    sites.any(
                        or_(
                            *(
                                (begins <= year)
                                & (func.coalesce(func.nullif(ends, ""), begins) >= year)
                                & (begins != "")
                                for year in values
                            )
                        )
                    )
                )
    return made


def _members(kind: type[StrEnum], values: Iterable[str]) -> list[StrEnum]:
    return [term for term in kind if term.value in set(values)]
