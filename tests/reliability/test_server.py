"""The real server killed under people who write: over HTTP, with sessions, web processes and the background worker."""

import random
import sqlite3
import threading
import time
from pathlib import Path
from statistics import quantiles

import pytest

from tests.reliability.conftest import differences, found, integrity, settle
from tests.reliability.person import GONE, Person
from tests.reliability.writers import marker, opened
from tests.served import run, serving


def ask(data: Path, question: str, *given: object) -> list[tuple[object, ...]]:
    """Look into the database file, as an operator could."""
    connection = sqlite3.connect(f"file:{data / 'catalog.sqlite3'}?mode=ro", uri=True, timeout=10)
    try:
        return connection.execute(question, given).fetchall()
    finally:
        connection.close()


def revision_of(data: Path, entry: int) -> int:
    (number,) = ask(data, "SELECT max(id) FROM revision WHERE solution_id = ?", entry)[0]
    return int(str(number))


class Editor:
    """Publishes entries and changes them, over HTTP, and knows what was acknowledged."""

    def __init__(self, data: Path, person: Person) -> None:
        """Nothing was published yet."""
        self.data, self.person = data, person
        self.published: dict[int, str] = {}
        self.uncertain: tuple[int, str] | None = None
        self.stop = threading.Event()
        self.problem: Exception | None = None

    def work(self, chance: random.Random) -> None:
        """Until told to stop, or until the server is gone."""
        try:
            while not self.stop.is_set():
                self.step(chance)
        except GONE:
            pass
        except Exception as problem:  # noqa: BLE001 - told by the test's own thread
            self.problem = problem

    def step(self, chance: random.Random) -> None:
        """Publish an entry, or a change of one."""
        word = marker(chance.randrange(100_000))
        if self.published and chance.random() < 0.5:
            entry = chance.choice(sorted(self.published))
        else:
            entry = self.person.begin(f"Pegelmessung {word}")
        try:
            answer = self.person.write(entry, benefit=f"Nutzen {word}")
        except LookupError:
            return  # killed between handing in and publishing: it waits at the desk, and its form is not offered
        if answer.status == 409:
            return  # the same, noticed later
        assert answer.status in {302, 303}, f"writing {entry}: {answer.status}\n{answer.text[:3000]}"
        self.uncertain = (entry, word)
        answer = self.person.publish(revision_of(self.data, entry))
        assert answer.status in {302, 303}, f"publishing {entry}: {answer.status}"
        self.published[entry], self.uncertain = word, None

    def settle(self) -> None:
        """Learn how the step ended that the server was killed in."""
        if self.uncertain is not None:
            entry, word = self.uncertain
            (row,) = ask(self.data, "SELECT status, benefit FROM solution WHERE id = ?", entry)
            if row == ("published", f"Nutzen {word}"):
                self.published[entry] = word
            self.uncertain = None


def kill_again_and_again(data: Path, rounds: int, seed: int) -> int:
    """Kill the server that many times under an editor; gives how many publications were acknowledged."""
    chance = random.Random(seed)  # noqa: S311 - chance that can be repeated
    person = Person("")
    editor = Editor(data, person)
    for number in range(rounds):
        with serving(data, workers="2") as served:
            person.address = served.address
            if number == 0:
                person.sign_in("admin@example.org")
            thread = threading.Thread(target=editor.work, args=(random.Random(chance.random()),))  # noqa: S311
            thread.start()
            warm = time.monotonic() + 30
            while number == 0 and not editor.published and thread.is_alive() and time.monotonic() < warm:
                time.sleep(0.05)  # on a busy machine the first publication may take longer than a round
            time.sleep(chance.uniform(0.3, 2.5))
            served.kill()
            thread.join(60)
        if editor.problem is not None:
            raise editor.problem
        editor.settle()
    delivered, checked = run(data, "outbox", "deliver"), run(data, "index", "check")
    assert (delivered.returncode, checked.returncode) == (0, 0), delivered.stderr + checked.stderr
    runtime = opened(data)
    try:
        for entry, word in editor.published.items():
            (row,) = ask(data, "SELECT status, benefit FROM solution WHERE id = ?", entry)
            assert row == ("published", f"Nutzen {word}"), "an acknowledged publication is lost"
            assert found(runtime, word).count(str(entry)) == 1
        assert differences(runtime) == set()
        hidden = {str(row[0]) for row in ask(data, "SELECT id FROM solution WHERE status != 'published'")}
        assert hidden.isdisjoint(runtime.index.ids())
        titles = [row[0] for row in ask(data, "SELECT title FROM solution WHERE title LIKE 'Pegelmessung x%'")]
        assert len(titles) == len(set(titles)), "an entry is there twice"
        assert integrity(runtime) == "ok"
    finally:
        runtime.engine.dispose()
    return len(editor.published)


