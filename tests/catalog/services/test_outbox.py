"""The outbox: nothing that must leave the database is lost, overtaken or sent twice, whatever breaks in between."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.domain.actor import SYSTEM
from catalog.models.base import utcnow
from catalog.models.outbox import OutboxMessage
from catalog.models.solution import Solution
from catalog.runtime import Runtime
from catalog.services import curation, indexing, outbox
from index import Document, IndexLocked, IndexUnavailable, Query, SearchIndex
from tests import factories

PUBLIC = frozenset({"public"})


@pytest.fixture
def runtime(each_runtime: Runtime) -> Runtime:
    """Either database, an empty index, and nobody who delivers unasked."""
    each_runtime.unit_of_work.after_commit = None
    each_runtime.index.rebuild([])
    return each_runtime


def found(index: SearchIndex, text: str) -> list[str]:
    return [hit.id for hit in index.search(Query(text, PUBLIC, limit=100)).hits]


def publish(runtime: Runtime, **given: Any) -> int:
    with runtime.unit_of_work() as session:
        return factories.make_published(session, **given).id


def rows(runtime: Runtime, kind: str = outbox.INDEX) -> list[OutboxMessage]:
    with runtime.unit_of_work.reading() as session:
        return list(session.scalars(select(OutboxMessage).where(OutboxMessage.kind == kind).order_by(OutboxMessage.id)))


def agree(runtime: Runtime) -> bool:
    """Whether index and database agree, entry for entry."""
    with runtime.unit_of_work.reading() as session:
        return runtime.index.versions() == indexing.versions(session)


def deliver(runtime: Runtime, **given: Any) -> int:
    return outbox.deliver_index(runtime.unit_of_work.writing, runtime.index, **given)


class BrokenError(Exception):
    """What a test throws in the middle, standing for the end of the process."""


# --- the search index ---


def test_a_message_is_stored_with_its_cause_or_not_at_all(runtime: Runtime) -> None:
    def publishing_that_fails() -> None:
        with runtime.unit_of_work() as session:
            factories.make_published(session)
            raise BrokenError

    with pytest.raises(BrokenError):
        publishing_that_fails()
    assert rows(runtime) == []
    publish(runtime)
    assert len(rows(runtime)) == 1


def test_delivery_brings_in_what_was_published_and_takes_out_what_was_archived(runtime: Runtime) -> None:
    stays, goes = publish(runtime, title="Pegelmessung bleibt"), publish(runtime, title="Pegelmessung geht")
    deliver(runtime)
    assert set(found(runtime.index, "Pegelmessung")) == {str(stays), str(goes)}
    with runtime.unit_of_work() as session:
        curation.archive(session, SYSTEM, session.get_one(Solution, goes), "Veraltet.")
    deliver(runtime)
    assert found(runtime.index, "Pegelmessung") == [str(stays)]
    assert rows(runtime) == []
    assert agree(runtime)


def test_messages_about_one_entry_are_settled_with_one_document(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = publish(runtime)
    for change in range(5):
        with runtime.unit_of_work() as session:
            factories.publish_change(session, session.get_one(Solution, number), benefit=f"Fassung {change}")
    told: list[list[str]] = []
    update = SearchIndex.update

    def counted(index: SearchIndex, documents: list[Document], *rest: Any, **given: Any) -> int:
        told.append([document.id for document in documents])
        return update(index, documents, *rest, **given)

    monkeypatch.setattr(SearchIndex, "update", counted)
    assert deliver(runtime) == 6
    assert told == [[str(number)]]
    assert found(runtime.index, "Fassung") == [str(number)]


def test_delivering_again_changes_nothing(runtime: Runtime) -> None:
    number = publish(runtime)
    deliver(runtime)
    generation = runtime.index.status().generation
    assert deliver(runtime) == 0
    assert runtime.index.status().generation == generation
    with runtime.unit_of_work() as session:
        for _ in range(3):
            outbox.enqueue(session, outbox.INDEX, number)
    deliver(runtime)
    assert runtime.index.status().documents == 1
    assert agree(runtime)


def test_more_than_one_batch_goes_out_in_one_call(runtime: Runtime) -> None:
    numbers = {str(publish(runtime, title=f"Stapel {number}")) for number in range(7)}
    assert deliver(runtime, limit=3) == 7
    assert set(found(runtime.index, "Stapel")) == numbers


def test_right_after_a_commit_only_so_much_is_delivered(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for it; when others save without a pause, they must not have to deliver for all of them."""
    publish(runtime, title="Ununterbrochen 0")
    told: list[int] = []
    update = SearchIndex.update

    def while_others_save(index: SearchIndex, documents: list[Document], *rest: Any, **given: Any) -> int:
        told.append(len(documents))
        publish(runtime, title=f"Ununterbrochen {len(told)}")
        return update(index, documents, *rest, **given)

    monkeypatch.setattr(SearchIndex, "update", while_others_save)
    outbox.nudge(runtime.unit_of_work.writing, runtime.index)
    assert told == [1, 1]
    assert len(rows(runtime)) == 1


