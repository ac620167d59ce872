"""What authors do: start an entry, save a draft, hand it in, take it back, throw it away."""

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from catalog.domain import entry as documents
from catalog.domain.actor import Actor
from catalog.domain.entry import Entry
from catalog.domain.errors import ConflictError, ForbiddenError, InvalidError
from catalog.domain.permissions import Permission, require
from catalog.domain.text import N_, Message
from catalog.domain.vocabulary import Visibility
from catalog.domain.workflow import EDITABLE, OPEN, Status, Step, target_of
from catalog.models.base import utcnow
from catalog.models.deployment import Deployment
from catalog.models.revision import ReviewNote, Revision
from catalog.models.solution import Solution
from catalog.services import audit, entries, notifications
from catalog.services.references import References

UNTITLED = N_("Ohne Titel")


def open_revision(session: Session, solution: Solution) -> Revision | None:
    """The revision being worked on or reviewed, if there is one."""
    return session.scalars(
        select(Revision).where(Revision.solution_id == solution.id, Revision.status.in_(OPEN))
    ).one_or_none()


def live_revision(session: Session, solution: Solution) -> Revision | None:
    """The revision readers see, if the entry was ever published."""
    return session.scalars(
        select(Revision)
        .where(Revision.solution_id == solution.id, Revision.status.in_({Status.PUBLISHED, Status.ARCHIVED}))
        .order_by(Revision.number.desc())
    ).first()


def next_number(session: Session, solution: Solution) -> int:
    """The number a new revision of the entry gets."""
    last = session.scalar(select(func.max(Revision.number)).where(Revision.solution_id == solution.id))
    return (last or 0) + 1


def document_to_edit(session: Session, solution: Solution) -> tuple[Entry, int]:
    """What the form starts from: the open revision's document, else the live one; and its version.

    The version goes back into `save`, which refuses it when someone else has saved or published meanwhile.
    """
    revision = open_revision(session, solution)
    if revision is not None:
        return Entry.model_validate(revision.content), revision.version
    return entries.read(solution), _version_of_live(live_revision(session, solution))


def _version_of_live(live: Revision | None) -> int:
    """The version of a document nobody has begun to change: below zero, so that no open revision ever has it."""
    return -live.number if live is not None else 0


def _check_organisation(actor: Actor, solution: Solution) -> None:
    if actor.is_admin:
        return
    if solution.organisation is None:
        raise InvalidError({"organisation": Message(N_("Bitte wählen Sie Ihre Organisation."))})
    if not actor.writes_for(solution.organisation.id):
        raise ForbiddenError(Message(N_("Sie können nur für Ihre eigene Organisation einreichen.")))


def _check_move(session: Session, actor: Actor, solution: Solution, entry: Entry) -> None:
    """A published entry moves once its change is accepted; a curator must not have to notice whose name is used."""
    wanted = References(session).organisation(entry.organisation)
    if wanted is None or wanted.id == solution.organisation_id or actor.is_admin:
        return
    if not actor.writes_for(wanted.id):
        raise ForbiddenError(Message(N_("Sie können nur für Ihre eigene Organisation einreichen.")))


def _project(session: Session, solution: Solution, entry: Entry) -> None:
    """While an entry was never published its rows follow the draft; afterwards they stay what readers see."""
    refs = References(session)
    entries.write(solution, entry.model_copy(update={"title": entry.title or UNTITLED}), refs)
    if solution.id is None:
        solution.slug = entries.free_slug(session, solution.title)
        session.add(solution)
    else:
        solution.slug = entries.free_slug(session, solution.title, solution.id)
    entries.stamp_audience(solution)
    entries.link_reuses(session, solution, refs)


