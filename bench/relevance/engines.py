"""The plain engines the search is compared with, over the same texts: SQLite FTS5, stock Whoosh; no measuring."""

import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from whoosh.analysis import LanguageAnalyzer
from whoosh.fields import ID, TEXT, Schema
from whoosh.index import create_in
from whoosh.lang.snowball.german import GermanStemmer
from whoosh.qparser import MultifieldParser, OrGroup

# Query to the entries found, best first, with scores.
Engine = Callable[[str], list[tuple[str, float]]]
DEPTH: Final = 100
_WORD: Final = re.compile(r"\w+")
_COLUMNS: Final = ("title", "benefit", "challenge", "solution", "not_worked", "results", "subject", "site")


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    subject = " ".join([*row["topics"], *row["technologies"]])
    site = f"{row['organisation']} {row['place']} {row['state']}"
    return {**{name: row[name] for name in _COLUMNS[:6]}, "subject": subject, "site": site}


def fts5(rows: Iterable[Mapping[str, Any]], change: Callable[[str], str] = str.lower) -> Engine:
    """Return SQLite's full-text search, any word, BM25, titles three times as heavy; `change` is made to each word."""
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE VIRTUAL TABLE entry USING fts5(id UNINDEXED, {', '.join(_COLUMNS)})")

    def changed(text: str) -> str:
        return " ".join(change(word) for word in _WORD.findall(text.lower()))

    for row in rows:
        texts = _texts(row)
        values = [row["external_id"], *(changed(texts[name]) for name in _COLUMNS)]
        database.execute(f"INSERT INTO entry VALUES (?{', ?' * len(_COLUMNS)})", values)

    def search(text: str) -> list[tuple[str, float]]:
        asked = " OR ".join(f'"{word}"' for word in changed(text).split())
        if not asked:
            return []
        found = database.execute(
            "SELECT id, -bm25(entry, 0, 3.0) AS score FROM entry WHERE entry MATCH ? ORDER BY score DESC LIMIT ?",
            (asked, DEPTH),
        )
        return [(str(key), float(score)) for key, score in found]

    return search


def fts5_stems(rows: Iterable[Mapping[str, Any]]) -> Engine:
    """Return SQLite's full-text search over German stems."""
    stemmer = GermanStemmer()
    return fts5(rows, stemmer.stem)


def whoosh_stock(rows: Iterable[Mapping[str, Any]]) -> Engine:
    """Return Whoosh as its manual shows it: the German language analyser, any word, BM25F."""
    folder = tempfile.TemporaryDirectory(prefix="relevance-whoosh-")
    analyzer = LanguageAnalyzer("de")
    boosts = {"title": 3.0}
    fields = {name: TEXT(analyzer=analyzer, field_boost=boosts.get(name, 1.0)) for name in _COLUMNS}
    index = create_in(folder.name, Schema(id=ID(stored=True), **fields))
    writer = index.writer()
    for row in rows:
        writer.add_document(id=row["external_id"], **_texts(row))
    writer.commit()
    searcher = index.searcher()
    parser = MultifieldParser(list(_COLUMNS), index.schema, group=OrGroup)

    def search(text: str, _kept: object = folder) -> list[tuple[str, float]]:
        plain = " ".join(_WORD.findall(text))
        return [(hit["id"], float(hit.score)) for hit in searcher.search(parser.parse(plain), limit=DEPTH)]

    return search