def test_the_server_killed_while_people_publish_loses_nothing(demo_copy: Path) -> None:
    assert kill_again_and_again(demo_copy, rounds=6, seed=1) > 0


@pytest.mark.soak
def test_the_server_killed_many_times_loses_nothing(demo_copy: Path) -> None:
    assert kill_again_and_again(demo_copy, rounds=60, seed=2) > 50


def test_what_is_published_is_found_within_moments(demo_copy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Asked of the server as readers ask, over and over until it is there."""
    chance = random.Random(5)  # noqa: S311 - chance that can be repeated
    waited = []
    with serving(demo_copy, workers="2") as served:
        person, reader = Person(served.address), Person(served.address)
        person.sign_in("admin@example.org")
        for _ in range(8):
            word = marker(chance.randrange(100_000))
            entry = person.begin(f"Frische {word}")
            assert person.write(entry, benefit=f"Nutzen {word}").status in {302, 303}
            revision = revision_of(demo_copy, entry)
            assert person.publish(revision).status in {302, 303}
            started = time.monotonic()
            while f"Frische {word}" not in reader.get(f"/api/v1/search?q={word}").text:
                assert time.monotonic() - started < 5, "not found within five seconds"
                time.sleep(0.01)
            waited.append(time.monotonic() - started)
    with capsys.disabled():
        print(f"\npublished to findable: p95 {quantiles(waited, n=20)[-1] * 1000:.0f} ms of {len(waited)}")  # noqa: T201


def test_a_sign_in_survives_a_restart(demo_copy: Path) -> None:
    person = Person("")
    for number in range(2):
        with serving(demo_copy) as served:
            person.address = served.address
            if number == 0:
                person.sign_in("member@example.org")
            page = person.get("/meine-beitraege")
            assert (page.status, page.address) == (200, f"{served.address}/meine-beitraege")


def test_two_people_with_one_draft_the_second_sees_both_texts(demo_copy: Path) -> None:
    with serving(demo_copy, workers="2") as served:
        first, second = Person(served.address), Person(served.address)
        first.sign_in("admin@example.org")
        second.sign_in("member@example.org")
        entry = first.begin("Zwei schreiben zugleich")
        forms = [one.get(f"/einreichen/{entry}").form("challenge") for one in (first, second)]
        answers = [
            one.post(
                f"/einreichen/{entry}",
                [(key, f"Text von {name}" if key == "challenge" else value) for key, value in form]
                + [("step", "save")],
            )
            for one, name, form in ((first, "Anna", forms[0]), (second, "Berta", forms[1]))
        ]
        assert [answer.status for answer in answers] == [302, 409]
        assert "Anna" in answers[1].text  # the words that differ are marked one by one
        assert "Text von Berta" in answers[1].text
        (content,) = ask(demo_copy, "SELECT content FROM revision WHERE solution_id = ?", entry)
        assert "Text von Anna" in str(content[0])
    runtime = opened(demo_copy)
    settle(runtime)
    runtime.engine.dispose()
