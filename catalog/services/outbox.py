"""Everything that leaves the database leaves through here: `enqueue` in the caller's transaction, `deliver` afterwards.

Rows carry ids, no content: delivery reads the current state, so order and repetition do not matter.
"""

import itertools
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, func, or_, select, update
from sqlalchemy.orm import Session, sessionmaker

from catalog.models.base import utcnow
from catalog.models.outbox import OutboxMessage
from catalog.services import indexing
from index import IndexLocked, IndexUnavailable, SearchIndex

log = logging.getLogger(__name__)

INDEX = "index"
EMAIL = "email"
BATCH = 200
_LONGEST_PAUSE = timedelta(hours=6)
_MOST_DOUBLINGS = 10  # beyond the longest pause anyway; unbounded, a week without a mail server would overflow
_LONGEST_ERROR = 500
# What an entry that can't be told to the index raises; a full disk, an absent database or a bad index raise others.
_REFUSALS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)

Sessions = sessionmaker[Session]
Mailer = Callable[[OutboxMessage], None]


def enqueue(session: Session, kind: str, subject_id: int | None, payload: dict[str, Any] | None = None) -> None:
    """Note in the caller's transaction that something must go out; ids only, never content."""
    session.add(OutboxMessage(kind=kind, subject_id=subject_id, payload=payload or {}))


def waiting(session: Session, kind: str | None = None) -> int:
    """How many messages are still to be delivered."""
    query = select(func.count()).select_from(OutboxMessage)
    return session.scalar(query.where(OutboxMessage.kind == kind) if kind else query) or 0


@contextmanager
def _reading(sessions: Sessions) -> Iterator[Session]:
    """A session that only reads: building documents takes a while, and nobody's saving should wait for it."""
    with sessions() as session:
        session.connection(execution_options={"writes": False})
        yield session


def deliver_index(  # noqa: PLR0913 - how long to wait, how much at once, how often: each caller differs
    sessions: Sessions,
    index: SearchIndex,
    *,
    lock_timeout: float = 0.0,
    limit: int = BATCH,
    batches: int | None = None,
    now: datetime | None = None,
) -> int:
    """Bring the search index up to date with what waits, in at most so many batches; gives the number settled.

    The index lock is taken before the database is read: read first, and a slow process would overwrite newer text
    with older. Rows are deleted only after the index has committed, so a crash in between repeats work, no more.
    An entry that can't be put into the index is set aside for a while, so that it does not hold up the others.
    Raises IndexLocked when another process delivers, IndexUnavailable when the index can't be written.
    """
    now = now or utcnow()
    # A fresh message is due whatever the clock says: it may have been set back since.
    due = or_(OutboxMessage.attempts == 0, OutboxMessage.due_at <= now)
    settled = 0
    with index.writing(timeout=lock_timeout):
        for _ in itertools.count() if batches is None else range(batches):
            with _reading(sessions) as session:
                rows = session.execute(
                    select(OutboxMessage.id, OutboxMessage.subject_id)
                    .where(OutboxMessage.kind == INDEX, due)
                    .order_by(OutboxMessage.id)
                    .limit(limit)
                ).all()
            if not rows:
                break
            try:
                settled += _settle(sessions, index, rows)
            except _REFUSALS:
                settled += _settle_one_by_one(sessions, index, rows, now)
    return settled


def _settle(sessions: Sessions, index: SearchIndex, rows: Sequence[Row[int, int | None]]) -> int:
    subjects = {row.subject_id for row in rows if row.subject_id is not None}
    with _reading(sessions) as session:
        documents = indexing.documents(session, subjects)
    gone = subjects - {int(document.id) for document in documents}
    index.update(documents, [str(subject) for subject in sorted(gone)])
    with sessions.begin() as session:
        session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_([row.id for row in rows])))
    return len(rows)


