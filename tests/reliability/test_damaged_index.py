"""Files of the search index damaged under a running server: pages go on, no hit is wrong, it is whole again unasked."""

import random
import re
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.reliability.conftest import differences
from tests.reliability.person import Person
from tests.reliability.writers import opened
from tests.served import Served, serving

QUESTIONS = ("wasser", "sensoren", "l%C3%BCbeck", "ladepunkt", "")


def delete(path: Path, _chance: random.Random) -> None:
    path.unlink()


def empty(path: Path, _chance: random.Random) -> None:
    path.write_bytes(b"")


def halve(path: Path, _chance: random.Random) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flip(path: Path, chance: random.Random) -> None:
    content = bytearray(path.read_bytes())
    if content:
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(content))


DAMAGES: tuple[Callable[[Path, random.Random], None], ...] = (delete, empty, halve, flip)


def files(data: Path) -> list[Path]:
    """The files of the index in use, locks left out."""
    index = data / "index"
    current = index / (index / "CURRENT").read_text(encoding="utf-8").strip()
    return [index / "CURRENT", *sorted(path for path in current.iterdir() if "LOCK" not in path.name)]


def hits(person: Person, question: str) -> tuple[int, list[str]]:
    """Status of the search page and the addresses it lists, in order."""
    page = person.get(f"/suche?q={question}")
    return page.status, list(dict.fromkeys(re.findall(r'href="/loesungen/([a-z0-9-]+)"', page.text)))


class Case:
    """A served catalog, and what it answers while all is well."""

    def __init__(self, data: Path, served: Served) -> None:
        """Ask everything once."""
        self.data, self.served = data, served
        self.person = Person(served.address)
        self.right = {question: hits(self.person, question) for question in QUESTIONS}
        assert all(status == 200 for status, _ in self.right.values())
        assert self.right["wasser"][1]
        self.published = {
            row[0]
            for row in sqlite3.connect(data / "catalog.sqlite3").execute(
                "SELECT slug FROM solution WHERE status = 'published'"
            )
        }

    def survive(self, path: Path, damage: Callable[[Path, random.Random], None], chance: random.Random) -> None:
        """Damage one file, have something delivered, as somebody's publishing would, and wait until all is well."""
        what = f"{damage.__name__} {path.name}"
        damage(path, chance)
        for question in QUESTIONS:
            status, found = hits(self.person, question)
            assert status == 200, what
            assert set(found) <= self.published, what
        connection = sqlite3.connect(self.data / "catalog.sqlite3", timeout=10)
        connection.execute(
            "INSERT INTO outbox_message (kind, subject_id, payload, created_at, due_at, attempts, last_error)"
            " SELECT 'index', id, '{}', datetime('now'), datetime('now'), 0, '' FROM solution"
        )
        connection.commit()
        connection.close()
        end = time.monotonic() + 60
        while True:
            answers = {question: hits(self.person, question) for question in QUESTIONS}
            assert all(status == 200 for status, _ in answers.values()), what
            if answers == self.right and self.person.get("/readyz").status == 200 and not self.waiting():
                return
            assert time.monotonic() < end, f"{what}: not whole again; {self.served.log.read_text()[-3000:]}"
            time.sleep(0.2)

    def waiting(self) -> int:
        """How many messages the worker has still to deliver."""
        connection = sqlite3.connect(self.data / "catalog.sqlite3", timeout=10)
        count: int = connection.execute("SELECT count(*) FROM outbox_message WHERE kind = 'index'").fetchone()[0]
        connection.close()
        return count


@pytest.fixture
def case(demo_copy: Path) -> Iterator[Case]:
    with serving(demo_copy, search_limit="0") as served:
        yield Case(demo_copy, served)


def finish(case: Case) -> None:
    """The log names the cause; what running processes had read before the damage, the next start finds and mends."""
    assert re.search(r"search index|damaged", case.served.log.read_text(encoding="utf-8"))
    case.served.stop()
    with serving(case.data, search_limit="0") as again:
        person = Person(again.address)
        end = time.monotonic() + 60
        while person.get("/readyz").status != 200:
            assert hits(person, "wasser")[0] == 200
            assert time.monotonic() < end, "not mended after the start"
            time.sleep(0.2)
        assert {question: hits(person, question) for question in QUESTIONS} == case.right
    runtime = opened(case.data)
    assert differences(runtime) == set()
    runtime.engine.dispose()


def test_damaged_files_of_each_kind(case: Case) -> None:
    chance = random.Random(3)  # noqa: S311 - chance that can be repeated
    for number, damage in enumerate((delete, empty, halve, flip)):
        there = files(case.data)
        case.survive(there[(number * 3) % len(there)], damage, chance)
    finish(case)


@pytest.mark.soak
def test_damage_of_every_file_in_every_way(case: Case) -> None:
    chance = random.Random(4)  # noqa: S311 - chance that can be repeated
    for damage in (*DAMAGES, *[flip] * 8):
        for position in range(len(files(case.data))):
            there = files(case.data)
            case.survive(there[position % len(there)], damage, chance)
    finish(case)
