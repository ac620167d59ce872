"""`python -m bench.engine`: the engine alone against SQLite FTS5 and tantivy; runs and reports, the work is elsewhere.

python -m bench.engine                    # 10,000 documents
python -m bench.engine --documents 2000
python -m bench.engine --full             # 100,000 as well: about half an hour
python -m bench.engine --quick            # 500 documents and a quarter of the questions

Each engine builds in one process and searches in another, so that memory and first query are its own. Times are
processor time of the whole process, threads included: other work on the machine disturbs them less than the clock.
"""

import argparse
import dataclasses
import gc
import importlib.metadata
import json
import multiprocessing
import os
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bench.contenders import CONTENDERS, Contender
from bench.engine_texts import Question, Text, hostile, questions, read, write

_QUESTIONS: Final = 200
_UPDATES: Final = 30
_SUGGESTIONS: Final = 100
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")

Figures = dict[str, Any]


def main() -> None:
    """Measure each size, print, keep the figures."""
    from bench.run import RESULTS, machine  # loads the whole application, which would count as memory of each engine

    parser = argparse.ArgumentParser(description="Measure the search engine against SQLite FTS5 and tantivy.")
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000])
    parser.add_argument("--full", action="store_true", help="100,000 documents as well")
    parser.add_argument("--quick", action="store_true", help="500 documents, a quarter of the questions")
    given = parser.parse_args()
    sizes = [500] if given.quick else sorted({*given.documents, *([100_000] if given.full else [])})
    count = _QUESTIONS // 4 if given.quick else _QUESTIONS
    result: Figures = {"machine": machine() | _versions(), "sizes": {}}
    for size in sizes:
        result["sizes"][size] = measure(size, count)
        print(report(size, result["sizes"][size]), end="\n\n")
    result["machine"]["load at the end"] = f"{os.getloadavg()[0]:.1f}"
    print(", ".join(f"{name} {value}" for name, value in result["machine"].items()))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"engine-{time.strftime('%Y%m%d-%H%M%S')}.json"
    file.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"\nKept in {file.relative_to(RESULTS.parent.parent)}")


def _versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in ("tantivy", "Whoosh", "numpy")}


# --- measuring -------------------------------------------------------------------------------------------------------


def measure(size: int, count: int) -> Figures:
    """All figures of all engines at one size, in a folder that is thrown away."""
    engines: dict[str, Figures] = {}
    with tempfile.TemporaryDirectory(prefix="katalog-engine-") as name:
        folder = Path(name)
        file = folder / "texts.jsonl"
        write(file, size)
        asked = questions(read(file), count, seed=3)
        cruel = hostile(read(file))
        for engine in CONTENDERS:
            own = folder / engine
            own.mkdir()
            engines[engine] = _apart(build, engine, own, file)
            engines[engine] |= _apart(start, engine, own, asked)
            engines[engine] |= _apart(ask, engine, own, file, asked, cruel)
    counts = {engine: own.pop("counts") for engine, own in engines.items()}
    figures: Figures = {"questions": len(asked), "engines": engines}
    # A check of the benchmark itself: the plain engines have the same stems, so they count the same.
    figures["agreeing"] = sum(one == other for one, other in zip(counts["fts5"], counts["tantivy"], strict=True))
    figures["ratios"] = {
        other: {
            f"{state} {cut}": engines["ours"][state][f"{cut}_ms"] / engines[other][state][f"{cut}_ms"]
            for state in ("warm", "cold")
            for cut in ("p50", "p95")
        }
        for other in engines
        if other != "ours"
    }
    return figures


