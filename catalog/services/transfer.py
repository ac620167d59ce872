"""Import: rows of an exchange file into the catalog, repeatable, in batches, with a report on each bad row.

How a row is read stands in `transfer_rows`, how it is laid into the tables in `entries`; export is in `export`.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any, BinaryIO, Final, Literal

from sqlalchemy import func, insert, or_, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from catalog.domain.actor import SYSTEM, Actor
from catalog.domain.entry import Entry, dump, missing
from catalog.domain.errors import DomainError
from catalog.domain.text import slug, squeeze
from catalog.domain.workflow import EDITABLE, OPEN, Status
from catalog.models.audit import AuditEvent
from catalog.models.base import utcnow
from catalog.models.deployment import Deployment, Reuse
from catalog.models.group import WorkingGroup
from catalog.models.imported import ImportMark
from catalog.models.organisation import Organisation, OrganisationDivision, OrganisationNetwork
from catalog.models.outbox import OutboxMessage
from catalog.models.place import Municipality, PlaceAlias, State
from catalog.models.revision import Revision
from catalog.models.solution import FormerSlug, Solution
from catalog.models.topic import Technology, Topic
from catalog.services import curation, entries, outbox
from catalog.services.outbox import Sessions
from catalog.services.places import search_name
from catalog.services.references import References, kind_from_name
from catalog.services.solutions import WHOLE
from catalog.services.submission import UNTITLED, next_number
from catalog.services.transfer_rows import (
    Catalog,
    NamedRow,
    OrganisationRow,
    Problem,
    Record,
    SolutionRow,
    TechnologyRow,
    TopicRow,
    parse,
)
from index import IndexLocked, IndexUnavailable, SearchIndex

LONGEST_LINE: Final = 5 * 1024 * 1024
_BATCH_ROWS: Final = 200
_BATCH_BYTES: Final = 8 * 1024 * 1024
_REBUILD_FROM: Final = 2_000  # changed entries; from here on building the index anew is quicker than updating it
_LOCK_TIMEOUT: Final = 30.0
_CHUNK: Final = 500  # values in one IN list
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


# --- lines ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: its number, its size in bytes, and its JSON value or what is wrong with it."""

    number: int
    size: int
    value: Any = None
    problem: Problem | None = None


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The JSON values of a file, line by line; memory stays flat, whatever the file holds."""
    for number in count(1):
        data = stream.readline(LONGEST_LINE + 2)
        if not data:
            return
        size = len(data)
        if number == 1:
            if data.startswith(_UTF16):
                yield Line(number, size, problem=Problem("", "the file is UTF-16; save it as UTF-8"))
                return
            data = data.removeprefix(b"\xef\xbb\xbf")
        if len(data.rstrip(b"\r\n")) > LONGEST_LINE:
            while not data.endswith(b"\n"):
                data = stream.readline(LONGEST_LINE)
                size += len(data)
                if not data:
                    break
            yield Line(number, size, problem=Problem("", f"the line is longer than {LONGEST_LINE // 1024**2} MB"))
        elif data.strip():
            yield _line(number, size, data)


def _line(number: int, size: int, data: bytes) -> Line:
    try:
        text = data.decode("utf-8").strip()
    except UnicodeDecodeError as broken:
        return Line(number, size, problem=Problem("", f"byte {broken.start + 1} of the line is not UTF-8"))
    if "\x00" in text:
        return Line(number, size, problem=Problem("", "the line holds NUL bytes"))
    try:
        return Line(number, size, json.loads(text, parse_constant=_refuse_constant))
    except json.JSONDecodeError as broken:
        reason = f"is no valid JSON: {broken.msg} at character {broken.pos + 1}"
        if number == 1 and text in {"[", "{"}:
            reason = "the file is one JSON value over many lines; write one object per line (JSON Lines)"
        return Line(number, size, problem=Problem("", reason))
    except RecursionError:
        return Line(number, size, problem=Problem("", "is nested too deeply"))
    except ValueError as broken:
        return Line(number, size, problem=Problem("", f"is no valid JSON: {str(broken)[:120]}"))


def _refuse_constant(name: str) -> None:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


# --- report ---------------------------------------------------------------------------------------------------------


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


# --- rows, made ready -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Entry:
    """A solution row that could be read, with its identity and the digest of what it says."""

    line: int
    row: SolutionRow
    external_id: str
    digest: str
    size: int
    problems: list[Problem]


@dataclass(slots=True)
class _Named:
    """A row of another type that could be read."""

    line: int
    row: NamedRow | Catalog
    size: int
    problems: list[Problem]


@dataclass(slots=True)
class _Bad:
    """A row that could not be read."""

    line: int
    size: int
    problems: list[Problem]
    external_id: str = ""


_Prepared = _Entry | _Named | _Bad


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class _Reader:
    """Makes rows ready and sees to it that no entry and no site stands in the file twice."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, str]] = {}
        self._sites: dict[str, int] = {}

    def read(self, line: Line) -> _Prepared:
        if line.problem is not None:
            return _Bad(line.number, line.size, [line.problem])
        row, problems = parse(line.value)
        given = line.value.get("external_id", line.value.get("id")) if isinstance(line.value, dict) else None
        shown = str(given)[:100] if isinstance(given, str | int) else ""
        if row is None:
            return _Bad(line.number, line.size, problems, shown)
        if not isinstance(row, SolutionRow):
            return _Named(line.number, row, line.size, problems)
        pending = row.record.pending.model_dump(mode="json", exclude_defaults=True) if row.record.pending else None
        digest = _digest([dump(row.entry), row.tags, row.states, pending])
        # Without an id of its own a row is known by what it says, so that a second run does not double it.
        external_id = row.entry.external_id or f"z-{digest[:20]}"
        problem = self._repeated(line.number, external_id, digest, row.entry)
        if problem is not None:
            return _Bad(line.number, line.size, [*problems, problem], external_id)
        return _Entry(line.number, row, external_id, digest, line.size, problems)

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


