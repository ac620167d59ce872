"""Many who write at once: all is stored and found, nobody is told of locks, nobody's change is overwritten unseen."""

import threading
from pathlib import Path

import pytest

from catalog.domain.actor import SYSTEM
from catalog.domain.errors import ConflictError
from catalog.models.solution import Solution
from catalog.runtime import Runtime
from catalog.services import submission
from tests import factories
from tests.reliability.conftest import differences, found, integrity, settle
from tests.reliability.writers import GIVEN, Writer

PROCESSES = 8


def save_at_once(data: Path, observer: Runtime, each: int) -> list[float]:
    """Have eight processes publish that many entries each; gives how long each took."""
    writers = [Writer("save_many", data, seed=number) for number in range(PROCESSES)]
    try:
        for writer in writers:
            assert writer.hear() == ("ready",)
        for writer in writers:
            writer.pipe.send(each)
        said = [words for writer in writers for words in writer.rest()]
    finally:
        for writer in writers:
            writer.kill()
    assert [words for words in said if words[0] == "error"] == []
    saved = {words[1]: words[2] for words in said if words[0] == "saved"}
    assert len(saved) == PROCESSES * each
    settle(observer)
    assert differences(observer) == set()
    for entry, word in saved.items():
        assert str(entry) in found(observer, word)
    assert integrity(observer) == "ok"
    return sorted(words[3] for words in said if words[0] == "saved")


def test_eight_processes_save_at_once(data: Path, observer: Runtime) -> None:
    taken = save_at_once(data, observer, each=5)
    assert taken[-1] < 10


@pytest.mark.soak
def test_eight_processes_save_a_hundred_each(data: Path, observer: Runtime) -> None:
    taken = save_at_once(data, observer, each=100)
    assert taken[-1] < 10


def edit_in_pairs(runtime: Runtime, pairs: int) -> None:
    """Two people start from the same version and save in the same moment: one is stored, the other is told."""
    with runtime.unit_of_work() as session:
        number = factories.make_draft(session, SYSTEM, **GIVEN).id
    for pair in range(pairs):
        with runtime.unit_of_work.reading() as session:
            entry, version = submission.document_to_edit(session, session.get_one(Solution, number))
        together = threading.Barrier(2)
        told: dict[str, str] = {}

        def save(name: str) -> None:
            together.wait()  # noqa: B023 - both threads end within this turn
            try:
                with runtime.unit_of_work() as session:
                    changed = entry.model_copy(update={"challenge": name})  # noqa: B023
                    submission.save(session, SYSTEM, session.get_one(Solution, number), changed, version=version)  # noqa: B023
            except ConflictError:
                told[name] = "conflict"  # noqa: B023
            else:
                told[name] = "saved"  # noqa: B023

        names = [f"Fassung {pair} von {person}" for person in ("Anna", "Berta")]
        threads = [threading.Thread(target=save, args=(name,)) for name in names]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(told.values()) == ["conflict", "saved"], told
        with runtime.unit_of_work.reading() as session:
            stored, _ = submission.document_to_edit(session, session.get_one(Solution, number))
        assert told[stored.challenge] == "saved"


def test_of_two_editors_the_second_is_told(observer: Runtime) -> None:
    edit_in_pairs(observer, 50)


@pytest.mark.soak
def test_of_two_editors_the_second_is_always_told(observer: Runtime) -> None:
    edit_in_pairs(observer, 1_000)
