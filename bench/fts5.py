"""The yardstick: the same texts and questions in plain SQLite FTS5, as one would write it in an afternoon.

Twenty hits by bm25 with title weighted, an extract each, and counts of three facets; no ranking of ours, no HTTP.
"""

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import Any

_FACETS = ("topic", "state", "status")
_TOP = 20
_SCHEMA = """
CREATE VIRTUAL TABLE entry USING fts5(title, benefit, text, tokenize = "unicode61 remove_diacritics 2");
CREATE TABLE facet (entry INTEGER, name TEXT, value TEXT);
CREATE INDEX facet_entry ON facet (entry);
"""


def build(file: Path, entries: Iterable[dict[str, Any]]) -> sqlite3.Connection:
    """A database file with these entries."""
    connection = sqlite3.connect(file)
    connection.executescript(_SCHEMA)
    for number, entry in enumerate(entries, 1):
        connection.execute(
            "INSERT INTO entry (rowid, title, benefit, text) VALUES (?, ?, ?, ?)",
            (number, entry.get("title", ""), entry.get("benefit", ""), "\n".join(_texts(entry))),
        )
        connection.executemany("INSERT INTO facet VALUES (?, ?, ?)", [(number, *pair) for pair in set(_facets(entry))])
    connection.commit()
    connection.execute("INSERT INTO entry (entry) VALUES ('optimize')")
    connection.commit()
    return connection


def _texts(value: Any) -> Iterable[str]:  # noqa: ANN401 - JSON is any
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)


def _facets(entry: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for topic in entry.get("topics", []):
        yield "topic", topic
    for site in entry.get("deployments", []):
        yield "status", str(site.get("status", ""))
        yield "state", str((site.get("place") or {}).get("ags", ""))[:2]


def search(connection: sqlite3.Connection, text: str, topic: str = "") -> tuple[int, list[Any], dict[str, Any]]:
    """Total, the top hits with extracts, and the counts of each facet."""
    words = re.findall(r"\w+", text)
    parts, values = [], []
    if words:
        parts.append("entry MATCH ?")
        values.append(" ".join(f'"{word}"' for word in words))
    if topic:
        parts.append("entry.rowid IN (SELECT entry FROM facet WHERE name = 'topic' AND value = ?)")
        values.append(topic)
    where = f"WHERE {' AND '.join(parts)}" if parts else ""
    extract, order = (
        ("snippet(entry, 2, '<mark>', '</mark>', '…', 30)", "bm25(entry, 5, 2, 1)")
        if words
        else ("substr(text, 1, 200)", "rowid DESC")
    )
    hits = connection.execute(
        f"SELECT rowid, title, {extract} FROM entry {where} ORDER BY {order} LIMIT {_TOP}",
        values,
    ).fetchall()
    total = connection.execute(f"SELECT count(*) FROM entry {where}", values).fetchone()[0]
    counts = {
        name: connection.execute(
            "SELECT value, count(DISTINCT entry) FROM facet WHERE name = ? "
            f"AND entry IN (SELECT rowid FROM entry {where}) GROUP BY value",
            [name, *values],
        ).fetchall()
        for name in _FACETS
    }
    return total, hits, counts