def _batches(source: Iterable[Line], reader: _Reader) -> Iterator[list[_Prepared]]:
    batch: list[_Prepared] = []
    size = 0
    for line in source:
        batch.append(reader.read(line))
        size += line.size
        if len(batch) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


# --- import ---------------------------------------------------------------------------------------------------------

_Advance = Callable[[int], None]


class _NothingStoredError(Exception):
    """Ends the one transaction of a strict run."""


def import_rows(  # noqa: PLR0913 - the switches are those of the command
    sessions: Sessions,
    index: SearchIndex,
    source: Callable[[], Iterable[Line]],
    *,
    publish: bool = False,
    strict: bool = False,
    dry_run: bool = False,
    actor: Actor = SYSTEM,
    advance: _Advance = lambda _size: None,
) -> Report:
    """Bring the rows of the file into the catalog; gives what was done and what was wrong.

    `sessions` opens writing sessions, or reading ones for a dry run; `source` gives the lines from the start each time
    it is called. Good rows are stored in batches, each a transaction
    of its own, so that a run that was killed can simply be started again; with `strict` all are stored in one
    transaction, and none when any row is bad. With `publish` entries go live, else they become drafts. With `dry_run`
    nothing is written. `advance` is told the bytes that are done with. Raises what the database raises when it can't
    be written at all.
    """
    if dry_run:
        with sessions() as session:
            return _each_batch(session, source, actor, advance, publish=publish, dry_run=True)
    if strict:
        report = _strictly(sessions, source, actor, advance, publish=publish)
    else:
        report = _in_batches(sessions, source, actor, advance, publish=publish)
    if report.stored:
        report.index_waits = not bring_index_up_to_date(sessions, index)
    return report


def bring_index_up_to_date(sessions: Sessions, index: SearchIndex) -> bool:
    """Deliver what waits for the index, or build it anew where that is quicker or needed; gives whether it is done.

    False means that it stays in the outbox for the worker.
    """
    with sessions() as session:
        waiting = outbox.waiting(session, outbox.INDEX)
    status = index.status()
    try:
        if waiting > _REBUILD_FROM or not status.exists or status.needs_rebuild:
            outbox.rebuild_index(sessions, index, lock_timeout=_LOCK_TIMEOUT)
        else:
            outbox.deliver_index(sessions, index, lock_timeout=_LOCK_TIMEOUT)
    except (IndexLocked, IndexUnavailable):
        return False
    return True


def _each_batch(  # noqa: PLR0913 - see import_rows
    session: Session,
    source: Callable[[], Iterable[Line]],
    actor: Actor,
    advance: _Advance,
    *,
    publish: bool,
    dry_run: bool,
) -> Report:
    """All batches in the session's one transaction."""
    report = Report()
    writer = _Writer(session, actor, publish=publish, dry_run=dry_run)
    for batch in _batches(source(), _Reader()):
        report.add(writer.lay(batch))
        advance(sum(row.size for row in batch))
    return report