def test_messages_about_nothing_are_settled_too(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        outbox.enqueue(session, outbox.INDEX, 999_999)
        outbox.enqueue(session, outbox.INDEX, None)
    assert deliver(runtime) == 2
    assert rows(runtime) == []


@contextmanager
def failing_deletion(runtime: Runtime) -> Iterator[Callable[[], Session]]:
    """Sessions whose transactions that delete messages break just before they commit, as the end of a process would."""
    writing = runtime.unit_of_work.writing

    class Sessions:
        def __call__(self) -> Session:
            return writing()

        @contextmanager
        def begin(self) -> Iterator[Session]:
            with writing.begin() as session:
                before = session.scalar(select(func.count()).select_from(OutboxMessage))
                yield session
                if session.scalar(select(func.count()).select_from(OutboxMessage)) != before:
                    raise BrokenError

    yield Sessions()  # type: ignore[misc]  # all that delivery uses of a sessionmaker


def test_a_crash_between_index_and_deletion_repeats_work_and_loses_none(runtime: Runtime) -> None:
    number = publish(runtime, title="Zweimal zugestellt")
    with failing_deletion(runtime) as sessions, pytest.raises(BrokenError):
        outbox.deliver_index(sessions, runtime.index)  # type: ignore[arg-type]
    assert found(runtime.index, "Zweimal") == [str(number)]  # the index had committed
    assert len(rows(runtime)) == 1  # and the message is still there
    assert deliver(runtime) == 1
    assert found(runtime.index, "Zweimal") == [str(number)]
    assert runtime.index.status().documents == 1
    assert rows(runtime) == []


def test_a_crash_before_the_index_commits_leaves_the_message(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    number = publish(runtime, title="Kommt noch")

    def breaks(*_: Any, **__: Any) -> int:
        raise BrokenError

    with monkeypatch.context() as patched:
        patched.setattr(SearchIndex, "update", breaks)
        with pytest.raises(BrokenError):
            deliver(runtime)
    assert found(runtime.index, "Kommt noch") == []
    deliver(runtime)
    assert found(runtime.index, "Kommt noch") == [str(number)]


def test_while_another_process_writes_delivery_gives_way_and_loses_nothing(runtime: Runtime) -> None:
    number = publish(runtime, title="Wartet auf die Sperre")
    other = SearchIndex(runtime.settings.index_dir)
    with other.writing():
        with pytest.raises(IndexLocked):
            deliver(runtime)
        outbox.nudge(runtime.unit_of_work.writing, runtime.index)  # quietly
        assert len(rows(runtime)) == 1
    deliver(runtime)
    assert found(runtime.index, "Sperre") == [str(number)]


def test_the_lock_is_taken_before_the_database_is_read(runtime: Runtime) -> None:
    """A delivery that waits for the lock must see what was published meanwhile, not what was there when it began."""
    first = publish(runtime, title="Reihenfolge eins")
    other = SearchIndex(runtime.settings.index_dir)
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(deliver(runtime, lock_timeout=10)))
    with other.writing():
        thread.start()
        second = publish(runtime, title="Reihenfolge zwei")
        assert not done
    thread.join(20)
    assert done == [2]
    assert set(found(runtime.index, "Reihenfolge")) == {str(first), str(second)}


def test_an_unusable_index_is_said_and_nothing_is_lost(runtime: Runtime) -> None:
    number = publish(runtime, title="Index beschädigt")
    (runtime.settings.index_dir / "CURRENT").write_text("v0-nirgends\n", encoding="utf-8")
    with pytest.raises(IndexUnavailable):
        deliver(runtime)
    outbox.nudge(runtime.unit_of_work.writing, runtime.index)
    assert len(rows(runtime)) == 1
    assert outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index) == 1
    assert found(runtime.index, "beschädigt") == [str(number)]
    assert rows(runtime) == []


