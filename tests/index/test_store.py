"""What lies on disk: locking, switching, crashes, damage, other processes."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Document, IndexLocked, IndexUnavailable, Query, SearchIndex, postings, schema
from tests.index.library import PUBLIC, document, make_index, open_index

WORDS = [
    "wasser",
    "zähler",
    "straßenbeleuchtung",
    "wärmepumpe",
    "leitung",
    "müll",
    "sensor",
    "netz",
    "karte",
    "abwasser",
]


def documents(count: int) -> list[Document]:
    return [
        document(
            number,
            f"{WORDS[number % 10]} {WORDS[number % 7]}",
            f"text {WORDS[number % 3]} nummer{number}",
            facets={"topic": (WORDS[number % 4],)},
            numbers={"updated": number},
        )
        for number in range(count)
    ]


def answers(index: SearchIndex) -> list[tuple[int, tuple[object, ...], object]]:
    results = [
        index.search(Query(text, PUBLIC, facets=("topic",), limit=100))
        for text in (*WORDS, '"text wasser"', "straß*", "")
    ]
    return [(r.total, r.hits, r.facets) for r in results]


def current(index: SearchIndex) -> Path:
    return index.path / (index.path / "CURRENT").read_text().strip()


def test_the_folder_is_private(tmp_path: Path) -> None:
    index = make_index(tmp_path, [])
    assert stat.S_IMODE(index.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(current(index).stat().st_mode) == 0o700


def test_a_second_writer_fails_at_once_or_waits(tmp_path: Path) -> None:
    index = make_index(tmp_path, [])
    other = open_index(tmp_path)
    with index.writing():
        started = time.monotonic()
        with pytest.raises(IndexLocked):
            other.update([document(1, "x")])
        assert time.monotonic() - started < 0.5
        assert index.update([document(1, "x")]) == 1  # the holder's own update re-uses the lock
        with index.writing():
            pass
    waited: list[int] = []
    with index.writing():
        thread = threading.Thread(target=lambda: waited.append(other.update([document(2, "y")], lock_timeout=10)))
        thread.start()
        time.sleep(0.1)
        assert not waited
    thread.join(10)
    assert waited == [1]
    assert index.ids() == {"1", "2"}


def test_another_thread_of_the_same_object_is_locked_out(tmp_path: Path) -> None:
    index = make_index(tmp_path, [])
    caught: list[BaseException] = []

    def try_it() -> None:
        try:
            index.update([document(1, "x")])
        except IndexLocked as error:
            caught.append(error)

    with index.writing():
        thread = threading.Thread(target=try_it)
        thread.start()
        thread.join(10)
    assert len(caught) == 1


def test_searches_go_on_during_a_rebuild_and_the_switch_is_whole(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(20))
    seen: list[int] = []

    def slowly() -> Iterator[Document]:
        for item in documents(30):
            seen.append(index.search(Query("", PUBLIC)).total)
            yield item

    assert index.rebuild(slowly()) == 30
    assert set(seen) == {20}
    assert index.search(Query("", PUBLIC)).total == 30


def test_a_failed_rebuild_leaves_everything_as_it_was(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(5))
    before = sorted(entry.name for entry in index.path.iterdir())

    def broken() -> Iterator[Document]:
        yield from documents(2)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        index.rebuild(broken())
    assert sorted(entry.name for entry in index.path.iterdir()) == before
    assert index.search(Query("", PUBLIC)).total == 5
    assert index.update([document(99, "danach")]) == 1


def test_a_failed_update_changes_nothing_and_frees_the_lock(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(5))
    with pytest.raises(ValueError, match="colour"):
        index.update([document(1, "neu"), document(2, "x", numbers={"colour": 1.0})])
    assert index.ids() == {str(n) for n in range(5)}
    assert index.search(Query("neu", PUBLIC)).total == 0
    assert index.update([document(1, "neu")]) == 1


def test_a_repeated_id_in_a_rebuild_keeps_the_last(tmp_path: Path) -> None:
    index = make_index(tmp_path, [document(1, "Erstens"), document(2, "Zweitens"), document(1, "Drittens")])
    assert index.search(Query("Erstens", PUBLIC)).total == 0
    assert index.search(Query("Drittens", PUBLIC)).total == 1
    assert index.status().documents == 2


def test_an_old_schema_needs_a_rebuild(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(3))
    meta = current(index) / "index.json"
    meta.write_text(json.dumps({**json.loads(meta.read_text()), "schema_version": schema.SCHEMA_VERSION - 1}))
    fresh = open_index(tmp_path)
    with pytest.raises(IndexUnavailable) as caught:
        fresh.search(Query("wasser", PUBLIC))
    assert caught.value.reason == "schema"
    assert fresh.status().needs_rebuild
    assert fresh.status().reason == "schema"
    fresh.rebuild(documents(3))
    assert not fresh.status().needs_rebuild


def test_another_language_chain_asks_for_a_rebuild_but_still_answers(tmp_path: Path) -> None:
    make_index(tmp_path, documents(3))
    other = SearchIndex(tmp_path / "index", groups=())
    assert other.status().needs_rebuild
    assert other.status().reason == "analysis"
    assert other.search(Query("wasser", PUBLIC)).total


def test_old_folders_go_only_when_nobody_can_be_opening_them(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(3))
    old = current(index)
    index.rebuild(documents(4))
    assert old.is_dir()
    long_ago = time.time() - 3600
    os.utime(index.path / "CURRENT", (long_ago, long_ago))
    index.merge()
    assert not old.exists()
    assert current(index).is_dir()


def test_a_folder_removed_under_a_running_process_is_no_wrong_answer(tmp_path: Path) -> None:
    index, other = make_index(tmp_path, documents(5)), open_index(tmp_path)
    assert len(index.ids()) == 5
    held = index._generation
    old = current(index)
    other.rebuild(documents(8))
    shutil.rmtree(old)
    assert held is not None
    # a search that had begun with the old state: its number columns were never read and are gone
    with pytest.raises(FileNotFoundError):
        held.numbers("updated")
    results = index.search(Query("", PUBLIC, sort="-updated", limit=50))
    assert [hit.id for hit in results.hits] == [str(number) for number in reversed(range(8))]


def test_open_files_stay_few_over_many_commits(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(10))
    count = lambda: len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0  # noqa: E731, PTH208
    for number in range(60):
        index.update([document(1000 + number, f"wasser {number}")])
        if number % 8 == 7:
            index.merge()
        index.search(Query("wasser", PUBLIC))
        if number == 20:
            early = count()
    assert count() <= early + 60
    assert index.status().segments <= 20


# --- damage -------------------------------------------------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "LOCK")


def _delete(path: Path, _chance: random.Random) -> None:
    path.unlink()


def _empty(path: Path, _chance: random.Random) -> None:
    path.write_bytes(b"")


def _halve(path: Path, _chance: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def _flip(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    if data:
        at = chance.randrange(len(data))
        data[at] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(data))


def _flip_again(path: Path, chance: random.Random) -> None:
    for _ in range(3):
        _flip(path, chance)


@pytest.mark.parametrize("harm", [_delete, _empty, _halve, _flip, _flip_again])
def test_damage_gives_the_right_answer_or_says_so(tmp_path: Path, harm: object) -> None:
    index = make_index(tmp_path, documents(40))
    index.update(documents(3))
    expected = answers(index)
    chance = random.Random(f"{harm}")  # noqa: S311 - damage, not a secret
    noticed = 0
    for number in range(len(_files(index.path))):
        copy = tmp_path / f"copy{number}"
        shutil.copytree(index.path, copy / "index")
        victim = _files(copy / "index")[number]
        harm(victim, chance)  # type: ignore[operator]
        damaged = open_index(copy)
        try:
            assert answers(damaged) == expected, victim.name
        except IndexUnavailable as error:
            noticed += 1
            assert error.reason in ("damaged", "missing", "schema")  # noqa: PT017 - either outcome is right
            assert damaged.status().needs_rebuild
        damaged.rebuild(documents(5))
        assert damaged.search(Query("", PUBLIC)).total == 5
        shutil.rmtree(copy)
    assert noticed > 5


# --- other processes ----------------------------------------------------------------------------------------------


def _writer(path: Path, rounds: int) -> None:
    index = open_index(path)
    for number in range(rounds):
        index.update([document("counter", f"stand{number}")], lock_timeout=30)
        if number % 7 == 6:
            index.merge(lock_timeout=30)


def test_another_process_commits_and_the_next_search_sees_it(tmp_path: Path) -> None:
    index = make_index(tmp_path, [document("counter", "anfang")])
    assert index.search(Query("anfang", PUBLIC)).total == 1
    process = multiprocessing.get_context("spawn").Process(target=_writer, args=(tmp_path, 1))
    process.start()
    process.join(60)
    assert process.exitcode == 0
    assert index.search(Query("anfang", PUBLIC)).total == 0
    assert index.search(Query("stand0", PUBLIC)).total == 1


def test_reading_while_another_process_writes_and_merges(tmp_path: Path) -> None:
    index = make_index(tmp_path, [*documents(30), document("counter", "anfang")])
    process = multiprocessing.get_context("spawn").Process(target=_writer, args=(tmp_path, 40))
    process.start()
    searches = 0
    while process.is_alive():
        results = index.search(Query("", PUBLIC, limit=100))
        assert results.total == 31
        assert len({hit.id for hit in results.hits}) == 31
        searches += 1
    process.join(60)
    assert process.exitcode == 0
    assert searches > 10
    assert index.search(Query("stand39", PUBLIC)).total == 1


_KILLED = """
import sys
from pathlib import Path
from tests.index.library import open_index, document
index = open_index(Path(sys.argv[1]))
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    index.update([document("counter", f"stand{number}", numbers={"reuses": number})], lock_timeout=30)
    print(number, flush=True)
    number += 1
