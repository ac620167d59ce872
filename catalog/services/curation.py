"""What curators do: read the queue, publish, send back with a reason, archive and restore."""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from catalog.domain.actor import Actor
from catalog.domain.entry import Entry
from catalog.domain.errors import ConflictError, InvalidError, NotFoundError
from catalog.domain.permissions import Permission, require
from catalog.domain.text import Message, N_, slug, squeeze
from catalog.domain.workflow import OPEN, TRANSITIONS, Status, Step, target_of
from catalog.models.base import utcnow
from catalog.models.revision import ReviewNote, Revision
from catalog.models.solution import FormerSlug, Solution
from catalog.services import audit, entries, notifications, outbox
from catalog.services.references import References
from catalog.services.submission import live_revision


def queue(session: Session, actor: Actor, status: Status = Status.SUBMITTED) -> list[Revision]:
    """Open revisions in this state that the actor may review, the longest waiting first."""
    require(actor, Permission.DESK)
    if status not in OPEN or status is Status.DRAFT:
        return []
    return list(
        session.scalars(
            select(Revision).where(Revision.status == status)
            .options(joinedload(Revision.solution).joinedload(Solution.organisation), joinedload(Revision.author))
            .order_by(Revision.submitted_at, Revision.id)
        )
    )


def revision(session: Session, actor: Actor, revision_id: int) -> Revision:
    """The revision under review; raises NotFoundError for one that does not exist or the actor may not know of."""
    found = session.get(Revision, revision_id)
    if found is None:
        raise NotFoundError
    require(actor, Permission.REVIEW, found.solution)
    if found.status is Status.DRAFT:
        raise NotFoundError  # a draft is its authors' own, also beside a published entry
    return found


def _reason(step: Step, reason: str) -> str:
    reason = reason.strip()
    if TRANSITIONS[step].needs_reason and not squeeze(reason):
        raise InvalidError({"reason": Message(N_("Bitte nennen Sie einen Grund."))})
    return reason


def _expect(current: Revision, version: int | None) -> None:
    if version is not None and current.version != version:
        raise ConflictError(Message(N_("Die Fassung hat sich geändert, seit Sie sie geöffnet haben. Bitte laden Sie die Seite neu.")))


def request_changes(session: Session, actor: Actor, current: Revision, reason: str, *, version: int | None = None) -> None:
    """Send a submitted revision back with a reason that its author reads in place.

    Raises InvalidError without a reason, ConflictError when it is not (or no longer) submitted.
    """
    solution = current.solution
    require(actor, Permission.REVIEW, solution)
    _expect(current, version)
    target = target_of(Step.REQUEST_CHANGES, current.status)
    text = _reason(Step.REQUEST_CHANGES, reason)
    current.status = target
    current.decided_by_id = actor.user_id
    current.decided_at = utcnow()
    current.notes.append(ReviewNote(author_id=actor.user_id, text=text))
    if solution.first_published_at is None:
        solution.status = target
        entries.stamp_audience(solution)
    audit.record(session, actor, "entry.request_changes", "solution", solution.id, reason=text,
                 details={"revision": current.number})
    notifications.changes_requested(session, current)


def publish(session: Session, actor: Actor, current: Revision, note: str = "", *, version: int | None = None) -> None:
    """Make a submitted revision what readers see, and have the index told in the same transaction.

    Raises ConflictError when it is not (or no longer) submitted.
    """
    solution = current.solution
    require(actor, Permission.PUBLISH, solution)
    _expect(current, version)
    current.status = target_of(Step.PUBLISH, current.status)
    current.decided_by_id = actor.user_id
    current.decided_at = utcnow()
    if note.strip():
        current.notes.append(ReviewNote(author_id=actor.user_id, text=note.strip()))
    go_live(session, current)
    audit.record(session, actor, "entry.publish", "solution", solution.id, reason=note.strip(),
                 details={"revision": current.number})
    notifications.published(session, current)


def go_live(session: Session, current: Revision, refs: References | None = None, *, create: bool = False) -> None:
    """Lay an accepted revision into the rows readers see; asks nobody, so only accepted revisions may come here."""
    solution = current.solution
    refs = refs or References(session)
    entry = Entry.model_validate(current.content)
    before = solution.slug
    entries.write(session, solution, entry, refs, create=create)
    if solution.first_published_at is None or slug(entry.title, "loesung") != slug(before, "loesung"):
        solution.slug = entries.free_slug(session, entry.title, solution.id)
    if solution.first_published_at is not None and solution.slug != before:
        own = session.get(FormerSlug, solution.slug)
        if own is not None:
            session.delete(own)  # the entry takes an old address of its own back
        session.add(FormerSlug(slug=before, solution_id=solution.id))
    now = utcnow()
    solution.status = Status.PUBLISHED
    solution.published_at = now
    solution.first_published_at = solution.first_published_at or now
    entries.stamp_audience(solution)
    entries.link_reuses(session, solution, refs)
    for older in session.scalars(
        select(Revision).where(
            Revision.solution_id == solution.id, Revision.status == Status.PUBLISHED, Revision.number < current.number
        )
    ):
        older.status = Status.ARCHIVED
    tell_index(session, solution)


def tell_index(session: Session, solution: Solution) -> None:
    """Have the index updated for the entry and for those whose sites it follows or is followed by."""
    related = {solution.id}
    for site in solution.deployments:
        if site.reuse is not None and site.reuse.origin is not None:
            related.add(site.reuse.origin.solution_id)
        related.update(follower.deployment.solution_id for follower in site.reused_by)
    for solution_id in sorted(related):
        outbox.enqueue(session, outbox.INDEX, solution_id)


def archive(session: Session, actor: Actor, solution: Solution, reason: str) -> None:
    """Take a published entry out of the catalog, with a reason; raises ConflictError when it is not published."""
    require(actor, Permission.ARCHIVE, solution)
    target = target_of(Step.ARCHIVE, solution.status)
    text = _reason(Step.ARCHIVE, reason)
    _set_live_status(session, solution, target)
    audit.record(session, actor, "entry.archive", "solution", solution.id, reason=text)
    notifications.archived(session, solution, text)


def restore(session: Session, actor: Actor, solution: Solution) -> None:
    """Put an archived entry back; raises ConflictError when it is not archived."""
    require(actor, Permission.ARCHIVE, solution)
    _set_live_status(session, solution, target_of(Step.RESTORE, solution.status))
    audit.record(session, actor, "entry.restore", "solution", solution.id)


def _set_live_status(session: Session, solution: Solution, status: Status) -> None:
    solution.status = status
    live = live_revision(session, solution)
    if live is not None:
        live.status = status
    entries.stamp_audience(solution)
    tell_index(session, solution)
