"""Tunes the numbers of `index.weights` on the dev half, one after the other; changes no file and never sees the rest.

A change is a gain only when it helps in both halves of the dev queries taken alone (cross-check), so that no single
query decides. What is printed is a proposal: a number in the table needs a reason, too. The held-back half is for
`make relevance` afterwards.
"""

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from sqlalchemy import select

from bench.relevance.run import HERE, Ranking, Row, first_rate, measure, read
from catalog import config
from catalog.domain.actor import ANONYMOUS
from catalog.domain.permissions import audiences_of
from catalog.models import load_all
from catalog.models.solution import Solution
from catalog.runtime import open_runtime
from catalog.services import indexing
from index import Document, Query, SearchIndex, weights

# Numbers that act when a query is evaluated, and the values worth trying.
CHOICES: Final[dict[str, tuple[float, ...]]] = {
    "K1": (1.2, 1.6, 2.0, 2.6, 3.5),
    "EXACT": (0.0, 0.1, 0.2, 0.4),
    "PART": (0.4, 0.55, 0.7, 0.85),
    "TOGETHER": (0.5, 0.65, 0.8, 1.0),
    "ONE_PART": (0.15, 0.25, 0.35, 0.5, 0.7),
    "SUBCOMPOUND": (0.5, 0.7, 0.9),
    "PART_SYNONYM": (0.0, 0.3, 0.5, 0.7),
    "TYPO": (0.6, 0.75, 0.9),
    "SIMILAR": (0.2, 0.35, 0.5, 0.7),
    "SIMILAR_CREDIT": (0.2, 0.4, 0.6),
    "NARROWER": (0.4, 0.6, 0.8),
    "BROADER": (0.15, 0.3, 0.45),
    "RELATED": (0.2, 0.35, 0.5, 0.65),
    "NEAR_CREDIT": (0.3, 0.5, 0.7),
    "PROXIMITY": (0.0, 0.15, 0.3, 0.5),
    "COORDINATION": (0.3, 0.6, 1.0, 1.4),
    "MIN_SHARE": (0.1, 0.2, 0.3),
    "FEEDBACK": (0.3, 0.5, 0.7, 1.0),
    "FEEDBACK_DOCUMENTS": (3, 5, 8),
    "FEEDBACK_STEMS": (8, 12, 18, 30),
}
# Numbers that are part of what is written: each try builds the index anew.
FIELD_FACTORS: Final = (0.6, 1.6)
_GAIN: Final = 0.0015  # smaller differences are noise
_KNOWN: Final = 0.3  # of a known item that loses its first place, in nDCG of one query


@dataclass(frozen=True, slots=True)
class Material:
    """What is judged: documents, their ids outside, and the queries of the dev half in two parts."""

    documents: tuple[Document, ...]
    external: dict[str, str]
    queries: tuple[Row, ...]
    known: tuple[Row, ...]


def load() -> Material:
    """Return the collection as the catalog indexes it. Raises CalledProcessError when it can't be imported."""
    with tempfile.TemporaryDirectory(prefix="tune-") as folder:
        os.environ.update(CATALOG_DATA_DIR=folder, CATALOG_DATABASE_URL="")
        for arguments in (["init"], ["import", str(HERE / "documents.jsonl"), "--publish", "--strict", "--quiet"]):
            subprocess.run([sys.executable, "-m", "catalog.cli", *arguments], check=True, stdout=subprocess.DEVNULL)
        load_all()
        runtime = open_runtime(config.load())
        with runtime.unit_of_work.reading() as session:
            rows = session.execute(select(Solution.id, Solution.external_id))
            external = {str(row.id): str(row.external_id) for row in rows}
            documents = tuple(indexing.all_documents(session))
        runtime.engine.dispose()
    return Material(
        documents,
        external,
        tuple(query for query in read("queries.jsonl") if query["split"] == "dev"),
        tuple(item for item in read("known.jsonl") if item["split"] == "dev"),
    )


@contextlib.contextmanager
def opened(material: Material) -> Iterator[SearchIndex]:
    """Give an index of the documents, in a folder that goes away."""
    with tempfile.TemporaryDirectory(prefix="tune-") as folder:
        index = SearchIndex(Path(folder) / "index")
        index.rebuild(material.documents)
        yield index


def judge(index: SearchIndex, material: Material) -> tuple[float, float, float]:
    """Return what the two parts of the queries reach, and both: nDCG@10, less for known items not first."""
    audiences = audiences_of(ANONYMOUS)
    index.reload_thesaurus()  # forgets answers and expansions made with other numbers
    ranking: Ranking = {}
    for row in (*material.queries, *material.known):
        hits = index.search(Query(row["text"], audiences=audiences, limit=100)).hits
        ranking[row["id"]] = [(material.external[hit.id], -float(rank)) for rank, hit in enumerate(hits)]
    scores = measure(ranking, material.queries)
    lost = _KNOWN * sum(1.0 - first for first in first_rate(ranking, material.known)) / len(material.queries)
    values = [scores[query["id"]]["ndcg"] for query in material.queries]
    return (
        float(np.mean(values[::2])) - lost,
        float(np.mean(values[1::2])) - lost,
        float(np.mean(values)) - lost,
    )


def better(found: Sequence[float], held: Sequence[float]) -> bool:
    """Tell whether a try is a gain: clearly better over all, and in neither part worse."""
    return found[2] > held[2] + _GAIN and found[0] >= held[0] and found[1] >= held[1]


def tune(material: Material, names: Sequence[str], rounds: int) -> None:
    """Walk through the numbers, keep what helps for the tries that follow, and print each."""
    with opened(material) as index:
        held = judge(index, material)
        print(f"{'now':<34}{held[2]:.4f}  parts {held[0]:.4f} {held[1]:.4f}", flush=True)
        for _ in range(rounds):
            changed = False
            for name in names:
                kept = best = getattr(weights, name)
                for value in CHOICES[name]:
                    setattr(weights, name, value)
                    found = judge(index, material) if value != kept else held
                    mark = "*" if better(found, held) else ""
                    print(
                        f"{name:<24}{value!s:>10}{found[2]:.4f}  parts {found[0]:.4f} {found[1]:.4f} {mark}", flush=True
                    )
                    if mark:
                        best, held, changed = value, found, True
                setattr(weights, name, best)
            if not changed:
                break


def tune_fields(material: Material) -> None:
    """Try each field heavier and lighter; print only."""
    with opened(material) as index:
        held = judge(index, material)
    for name, setting in list(weights.FIELDS.items()):
        for factor in FIELD_FACTORS:
            weights.FIELDS[name] = replace(setting, boost=setting.boost * factor)
            with opened(material) as index:
                found = judge(index, material)
            mark = "*" if better(found, held) else ""
            print(
                f"{name:<16} times {factor:<12}{found[2]:.4f}  parts {found[0]:.4f} {found[1]:.4f} {mark}", flush=True
            )
        weights.FIELDS[name] = setting


def main() -> None:
    """Read what to try, and try it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"numbers to try (all): {', '.join(CHOICES)}")
    parser.add_argument("--rounds", type=int, default=1, help="how often to walk through all of them")
    parser.add_argument("--fields", action="store_true", help="try the field boosts instead")
    chosen = parser.parse_args()
    unknown = sorted(set(chosen.names) - set(CHOICES))
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    material = load()
    if chosen.fields:
        tune_fields(material)
    else:
        tune(material, chosen.names or list(CHOICES), chosen.rounds)


if __name__ == "__main__":
    main()
