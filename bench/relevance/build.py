"""Makes the judged collection from hand-written themes and queries: documents, queries and grades; measures nothing.

`python -m bench.relevance.build` writes documents.jsonl, queries.jsonl, known.jsonl and qrels.tsv beside this file;
they are kept in the repository, so that a change in wording shows as a change of the collection.
"""

import csv
import json
import re
import sys
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).resolve().parent
_DATA: Final = HERE.parent.parent / "catalog" / "data"
_FIELDS: Final = ("title", "benefit", "challenge", "solution", "not_worked", "results")
_STATUS: Final = {
    "idee": "idea",
    "pilot": "pilot",
    "betrieb": "regular_operation",
    "ausgerollt": "scaled",
    "gestoppt": "stopped",
}
_LATE: Final = "heldback"
_USUAL_WORDS: Final = 95  # entries get common passages until they are about this long
_EXACT, _SAME_THEME, _NEIGHBOUR = 3, 2, 1


class CollectionError(Exception):
    """The themes or queries name something that does not exist; the text says what."""


@dataclass(frozen=True, slots=True)
class Town:
    """A municipality of the gazetteer."""

    ags: str
    state: str
    population: int


def towns() -> dict[str, Town]:
    """Return the municipalities by name; of several with one name the largest, as people mean it."""
    states = {row["code"]: row["name"] for row in _rows("states.csv")}
    found: dict[str, Town] = {}
    for row in _rows("gazetteer.csv"):
        town = Town(row["ags"], states[row["state"]], int(row["population"] or 0))
        if row["name"] not in found or found[row["name"]].population < town.population:
            found[row["name"]] = town
    return found


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter=";"))


def themes() -> dict[str, dict[str, Any]]:
    """Return the hand-written themes by id. Raises CollectionError for neighbours that do not exist."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted((HERE / "themes").glob("*.yaml")):
        if file.name == "common.yaml":
            continue
        for theme in yaml.safe_load(file.read_text(encoding="utf-8")):
            if theme["theme"] in found:
                raise CollectionError(f"{theme['theme']} is there twice")  # noqa: EM102, TRY003 - one line each
            found[theme["theme"]] = theme
    for name, theme in found.items():
        for near in theme["near"]:
            if near not in found:
                raise CollectionError(f"{name} is near to {near}, which does not exist")  # noqa: EM102, TRY003
    return found


def document_id(theme: str, number: int) -> str:
    """Return the key of a theme's entry."""
    return f"rel-{theme}-{number}"