def _strictly(
    sessions: Sessions, source: Callable[[], Iterable[Line]], actor: Actor, advance: _Advance, *, publish: bool
) -> Report:
    reader, refused = _Reader(), Report()
    for batch in _batches(source(), reader):
        bad = [row for row in batch if isinstance(row, _Bad)]
        refused.add(
            Report(
                rows=len(batch),
                failed=len(bad),
                problems=[RowProblem(row.line, row.external_id, found) for row in bad for found in row.problems],
            )
        )
    if refused.failed:
        return refused
    report = Report()
    try:
        with sessions.begin() as session:
            report = _each_batch(session, source, actor, advance, publish=publish, dry_run=False)
            if report.failed:
                raise _NothingStoredError
    except _NothingStoredError:
        report.created = report.updated = report.unchanged = report.published = 0
    return report


def _in_batches(
    sessions: Sessions, source: Callable[[], Iterable[Line]], actor: Actor, advance: _Advance, *, publish: bool
) -> Report:
    report = Report()
    writer: _Writer | None = None
    create = True

    def attempt(rows: list[_Prepared]) -> Report:
        nonlocal writer, create
        if writer is None:
            # One session for the whole run keeps what entries refer to at hand.
            writer = _Writer(sessions(), actor, publish=publish, create=create)
        try:
            with writer.session.begin():
                return writer.lay(rows)
        except BaseException:
            create = writer.create
            writer.session.close()
            writer = None
            raise
        finally:
            if writer is not None:
                create = writer.create

    for batch in _batches(source(), _Reader()):
        try:
            report.add(attempt(batch))
        except (IntegrityError, DataError, StaleDataError, DomainError):
            for row in batch:  # one of them is to blame; the others must not pay for it
                try:
                    report.add(attempt([row]))
                except (IntegrityError, DataError, StaleDataError, DomainError) as problem:
                    reason = str(problem.orig if isinstance(problem, IntegrityError | DataError) else problem)
                    found = Problem("", f"the database refused the row: {squeeze(reason)[:200]}")
                    report.add(Report(rows=1, failed=1, problems=[RowProblem(row.line, _identity(row), found)]))
        advance(sum(row.size for row in batch))
    if writer is not None:
        writer.session.close()
    return report


