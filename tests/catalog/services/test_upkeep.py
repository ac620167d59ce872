"""One turn of the worker delivers, mends and sweeps, and a second one finds nothing to do."""

from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.models.limit import RateCounter
from catalog.models.outbox import OutboxMessage
from catalog.runtime import Runtime
from catalog.services import accounts, outbox
from catalog.services.upkeep import LOOK_ANYWAY_SECONDS, Upkeep
from tests import factories


class _Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> _Clock:
    """A clock that stands until told otherwise."""
    return _Clock()


@pytest.fixture
def sent() -> list[int]:
    """The numbers of the messages that were sent."""
    return []


@pytest.fixture
def upkeep(runtime: Runtime, clock: _Clock, sent: list[int]) -> Iterator[Upkeep]:
    """A worker's memory that has done its first turns."""
    made = Upkeep(
        runtime.engine, runtime.unit_of_work.writing, runtime.index, lambda message: sent.append(message.id), clock
    )
    while made.turn():
        pass
    yield made
    made.close()


def _publish(runtime: Runtime) -> str:
    runtime.unit_of_work.after_commit = None  # as if the process had died right after the commit
    with runtime.unit_of_work() as session:
        return str(factories.make_published(session).id)


def test_the_first_turn_builds_a_missing_index(runtime: Runtime, upkeep: Upkeep) -> None:
    assert not runtime.index.status().needs_rebuild
    assert not upkeep.turn()


def test_what_was_committed_is_delivered_and_then_there_is_nothing_to_do(runtime: Runtime, upkeep: Upkeep) -> None:
    number = _publish(runtime)
    assert upkeep.turn()
    assert number in runtime.index.ids()
    assert not upkeep.turn()
    with runtime.unit_of_work.reading() as session:
        assert outbox.waiting(session, outbox.INDEX) == 0


def test_mails_are_sent(runtime: Runtime, session: Session, upkeep: Upkeep, sent: list[int]) -> None:
    user = factories.make_user(session)
    accounts.request_reset(session, user.id)
    session.commit()
    assert upkeep.turn()
    assert len(sent) == 1
    with runtime.unit_of_work.reading() as reading:
        assert reading.scalars(select(OutboxMessage)).all() == []


def test_a_damaged_or_missing_index_is_built_anew_unasked(runtime: Runtime, upkeep: Upkeep, clock: _Clock) -> None:
    number = _publish(runtime)
    while upkeep.turn():
        pass
    current = runtime.settings.index_dir / "CURRENT"
    for damage in (lambda: current.write_text("gibt-es-nicht"), current.unlink):
        damage()
        clock.now += LOOK_ANYWAY_SECONDS
        assert upkeep.turn()
        assert number in runtime.index.ids()
        assert not runtime.index.status().needs_rebuild


def test_idle_turns_read_no_table(runtime: Runtime, upkeep: Upkeep) -> None:
    from sqlalchemy import event

    if runtime.engine.dialect.name != "sqlite":
        pytest.skip("PRAGMA data_version is SQLite's")
    seen: list[str] = []
    event.listen(runtime.engine, "before_cursor_execute", lambda *given: seen.append(given[2]))
    for _ in range(10):
        assert not upkeep.turn()
    assert seen == []


def test_what_ran_out_is_swept_away(runtime: Runtime, session: Session, upkeep: Upkeep, clock: _Clock) -> None:
    user = factories.make_user(session)
    accounts.start_sign_in(session, user.id)
    session.add_all([RateCounter(key="old", hits=1, expires=1.0), RateCounter(key="new", hits=1, expires=9e9)])
    session.commit()
    clock.now += 4_000
    while upkeep.turn():
        pass
    with runtime.unit_of_work.reading() as reading:
        assert reading.scalars(select(RateCounter.key)).all() == ["new"]


def test_after_an_error_it_goes_on(runtime: Runtime, upkeep: Upkeep) -> None:
    upkeep.forget()
    number = _publish(runtime)
    assert upkeep.turn()
    assert number in runtime.index.ids()
