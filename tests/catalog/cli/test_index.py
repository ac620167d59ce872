"""`catalog index`: build, check and tell; differences end with 1, and what waits is never lost by a rebuild."""

import json
from typing import Any

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import delete, update

from catalog.cli.index import command
from catalog.models.outbox import OutboxMessage
from catalog.models.solution import Solution
from catalog.runtime import Runtime
from catalog.services import indexing, outbox
from tests.factories import make_published


@pytest.fixture
def catalog(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """Three entries, in the index."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        for number in range(3):
            make_published(session, title=f"Pumpensteuerung {number}")
    monkeypatch.setenv("CATALOG_DATA_DIR", str(runtime.settings.data_dir))
    return runtime


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def differences(result: Result) -> dict[str, Any]:
    found = json.loads(result.stdout)
    return {name: found[name] for name in ("missing", "orphaned", "stale") if found[name]}


def test_an_index_in_step_is_told_to_be(catalog: Runtime) -> None:
    found = call("check")
    assert (found.exit_code, found.stdout) == (0, "Index and database agree on 3 entries.\n")
    assert not catalog.index.status().needs_rebuild


def test_missing_orphaned_and_stale_entries_are_named_and_mended(catalog: Runtime) -> None:
    numbers = sorted(catalog.index.ids(), key=int)
    catalog.index.update([], [numbers[0]], lock_timeout=5)  # behind the outbox's back
    with catalog.unit_of_work.writing.begin() as session:
        session.execute(update(Solution).where(Solution.id == int(numbers[1])).values(version=Solution.version + 1))
        session.execute(update(Solution).where(Solution.id == int(numbers[2])).values(status="archived"))
    found = call("check", "--json")
    assert found.exit_code == 1
    assert differences(found) == {"missing": [numbers[0]], "stale": [numbers[1]], "orphaned": [numbers[2]]}
    told = call("check")
    assert told.exit_code == 1
    assert f"Missing: {numbers[0]}" in told.stdout
    assert "catalog index rebuild" in told.stderr
    assert call("rebuild").exit_code == 0
    assert call("check").exit_code == 0


def test_a_rebuild_settles_what_waits_and_leaves_what_comes_during_it(
    catalog: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with catalog.unit_of_work.writing.begin() as session:
        make_published(session, title="Wartet schon")  # no nudge: the row stays in the outbox
    real = indexing.all_documents

    def interrupted(session: Any) -> Any:
        yield from real(session)
        # Published after the reading began and before the switch: the new index can't hold it yet.
        with catalog.unit_of_work.writing.begin() as other:
            make_published(other, title="Kam dazwischen")

    monkeypatch.setattr(indexing, "all_documents", interrupted)
    found = call("rebuild")
    assert found.exit_code == 0, found.output
    assert "1 changes made meanwhile" in found.stdout
    with catalog.unit_of_work.reading() as session:
        assert outbox.waiting(session) == 0
    assert call("check").exit_code == 0
    assert catalog.index.status().documents == 5


def test_searches_go_on_while_the_index_is_built(catalog: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    from index import Query

    seen: list[int] = []
    real = indexing.all_documents

    def observed(session: Any) -> Any:
        for document in real(session):
            seen.append(catalog.index.search(Query("Pumpensteuerung", frozenset({"public"}))).total)
            yield document

    monkeypatch.setattr(indexing, "all_documents", observed)
    assert call("rebuild").exit_code == 0
    assert seen == [3, 3, 3]


def test_an_index_written_by_another_process_is_not_waited_for_forever(catalog: Runtime) -> None:
    with catalog.index.writing(timeout=5):
        found = call("rebuild", "--wait", "0.1")
    assert found.exit_code == 3
    assert "Another process is writing" in found.stderr


def test_the_status_says_what_there_is_and_ends_with_1_when_it_must_be_rebuilt(catalog: Runtime) -> None:
    found = json.loads(call("status", "--json").stdout)
    assert (found["documents"], found["waiting"], found["needs_rebuild"]) == (3, 0, False)
    assert "Documents:     3" in call("status").stdout
    (catalog.settings.index_dir / "CURRENT").unlink()
    missing = call("status")
    assert missing.exit_code == 1
    assert "catalog index rebuild" in missing.stderr
    assert call("check").exit_code == 3
    assert call("rebuild").exit_code == 0
    assert call("status").exit_code == 0


def test_waiting_changes_are_told(catalog: Runtime) -> None:
    with catalog.unit_of_work.writing.begin() as session:
        session.execute(delete(OutboxMessage))
        make_published(session, title="Wartet")
    found = call("check")
    assert found.exit_code == 1
    assert "1 changes wait" in found.stdout
