"""Entries that resemble one another, as the search index sees it; reading only."""

from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.permissions import audiences_of
from catalog.models.solution import Solution
from catalog.services.solutions import visible_among
from index import IndexUnavailable, SearchIndex


def entries_like(
    session: Session, index: SearchIndex, actor: Actor, solution: Solution, limit: int = 4
) -> list[Solution]:
    """The most similar entries the actor may read, best first; none while the index is away."""
    try:
        hits = index.similar(str(solution.id), audiences_of(actor), limit)
    except IndexUnavailable:
        return []
    ids = [int(hit.id) for hit in hits if hit.id != str(solution.id)]
    rows = visible_among(session, actor, ids)
    return [rows[found] for found in ids if found in rows]
