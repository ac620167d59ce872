"""What curators do: read the queue, publish, send back with a reason, archive and restore."""

from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from catalog.domain.actor import Actor
from catalog.domain.entry import Entry
from catalog.domain.errors import ConflictError, InvalidError, NotFoundError
from catalog.domain.permissions import Permission, require
from catalog.domain.text import N_, Message, slug, squeeze
from catalog.domain.workflow import TRANSITIONS, Status, Step, target_of
from catalog.models.base import utcnow
from catalog.models.revision import ReviewNote, Revision
from catalog.models.solution import FormerSlug, Solution
from catalog.services import audit, entries, notifications, outbox
from catalog.services.references import References
from catalog.services.submission import live_revision


class Kind(StrEnum):
    """What a waiting revision would do: bring a new entry, or change one that readers know."""

    NEW = "new"
    CHANGE = "change"


WAITING = (Status.SUBMITTED, Status.CHANGES_REQUESTED)


def queue(
    session: Session,
    actor: Actor,
    status: Status = Status.SUBMITTED,
    kind: Kind | None = None,
    organisation_id: int | None = None,
) -> list[Revision]:
    """Open revisions in this state that the actor may review, the longest waiting first.

    A draft is its authors' own and never listed. Raises ForbiddenError for whoever does not curate.
    """
    require(actor, Permission.DESK)
    if status not in WAITING:
        return []
    query = (
        select(Revision)
        .join(Revision.solution)
        .where(Revision.status == status)
        .options(contains_eager(Revision.solution).joinedload(Solution.organisation), joinedload(Revision.author))
        .order_by(Revision.submitted_at, Revision.id)
    )
    if kind is not None:
        first = Solution.first_published_at.is_(None)
        query = query.where(first if kind is Kind.NEW else ~first)
    if organisation_id is not None:
        query = query.where(Solution.organisation_id == organisation_id)
    return list(session.scalars(query))


def counts(session: Session, actor: Actor) -> dict[Status, int]:
    """How many revisions wait in each state of the queue, and how many entries are archived."""
    require(actor, Permission.DESK)
    found = dict.fromkeys((*WAITING, Status.ARCHIVED), 0)
    rows = session.execute(
        select(Revision.status, func.count()).where(Revision.status.in_(WAITING)).group_by(Revision.status)
    )
    found.update((status, number) for status, number in rows)
    found[Status.ARCHIVED] = (
        session.scalar(select(func.count()).select_from(Solution).where(Solution.status == Status.ARCHIVED)) or 0
    )
    return found


def archived(session: Session, actor: Actor) -> list[Solution]:
    """Entries taken out of the catalog, the last changed first."""
    require(actor, Permission.DESK)
    return list(
        session.scalars(
            select(Solution)
            .where(Solution.status == Status.ARCHIVED)
            .options(joinedload(Solution.organisation))
            .order_by(Solution.updated_at.desc(), Solution.id)
        )
    )


def revision(session: Session, actor: Actor, revision_id: int, *, withdrawn: bool = False) -> Revision:
    """The revision under review; raises NotFoundError for one that does not exist or the actor may not know of.

    With `withdrawn` a revision that its authors have just taken back counts as a conflict: the curator had it open.
    """
    require(actor, Permission.DESK)
    found = session.get(Revision, revision_id)
    if found is None:
        raise NotFoundError
    if found.status is Status.DRAFT:  # a draft is its authors' own, also beside a published entry
        if withdrawn and found.submitted_at is not None:
            raise ConflictError(Message(N_("Die Einreichenden haben den Eintrag zurückgezogen, um weiterzuschreiben.")))
        raise NotFoundError
    require(actor, Permission.REVIEW, found.solution)
    return found


def decided(session: Session, actor: Actor, revision_id: int) -> Revision | None:
    """The revision someone else has decided about meanwhile; None where its authors have taken it back."""
    try:
        return revision(session, actor, revision_id)
    except NotFoundError:
        return None


def live_document(session: Session, current: Revision) -> tuple[Entry, int] | None:
    """What readers see of the revision's entry and that version's number; None for an entry never published.

    For a revision that was accepted itself it is the version before it.
    """
    live = session.scalars(
        select(Revision)
        .where(
            Revision.solution_id == current.solution_id,
            Revision.id != current.id,
            Revision.status.in_({Status.PUBLISHED, Status.ARCHIVED}),
            Revision.number < current.number,
        )
        .order_by(Revision.number.desc())
    ).first()
    return (Entry.model_validate(live.content), live.number) if live is not None else None


def _reason(step: Step, reason: str) -> str:
    reason = reason.strip()
    if TRANSITIONS[step].needs_reason and not squeeze(reason):
        raise InvalidError({"reason": Message(N_("Bitte nennen Sie einen Grund."))})
    return reason


def _expect(current: Revision, version: int | None) -> None:
    if version is not None and current.version != version:
        raise ConflictError(
            Message(N_("Die Fassung hat sich geändert, seit Sie sie geöffnet haben. Bitte laden Sie die Seite neu."))
        )


def request_changes(
    session: Session, actor: Actor, current: Revision, reason: str, *, version: int | None = None
) -> None:
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
    audit.record(
        session,
        actor,
        "entry.request_changes",
        "solution",
        solution.id,
        reason=text,
        details={"revision": current.number},
    )
    notifications.changes_requested(session, current)


def publish(session: Session, actor: Actor, current: Revision, note: str = "", *, version: int | None = None) -> None:
    """Make a submitted revision what readers see, and have the index told in the same transaction.

    Accepting a change of an archived entry brings the entry back in its new form: the way from archived to published
    that shows nobody the text for which it was archived. Raises ConflictError when it is not (or no longer) submitted.
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
    audit.record(
        session,
        actor,
        "entry.publish",
        "solution",
        solution.id,
        reason=note.strip(),
        details={"revision": current.number},
    )
    notifications.published(session, current)


def go_live(session: Session, current: Revision, refs: References | None = None, *, create: bool = False) -> None:
    """Lay an accepted revision into the rows readers see; asks nobody, so only accepted revisions may come here."""
    solution = current.solution
    refs = refs or References(session)
    entry = Entry.model_validate(current.content)
    before = solution.slug
    entries.write(solution, entry, refs, create=create)
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
