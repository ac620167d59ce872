"""One transaction per use case: commit or roll back once, then see that what waits in the outbox goes out."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.orm.exc import StaleDataError

from catalog.domain.errors import ConflictError, ForbiddenError
from catalog.domain.text import N_, Message


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