def _identity(row: _Prepared) -> str:
    return "" if isinstance(row, _Named) else row.external_id


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog has under an external id."""

    id: int
    status: Status
    digest: str | None
    content: str | None
    open: Revision | None


class _Writer:
    """Lays batches of rows into one session, with few questions to the database for each batch."""

    def __init__(
        self, session: Session, actor: Actor, *, publish: bool, dry_run: bool = False, create: bool = True
    ) -> None:
        self.session = session
        self.create = create  # whether organisations and technologies the catalog does not know are added
        self._actor = actor
        self._publish = publish
        self._dry_run = dry_run
        self._refs = References(session)
        self._places = _Places(session)
        self._announced: set[str] = set()

    def lay(self, batch: Sequence[_Prepared]) -> Report:
        """Bring the rows in and flush; the caller commits. Named rows first, so that entries find what they name."""
        report = Report(rows=len(batch))
        for row in batch:
            if isinstance(row, _Bad):
                report.failed += 1
            report.problems += [RowProblem(row.line, _identity(row), problem) for problem in row.problems]
        with self.session.no_autoflush:
            named = [row for row in batch if isinstance(row, _Named)]
            for row in named:
                self._lay_named(row, report)
            if named:
                self.session.flush()
                self._refs = References(self.session)
            self._lay_entries([row for row in batch if isinstance(row, _Entry)], report)
        return report

    # --- organisations, topics, technologies, groups ---

    def _lay_named(self, row: _Named, report: Report) -> None:
        if isinstance(row.row, Catalog):
            self.create = not row.row.complete
            report.rows -= 1  # it is the file's heading
            return
        try:
            outcome = _upsert(self.session, row.row, self._places if self.create else None, dry_run=self._dry_run)
        except _RowError as refused:
            report.failed += 1
            report.problems.append(RowProblem(row.line, "", refused.problem))
            return
        setattr(report, outcome, getattr(report, outcome) + 1)

    # --- entries ---

    def _lay_entries(self, rows: list[_Entry], report: Report) -> None:
        if not rows:
            return
        known = self._known([row.external_id for row in rows])
        sites = self._site_owners(rows)
        new: list[tuple[_Entry, Entry]] = []
        for row in rows:
            here = known.get(row.external_id)
            try:
                self._check_sites(row, here, sites)
                entry = self._resolved(row, report)
                if here is None:
                    new.append((row, entry))
                else:
                    outcome = self._settle(row, entry, here, report)
                    setattr(report, outcome, getattr(report, outcome) + 1)
            except _RowError as refused:
                report.failed += 1
                report.problems.append(RowProblem(row.line, row.external_id, refused.problem))
        report.created += len(new)
        if self._dry_run:
            report.published += sum(
                _target(row.row.record, publish=self._publish) is Status.PUBLISHED for row, _ in new
            )
        elif new:
            report.published += self._create(new)

    def _known(self, external_ids: list[str]) -> dict[str, _Known]:
        found = self.session.execute(
            select(Solution.id, Solution.external_id, Solution.status, ImportMark.digest, ImportMark.content)
            .outerjoin(ImportMark, ImportMark.solution_id == Solution.id)
            .where(Solution.external_id.in_(external_ids))
        ).all()
        opened: dict[int, Revision] = {}
        if found:
            ids = [row.id for row in found]
            opened = {
                revision.solution_id: revision
                for revision in self.session.scalars(
                    select(Revision).where(Revision.solution_id.in_(ids), Revision.status.in_(OPEN))
                )
            }
        return {
            row.external_id: _Known(row.id, row.status, row.digest, row.content, opened.get(row.id)) for row in found
        }

    def _site_owners(self, rows: list[_Entry]) -> dict[str, int]:
        wanted = [site.external_id for row in rows for site in row.row.entry.deployments if site.external_id]
        owners: dict[str, int] = {}
        for start in range(0, len(wanted), _CHUNK):
            owners |= {
                found.external_id: found.solution_id
                for found in self.session.execute(
                    select(Deployment.external_id, Deployment.solution_id).where(
                        Deployment.external_id.in_(wanted[start : start + _CHUNK])
                    )
                )
            }
        return owners

    @staticmethod
    def _check_sites(row: _Entry, here: _Known | None, owners: dict[str, int]) -> None:
        for number, site in enumerate(row.row.entry.deployments):
            owner = owners.get(site.external_id)
            if owner is not None and (here is None or here.id != owner):
                raise _RowError(
                    f"deployments.{number}.external_id", f"the site {site.external_id[:60]!r} belongs to another entry"
                )

    def _resolved(self, row: _Entry, report: Report) -> Entry:
        """The row's document with what only the catalog knows; says what it can't resolve."""

        def warn(path: str, reason: str) -> None:
            report.problems.append(RowProblem(row.line, row.external_id, Problem(path, reason, "warning")))

        entry = row.row.entry.model_copy(deep=True)
        entry.external_id = row.external_id
        for number, site in enumerate(entry.deployments):
            path = "place" if len(entry.deployments) == 1 else f"deployments.{number}.place"
            note = self._places.settle(site.place, row.row.states.get(number, ""))
            if note:
                warn(path, note)
        unknown = [name for name in entry.topics if self._refs.topic(name) is None]
        if unknown:
            warn("topics", f"{', '.join(unknown)[:200]}: no topic of the catalog, kept as keywords")
            entry.topics = [name for name in entry.topics if name not in unknown]
        known_tags = [name for name in row.row.tags if self._refs.technology(name) is not None]
        entry.technologies = list(dict.fromkeys([*entry.technologies, *known_tags]))
        plain = [name for name in row.row.tags if name not in known_tags]
        # Limits hold for what people write; what is moved here from other fields must not fail a row.
        entry.__dict__["keywords"] = list(dict.fromkeys([*entry.keywords, *unknown, *plain]))
        if entry.working_group and self._refs.working_group(entry.working_group) is None:
            warn("working_group", f"{entry.working_group!r} is no working group of the catalog, left out")
        for name in (entry.organisation, *(site.organisation for site in entry.deployments)):
            self._announce(name, warn)
        gaps = missing(entry)
        if gaps:
            warn("", f"incomplete: {', '.join(gaps)}")
        return entry

    def _announce(self, name: str, warn: Callable[[str, str], None]) -> None:
        if name and name not in self._announced and self._refs.organisation(name) is None:
            self._announced.add(name)
            warn("organisation", f"{name!r} is new to the catalog" + ("" if self.create else ", kept as text"))

    def _create(self, rows: list[tuple[_Entry, Entry]]) -> int:
        """Add new entries, all flushed at once; gives how many are public."""
        session, now = self.session, utcnow()
        addresses = _Addresses(
            session, [entry.title or UNTITLED for _, entry in rows], [row.row.record for row, _ in rows]
        )
        added: list[tuple[_Entry, Solution, Revision]] = []
        for row, entry in rows:
            record = row.row.record
            status = _target(record, publish=self._publish)
            for number, site in enumerate(entry.deployments):
                site.external_id = site.external_id or f"{row.external_id[:280]}-{number + 1}"
            solution = Solution(
                external_id=row.external_id,
                status=status,
                created_at=record.created_at or now,
                slug=addresses.take(entry.title or UNTITLED, record.slug),
            )
            titled = entry if entry.title else entry.model_copy(update={"title": UNTITLED})
            entries.write(session, solution, titled, self._refs, create=self.create)
            solution.organisation_id = solution.organisation.id if solution.organisation else None
            solution.working_group_id = solution.working_group.id if solution.working_group else None
            if status not in OPEN:
                solution.published_at = record.published_at or now
                solution.first_published_at = record.first_published_at or solution.published_at
            entries.stamp_audience(solution)
            solution.former_slugs = [FormerSlug(slug=address) for address in addresses.former(record.former_slugs)]
            revision = _revision(solution, 1, status, dump(entry), now)
            session.add_all([solution, revision])
            if record.pending is not None and status not in OPEN and record.pending.status in OPEN:
                pending = _revision(solution, 2, record.pending.status, dump(record.pending.entry), now)
                pending.base_number = 1
                session.add(pending)
            added.append((row, solution, revision))
        session.flush()
        related = self._link([solution for _, solution, _ in added])
        public = [solution.id for _, solution, _ in added if solution.status is Status.PUBLISHED]
        self._note([(row, solution.id, revision.content, "entry.import") for row, solution, revision in added], now)
        self._tell_index({*public, *related})
        return len(public)

    def _link(self, solutions: list[Solution]) -> set[int]:
        """Point the reuses of new sites, and those that waited for them, at their origins; gives other entries touched."""
        session = self.session
        own = {site.external_id: site for solution in solutions for site in solution.deployments}
        named = {site.reuse.origin_name for site in own.values() if site.reuse is not None} - {"", *own}
        origins = dict(own)
        for chunk in _chunks(sorted(named)):
            found = session.scalars(select(Deployment).where(Deployment.external_id.in_(chunk)))
            origins |= {site.external_id: site for site in found}
        related: set[int] = set()
        for site in own.values():
            origin = origins.get(site.reuse.origin_name) if site.reuse is not None else None
            if site.reuse is not None and origin is not None and origin is not site:
                site.reuse.origin = origin
                related.add(origin.solution_id)
        for chunk in _chunks(sorted(own)):
            waiting = session.scalars(
                select(Reuse).where(Reuse.origin_id.is_(None), Reuse.origin_name.in_(chunk))
            ).all()
            for reuse in waiting:
                if reuse.origin is None and reuse.deployment_id != own[reuse.origin_name].id:
                    reuse.origin = own[reuse.origin_name]
                    related.add(own[reuse.origin_name].solution_id)
        session.flush()
        return related

    # --- entries the catalog has already ---

    def _settle(self, row: _Entry, entry: Entry, here: _Known, report: Report) -> Literal["updated", "unchanged"]:
        """Bring a known entry up to date, where the row says something else than last time."""
        untouched = here.open is None or (here.open.status in EDITABLE and here.content == _digest(here.open.content))
        live = _target(row.row.record, publish=self._publish) is Status.PUBLISHED
        if here.digest == row.digest:
            if here.open is None or not live or not untouched:
                return "unchanged"
        elif here.status is Status.ARCHIVED:
            reason = "the entry is archived and stays as it is; restore it first"
            report.problems.append(RowProblem(row.line, row.external_id, Problem("", reason, "warning")))
            return "unchanged"
        solution = self.session.get_one(Solution, here.id, options=WHOLE)
        self._take_over_sites(entry, solution)
        content = dump(entry)
        if here.digest is None and content == self._current(solution, here):
            return "unchanged"
        if not untouched:
            raise _RowError("", "someone is working on this entry; publish or discard their draft first")
        if not self._dry_run:
            self._change(row, entry, solution, here, content, live=live)
        if live:
            report.published += 1
        return "updated"

    @staticmethod
    def _take_over_sites(entry: Entry, solution: Solution) -> None:
        """Sites without an id are those of the catalog in the same order, so that reuses keep pointing at them."""
        given = {site.external_id for site in entry.deployments}
        for number, site in enumerate(entry.deployments):
            if not site.external_id:
                here = solution.deployments[number].external_id if number < len(solution.deployments) else ""
                site.external_id = here if here and here not in given else f"{entry.external_id[:280]}-{number + 1}"

    @staticmethod
    def _current(solution: Solution, here: _Known) -> dict[str, Any]:
        if here.open is not None and solution.first_published_at is None:
            return dump(Entry.model_validate(here.open.content | {"external_id": solution.external_id}))
        return dump(entries.read(solution))

    def _change(  # noqa: PLR0913 - the row in all its forms
        self, row: _Entry, entry: Entry, solution: Solution, here: _Known, content: dict[str, Any], *, live: bool
    ) -> None:
        session, now = self.session, utcnow()
        revision = here.open
        if revision is None:
            revision = _revision(solution, next_number(session, solution), Status.DRAFT, content, now)
            session.add(revision)
        revision.content = content
        revision.updated_at = now
        if live:
            revision.status = Status.PUBLISHED
            revision.submitted_at = revision.decided_at = now
            session.flush()
            curation.go_live(session, revision, self._refs, create=self.create)
        elif solution.first_published_at is None:
            titled = entry if entry.title else entry.model_copy(update={"title": UNTITLED})
            entries.write(session, solution, titled, self._refs, create=self.create)
            session.flush()
            entries.stamp_audience(solution)
            entries.link_reuses(session, solution, self._refs)
        session.flush()
        self._note([(row, solution.id, content, "entry.import")], now)

    def _note(self, done: list[tuple[_Entry, int, dict[str, Any], str]], now: datetime) -> None:
        """Write the audit log and remember what was imported, for the next run."""
        session = self.session
        session.execute(
            insert(AuditEvent),
            [
                {
                    "at": now,
                    "actor_id": self._actor.user_id,
                    "actor_name": self._actor.name,
                    "action": action,
                    "subject_type": "solution",
                    "subject_id": solution_id,
                    "reason": "",
                    "details": {"external_id": row.external_id},
                }
                for row, solution_id, _, action in done
            ],
        )
        for row, solution_id, content, _ in done:
            mark = {"solution_id": solution_id, "digest": row.digest, "content": _digest(content)}
            found = session.get(ImportMark, solution_id) if len(done) == 1 else None
            if found is None:
                session.add(ImportMark(**mark))
            else:
                found.digest, found.content = mark["digest"], mark["content"]
        session.flush()

    def _tell_index(self, solution_ids: set[int]) -> None:
        if solution_ids:
            now = utcnow()
            self.session.execute(
                insert(OutboxMessage),
                [
                    {
                        "kind": outbox.INDEX,
                        "subject_id": number,
                        "payload": {},
                        "created_at": now,
                        "due_at": now,
                        "attempts": 0,
                        "last_error": "",
                    }
                    for number in sorted(solution_ids)
                ],
            )


class _RowError(Exception):
    """A row can't be taken for a reason only the catalog knows."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.problem = Problem(path, reason)


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _target(record: Record, *, publish: bool) -> Status:
    """The state a new entry gets: what the file says of it; without --publish nothing goes live."""
    if record.status is not None and record.status in OPEN:
        return record.status
    if not publish:
        return Status.DRAFT
    return record.status or Status.PUBLISHED