def test_an_entry_that_cannot_be_indexed_does_not_hold_up_the_others(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, bad, after = (publish(runtime, title=f"Nachbar {number}") for number in range(3))
    document_for = indexing.document_for

    def refuses(solution: Solution, ancestors: Any) -> Document:
        if solution.id == bad:
            msg = "no document can be made of this"
            raise ValueError(msg)
        return document_for(solution, ancestors)

    now = utcnow()
    with monkeypatch.context() as patched:
        patched.setattr(indexing, "document_for", refuses)
        assert deliver(runtime, now=now) == 2
        assert set(found(runtime.index, "Nachbar")) == {str(before), str(after)}
        (left,) = rows(runtime)
        assert (left.subject_id, left.attempts) == (bad, 1)
        assert left.last_error == "ValueError: no document can be made of this"
        assert left.due_at > now
        assert deliver(runtime, now=now) == 0  # not tried again at once
    assert deliver(runtime, now=left.due_at) == 1
    assert set(found(runtime.index, "Nachbar")) == {str(before), str(bad), str(after)}


def test_a_clock_that_was_set_back_does_not_hold_up_fresh_messages(runtime: Runtime) -> None:
    number = publish(runtime, title="Uhr gestellt")
    assert deliver(runtime, now=utcnow() - timedelta(hours=1)) == 1
    assert found(runtime.index, "Uhr gestellt") == [str(number)]


def test_delivery_does_not_make_savers_wait(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    """While documents are made and put into the index, others can store."""
    publish(runtime)
    stored: list[int] = []
    update = SearchIndex.update

    def slowly(index: SearchIndex, *given: Any, **named: Any) -> int:
        thread = threading.Thread(target=lambda: stored.append(publish(runtime, title="Nebenher gespeichert")))
        thread.start()
        thread.join(5)
        assert stored, "saving waits for the index"
        monkeypatch.undo()
        return update(index, *given, **named)

    documents = indexing.documents

    def while_reading(session: Session, ids: Any) -> list[Document]:
        made = documents(session, ids)
        if not stored:
            thread = threading.Thread(target=lambda: stored.append(publish(runtime, title="Beim Lesen gespeichert")))
            thread.start()
            thread.join(5)
            assert stored, "saving waits for the reading of documents"
            stored.clear()
            monkeypatch.setattr(SearchIndex, "update", slowly)
        return made

    monkeypatch.setattr(indexing, "documents", while_reading)
    assert deliver(runtime) == 3
    assert agree(runtime)


def test_rebuilding_settles_what_waited_and_leaves_what_came_later(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(runtime, title="Vor dem Neubau")
    later: list[int] = []
    all_documents = indexing.all_documents

    def with_a_late_one(session: Session) -> Iterator[Document]:
        yield from all_documents(session)
        later.append(publish(runtime, title="Während des Neubaus"))

    monkeypatch.setattr(indexing, "all_documents", with_a_late_one)
    assert outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index) == 1
    assert [row.subject_id for row in rows(runtime)] == later
    deliver(runtime)
    assert agree(runtime)
    assert runtime.index.status().documents == 2


# --- mails ---


def put_mail(runtime: Runtime, subject: int = 1) -> None:
    with runtime.unit_of_work() as session:
        outbox.enqueue(session, outbox.EMAIL, subject, {"template": "published"})


def refuse(_message: OutboxMessage) -> None:
    msg = "421 try later"
    raise ConnectionError(msg)


def test_mails_go_out_once_and_in_order(runtime: Runtime) -> None:
    for subject in range(1, 4):
        put_mail(runtime, subject)
    sent: list[int | None] = []
    sessions = runtime.unit_of_work.writing
    assert outbox.deliver_mail(sessions, lambda message: sent.append(message.subject_id)) == 3
    assert outbox.deliver_mail(sessions, lambda message: sent.append(message.subject_id)) == 0
    assert sent == [1, 2, 3]
    assert rows(runtime, outbox.EMAIL) == []


def test_two_workers_do_not_send_the_same_mail(runtime: Runtime) -> None:
    for subject in range(1, 6):
        put_mail(runtime, subject)
    sessions = runtime.unit_of_work.writing
    sent: list[int | None] = []

    def first(message: OutboxMessage) -> None:
        # While the first talks to the mail server, the second comes by.
        sent.append(message.subject_id)
        if len(sent) == 1:
            outbox.deliver_mail(sessions, lambda other: sent.append(other.subject_id))

    outbox.deliver_mail(sessions, first)
    assert sorted(sent, key=str) == [1, 2, 3, 4, 5]


def test_a_refused_mail_is_tried_again_with_growing_pauses_and_never_lost(runtime: Runtime) -> None:
    put_mail(runtime)
    sessions = runtime.unit_of_work.writing
    now = utcnow()
    pauses: list[timedelta] = []
    for attempt in range(1, 61):
        assert outbox.deliver_mail(sessions, refuse, now=now) == 0
        (row,) = rows(runtime, outbox.EMAIL)
        assert row.attempts == attempt
        assert row.last_error == "ConnectionError: 421 try later"
        pauses.append(row.due_at - now)
        assert outbox.deliver_mail(sessions, refuse, now=row.due_at - timedelta(seconds=1)) == 0
        assert rows(runtime, outbox.EMAIL)[0].attempts == attempt  # not before it is due
        now = row.due_at
    assert pauses == sorted(pauses)
    assert pauses[0] <= timedelta(minutes=5)
    assert pauses[-1] == timedelta(hours=6)
    sent: list[int | None] = []
    assert outbox.deliver_mail(sessions, lambda message: sent.append(message.subject_id), now=now) == 1
    assert sent == [1]


def test_one_refused_mail_does_not_hold_up_the_others(runtime: Runtime) -> None:
    for subject in range(1, 4):
        put_mail(runtime, subject)
    sent: list[int | None] = []

    def send(message: OutboxMessage) -> None:
        if message.subject_id == 2:
            refuse(message)
        sent.append(message.subject_id)

    assert outbox.deliver_mail(runtime.unit_of_work.writing, send) == 2
    assert sent == [1, 3]
    assert [row.subject_id for row in rows(runtime, outbox.EMAIL)] == [2]


def test_a_crash_while_sending_repeats_the_mail_later_instead_of_losing_it(runtime: Runtime) -> None:
    put_mail(runtime)
    sessions = runtime.unit_of_work.writing
    now = utcnow()

    class Killed(BaseException):
        pass

    def killed(_message: OutboxMessage) -> None:
        raise Killed

    with pytest.raises(Killed):
        outbox.deliver_mail(sessions, killed, now=now)
    sent: list[int | None] = []
    deliver_at = lambda moment: outbox.deliver_mail(  # noqa: E731
        sessions, lambda message: sent.append(message.subject_id), now=moment
    )
    assert deliver_at(now + timedelta(minutes=1)) == 0  # another worker may still be talking to the server
    assert deliver_at(now + timedelta(minutes=6)) == 1
    assert sent == [1]


def test_a_session_with_messages_of_both_kinds_keeps_them_apart(runtime: Runtime) -> None:
    put_mail(runtime)
    publish(runtime)
    with runtime.unit_of_work.reading() as session:
        assert outbox.waiting(session) == 2
        assert outbox.waiting(session, outbox.INDEX) == 1
    deliver(runtime)
    assert len(rows(runtime, outbox.EMAIL)) == 1
