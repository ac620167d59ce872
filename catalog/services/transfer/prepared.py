"""Rows made ready for writing, and the report of what became of them; no database."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from catalog.domain.entry import Entry, dump
from catalog.services.transfer.lines import Line
from catalog.services.transfer.rows import Catalog, NamedRow, Problem, SolutionRow, parse

_BATCH_ROWS: Final = 200
_BATCH_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class RowProblem:
    """A problem and the line it is on."""

    line: int
    external_id: str
    problem: Problem

    def __str__(self) -> str:
        """One line for the console."""
        where = f"line {self.line}" + (f", {self.problem.field}" if self.problem.field else "")
        prefix = "" if self.problem.severity == "error" else "warning: "
        return f"{where}: {prefix}{self.problem.reason}"


@dataclass(slots=True)
class Report:
    """What an import did, or would do: rows by outcome, entries that went live, and every problem in file order."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0
    published: int = 0
    problems: list[RowProblem] = field(default_factory=list)
    index_waits: bool = False

    @property
    def errors(self) -> list[RowProblem]:
        """The problems for which rows were refused."""
        return [found for found in self.problems if found.problem.severity == "error"]

    @property
    def stored(self) -> int:
        """How many rows changed something."""
        return self.created + self.updated

    def add(self, other: "Report") -> None:
        """Take in the outcome of a batch."""
        for name in ("rows", "created", "updated", "unchanged", "failed", "published"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.problems += sorted(other.problems, key=lambda found: found.line)


@dataclass(slots=True)
class EntryRow:
    """A solution row that could be read, with its identity and the digest of what it says."""

    line: int
    row: SolutionRow
    external_id: str
    digest: str
    size: int
    problems: list[Problem]


@dataclass(slots=True)
class OtherRow:
    """A row of another type that could be read."""

    line: int
    row: NamedRow | Catalog
    size: int
    problems: list[Problem]


@dataclass(slots=True)
class BadRow:
    """A row that could not be read."""

    line: int
    size: int
    problems: list[Problem]
    external_id: str = ""


Prepared = EntryRow | OtherRow | BadRow


def digest_of(value: object) -> str:
    """A short proof of what a JSON value says."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Preparer:
    """Makes rows ready and sees to it that no entry and no site stands in the file twice."""

    def __init__(self) -> None:
        """Start with nothing seen."""
        self._entries: dict[str, tuple[int, str]] = {}
        self._sites: dict[str, int] = {}

    def read(self, line: Line) -> Prepared:
        """The line as a row ready for writing, or as a bad one with its reasons."""
        if line.problem is not None:
            return BadRow(line.number, line.size, [line.problem])
        row, problems = parse(line.value)
        given = line.value.get("external_id", line.value.get("id")) if isinstance(line.value, dict) else None
        shown = str(given)[:100] if isinstance(given, str | int) else ""
        if row is None:
            return BadRow(line.number, line.size, problems, shown)
        if not isinstance(row, SolutionRow):
            return OtherRow(line.number, row, line.size, problems)
        pending = row.record.pending.model_dump(mode="json", exclude_defaults=True) if row.record.pending else None
        digest = digest_of([dump(row.entry), row.tags, row.states, pending])
        # Without an id of its own a row is known by what it says, so that a second run does not double it.
        external_id = row.entry.external_id or f"z-{digest[:20]}"
        problem = self._repeated(line.number, external_id, digest, row.entry)
        if problem is not None:
            return BadRow(line.number, line.size, [*problems, problem], external_id)
        return EntryRow(line.number, row, external_id, digest, line.size, problems)

    def _repeated(self, line: int, external_id: str, digest: str, entry: Entry) -> Problem | None:
        first = self._entries.setdefault(external_id, (line, digest))
        if first[0] != line:
            same = "the same row" if first[1] == digest else f"another row with the id {external_id[:60]!r}"
            return Problem("external_id", f"{same} is on line {first[0]} already")
        for number, site in enumerate(entry.deployments):
            if site.external_id:
                path = f"deployments.{number}.external_id"
                if self._sites.setdefault(site.external_id, line) != line or any(
                    other.external_id == site.external_id for other in entry.deployments[:number]
                ):
                    return Problem(
                        path, f"the site {site.external_id[:60]!r} is on line {self._sites[site.external_id]} already"
                    )
        return None


def batches(source: Iterable[Line], reader: Preparer) -> Iterator[list[Prepared]]:
    """The rows in batches of a size that one transaction bears well."""
    batch: list[Prepared] = []
    size = 0
    for line in source:
        batch.append(reader.read(line))
        size += line.size
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def identity(row: Prepared) -> str:
    """The external id a report names, where the row has one."""
    return "" if isinstance(row, OtherRow) else row.external_id
