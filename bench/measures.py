"""The measurements themselves: search through HTTP, import, publish to findable, and the yardstick; no printing."""

import secrets
import sqlite3
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench import fts5
from bench.queries import Question
from bench.served import Client
from catalog.config import Settings
from catalog.domain.actor import SYSTEM
from catalog.models import load_all
from catalog.models.solution import Solution
from catalog.runtime import open_runtime
from catalog.services import curation, submission

Figures = dict[str, float]


def spread(seconds: Sequence[float]) -> Figures:
    """Median, 95th percentile and the slowest, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=20)
    return {"p50_ms": statistics.median(seconds) * 1000, "p95_ms": cuts[-1] * 1000, "max_ms": max(seconds) * 1000}


def _timed(questions: Sequence[Question], ask: Callable[[Question], object]) -> list[float]:
    taken = []
    for question in questions:
        started = time.perf_counter()
        ask(question)
        taken.append(time.perf_counter() - started)
    return taken


def _page(client: Client, question: Question) -> str:
    given = {"q": question.text} | ({"thema": question.topic} if question.topic else {})
    return client.get("/suche", **given)


def search_http(client: Client, warm: Sequence[Question], questions: Sequence[Question]) -> Figures:
    """The search page as a browser gets it, over one connection, after other questions have warmed the server up."""
    _timed(warm, lambda question: _page(client, question))
    before = client.cpu()
    taken = _timed(questions, lambda question: _page(client, question))
    return spread(taken) | {"cpu_ms": (client.cpu() - before) / len(questions) * 1000}


def search_fts5(file: Path, entries: Sequence[dict[str, Any]], questions: Sequence[Question]) -> Figures:
    """The same questions to plain FTS5."""
    connection = fts5.build(file, entries)
    ask = lambda question: fts5.search(connection, question.text, question.topic)  # noqa: E731
    _timed(questions[: len(questions) // 4], ask)
    figures = spread(_timed(questions, ask))
    connection.close()
    return figures


def findable(data: Path, client: Client, times: int) -> Figures:
    """From the click on "publish", as the service gets it, to the first answer of the server that has the entry."""
    load_all()
    runtime = open_runtime(Settings(data_dir=data))
    with runtime.unit_of_work.reading() as session:
        entries = list(session.scalars(Solution.__table__.select().with_only_columns(Solution.id).limit(times)))
    saved, found = [], []
    for number in entries:
        word = "zq" + "".join("bcdfghklmnprstvw"[int(digit, 16)] + "a" for digit in secrets.token_hex(4))
        with runtime.unit_of_work() as session:
            solution = session.get_one(Solution, number)
            entry, version = submission.document_to_edit(session, solution)
            changed = entry.model_copy(update={"benefit": f"{entry.benefit} {word}"})
            submission.save(session, SYSTEM, solution, changed, version=version)
            revision = submission.submit(session, SYSTEM, solution).id
        started = time.perf_counter()
        with runtime.unit_of_work() as session:
            curation.publish(session, SYSTEM, curation.revision(session, SYSTEM, revision))
        saved.append(time.perf_counter() - started)
        while f"<mark>{word}" not in client.get("/suche", q=word):
            time.sleep(0.005)
        found.append(time.perf_counter() - started)
    runtime.engine.dispose()
    return {f"save_{name}": value for name, value in spread(saved).items()} | spread(found)


def size_of_index(data: Path) -> float:
    """Megabytes the index takes."""
    return sum(file.stat().st_size for file in (data / "index").rglob("*") if file.is_file()) / 1e6


def sqlite_version() -> str:
    """Which SQLite the yardstick runs on."""
    return sqlite3.sqlite_version
