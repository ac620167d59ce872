"""`make relevance`: how good the answers are on the judged collection, against plain engines; changes nothing.

The entries go through `catalog import --publish` into a fresh data folder and the queries through `catalog search`, as
an operator would do it. Ends with 1 when the held-back half is worse than the recorded baseline beyond chance.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import ir_measures
import numpy as np
from ir_measures import RR, R, nDCG

from bench.relevance import engines

HERE: Final = Path(__file__).resolve().parent
RESULTS: Final = HERE.parent / "results" / "relevance.json"
BASELINE: Final = HERE / "baseline.json"
KINDS: Final = ("plain", "compound", "inflection", "synonym", "typo", "question", "english", "place")
CATALOG: Final = "catalog"
# Neighbouring entries (grade 1) help a list but are no answer: they count for nDCG only.
NDCG, RECALL, RECIPROCAL = nDCG @ 10, R(rel=2) @ 20, RR(rel=2)
_ROUNDS: Final = 4_000

Ranking = dict[str, list[tuple[str, float]]]
Row = dict[str, Any]


def read(name: str) -> list[Row]:
    """Return the rows of a JSON Lines file of the collection."""
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines() if line]


def rank_by_catalog(queries: Sequence[Row], folder: Path) -> Ranking:
    """Return what the catalog answers, from a fresh data folder. Raises CalledProcessError when a command fails."""
    environment = {**os.environ, "CATALOG_DATA_DIR": str(folder / "data"), "CATALOG_DATABASE_URL": ""}
    asked, answered = folder / "queries.jsonl", folder / "run.txt"
    asked.write_text("".join(json.dumps({"id": q["id"], "text": q["text"]}) + "\n" for q in queries), encoding="utf-8")
    for arguments in (
        ["init"],
        ["import", str(HERE / "documents.jsonl"), "--publish", "--strict", "--quiet"],
        ["search", "--queries", str(asked), "--trec-run", str(answered), "--limit", str(engines.DEPTH)],
    ):
        subprocess.run(
            [sys.executable, "-m", "catalog.cli", *arguments],
            env=environment,
            cwd=HERE.parent.parent,
            check=True,
            stdout=subprocess.DEVNULL,
        )
    ranking: Ranking = {query["id"]: [] for query in queries}
    for line in answered.read_text(encoding="utf-8").splitlines():
        query, _, entry, rank, _, _ = line.split()
        # By rank: ties in the score are already in the order people see.
        ranking[query].append((entry, -float(rank)))
    return ranking


def rank_by(engine: engines.Engine, queries: Iterable[Row]) -> Ranking:
    """Return what an engine answers to each query."""
    return {query["id"]: engine(query["text"]) for query in queries}


def measure(ranking: Ranking, queries: Iterable[Row]) -> dict[str, dict[str, float]]:
    """Return nDCG@10, Recall@20 and reciprocal rank of each query, 0 where nothing was found."""
    lines = (HERE / "qrels.tsv").read_text(encoding="utf-8").splitlines()
    judged = [ir_measures.Qrel(query, entry, int(grade)) for query, _, entry, grade in map(str.split, lines)]
    found = [ir_measures.ScoredDoc(query, entry, score) for query, hits in ranking.items() for entry, score in hits]
    scores = {query["id"]: dict.fromkeys(("ndcg", "recall", "rr"), 0.0) for query in queries}
    names = {NDCG: "ndcg", RECALL: "recall", RECIPROCAL: "rr"}
    for metric in ir_measures.iter_calc(list(names), judged, found):
        if metric.query_id in scores:
            scores[metric.query_id][names[metric.measure]] = float(metric.value)
    return scores


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """Return the mean and its 95 % bootstrap interval, the same in every run."""
    if not values:
        return (0.0, 0.0, 0.0)
    data = np.asarray(values)
    generator = np.random.default_rng(7)
    means = data[generator.integers(0, len(data), (_ROUNDS, len(data)))].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return (float(data.mean()), float(low), float(high))


def first_rate(ranking: Ranking, known: Iterable[Row]) -> list[float]:
    """Return 1 for each known-item query whose entry comes first, else 0."""
    return [float(bool(hits := ranking[item["id"]]) and hits[0][0] == item["external_id"]) for item in known]


def summary(ranking: Ranking, queries: Sequence[Row], known: Sequence[Row]) -> Row:
    """Return the figures of a ranking by kind, each as mean, low, high, and by query."""
    scores = measure(ranking, queries)
    made: Row = {"kinds": {}}
    for kind in ("all", *KINDS):
        ids = [query["id"] for query in queries if kind in ("all", query["kind"])]
        made["kinds"][kind] = {"queries": len(ids)} | {
            name: interval([scores[query][name] for query in ids]) for name in ("ndcg", "recall", "rr")
        }
    made["known_first"] = interval(first_rate(ranking, known))
    made["by_query"] = {f"{query['kind']}: {query['text']}": scores[query["id"]]["ndcg"] for query in queries}
    return made


def table(name: str, results: Mapping[str, Row], known: int) -> str:
    """Return the figures of one split as text."""
    lines = [f"{name}: nDCG@10 by kind, and how often the known item comes first ({known} queries)"]
    heads = [f"{kind:>11}" for kind in ("all", *KINDS)]
    lines.append(f"{'':<14}{''.join(heads)}{'known 1st':>11}")
    counts = next(iter(results.values()))["kinds"]
    sizes = "".join(f"{counts[kind]['queries']:>11}" for kind in counts)
    lines.append(f"{'queries':<14}{sizes}{known:>11}")
    for engine, figures in results.items():
        means = [f"{figures['kinds'][kind]['ndcg'][0]:>11.3f}" for kind in figures["kinds"]]
        lines.append(f"{engine:<14}{''.join(means)}{figures['known_first'][0]:>11.3f}")
    own = results[CATALOG]["kinds"]
    for label, measured, place in (
        ("  low", "ndcg", 1),
        ("  high", "ndcg", 2),
        ("  Recall@20", "recall", 0),
        ("  MRR", "rr", 0),
    ):
        lines.append(f"{label:<14}{''.join(f'{own[kind][measured][place]:>11.3f}' for kind in own)}")
    return "\n".join(lines)


def regression(scores: Mapping[str, float]) -> tuple[bool, str]:
    """Tell whether the held-back half became worse than the recorded baseline, beyond chance, query by query."""
    if not BASELINE.exists():
        return False, "No baseline recorded yet; --record writes one."
    recorded: dict[str, float] = json.loads(BASELINE.read_text(encoding="utf-8"))["by_query"]
    common = sorted(set(recorded) & set(scores))
    if not common:
        return False, "The baseline knows none of these queries; record it anew."
    mean, low, high = interval([scores[query] - recorded[query] for query in common])
    said = f"Held back against the baseline: {mean:+.3f} ({low:+.3f} to {high:+.3f}) over {len(common)} queries."
    return high < 0, said


def record(figures: Row) -> None:
    """Keep the held-back figures as the baseline that later runs must not fall below."""
    mean, low, high = figures["kinds"]["all"]["ndcg"]
    kept = {"ndcg": mean, "low": low, "high": high, "by_query": figures["by_query"]}
    BASELINE.write_text(json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def worst(figures: Row, queries: Sequence[Row], ranking: Ranking, count: int) -> str:
    """Return the queries answered worst, with what came first, to learn from."""
    titles = {row["external_id"]: row["title"] for row in read("documents.jsonl")}
    by_id = {f"{query['kind']}: {query['text']}": query["id"] for query in queries}
    lines = []
    for name, score in sorted(figures["by_query"].items(), key=lambda pair: pair[1])[:count]:
        first = [f"{entry}: {titles[entry]}" for entry, _ in ranking[by_id[name]][:3]]
        lines.append(f"{score:.2f}  {name}\n      " + "\n      ".join(first or ["nothing found"]))
    return "\n".join(lines)


def main() -> None:
    """Measure, print, keep the figures, and end with 1 on a regression."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", choices=("dev", "heldback", "all"), default="all")
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="show the N worst queries of the dev half")
    parser.add_argument("--record", action="store_true", help="make this run the baseline")
    chosen = parser.parse_args()
    queries, known, rows = read("queries.jsonl"), read("known.jsonl"), read("documents.jsonl")
    everything = [*queries, *known]
    with tempfile.TemporaryDirectory(prefix="relevance-") as folder:
        rankings = {
            "FTS5 raw": rank_by(engines.fts5(rows), everything),
            "FTS5 stems": rank_by(engines.fts5_stems(rows), everything),
            "Whoosh stock": rank_by(engines.whoosh_stock(rows), everything),
            CATALOG: rank_by_catalog(everything, Path(folder)),
        }
    kept: Row = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "documents": len(rows), "splits": {}}
    for split in ("dev", "heldback", "all") if chosen.split == "all" else (chosen.split,):
        part = [query for query in queries if split in ("all", query["split"])]
        items = [item for item in known if split in ("all", item["split"])]
        results = {name: summary(ranking, part, items) for name, ranking in rankings.items()}
        kept["splits"][split] = results
        print(table(split, results, len(items)), end="\n\n")
        if split == "dev" and chosen.worst:
            print(worst(results[CATALOG], part, rankings[CATALOG], chosen.worst), end="\n\n")
            for item in items:
                hits = [entry for entry, _ in rankings[CATALOG][item["id"]]]
                if item["external_id"] not in hits[:1]:
                    at = hits.index(item["external_id"]) + 1 if item["external_id"] in hits else "nowhere"
                    print(f"known item at {at}: {item['text']} ({item['external_id']}; first {hits[:1]})")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    held = kept["splits"].get("heldback")
    if held is None:
        return
    if chosen.record:
        record(held[CATALOG])
    worse, said = regression(held[CATALOG]["by_query"])
    print(said)
    if worse:
        sys.exit(1)


if __name__ == "__main__":
    main()