def start(session: Session, actor: Actor, entry: Entry) -> Revision:
    """Begin a new entry as a draft of the actor's organisation; gives its first revision.

    Raises ForbiddenError without the right to write, InvalidError without an organisation.
    """
    require(actor, Permission.CREATE)
    solution = Solution(status=Status.DRAFT, created_by_id=actor.user_id, title=UNTITLED)
    if entry.external_id:
        solution.external_id = entry.external_id
    entry = _with_identities(session, solution, entry)
    with session.no_autoflush:
        _project(session, solution, entry)
        _check_organisation(actor, solution)
    session.flush()  # the revision needs the solution's number
    entries.stamp_audience(solution)
    revision = Revision(
        solution=solution, number=1, status=Status.DRAFT, content=documents.dump(entry), author_id=actor.user_id
    )
    session.add(revision)
    audit.record(session, actor, "entry.create", "solution", solution.id)
    return revision


def _with_identities(session: Session, solution: Solution, entry: Entry) -> Entry:
    """The document with an identity for each site, so that links from other entries survive every later save.

    Raises InvalidError for an identity that is used twice or belongs to another entry's site.
    """
    given = [site.external_id for site in entry.deployments if site.external_id]
    foreign = set(
        session.scalars(
            select(Deployment.external_id).where(
                Deployment.external_id.in_(given), Deployment.solution_id != (solution.id or 0)
            )
        )
    )
    taken = Message(N_("Diese Kennung gehört schon zu einem anderen Standort."))
    errors = {
        f"deployments.{number}.external_id": taken
        for number, site in enumerate(entry.deployments)
        if site.external_id in foreign or (site.external_id and given.count(site.external_id) > 1)
    }
    if errors:
        raise InvalidError(errors)
    return entry.model_copy(
        update={
            "deployments": [
                site if site.external_id else site.model_copy(update={"external_id": entries.new_site_id()})
                for site in entry.deployments
            ]
        }
    )


def save(session: Session, actor: Actor, solution: Solution, entry: Entry, *, version: int | None = None) -> Revision:
    """Store the draft; a published entry gets a pending revision and stays as readers see it.

    `version` is what `document_to_edit` gave. Raises ConflictError when someone else has saved since, or when the
    entry is under review; ForbiddenError or NotFoundError as the permissions say.
    """
    require(actor, Permission.EDIT, solution)
    entry = _with_identities(session, solution, entry)
    revision = open_revision(session, solution)
    if revision is None:
        live = live_revision(session, solution)
        revision = Revision(
            solution=solution,
            number=next_number(session, solution),
            status=Status.DRAFT,
            base_number=live.number if live else None,
            author_id=actor.user_id,
        )
        if version is not None and version != _version_of_live(live):
            raise ConflictError(
                Message(
                    N_("Über diesen Eintrag wurde inzwischen entschieden. Bitte übernehmen Sie Ihre Änderungen neu.")
                )
            )
        session.add(revision)
        audit.record(session, actor, "entry.edit", "solution", solution.id, details={"revision": revision.number})
    elif revision.status not in EDITABLE:
        raise ConflictError(
            Message(N_("Der Eintrag wird gerade geprüft. Ziehen Sie ihn zurück, um weiterzuschreiben."))
        )
    elif version is not None and version != revision.version:
        raise ConflictError(Message(N_("Jemand anderes hat diesen Entwurf inzwischen gespeichert.")))
    revision.content = documents.dump(entry)
    revision.updated_at = utcnow()
    if solution.first_published_at is None:
        before = solution.organisation_id
        _project(session, solution, entry)
        if solution.organisation_id != before:
            _check_organisation(actor, solution)
    else:
        _check_move(session, actor, solution, entry)
    try:
        session.flush()  # the version counter must be the new one for whoever shows the form again
    except IntegrityError as problem:
        # Two people began to edit in the same moment; the database lets only one revision be open.
        raise ConflictError(Message(N_("Jemand anderes hat diesen Entwurf inzwischen gespeichert."))) from problem
    return revision


