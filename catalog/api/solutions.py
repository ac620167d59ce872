"""GET /api/v1/solutions/<id>: one entry as the document that import and export know."""

from flask import Response
from sqlalchemy.orm import Session

from catalog.api.answers import answer_with_values
from catalog.api.serializers import SolutionMeta
from catalog.domain.actor import Actor
from catalog.domain.entry import Contact, dump
from catalog.domain.errors import NotFoundError
from catalog.models.solution import Solution
from catalog.services import entries, solutions
from catalog.web.context import actor, reading, runtime

_LONGEST_NUMBER = 18


def solution(identity: str) -> Response:
    """Answer with the entry of this public identity or row number; 404 alike for hidden and for absent ones."""
    asking = actor()
    found = _find(reading(), asking, identity)
    document = entries.read(found)
    if not asking.signed_in:
        # Whom to ask is for members: an open list of names and addresses would be an invitation to collect them.
        document.contact = Contact()
    meta = SolutionMeta(
        url=f"{runtime().settings.base_url.rstrip('/')}/loesungen/{found.slug}",
        status=found.status,
        complete=found.is_complete,
        published=found.published_at,
        updated=found.updated_at,
        organisations=_names(found),
    )
    return answer_with_values({"data": dump(document), "meta": meta.model_dump(mode="json")})


def _find(session: Session, asking: Actor, identity: str) -> Solution:
    try:
        return solutions.by_external_id(session, asking, identity)
    except NotFoundError:
        if not (identity.isascii() and identity.isdecimal() and len(identity) <= _LONGEST_NUMBER):
            raise
        return solutions.by_id(session, asking, int(identity))


def _names(found: Solution) -> dict[str, str]:
    named = [found.organisation, *(site.organisation for site in found.deployments)]
    named += [partner.organisation for site in found.deployments for partner in site.partners]
    return {organisation.slug: organisation.name for organisation in named if organisation is not None}