def _revision(solution: Solution, number: int, status: Status, content: dict[str, Any], now: datetime) -> Revision:
    decided = status not in OPEN
    return Revision(
        solution=solution,
        number=number,
        status=status,
        content=content,
        submitted_at=now if decided or status is Status.SUBMITTED else None,
        decided_at=now if decided else None,
    )


class _Addresses:
    """Free addresses for a batch of new entries, asked of the database in one go."""

    def __init__(self, session: Session, titles: list[str], records: list[Record]) -> None:
        self._session = session
        self._taken: set[str] = set()
        self._asked: set[str] = set()
        self._ask(
            {slug(title, "loesung") for title in titles}
            | {address for record in records for address in (record.slug, *record.former_slugs) if address}
        )

    def _ask(self, addresses: set[str]) -> None:
        for chunk in _chunks(sorted(addresses - self._asked)):
            self._taken |= set(self._session.scalars(select(Solution.slug).where(Solution.slug.in_(chunk))))
            self._taken |= set(self._session.scalars(select(FormerSlug.slug).where(FormerSlug.slug.in_(chunk))))
        self._asked |= addresses

    def take(self, title: str, wished: str) -> str:
        """The wished address where it is free, else one made from the title."""
        wanted = slug(title, "loesung")
        for candidate in (wished, wanted):
            if candidate and candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
        step = 50
        for start in count(2, step):
            candidates = [f"{wanted}-{number}" for number in range(start, start + step)]
            self._ask(set(candidates))
            free = next((candidate for candidate in candidates if candidate not in self._taken), None)
            if free is not None:
                self._taken.add(free)
                return free
        raise AssertionError  # the numbers never end

    def former(self, addresses: list[str]) -> list[str]:
        """Those of the former addresses that nobody has; they belong to the caller from now on."""
        free = [address for address in dict.fromkeys(addresses) if address not in self._taken]
        self._taken.update(free)
        return free


