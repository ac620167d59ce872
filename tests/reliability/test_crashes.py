"""Killed at any moment, the catalog has lost nothing it had acknowledged and shows nothing that is not published."""

import random
import re
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from catalog.models.solution import Solution
from catalog.runtime import Runtime
from tests.reliability.conftest import differences, found, integrity, settle
from tests.reliability.writers import traced, writer
from tests.served import run

KILLS = 40  # and further ones of the whole server in test_kill_server; together more than fifty
CALLS = ("write", "pwrite64", "rename", "unlink", "fsync", "fdatasync", "ftruncate")

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


class Expected:
    """What must be in the catalog, from what the killed processes said."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.published: dict[int, str] = {}
        self.archived: set[int] = set()
        self.uncertain: dict[int, str] = {}
        self.acknowledged = 0

    def hear(self, said: list[tuple[object, ...]]) -> None:
        """Take in what one process said until it was killed; its last step may or may not have been stored."""
        self.uncertain = {}
        for kind, step, entry, word in said:
            if kind == "begins" and isinstance(entry, int):
                self.uncertain = {entry: str(word)}
            elif kind == "has done" and isinstance(entry, int):
                self.uncertain = {}
                self.acknowledged += 1
                if step == "archive":
                    self.published.pop(entry)
                    self.archived.add(entry)
                else:
                    self.published[entry] = str(word)

    def settle(self, observer: Runtime) -> None:
        """Compare with database and index, and learn how the uncertain step ended."""
        with observer.unit_of_work.reading() as session:
            rows = {row.id: row for row in session.execute(select(Solution.id, Solution.status, Solution.benefit))}
        for entry, word in list(self.uncertain.items()):
            if word and word in rows[entry].benefit:
                self.published[entry] = word
            elif not word and rows[entry].status == "archived":
                self.published.pop(entry)
                self.archived.add(entry)
        for entry, word in self.published.items():
            assert rows[entry].status == "published"
            assert rows[entry].benefit == f"Nutzen {word}", "an acknowledged change is lost"
            assert Counter(found(observer, word))[str(entry)] == 1, "a published entry is not found, or twice"
        for entry in self.archived:
            assert rows[entry].status == "archived"
        hidden = {str(number) for number, row in rows.items() if row.status != "published"}
        assert hidden.isdisjoint(observer.index.ids())


def test_killed_at_random_nothing_acknowledged_is_lost(data: Path, observer: Runtime) -> None:
    chance = random.Random(20261123)  # noqa: S311 - chance that can be repeated
    expected = Expected()
    for number in range(KILLS):
        with writer("publish_and_change", data, seed=number) as process:
            said = [process.hear() for _ in range(chance.randrange(1, 8))]
            time.sleep(chance.uniform(0, 0.08))  # somewhere within the next step
            process.kill()
            said += list(process.rest())
        expected.hear([words for words in said if words is not None])
        settle(observer)
        assert differences(observer) == set()
        expected.settle(observer)
    assert expected.acknowledged > KILLS
    assert integrity(observer) == "ok"
    delivered, checked = run(data, "outbox", "deliver"), run(data, "index", "check")
    assert (delivered.returncode, checked.returncode) == (0, 0), delivered.stderr + checked.stderr


def killed_at(data: Path, observer: Runtime, call: str, number: int) -> bool:
    """Publish, killed at the n-th such call; gives whether it came that far. Old or new, nothing in between."""
    with writer("publish_once", data, seed=number) as process:
        said = process.hear()
        assert said is not None
        solution_id = said[1]
        inject = f"inject={call}:signal=KILL:when={number}"
        with traced(process.pid, "-o", "/dev/null", "-e", f"trace={call}", "-e", inject):
            process.pipe.send("go")
            acknowledged = ("saved",) in list(process.rest())
        killed = process.wait() != 0
    # What the next start of any process finds; nothing has been repaired by hand.
    with observer.unit_of_work.reading() as session:
        status = session.get_one(Solution, solution_id).status
    assert status in {"submitted", "published"}
    assert not acknowledged or status == "published"
    settle(observer)
    assert differences(observer) == set(), f"killed at {call} no. {number}"
    assert (str(solution_id) in observer.index.ids()) == (status == "published")
    return killed


@needs_strace
@pytest.mark.root
@pytest.mark.parametrize("call", CALLS)
def test_killed_at_a_system_call_the_state_is_old_or_new(data: Path, observer: Runtime, call: str) -> None:
    """A sample of the points; the soak run takes each one."""
    points = [number for number in (1, 2, 5, 9) if killed_at(data, observer, call, number)]
    assert points or call in {"rename", "unlink", "fsync", "ftruncate"}, f"no {call} seen at all"
    assert integrity(observer) == "ok"


@needs_strace
@pytest.mark.root
@pytest.mark.soak
def test_killed_at_each_system_call_the_state_is_old_or_new(data: Path, observer: Runtime) -> None:
    points = 0
    for call in CALLS:
        number = 1
        while killed_at(data, observer, call, number):
            number += 1
        points += number - 1
    assert points >= 14
    assert integrity(observer) == "ok"


@needs_strace
@pytest.mark.root
@pytest.mark.parametrize("job", ["save_once", "publish_once"])
def test_saved_is_said_only_when_it_is_on_the_disk(data: Path, tmp_path: Path, job: str) -> None:
    trace = tmp_path / "trace"
    with writer(job, data) as process:
        assert process.hear() is not None
        with traced(process.pid, "-y", "-e", "trace=fsync,fdatasync,write", "-o", str(trace)):
            process.pipe.send("go")
            assert process.hear() == ("saved",)
            process.kill()
    lines = trace.read_text(encoding="utf-8", errors="replace").splitlines()
    synced = [n for n, line in enumerate(lines) if re.search(r"f(?:data)?sync\(\d+<[^>]*catalog\.sqlite3-wal", line)]
    said = [n for n, line in enumerate(lines) if re.search(r"write\(\d+<(?:socket|UNIX|pipe)", line)]
    assert synced, "nothing was synced"
    assert said
    assert synced[0] < said[-1], "saved was said before it was on the disk"