def _apart(work: Callable[..., Figures], *given: object) -> Figures:
    """What `work` returns in a new process. Raises what it raises."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, given)


def build(engine: str, folder: Path, file: Path) -> Figures:
    """Index all documents."""
    contender = CONTENDERS[engine](folder)
    before = time.process_time()
    contender.build(read(file))
    seconds = time.process_time() - before
    count = sum(1 for _ in read(file))
    return {
        "build_per_second": count / seconds,
        "build_peak_mb": _most_memory(),
        "disk_mb": sum(found.stat().st_size for found in folder.rglob("*") if found.is_file()) / 1e6,
    }


def start(engine: str, folder: Path, asked: Sequence[Question]) -> Figures:
    """Open in a process that has done nothing yet (imports, lexicon, thesaurus, places); ask once, and mistype once."""
    contender = CONTENDERS[engine](folder)
    mistyped = next(question for question in asked if question.kind == "typo")
    return {
        "open_ms": _timed(contender.open) * 1000,
        "first_query_ms": _timed(contender.search, asked[0].text) * 1000,
        "first_typo_ms": _timed(contender.search, mistyped.text) * 1000,
    }


def ask(engine: str, folder: Path, file: Path, asked: Sequence[Question], cruel: Sequence[Question]) -> Figures:
    """Everything that is measured on an index that stands."""
    contender = CONTENDERS[engine](folder)
    contender.open()
    # cyclic garbage is collected between the passes, and as usual inside them
    answers = [contender.search(question.text) for question in asked]
    gc.collect()
    figures: Figures = {"hits": sum(answer.total for answer in answers) / len(asked)}
    nothing = Counter(question.kind for question, answer in zip(asked, answers, strict=True) if not answer.total)
    figures |= {"nothing_found": nothing.total(), "nothing_by_kind": nothing}
    figures["counts"] = [[answer.total, answer.facets if answer.total else {}] for answer in answers]
    del answers
    warm = [_timed(contender.search, question.text, before=contender.forget_answers) for question in asked]
    figures["warm"] = spread(warm) | {"by_kind": _by_kind(asked, warm)}
    figures["rss_mb"] = _rss()
    ranked = partial(contender.search, passages=False)
    bare = [_timed(ranked, question.text, before=contender.forget_answers) for question in asked]
    figures["ranking"] = spread(bare) | {"by_kind": _by_kind(asked, bare)}
    cold = [_timed(contender.search, question.text, before=contender.forget) for question in asked]
    figures["cold"] = spread(cold) | {"by_kind": _by_kind(asked, cold)}
    for question in asked:
        contender.search(question.text)
    beginnings = [word[:length] for word in _words(asked) for length in (3, 5)][:_SUGGESTIONS]
    contender.suggest(beginnings[0])
    figures["suggest"] = spread([_timed(contender.suggest, beginning) for beginning in beginnings])
    figures |= _updates(contender, islice(read(file), _UPDATES), asked)
    figures["hostile"] = {
        question.kind: {
            "cold_ms": _timed(contender.search, question.text, before=contender.forget) * 1000,
            "warm_ms": _timed(contender.search, question.text, before=contender.forget_answers) * 1000,
        }
        for question in cruel
    }
    figures["rss_end_mb"] = _rss()
    return figures


def _updates(contender: Contender, texts: Iterable[Text], asked: Sequence[Question]) -> Figures:
    """One document and a commit, and the first search after it; merging is a worker's and counted apart."""
    commits, waits, first, tended = [], [], [], []
    for text, question in zip(texts, asked, strict=False):
        changed = dataclasses.replace(text, fields={**text.fields, "benefit": f"{text.fields['benefit']} geändert"})
        begun, clock = time.process_time(), time.perf_counter()
        contender.update(changed)
        waits.append(time.perf_counter() - clock)
        commits.append(time.process_time() - begun)
        first.append(_timed(contender.search, question.text))
        tended.append(_timed(contender.tend))
    return {
        "update": spread(commits),
        "update_clock": spread(waits),
        "after_commit": spread(first),
        "merge_max_ms": max(tended) * 1000,
    }


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and the slowest, in milliseconds."""
    cuts = statistics.quantiles(seconds, n=20)
    return {"p50_ms": statistics.median(seconds) * 1000, "p95_ms": cuts[-1] * 1000, "max_ms": max(seconds) * 1000}


def _timed(work: Callable[..., object], *given: object, before: Callable[[], None] | None = None) -> float:
    if before is not None:
        before()
    begun = time.process_time()
    work(*given)
    return time.process_time() - begun


def _by_kind(asked: Sequence[Question], taken: Sequence[float]) -> dict[str, float]:
    """Mean milliseconds by kind of question."""
    kinds: dict[str, list[float]] = {}
    for question, seconds in zip(asked, taken, strict=True):
        kinds.setdefault(question.kind, []).append(seconds * 1000)
    return {kind: sum(values) / len(values) for kind, values in kinds.items()}


def _words(asked: Sequence[Question]) -> list[str]:
    words = [word.strip('"*') for question in asked for word in question.text.split()]
    return [word for word in words if len(word) >= 5 and word.isalpha()]


def _rss() -> float:
    """Megabytes the process holds now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE / 1e6


