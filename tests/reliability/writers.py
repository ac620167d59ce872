"""Processes that write to a catalog and can be killed at any moment: what they do, and what they say they have done.

They are forked from a server that has imported everything already, so that fifty of them start in seconds. What is
to be true afterwards is stated by the tests.
"""

import multiprocessing
import random
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session, configure_mappers

from catalog.config import Settings
from catalog.domain.actor import SYSTEM
from catalog.models import load_all
from catalog.models.solution import Solution
from catalog.runtime import Runtime, open_runtime
from catalog.services import curation, submission
from tests import factories

load_all()
configure_mappers()  # once, before the processes are forked

KEY = "for tests only, never for a catalog that people use"
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(["tests.reliability.warm"])

# Made once by the tests' data folder: two processes that each invented one would take the same name.
GIVEN: dict[str, Any] = {"organisation": "stadtwerke", "topics": ["wasser"]}

Say = Callable[..., None]
Job = Callable[[Runtime, Say, random.Random], None]


def opened(data: Path) -> Runtime:
    """The runtime on the data folder, as every process of the catalog opens it."""
    return open_runtime(Settings(data_dir=data, secret_key=KEY))


def marker(number: int) -> str:
    """A word that occurs in one entry only, far from all others so that no correction leads from one to another."""
    letters = "".join(
        "bcdfghklmn"[int(digit)] + "aeiou"[(number + place) % 5] for place, digit in enumerate(f"{number:05}")
    )
    return f"x{letters}{letters[::-1]}"


# --- what the processes do; each a function of the runtime, what to say, and chance ---


def publish_and_change(runtime: Runtime, say: Say, chance: random.Random) -> None:
    """Publish, change and archive entries for ever; says each step before it and after it."""
    mine: list[int] = []
    while True:
        number = chance.randrange(100_000)
        if not mine or chance.random() < 0.5:
            say("begins", "publish", None, marker(number))
            with runtime.unit_of_work() as session:
                entry = factories.make_published(session, **GIVEN, benefit=f"Nutzen {marker(number)}").id
            mine.append(entry)
            say("has done", "publish", entry, marker(number))
        elif chance.random() < 0.8:
            entry = chance.choice(mine)
            say("begins", "change", entry, marker(number))
            with runtime.unit_of_work() as session:
                solution = session.get_one(Solution, entry)
                factories.publish_change(session, solution, benefit=f"Nutzen {marker(number)}")
            say("has done", "change", entry, marker(number))
        else:
            entry = mine.pop(chance.randrange(len(mine)))
            say("begins", "archive", entry, "")
            with runtime.unit_of_work() as session:
                curation.archive(session, SYSTEM, session.get_one(Solution, entry), "Veraltet.")
            say("has done", "archive", entry, "")


def publish_once(runtime: Runtime, say: Say, chance: random.Random) -> None:
    """Publish what lies ready, when told to."""
    with runtime.unit_of_work() as session:
        solution = factories.make_draft(session, SYSTEM, **GIVEN, benefit=f"Nutzen {marker(chance.randrange(100_000))}")
        revision = submission.submit(session, SYSTEM, solution)
        ready = (solution.id, revision.id)
    say("ready", *ready)
    say.wait()  # type: ignore[attr-defined]
    with runtime.unit_of_work() as session:
        curation.publish(session, SYSTEM, curation.revision(session, SYSTEM, ready[1]))
    say("saved")


def save_once(runtime: Runtime, say: Say, chance: random.Random) -> None:
    """Save a draft, when told to."""
    with runtime.unit_of_work() as session:
        entry = factories.make_draft(session, SYSTEM, **GIVEN).id
    say("ready", entry)
    say.wait()  # type: ignore[attr-defined]
    with runtime.unit_of_work() as session:
        _save(session, entry, marker(chance.randrange(100_000)))
    say("saved")


def save_many(runtime: Runtime, say: Say, chance: random.Random) -> None:
    """Publish as many entries as told, and say what went wrong and how long each took."""
    import time

    say("ready")
    count = say.wait()  # type: ignore[attr-defined]
    for _ in range(count):
        word = marker(chance.randrange(100_000))
        started = time.monotonic()
        try:
            with runtime.unit_of_work() as session:
                entry = factories.make_published(session, **GIVEN, title=f"Pegel {word}", benefit=f"Nutzen {word}").id
        except Exception as problem:  # noqa: BLE001 - any error is what the test looks for
            say("error", repr(problem))
        else:
            say("saved", entry, word, time.monotonic() - started)
    say("end")


def _save(session: Session, number: int, word: str) -> None:
    solution = session.get_one(Solution, number)
    entry, version = submission.document_to_edit(session, solution)
    submission.save(session, SYSTEM, solution, entry.model_copy(update={"benefit": word}), version=version)


JOBS: dict[str, Job] = {job.__name__: job for job in (publish_and_change, publish_once, save_once, save_many)}


# --- the processes ---


class _Said:
    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def __call__(self, *words: object) -> None:
        self._pipe.send(words)

    def wait(self) -> Any:
        return self._pipe.recv()


def _work(job: str, data: Path, seed: int, pipe: Connection) -> None:
    with suppress(BrokenPipeError, EOFError, KeyboardInterrupt):
        JOBS[job](opened(data), _Said(pipe), random.Random(seed))  # noqa: S311 - a test wants chance it can repeat


class Writer:
    """One such process, as the test holds it."""

    def __init__(self, job: str, data: Path, seed: int) -> None:
        """Start it."""
        self.pipe, other = _FORKS.Pipe()
        self._process = _FORKS.Process(target=_work, args=(job, data, seed, other), daemon=True)
        self._process.start()
        other.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self._process.pid is not None
        return self._process.pid

    def hear(self, seconds: float = 60) -> tuple[Any, ...] | None:
        """The next thing it says; None when it has ended. Raises TimeoutError."""
        if not self.pipe.poll(seconds):
            raise TimeoutError
        try:
            words: tuple[Any, ...] = self.pipe.recv()
        except (EOFError, ConnectionResetError):
            return None
        return words

    def rest(self) -> Iterator[tuple[Any, ...]]:
        """All it has said and nobody has heard yet, until its end."""
        while (words := self.hear()) is not None:
            yield words

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.join(30)

    def wait(self) -> int | None:
        """Wait for its end; gives its exit code, negative for a signal."""
        self._process.join(60)
        return self._process.exitcode


@contextmanager
def writer(job: str, data: Path, seed: int = 0) -> Iterator[Writer]:
    """A process at work, killed at the end of the block."""
    process = Writer(job, data, seed)
    try:
        yield process
    finally:
        process.kill()
        process.pipe.close()


@contextmanager
def traced(pid: int, *options: str) -> Iterator[None]:
    """Have strace look over a running process's shoulder; ends with the process."""
    tracer = subprocess.Popen(["strace", "-f", "-qq", *options, "-p", str(pid)], stderr=subprocess.DEVNULL)
    try:
        while "TracerPid:\t0\n" in Path(f"/proc/{pid}/status").read_text(encoding="ascii"):
            if tracer.poll() is not None:
                msg = "strace did not start"
                raise RuntimeError(msg)
        yield
    finally:
        with suppress(subprocess.TimeoutExpired):
            tracer.wait(10)
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
            tracer.wait(10)
