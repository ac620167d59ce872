"""What the background worker does: deliver what waits, keep the index whole and small, throw away what ran out.

One `turn` at a time, without a loop, clock or process of its own: those are the command's.
"""

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Engine, delete, func, select
from sqlalchemy.orm import Session, sessionmaker

from catalog.models.base import utcnow
from catalog.models.limit import RateCounter
from catalog.models.outbox import OutboxMessage
from catalog.services import accounts, outbox
from catalog.services.outbox import Mailer
from index import IndexLocked, IndexUnavailable, SearchIndex

log = logging.getLogger(__name__)

# Even when nobody has written: mails become due again, another program may have touched the index.
LOOK_ANYWAY_SECONDS: Final = 5.0
MERGE_AFTER_IDLE_SECONDS: Final = 20.0
SWEEP_SECONDS: Final = 3_600.0

Sessions = sessionmaker[Session]


class Upkeep:
    """The worker's memory between turns: what it saw last, and when it did what."""

    def __init__(
        self,
        engine: Engine,
        sessions: Sessions,
        index: SearchIndex,
        send: Mailer,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Work on these; the first turn looks at everything."""
        self._engine = engine
        self._sessions = sessions
        self._index = index
        self._send = send
        self._clock = clock
        self._watch: Any = None
        self._seen: object = None
        self._looked = self._worked = self._swept = float("-inf")
        self._merged = False

    def turn(self) -> bool:
        """Do what there is to do; gives whether that was anything.

        Whatever the database or the disk does wrong comes out as its own exception: the caller waits and tries again.
        """
        now = self._clock()
        if not self._changed() and now - self._looked < LOOK_ANYWAY_SECONDS:
            return self._idle(now)
        done = self._mend_index() or self._deliver()
        self._looked = now
        if done:
            self._worked, self._merged = now, False
        return done or self._idle(now)

    def close(self) -> None:
        """Give the connection back that watches for changes."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None

    def forget(self) -> None:
        """After an error: trust nothing that was seen before, and open the connection anew."""
        self._seen = None
        self._looked = float("-inf")
        try:
            self.close()
        except Exception:  # noqa: BLE001 - it may be the connection itself that is broken
            self._watch = None

    def _changed(self) -> bool:
        """Whether anyone has written since the last look: SQLite knows without reading, elsewhere it is one count."""
        if self._engine.dialect.name == "sqlite":
            if self._watch is None:
                self._watch = self._engine.raw_connection()
            seen: object = self._watch.cursor().execute("PRAGMA data_version").fetchone()[0]
        else:
            with self._engine.connect() as connection:
                seen = tuple(connection.execute(select(func.count(), func.max(OutboxMessage.id))).one())
        changed, self._seen = seen != self._seen, seen
        return changed

    def _mend_index(self) -> bool:
        """Build the index anew when it is missing, damaged or of another version; the old one serves meanwhile."""
        status = self._index.status()
        if not status.needs_rebuild:
            return False
        log.warning("search index is %s: building it anew", status.reason)
        try:
            count = outbox.rebuild_index(self._sessions, self._index, lock_timeout=0.0)
        except IndexLocked:
            return False  # someone else is at it
        log.warning("search index built with %s entries", count)
        return True

    def _deliver(self) -> bool:
        done = 0
        try:
            done += outbox.deliver_index(self._sessions, self._index)
        except IndexLocked:
            self._seen = None  # look again at the next turn
        except IndexUnavailable as problem:
            log.warning("search index: %s", problem)
            self._seen = None
        done += outbox.deliver_mail(self._sessions, self._send)
        return done > 0

    def _idle(self, now: float) -> bool:
        if now - self._swept >= SWEEP_SECONDS:
            self._swept = now
            sweep(self._sessions)
            return True
        if not self._merged and now - self._worked >= MERGE_AFTER_IDLE_SECONDS:
            self._merged = True
            try:
                return self._index.merge()
            except (IndexLocked, IndexUnavailable):
                self._merged = False
        return False


def sweep(sessions: Sessions) -> None:
    """Remove what has run out: counts of rate limits, and sign-ins."""
    with sessions.begin() as session:
        session.execute(delete(RateCounter).where(RateCounter.expires <= utcnow().timestamp()))
        accounts.forget_old_sign_ins(session)