"""


def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    index = make_index(tmp_path, [document("counter", "anfang", numbers={"reuses": 0}), *documents(5)])
    chance = random.Random(5)  # noqa: S311 - timing, not a secret
    acknowledged = 0
    for _ in range(8):
        process = subprocess.Popen(
            [sys.executable, "-c", _KILLED, str(tmp_path), str(acknowledged + 1)],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        time.sleep(chance.uniform(0.01, 0.25))
        process.send_signal(signal.SIGKILL)
        said = [int(line) for line in process.stdout.read().split("\n")[:-1]]
        process.wait()
        process.stdout.close()
        acknowledged = max([acknowledged, *said])
        fresh = open_index(tmp_path)
        assert fresh.status().documents == 6
        stored = int(fresh.search(Query("counter", PUBLIC, numbers=("reuses",))).ranges.get("reuses", (0, 0))[1])
        stored = int(fresh.search(Query("", PUBLIC, numbers=("reuses",))).ranges["reuses"][1])
        assert stored in (acknowledged, acknowledged + 1)
        acknowledged = stored
        assert index.search(Query("", PUBLIC)).total == 6
    index.update([document("danach", "danach")], lock_timeout=5)
    assert index.status().documents == 7


def test_threads_share_one_index(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(60))
    expected = answers(index)
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    wrong: list[object] = []

    def work() -> None:
        for _ in range(5):
            fresh = open_index(tmp_path) if threading.get_ident() % 2 else index
            with index._answers_lock:
                index._answers.clear()
            if answers(fresh) != expected:
                wrong.append(1)

    try:
        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_sums_cover_every_file(tmp_path: Path) -> None:
    index = make_index(tmp_path, documents(10))
    index.update([document(77, "mehr")])
    folder = current(index)
    covered: set[str] = set()
    for path in folder.glob("*.sum"):
        covered |= set(json.loads(path.read_text()))
    there = {path.name for path in folder.iterdir() if path.suffix != ".sum"}
    assert there - covered <= {"index.json", f"{postings.INDEX_NAME}_WRITELOCK"}


# Whoosh leaves a table it can't read open for the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_emptied_table_under_an_open_index_is_told_and_mended(tmp_path: Path) -> None:
    """What is in memory goes on answering; the first attempt to write notices, and from then on the state says so."""
    index = make_index(tmp_path, [document(1, "Wasser")])
    assert index.search(Query("Wasser", audiences=PUBLIC)).total == 1
    (table,) = tmp_path.rglob("*.toc")
    table.write_bytes(b"")
    with pytest.raises(IndexUnavailable):
        index.update([document(2, "Netz")])
    assert index.status().needs_rebuild
    index.rebuild([document(1, "Wasser"), document(2, "Netz")])
    assert index.search(Query("Netz", audiences=PUBLIC)).total == 1
