"""Watching the SQL that something causes, to hold pages to few questions however many entries there are."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from catalog.runtime import Runtime


@contextmanager
def statements(runtime: Runtime) -> Iterator[list[str]]:
    """The SQL statements the block causes, in order."""
    seen: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        seen.append(statement)

    event.listen(runtime.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(runtime.engine, "before_cursor_execute", note)