def _most_memory() -> float:
    """Megabytes the process has held at most; `getrusage` would count those of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


# --- reporting -------------------------------------------------------------------------------------------------------

ROWS: Final = (
    ("search, warm, p50", "warm.p50_ms", "ms"),
    ("search, warm, p95", "warm.p95_ms", "ms"),
    ("the same without passages, p50", "ranking.p50_ms", "ms"),
    ("the same without passages, p95", "ranking.p95_ms", "ms"),
    ("search, cold, p50", "cold.p50_ms", "ms"),
    ("search, cold, p95", "cold.p95_ms", "ms"),
    ("loading code and language data", "open_ms", "ms"),
    ("first query after that", "first_query_ms", "ms"),
    ("first mistyped query after both", "first_typo_ms", "ms"),
    ("suggestions, p95", "suggest.p95_ms", "ms"),
    ("one update and commit, p50", "update.p50_ms", "ms"),
    ("one update and commit, p95", "update.p95_ms", "ms"),
    ("first search after a commit, p50", "after_commit.p50_ms", "ms"),
    ("first search after a commit, p95", "after_commit.p95_ms", "ms"),
    ("merge by the worker, slowest", "merge_max_ms", "ms"),
    ("build", "build_per_second", "docs/s"),
    ("memory while searching", "rss_mb", "MB"),
    ("memory after updates and hostile queries", "rss_end_mb", "MB"),
    ("memory while building, most", "build_peak_mb", "MB"),
    ("on disk, texts included", "disk_mb", "MB"),
    ("hits per question", "hits", ""),
    ("questions without a hit", "nothing_found", ""),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Mark:
    """A figure of ours and what it is to reach."""

    title: str
    figure: str
    limit: dict[int, float]
    """Number of documents to limit: the limit of the next larger size counts."""
    at_least: bool = False


MARKS: Final = (
    Mark("engine p95, warm, ms", "warm.p95_ms", {10_000: 10, 100_000: 60}),
    Mark("engine p95, cold, ms", "cold.p95_ms", {10_000: 10, 100_000: 60}),
    Mark("memory at the end, MB", "rss_end_mb", {10_000: 300, 100_000: 1_200}),
    Mark("first query after start, ms", "first_query_ms", {10_000: 300}),
    Mark("first mistyped query after start, ms", "first_typo_ms", {10_000: 300}),
    Mark("first query with loading code and language data, ms", "started_ms", {10_000: 300}),
    Mark("first search after a commit, p95, ms", "after_commit.p95_ms", {10_000: 20}),
    Mark("suggestions, p95, ms", "suggest.p95_ms", {10_000: 20}),
    Mark("documents indexed a second", "build_per_second", {100_000: 250}, at_least=True),
    Mark("slowest hostile query, ms", "slowest_ms", {100_000: 300}),
)


def _at(figures: Figures, path: str) -> float:
    value: Any = figures
    for key in path.split("."):
        value = value[key]
    return float(value)


def report(size: int, figures: Figures) -> str:
    """The figures of one size as Markdown: engines side by side, kinds of question, hostile queries, marks."""
    engines = figures["engines"]
    heads = " | ".join(engines)
    rule = "---:|" * len(engines)
    lines = [f"### {size:,} documents, {figures['questions']} questions", "", f"| Figure | {heads} |", f"|---|{rule}"]
    for title, path, unit in ROWS:
        cells = " | ".join(f"{_at(own, path):,.1f} {unit}".strip() for own in engines.values())
        lines.append(f"| {title} | {cells} |")
    for name in ("warm p50", "warm p95", "cold p50", "cold p95"):
        cells = " | ".join(f"{figures['ratios'][other][name]:.2f} ×" if other != "ours" else "1" for other in engines)
        lines.append(f"| ours : other, {name} | {cells} |")
    lines += ["", f"FTS5 and tantivy count the same, facets included, in {figures['agreeing']} questions."]
    lines += ["", f"| Mean by kind, warm (cold), ms | {heads} |", f"|---|{rule}"]
    for kind in engines["ours"]["warm"]["by_kind"]:
        cells = " | ".join(
            f"{own['warm']['by_kind'][kind]:.1f} ({own['cold']['by_kind'][kind]:.1f})" for own in engines.values()
        )
        lines.append(f"| {kind} | {cells} |")
    lines += ["", f"| Hostile query, cold (warm), ms | {heads} |", f"|---|{rule}"]
    for kind in engines["ours"]["hostile"]:
        cells = " | ".join(
            f"{own['hostile'][kind]['cold_ms']:.1f} ({own['hostile'][kind]['warm_ms']:.1f})" for own in engines.values()
        )
        lines.append(f"| {kind} | {cells} |")
    return "\n".join([*lines, "", *_marks(size, engines["ours"], engines["tantivy"])])


def _marks(size: int, ours: Figures, tantivy: Figures) -> list[str]:
    slowest = max(ours["hostile"], key=lambda kind: ours["hostile"][kind]["cold_ms"])
    ours = ours | {
        "started_ms": ours["open_ms"] + ours["first_query_ms"],
        "slowest_ms": ours["hostile"][slowest]["cold_ms"],
    }
    lines = [f"| Mark at {size:,} documents | measured | mark | |", "|---|---:|---:|---|"]
    for mark in MARKS:
        limit = next((value for most, value in sorted(mark.limit.items()) if size <= most), None)
        if limit is None:
            continue
        value = _at(ours, mark.figure)
        met = value >= limit if mark.at_least else value <= limit
        lines.append(f"| {mark.title} | {value:,.1f} | {limit:,.0f} | {'met' if met else '**missed**'} |")
    goal, value = tantivy["warm"]["p95_ms"], ours["warm"]["p95_ms"]
    lines.append(f"| goal: tantivy's p95, ms | {value:,.1f} | {goal:,.1f} | {'met' if value <= goal else 'open'} |")
    return [*lines, "", f"Slowest hostile query: {slowest}."]


if __name__ == "__main__":
    main()