# --- places ---------------------------------------------------------------------------------------------------------


class _Places:
    """Resolves place names, with the state where one is given; each distinct question is asked once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._keys: dict[str, bool] = {}
        self._names: dict[tuple[str, str], tuple[str, str]] = {}
        self._states: dict[str, str] | None = None

    def settle(self, place: Any, state: str = "") -> str:  # noqa: ANN401 - `domain.entry.Place`, in entries and organisations
        """Set the place's AGS where the gazetteer knows it; gives a note where there is something to say."""
        if place.ags:
            if place.ags not in self._keys:
                self._keys[place.ags] = self._session.get(Municipality, place.ags) is not None
            if self._keys[place.ags]:
                return ""
            note = f"AGS {place.ags} is not in the gazetteer, kept as text"
            place.name = place.name or f"AGS {place.ags}"
            place.ags = ""
            return note
        if not place.name:
            return ""
        key = (place.name, state)
        if key not in self._names:
            self._names[key] = self._find(place.name, state)
        place.ags, note = self._names[key]
        return note

    def _find(self, name: str, state: str) -> tuple[str, str]:
        folded = search_name(name)
        ranked = Municipality.population.desc().nulls_last()
        columns = (Municipality.ags, Municipality.name, Municipality.district, Municipality.state_code)
        rows = (
            self._session.execute(
                select(*columns).where(Municipality.search_name == folded).order_by(ranked, Municipality.ags)
            ).all()
            or self._session.execute(
                select(*columns)
                .join(PlaceAlias, PlaceAlias.ags == Municipality.ags)
                .where(PlaceAlias.search_name == folded)
                .order_by(ranked, Municipality.ags)
            ).all()
        )
        if not folded or not rows:
            return "", f"{name[:60]!r} is not in the gazetteer, kept as text"
        code = self._state(state)
        if state and code is None:
            return rows[0].ags, f"{state[:40]!r} is no German state, left out"
        fitting = [row for row in rows if code is None or row.state_code == code]
        if not fitting:
            return rows[
                0
            ].ags, f"{name[:60]!r} is not in {state}; the one in {rows[0].district or 'another state'} was taken"
        if len(fitting) > 1:
            return fitting[
                0
            ].ags, f"{len(fitting)} municipalities are called {name[:60]!r}; took the largest, in {fitting[0].district}"
        return fitting[0].ags, ""

    def _state(self, text: str) -> str | None:
        if self._states is None:
            self._states = {}
            for state in self._session.scalars(select(State)):
                for name in (state.name, state.abbreviation, f"DE-{state.abbreviation}", state.code):
                    self._states[name.casefold()] = state.code
        return self._states.get(squeeze(text).casefold())


