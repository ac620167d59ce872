"""One transaction per use case: all or nothing, the outbox afterwards, conflicts as such, and maintenance."""

import pytest
from sqlalchemy import func, select

from catalog.domain.actor import SYSTEM
from catalog.domain.errors import ConflictError, ForbiddenError
from catalog.models.organisation import Organisation
from catalog.models.revision import Revision
from catalog.runtime import Runtime
from catalog.unit_of_work import UnitOfWork
from tests import factories


@pytest.fixture
def runtime(each_runtime: Runtime) -> Runtime:
    return each_runtime


def count(runtime: Runtime) -> int:
    with runtime.unit_of_work.reading() as session:
        return session.scalar(select(func.count()).select_from(Organisation)) or 0


def test_a_block_that_ends_well_is_stored_and_one_that_raises_is_not(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        factories.make_organisation(session)

    def fails() -> None:
        with runtime.unit_of_work() as session:
            factories.make_organisation(session)
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert count(runtime) == 1


def test_what_comes_after_is_called_once_after_the_commit_and_never_after_a_failure(runtime: Runtime) -> None:
    seen: list[int] = []
    runtime.unit_of_work.after_commit = lambda: seen.append(count(runtime))
    with runtime.unit_of_work() as session:
        factories.make_organisation(session)
    assert seen == [1]

    def fails() -> None:
        with runtime.unit_of_work():
            raise LookupError

    with pytest.raises(LookupError):
        fails()
    assert seen == [1]


def test_changing_a_row_that_someone_else_has_changed_is_a_conflict(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        factories.make_draft(session, SYSTEM)
    stale = runtime.unit_of_work.reading()
    held = stale.scalars(select(Revision)).one()
    stale.close()
    with runtime.unit_of_work() as session:
        session.scalars(select(Revision)).one().content = {"title": "Zuerst"}

    def second() -> None:
        with runtime.unit_of_work() as session:
            session.add(held)
            held.content = {"title": "Danach"}

    with pytest.raises(ConflictError):
        second()
    with runtime.unit_of_work.reading() as session:
        assert session.scalars(select(Revision)).one().content == {"title": "Zuerst"}


def test_during_maintenance_nothing_is_written(runtime: Runtime) -> None:
    maintained = UnitOfWork(runtime.engine, read_only=True)
    with pytest.raises(ForbiddenError, match="gewartet"), maintained():
        pytest.fail("the block was entered")
    with maintained.reading() as session:
        assert session.scalar(select(func.count()).select_from(Organisation)) == 0
