"""`make bench`: measure, print a table, keep the figures as JSON under bench/results; what is measured is elsewhere.

python -m bench.run            # 1,000 and 10,000 entries
python -m bench.run --quick    # 300 entries, a look in half a minute
"""

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import measures
from bench.generate import entries
from bench.queries import questions
from bench.served import command, serving

RESULTS = Path(__file__).resolve().parent / "results"
_QUESTIONS = 200


def main() -> None:
    """Measure each size and print."""
    parser = argparse.ArgumentParser(description="Measure the catalog against plain SQLite FTS5 on the same texts.")
    parser.add_argument("--quick", action="store_true", help="300 entries only")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    given = parser.parse_args()
    sizes = [300] if given.quick else given.sizes
    result: dict[str, Any] = {"machine": machine(), "sizes": {}}
    for size in sizes:
        result["sizes"][size] = measure(size, quick=given.quick)
    RESULTS.mkdir(exist_ok=True)
    stamp = time.strftime("%Y%m%d-%H%M%S")
    file = RESULTS / f"{stamp}.json"
    file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    print(table(result))
    print(f"\nKept in {file.relative_to(RESULTS.parent.parent)}")


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return {
        "processor": model,
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
        "sqlite": measures.sqlite_version(),
        "load": f"{os.getloadavg()[0]:.1f}",
        "date": time.strftime("%Y-%m-%d"),
    }


def measure(size: int, *, quick: bool = False) -> dict[str, Any]:
    """All figures at one size, on a catalog of its own that is thrown away."""
    made = list(entries(size, seed=7))
    texts = [entry for entry in made if entry.get("type", "solution") == "solution"]
    count = _QUESTIONS // 4 if quick else _QUESTIONS
    warm, asked = questions(texts, count, seed=11), questions(texts, count, seed=3)
    with tempfile.TemporaryDirectory(prefix="katalog-bench-") as folder:
        data, file = Path(folder) / "var", Path(folder) / "entries.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            lines.writelines(json.dumps(entry, ensure_ascii=False) + "\n" for entry in made)
        command(data, "init")
        seconds = command(data, "import", str(file), "--publish")
        figures: dict[str, Any] = {
            "import_seconds": seconds,
            "import_per_second": len(texts) / seconds,
            "index_mb": measures.size_of_index(data),
        }
        with serving(data) as client:
            figures["search"] = measures.search_http(client, warm, asked)
            figures["findable"] = measures.findable(data, client, times=5 if quick else 30)
        figures["fts5"] = measures.search_fts5(Path(folder) / "fts5.sqlite3", texts, asked)
    figures["ratio_p50"] = figures["search"]["p50_ms"] / figures["fts5"]["p50_ms"]
    figures["ratio_p95"] = figures["search"]["p95_ms"] / figures["fts5"]["p95_ms"]
    return figures


ROWS = (
    ("search page over HTTP, p50", "search.p50_ms", "ms"),
    ("search page over HTTP, p95", "search.p95_ms", "ms"),
    ("search page, processor time", "search.cpu_ms", "ms"),
    ("plain FTS5, no HTTP, p50", "fts5.p50_ms", "ms"),
    ("plain FTS5, no HTTP, p95", "fts5.p95_ms", "ms"),
    ("ratio to FTS5, p50", "ratio_p50", "×"),
    ("ratio to FTS5, p95", "ratio_p95", "×"),
    ("import with index", "import_per_second", "entries/s"),
    ("publish, p50", "findable.save_p50_ms", "ms"),
    ("publish to findable, p50", "findable.p50_ms", "ms"),
    ("publish to findable, p95", "findable.p95_ms", "ms"),
    ("index on disk", "index_mb", "MB"),
)


def table(result: dict[str, Any]) -> str:
    """The figures as a Markdown table, one column per size."""
    sizes = list(result["sizes"])
    lines = [
        "| Figure | " + " | ".join(f"{size:,} entries" for size in sizes) + " |",
        "|---|" + "---:|" * len(sizes),
    ]
    for title, path, unit in ROWS:
        cells = []
        for size in sizes:
            value = result["sizes"][size]
            for key in path.split("."):
                value = value[key]
            cells.append(f"{value:,.1f} {unit}")
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n\n" + ", ".join(f"{name} {value}" for name, value in result["machine"].items())


if __name__ == "__main__":
    main()