# --- rows of other types --------------------------------------------------------------------------------------------

_Outcome = Literal["created", "updated", "unchanged"]


def _upsert(session: Session, row: NamedRow, places: _Places | None, *, dry_run: bool) -> _Outcome:
    """Add what the row names, or change what it says differently; fields it does not give stay as they are."""
    # Flushed before each look: an earlier row of the batch may have added what this one changes or refers to.
    session.flush()
    match row:
        case OrganisationRow():
            return _organisation(session, row, places, dry_run=dry_run)
        case TopicRow():
            return _topic(session, row, dry_run=dry_run)
        case TechnologyRow():
            return _plain(session, Technology, row, ("name", "name_en"), {}, dry_run=dry_run)
        case _:
            topic = session.scalars(select(Topic).where(Topic.slug == row.topic)).first() if row.topic else None
            if row.topic and topic is None:
                raise _RowError("topic", f"{row.topic[:60]!r} is no topic of the catalog")
            further = {"topic_id": topic.id if topic else None} if "topic" in row.model_fields_set else {}
            return _plain(session, WorkingGroup, row, ("name", "aim"), further, dry_run=dry_run)


def _plain(  # noqa: PLR0913 - what, from what, which fields
    session: Session,
    model: type[Any],
    row: Any,
    names: Sequence[str],
    further: dict[str, Any],
    *,
    dry_run: bool,  # noqa: ANN401 - rows share slug and name, no more
) -> _Outcome:
    found = _by_slug_or_name(session, model, row.slug, row.name)
    values = {name: getattr(row, name) for name in names if name in row.model_fields_set} | further
    if found is None:
        if not row.name:
            raise _RowError("name", "is missing")
        if not dry_run:
            session.add(model(slug=row.slug or slug(row.name), **values))
        return "created"
    return _assign(found, values, dry_run=dry_run)


