"""Import: an exchange file into the catalog, repeatable, in batches or all at once, with a report on each bad row."""

from collections.abc import Callable, Iterable
from typing import Final

from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from catalog.domain.actor import SYSTEM, Actor
from catalog.domain.errors import DomainError
from catalog.domain.text import squeeze
from catalog.services import outbox
from catalog.services.outbox import Sessions
from catalog.services.transfer.lines import Line
from catalog.services.transfer.prepared import BadRow, Prepared, Preparer, Report, RowProblem, batches, identity
from catalog.services.transfer.rows import Problem
from catalog.services.transfer.writing import Writer
from index import IndexLocked, IndexUnavailable, SearchIndex

_REBUILD_FROM: Final = 2_000  # changed entries; from here on building the index anew is quicker than updating it
_LOCK_TIMEOUT: Final = 30.0

_Advance = Callable[[int], None]


class _NothingStoredError(Exception):
    """Ends the one transaction of a strict run."""


def import_rows(  # noqa: PLR0913 - the switches are those of the command
    sessions: Sessions,
    index: SearchIndex,
    source: Callable[[], Iterable[Line]],
    *,
    publish: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    actor: Actor = SYSTEM,
    advance: _Advance = lambda _size: None,
) -> Report:
    """Bring the rows of the file into the catalog; gives what was done and what was wrong.

    `sessions` opens writing sessions, or reading ones for a dry run; `source` gives the lines from the start each time
    it is called. Good rows are stored in batches, each a transaction
    of its own, so that a run that was killed can simply be started again; with `strict` all are stored in one
    transaction, and none when any row is bad. With `publish` entries go live, else they become drafts. With `dry_run`
    nothing is written. `advance` is told the bytes that are done with. Raises what the database raises when it can't
    be written at all.
    """
    if dry_run:
        with sessions() as session:
            return _each_batch(session, source, actor, advance, publish=publish, dry_run=True)
    if strict:
        report = _strictly(sessions, source, actor, advance, publish=publish)
    else:
        report = _in_batches(sessions, source, actor, advance, publish=publish)
    if report.stored:
        report.index_waits = not bring_index_up_to_date(sessions, index)
    return report


def bring_index_up_to_date(sessions: Sessions, index: SearchIndex) -> bool:
    """Deliver what waits for the index, or build it anew where that is quicker or needed; gives whether it is done.

    False means that it stays in the outbox for the worker.
    """
    with sessions() as session:
        waiting = outbox.waiting(session, outbox.INDEX)
    status = index.status()
    try:
        if waiting > _REBUILD_FROM or not status.exists or status.needs_rebuild:
            outbox.rebuild_index(sessions, index, lock_timeout=_LOCK_TIMEOUT)
        else:
            outbox.deliver_index(sessions, index, lock_timeout=_LOCK_TIMEOUT)
    except (IndexLocked, IndexUnavailable):
        return False
    return True


def _each_batch(  # noqa: PLR0913 - see import_rows
    session: Session,
    source: Callable[[], Iterable[Line]],
    actor: Actor,
    advance: _Advance,
    *,
    publish: bool,
    dry_run: bool,
) -> Report:
    """All batches in the session's one transaction."""
    report = Report()
    writer = Writer(session, actor, publish=publish, dry_run=dry_run)
    for batch in batches(source(), Preparer()):
        report.add(writer.lay(batch))
        advance(sum(row.size for row in batch))
    return report


def _strictly(
    sessions: Sessions, source: Callable[[], Iterable[Line]], actor: Actor, advance: _Advance, *, publish: bool
) -> Report:
    reader, refused = Preparer(), Report()
    for batch in batches(source(), reader):
        bad = [row for row in batch if isinstance(row, BadRow)]
        refused.add(
            Report(
                rows=len(batch),
                failed=len(bad),
                problems=[RowProblem(row.line, row.external_id, found) for row in bad for found in row.problems],
            )
        )
    if refused.failed:
        return refused
    report = Report()
    try:
        with sessions.begin() as session:
            report = _each_batch(session, source, actor, advance, publish=publish, dry_run=False)
            if report.failed:
                raise _NothingStoredError  # noqa: TRY301 - it ends the transaction, which is the block's own
    except _NothingStoredError:
        report.created = report.updated = report.unchanged = report.published = 0
    return report


def _in_batches(
    sessions: Sessions, source: Callable[[], Iterable[Line]], actor: Actor, advance: _Advance, *, publish: bool
) -> Report:
    report = Report()
    writer: Writer | None = None
    create = True

    def attempt(rows: list[Prepared]) -> Report:
        nonlocal writer, create
        if writer is None:
            # One session for the whole run keeps what entries refer to at hand.
            writer = Writer(sessions(), actor, publish=publish, create=create)
        try:
            with writer.session.begin():
                return writer.lay(rows)
        except BaseException:
            create = writer.create
            writer.session.close()
            writer = None
            raise
        finally:
            if writer is not None:
                create = writer.create

    for batch in batches(source(), Preparer()):
        try:
            report.add(attempt(batch))
        except (IntegrityError, DataError, StaleDataError, DomainError):
            for row in batch:  # one of them is to blame; the others must not pay for it
                try:
                    report.add(attempt([row]))
                except (IntegrityError, DataError, StaleDataError, DomainError) as problem:
                    reason = str(problem.orig if isinstance(problem, IntegrityError | DataError) else problem)
                    found = Problem("", f"the database refused the row: {squeeze(reason)[:200]}")
                    report.add(Report(rows=1, failed=1, problems=[RowProblem(row.line, identity(row), found)]))
        advance(sum(row.size for row in batch))
    if writer is not None:
        writer.session.close()
    return report
