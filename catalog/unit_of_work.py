"""One transaction per use case: commit or roll back once, then see that what waits in the outbox goes out."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from catalog.domain.errors import ConflictError, ForbiddenError
from catalog.domain.text import N_, Message

log = logging.getLogger(__name__)


class UnitOfWork:
    """Opens sessions for reading and for writing; calling it gives a session that commits at the end of the block."""

    def __init__(self, engine: Engine, *, read_only: bool = False) -> None:
        """Bind to the engine; `read_only` refuses every writing block, for maintenance."""
        self.reading: sessionmaker[Session] = sessionmaker(engine, expire_on_commit=False)
        self.writing: sessionmaker[Session] = sessionmaker(
            engine.execution_options(writes=True), expire_on_commit=False
        )
        self.after_commit: Callable[[], None] | None = None
        self.read_only = read_only

    @contextmanager
    def __call__(self) -> Iterator[Session]:
        """A writing session; commits when the block ends well, rolls back when it raises, and then nudges the outbox.

        Raises ForbiddenError in read-only mode, ConflictError when someone else changed the same row meanwhile.
        """
        self.refuse_if_read_only()
        try:
            with self.writing.begin() as session:
                yield session
        except IntegrityError as problem:
            # Two people took the same address or number in the same moment; nothing of the second was written.
            log.warning("refused by the database: %s", problem.orig)
            raise ConflictError(
                Message(
                    N_("Jemand anderes hat im selben Moment etwas gespeichert. Bitte versuchen Sie es noch einmal.")
                )
            ) from problem
        except StaleDataError as problem:
            raise ConflictError(
                Message(N_("Der Eintrag wurde inzwischen an anderer Stelle geändert. Bitte laden Sie die Seite neu."))
            ) from problem
        if self.after_commit is not None:
            self.after_commit()

    def refuse_if_read_only(self) -> None:
        """Raise ForbiddenError in read-only mode; for work in batches, which opens its writing sessions itself."""
        if self.read_only:
            raise ForbiddenError(
                Message(N_("Der Katalog wird gerade gewartet und ist nur lesbar. Bitte versuchen Sie es später."))
            )
