"""Who is told what: each step of the workflow puts its mails into the outbox, as template name and ids."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.actor import Role as RoleName
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.user import Role, User
from catalog.services import outbox


def _tell(session: Session, template: str, users: set[int], **ids: int) -> None:
    for user_id in sorted(users):
        outbox.enqueue(session, outbox.EMAIL, user_id, {"template": template, **ids})


def curator_ids(session: Session) -> set[int]:
    """The row numbers of all active curators."""
    return set(
        session.scalars(select(User.id).join(User.roles).where(Role.name == RoleName.CURATOR, User.active.is_(True)))
    )


def submitted(session: Session, revision: Revision) -> None:
    """Tell the curators that an entry waits for them."""
    _tell(session, "submitted", curator_ids(session) - {revision.author_id or 0}, revision_id=revision.id)


def changes_requested(session: Session, revision: Revision) -> None:
    """Tell the author what to mend."""
    _tell(session, "changes_requested", _author(revision), revision_id=revision.id)


def published(session: Session, revision: Revision) -> None:
    """Tell the author that the entry is public."""
    _tell(session, "published", _author(revision), revision_id=revision.id)


def archived(session: Session, solution: Solution, reason: str) -> None:  # noqa: ARG001 - the mail reads the reason from the log
    """Tell whoever started the entry that it was taken out of the catalog."""
    if solution.created_by_id is not None:
        _tell(session, "archived", {solution.created_by_id}, solution_id=solution.id)


def _author(revision: Revision) -> set[int]:
    return {revision.author_id} if revision.author_id is not None else set()