def gaps(entry: Entry) -> dict[str, Message]:
    """What the document lacks to be handed in: field path to the message for its author."""
    found = documents.missing(entry)
    if not entry.organisation:
        found["organisation"] = Message(N_("Bitte wählen Sie Ihre Organisation."))
    if entry.visibility is Visibility.GROUP and not entry.working_group:
        found["working_group"] = Message(N_("Bitte wählen Sie die Arbeitsgruppe, die den Eintrag lesen darf."))
    return found


def submit(session: Session, actor: Actor, solution: Solution) -> Revision:
    """Hand the draft in for review.

    Raises InvalidError naming each missing field, ConflictError when there is nothing to hand in.
    """
    require(actor, Permission.SUBMIT, solution)
    revision = _open_or_conflict(session, solution)
    target = target_of(Step.SUBMIT, revision.status)
    lacking = gaps(Entry.model_validate(revision.content))
    if lacking:
        raise InvalidError(lacking)
    revision.status = target
    revision.submitted_at = utcnow()
    if solution.first_published_at is None:
        solution.status = target
        entries.stamp_audience(solution)
    audit.record(session, actor, "entry.submit", "solution", solution.id, details={"revision": revision.number})
    notifications.submitted(session, revision)
    return revision


def withdraw(session: Session, actor: Actor, solution: Solution) -> Revision:
    """Take a submitted revision back to go on writing; raises ConflictError when it is not under review."""
    require(actor, Permission.SUBMIT, solution)
    revision = _open_or_conflict(session, solution)
    revision.status = target_of(Step.WITHDRAW, revision.status)
    if solution.first_published_at is None:
        solution.status = revision.status
        entries.stamp_audience(solution)
    audit.record(session, actor, "entry.withdraw", "solution", solution.id, details={"revision": revision.number})
    return revision


def discard(session: Session, actor: Actor, solution: Solution) -> None:
    """Throw the open revision away; an entry that was never published goes with it. The audit log keeps the fact."""
    require(actor, Permission.EDIT, solution)
    revision = _open_or_conflict(session, solution)
    if revision.status not in EDITABLE:
        raise ConflictError(Message(N_("Der Eintrag wird gerade geprüft. Ziehen Sie ihn zuerst zurück.")))
    audit.record(
        session,
        actor,
        "entry.discard",
        "solution",
        solution.id,
        details={"revision": revision.number, "title": str(revision.content.get("title", ""))},
    )
    session.delete(revision)
    if solution.first_published_at is None:
        session.flush()  # the revision must be gone before the entry it refers to
        for other in session.scalars(select(Revision).where(Revision.solution_id == solution.id)):
            session.delete(other)
        session.delete(solution)


def _open_or_conflict(session: Session, solution: Solution) -> Revision:
    revision = open_revision(session, solution)
    if revision is None:
        raise ConflictError(Message(N_("Zu diesem Eintrag gibt es keinen offenen Entwurf.")))
    return revision


def notes(session: Session, revision: Revision) -> list[ReviewNote]:
    """What curators and authors have said about this entry's revisions, oldest first."""
    return list(
        session.scalars(
            select(ReviewNote)
            .join(Revision)
            .where(Revision.solution_id == revision.solution_id)
            .order_by(ReviewNote.created_at, ReviewNote.id)
        )
    )


def of_actor(session: Session, actor: Actor) -> list[tuple[Solution, Revision | None]]:
    """The actor's own entries and those of the organisations they write for, newest work first, with what is open."""
    own = (Solution.created_by_id == actor.user_id) | Solution.organisation_id.in_(actor.writing_organisations)
    rows = session.execute(
        select(Solution, Revision)
        .outerjoin(Revision, (Revision.solution_id == Solution.id) & Revision.status.in_(OPEN))
        .where(own, Solution.is_demo.is_(False) | (Revision.id.is_not(None)))
        .order_by(func.coalesce(Revision.updated_at, Solution.updated_at).desc())
    )
    return [(solution, revision) for solution, revision in rows]