def documents(found: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries as rows of the import format. Raises CollectionError for unknown places and states of work."""
    known = towns()
    common = yaml.safe_load((HERE / "themes" / "common.yaml").read_text(encoding="utf-8"))
    rows: list[dict[str, Any]] = []
    for name, theme in found.items():
        for number, entry in enumerate(theme["entries"], 1):
            place, since, status = (part.strip() for part in entry["site"].rsplit(",", 2))
            if place not in known or status not in _STATUS:
                raise CollectionError(f"{name} {number}: {entry['site']!r} has no known place or status")  # noqa: EM102, TRY003
            town = known[place]
            key = document_id(name, number)
            row: dict[str, Any] = {"external_id": key, "demo": True}
            row |= {field: str(entry[field] or "") for field in _FIELDS}
            for field in ("solution", *(("challenge", "not_worked") if number % 2 else ("not_worked", "challenge"))):
                if row[field] and _words(row) < _USUAL_WORDS:
                    passages = common[field]
                    row[field] += " " + passages[zlib.crc32(f"{key} {field}".encode()) % len(passages)]
            row |= {
                "topics": theme["topics"],
                "technologies": theme["technologies"],
                "organisation": f"{theme['carrier']} {_short(place)}",
                "place": place,
                "ags": town.ags,
                "state": town.state,
                "started": since,
                "status": _STATUS[status],
            }
            if row["status"] == "stopped":
                row["ended"] = str(int(since[:4]) + 2)
            rows.append(row)
    return rows


def _words(row: Mapping[str, Any]) -> int:
    return sum(len(row[field].split()) for field in _FIELDS)


def _short(place: str) -> str:
    return re.split(r"\s*[(/]", place)[0]


def _split(name: str) -> str:
    # By theme, so that nothing tuned on one half has seen the words of the other half's themes.
    # The number was chosen for halves of equal size in each kind.
    return "dev" if zlib.crc32(f"611 {name}".encode()) % 2 else "heldback"


def queries(
    found: Mapping[str, Mapping[str, Any]], rows: Iterable[Mapping[str, Any]]
) -> tuple[list[dict[str, str]], list[tuple[str, str, int]], list[dict[str, str]]]:
    """Return queries, grades (query, entry, grade) and known-item queries. Raises CollectionError for bad targets."""
    written = yaml.safe_load((HERE / "queries.yaml").read_text(encoding="utf-8"))
    rows = list(rows)
    ids = {row["external_id"] for row in rows}
    asked: list[dict[str, str]] = []
    judged: list[tuple[str, str, int]] = []
    known = []
    for kind, lines in written.items():
        for number, line in enumerate(lines, 1):
            text, names, *rest = line
            late = rest[-1:] == [_LATE]
            rest = rest[:-1] if late else rest
            wanted = [name for name in str(names).split("+") if name]
            missing = [name for name in wanted if name not in found]
            if missing:
                raise CollectionError(f"{text!r} asks for {missing}, which do not exist")  # noqa: EM102, TRY003
            key = f"{kind}-{number:02}"
            if kind == "known":
                target = document_id(wanted[0], int(rest[0]))
                if target not in ids:
                    raise CollectionError(f"{text!r} looks for {target}, which does not exist")  # noqa: EM102, TRY003
                known.append({"id": key, "text": str(text), "external_id": target, "split": _split(wanted[0])})
                continue
            grades = (
                _by_place(found, rows, wanted, rest[0])
                if kind == "place"
                else _by_theme(found, wanted, str(rest[0]) if rest else "")
            )
            if not any(grade == _EXACT for grade in grades.values()) and "~" not in rest:
                raise CollectionError(f"nothing answers {text!r}")  # noqa: EM102, TRY003
            split = _LATE if late else _split(wanted[0] if wanted else str(text))
            asked.append({"id": key, "text": str(text), "kind": kind, "split": split})
            judged += [(key, entry, grade) for entry, grade in sorted(grades.items()) if grade]
    return asked, judged, known


def _by_theme(found: Mapping[str, Mapping[str, Any]], wanted: list[str], best: str) -> dict[str, int]:
    others = _NEIGHBOUR if best.endswith("!") else _SAME_THEME
    exact = {int(number) for number in re.findall(r"\d+", best)}
    grades: dict[str, int] = {}
    near = {name for theme in wanted for name in found[theme]["near"]}
    for name in near:
        grades |= {document_id(name, number): _NEIGHBOUR for number in _numbers(found[name])}
    for name in wanted:
        for number in _numbers(found[name]):
            own = not best or (number in exact and name == wanted[0])
            grades[document_id(name, number)] = _EXACT if own else others
    return grades


def _by_place(
    found: Mapping[str, Mapping[str, Any]], rows: list[Mapping[str, Any]], wanted: list[str], where: str
) -> dict[str, int]:
    own = {document_id(name, number) for name in wanted for number in _numbers(found[name])}
    grades: dict[str, int] = {}
    for row in rows:
        key = row["external_id"]
        there = where == row["place"] or _short(row["place"]) == where
        if (there or where == row["state"]) and (key in own or not wanted):
            grades[key] = _EXACT
        elif key in own or there:
            grades[key] = _NEIGHBOUR
    return grades


def _numbers(theme: Mapping[str, Any]) -> range:
    return range(1, len(theme["entries"]) + 1)


def _write(name: str, rows: Iterable[Mapping[str, Any]]) -> int:
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    (HERE / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return len(lines)


def main() -> None:
    """Write the collection and say how much it holds."""
    try:
        found = themes()
        rows = documents(found)
        asked, judged, known = queries(found, rows)
    except CollectionError as problem:
        sys.exit(str(problem))
    counts = [_write("documents.jsonl", rows), _write("queries.jsonl", asked), _write("known.jsonl", known)]
    (HERE / "qrels.tsv").write_text("".join(f"{q}\t0\t{d}\t{grade}\n" for q, d, grade in judged), encoding="utf-8")
    print(
        f"{len(found)} themes, {counts[0]} entries, {counts[1]} queries, {counts[2]} known items, {len(judged)} grades."
    )


if __name__ == "__main__":
    main()