def _by_slug_or_name(session: Session, model: type[Any], wanted: str, name: str) -> Any:  # noqa: ANN401 - any of the models with slug and name
    if wanted:
        return session.scalars(select(model).where(model.slug == wanted)).first()
    return session.scalars(
        select(model).where(or_(func.lower(model.name) == name.lower(), model.slug == slug(name)))
    ).first()


def _assign(found: Any, values: dict[str, Any], *, dry_run: bool) -> _Outcome:  # noqa: ANN401 - any row class
    changed = {name: value for name, value in values.items() if getattr(found, name) != value}
    if not dry_run:
        for name, value in changed.items():
            setattr(found, name, value)
    return "updated" if changed else "unchanged"


def _topic(session: Session, row: TopicRow, *, dry_run: bool) -> _Outcome:
    further: dict[str, Any] = {}
    if "parent" in row.model_fields_set:
        parent = session.scalars(select(Topic).where(Topic.slug == row.parent)).first() if row.parent else None
        if row.parent and parent is None:
            raise _RowError("parent", f"{row.parent[:60]!r} is no topic of the catalog; its row must come first")
        above = parent
        while above is not None:
            if above.slug == row.slug:
                raise _RowError("parent", f"{row.parent[:60]!r} lies below {row.slug!r}")
            above = above.parent
        further["parent_id"] = parent.id if parent else None
    return _plain(
        session, Topic, row, ("name", "name_en", "description", "description_en", "position"), further, dry_run=dry_run
    )


def _organisation(session: Session, row: OrganisationRow, places: _Places | None, *, dry_run: bool) -> _Outcome:
    found: Organisation | None = _by_slug_or_name(session, Organisation, row.slug, row.name)
    given = row.model_fields_set
    namesake = session.scalars(select(Organisation).where(Organisation.name == row.name)).first() if row.name else None
    if namesake is not None and namesake is not found:
        raise _RowError("name", f"{row.name[:60]!r} is the name of the organisation {namesake.slug!r}")
    values: dict[str, Any] = {
        name: getattr(row, name)
        for name in (
            "name",
            "short_name",
            "kind",
            "membership",
            "website",
            "mailbox",
            "population_served",
            "has_data_platform",
        )
        if name in given and not (name == "kind" and row.kind is None)
    }
    if "demo" in given:
        values["is_demo"] = row.demo
    if "place" in given:
        place = row.place.model_copy()
        if places is not None or place.ags:
            (places or _Places(session)).settle(place)
        values |= {"ags": place.ags or None, "place_name": place.name}
    if found is None:
        name = row.name or row.slug
        found = Organisation(
            **{"slug": row.slug or slug(name, "organisation"), "name": name, "kind": kind_from_name(name)} | values
        )
        outcome: _Outcome = "created"
        if not dry_run:
            session.add(found)
    else:
        outcome = _assign(found, values, dry_run=dry_run)
    for name, key, model in (
        ("divisions", "division", OrganisationDivision),
        ("networks", "network", OrganisationNetwork),
    ):
        if name in given:
            kept = {getattr(child, key): child for child in getattr(found, name)}
            wanted = sorted(dict.fromkeys(getattr(row, name)))
            if sorted(kept) != wanted:
                outcome = "created" if outcome == "created" else "updated"
                if not dry_run:
                    setattr(found, name, [kept.get(value) or model(**{key: value}) for value in wanted])
    return outcome