def _settle_one_by_one(
    sessions: Sessions, index: SearchIndex, rows: Sequence[Row[int, int | None]], now: datetime
) -> int:
    """Settle what can be; whatever can't is due again later, with the reason in its row and in the log."""
    settled = 0
    for row in rows:
        try:
            settled += _settle(sessions, index, [row])
        except _REFUSALS as problem:
            log.exception("entry %s can't be put into the search index", row.subject_id)
            with sessions.begin() as session:
                message = session.get_one(OutboxMessage, row.id)
                message.attempts += 1
                _postpone(message, now, problem)
    return settled


def _postpone(message: OutboxMessage, now: datetime, problem: Exception) -> timedelta:
    pause = min(timedelta(minutes=2 ** min(message.attempts, _MOST_DOUBLINGS)), _LONGEST_PAUSE)
    message.due_at = now + pause
    message.last_error = f"{type(problem).__name__}: {problem}"[:_LONGEST_ERROR]
    return pause


def deliver_mail(sessions: Sessions, send: Mailer, *, limit: int = BATCH, now: datetime | None = None) -> int:
    """Send due mails one by one; gives how many went out. A crash may repeat one mail, never lose one."""
    now = now or utcnow()
    with _reading(sessions) as session:
        due = list(
            session.scalars(
                select(OutboxMessage.id)
                .where(OutboxMessage.kind == EMAIL, OutboxMessage.due_at <= now)
                .order_by(OutboxMessage.id)
                .limit(limit)
            )
        )
    sent = 0
    for message_id in due:
        with sessions.begin() as session:
            # Claimed by moving its due time: a second worker then leaves it alone while this one talks to the server.
            claimed = session.execute(
                update(OutboxMessage)
                .where(OutboxMessage.id == message_id, OutboxMessage.due_at <= now)
                .values(due_at=now + timedelta(minutes=5), attempts=OutboxMessage.attempts + 1)
                .returning(OutboxMessage.id)
            ).scalar_one_or_none()
        if claimed is None:
            continue
        with _reading(sessions) as session:
            message = session.get_one(OutboxMessage, message_id)
            session.expunge(message)
        try:
            send(message)
        except Exception as problem:  # noqa: BLE001 - whatever a mail server does, the message must stay and be tried again
            with sessions.begin() as session:
                pause = _postpone(session.get_one(OutboxMessage, message_id), now, problem)
            log.warning("mail %s not sent, next try in %s: %s", message_id, pause, type(problem).__name__)
            continue
        with sessions.begin() as session:
            session.execute(delete(OutboxMessage).where(OutboxMessage.id == message_id))
        sent += 1
    return sent


def nudge(sessions: Sessions, index: SearchIndex) -> None:
    """Try once, quietly, right after a commit; whatever fails stays in the outbox for the worker."""
    try:
        with _reading(sessions) as session:
            if not waiting(session, INDEX):
                return
        # The second batch takes what came in while the first was being written; whoever has just saved waits for this,
        # so that the rest, when many save at once, is the worker's.
        deliver_index(sessions, index, batches=2)
    except IndexLocked:
        return  # another process is delivering; what it does not take, the worker does
    except IndexUnavailable as problem:
        log.warning("search index not updated: %s", problem)
    except Exception:
        log.exception("search index not updated")


def rebuild_index(sessions: Sessions, index: SearchIndex, *, lock_timeout: float = 60.0) -> int:
    """Build the index anew from the database, beside the one in use; gives how many entries it holds.

    What waited for the index when the reading began is settled with it; what came later stays and is delivered next.
    Raises IndexLocked when another process writes for longer than `lock_timeout`.
    """
    with index.writing(timeout=lock_timeout):
        with _reading(sessions) as session:
            settled = list(session.scalars(select(OutboxMessage.id).where(OutboxMessage.kind == INDEX)))
        with _reading(sessions) as session:
            count = index.rebuild(indexing.all_documents(session))
        for start in range(0, len(settled), BATCH):
            with sessions.begin() as session:
                session.execute(delete(OutboxMessage).where(OutboxMessage.id.in_(settled[start : start + BATCH])))
    return count
