"""Rows of entries, laid into their tables a batch at a time, with few questions to the database for each batch.

The mapping from document to rows is `services/entries`; here stands what is new, what has changed, and what goes live.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.domain.entry import Entry, dump, missing
from catalog.domain.workflow import EDITABLE, OPEN, Status
from catalog.models.audit import AuditEvent
from catalog.models.base import utcnow
from catalog.models.deployment import Deployment, Reuse
from catalog.models.imported import ImportMark
from catalog.models.outbox import OutboxMessage
from catalog.models.revision import Revision
from catalog.models.solution import FormerSlug, Solution
from catalog.services import curation, entries, outbox
from catalog.services.references import References
from catalog.services.solutions import WHOLE
from catalog.services.submission import UNTITLED, next_number
from catalog.services.transfer.addresses import Addresses
from catalog.services.transfer.named import RowError, upsert
from catalog.services.transfer.places import PlaceNames
from catalog.services.transfer.prepared import (
    BadRow,
    EntryRow,
    OtherRow,
    Prepared,
    Report,
    RowProblem,
    digest_of,
    identity,
)
from catalog.services.transfer.rows import Catalog, Problem, Record

_CHUNK: Final = 500  # values in one IN list


@dataclass(frozen=True, slots=True)
class _Known:
    """What the catalog has under an external id."""

    id: int
    status: Status
    digest: str | None
    content: str | None
    open: Revision | None

    @property
    def untouched(self) -> bool:
        """Whether nobody has worked on the entry's open revision since an import wrote it, if there is one."""
        return self.open is None or (self.open.status in EDITABLE and self.content == digest_of(self.open.content))


class Writer:
    """Lays batches of rows into one session, with few questions to the database for each batch."""

    def __init__(
        self, session: Session, actor: Actor, *, publish: bool, dry_run: bool = False, create: bool = True
    ) -> None:
        """Bind to a session; `create` says whether unknown organisations and technologies are added."""
        self.session = session
        self.create = create
        self._actor = actor
        self._publish = publish
        self._dry_run = dry_run
        self._refs = References(session)
        self._places = PlaceNames(session)
        self._announced: set[str] = set()

    def lay(self, batch: Sequence[Prepared]) -> Report:
        """Bring the rows in and flush; the caller commits. Named rows first, so that entries find what they name."""
        report = Report(rows=len(batch))
        for row in batch:
            if isinstance(row, BadRow):
                report.failed += 1
            report.problems += [RowProblem(row.line, identity(row), problem) for problem in row.problems]
        with self.session.no_autoflush:
            named = [row for row in batch if isinstance(row, OtherRow)]
            for row in named:
                self._lay_named(row, report)
            if named:
                self.session.flush()
                self._refs = References(self.session)
            self._lay_entries([row for row in batch if isinstance(row, EntryRow)], report)
        return report

    # --- organisations, topics, technologies, groups ---

    def _lay_named(self, row: OtherRow, report: Report) -> None:
        if isinstance(row.row, Catalog):
            self.create = not row.row.complete
            report.rows -= 1  # it is the file's heading
            return
        try:
            outcome = upsert(self.session, row.row, self._places if self.create else None, dry_run=self._dry_run)
        except RowError as refused:
            report.failed += 1
            report.problems.append(RowProblem(row.line, "", refused.problem))
            return
        setattr(report, outcome, getattr(report, outcome) + 1)

    # --- entries ---

    def _lay_entries(self, rows: list[EntryRow], report: Report) -> None:
        if not rows:
            return
        known = self._known([row.external_id for row in rows])
        sites = self._site_owners(rows)
        new: list[tuple[EntryRow, Entry]] = []
        said = [row for row in rows if not self._said_before(row, known.get(row.external_id))]
        report.unchanged += len(rows) - len(said)
        self._fetch_references(said, report)
        for row in said:
            here = known.get(row.external_id)
            try:
                self._check_sites(row, here, sites)
                entry = self._resolved(row, report)
                if here is None:
                    new.append((row, entry))
                else:
                    outcome = self._settle(row, entry, here, report)
                    setattr(report, outcome, getattr(report, outcome) + 1)
            except RowError as refused:
                report.failed += 1
                report.problems.append(RowProblem(row.line, row.external_id, refused.problem))
        report.created += len(new)
        if self._dry_run:
            report.published += sum(
                _target(row.row.record, publish=self._publish) is Status.PUBLISHED for row, _ in new
            )
        elif new:
            report.published += self._create(new)

    def _said_before(self, row: EntryRow, here: _Known | None) -> bool:
        """Whether the row says what it said last time and has nothing left to publish."""
        if here is None or here.digest != row.digest:
            return False
        live = _target(row.row.record, publish=self._publish) is Status.PUBLISHED
        return here.open is None or not live or not here.untouched

    def _fetch_references(self, rows: list[EntryRow], report: Report) -> None:
        """Look up at once what the rows name; says which organisations are new, each once."""
        named: dict[str, EntryRow] = {}
        ags: set[str] = set()
        for row in rows:
            entry = row.row.entry
            for site in entry.deployments:
                ags.add(site.place.ags)
                for name in (site.organisation, *(partner.organisation for partner in site.partners)):
                    named.setdefault(name, row)
            named.setdefault(entry.organisation, row)
        self._refs.prefetch(named, ags)
        for name, row in named.items():
            if name and name not in self._announced and self._refs.organisation(name) is None:
                self._announced.add(name)
                reason = f"{name!r} is new to the catalog" + ("" if self.create else ", kept as text")
                report.problems.append(
                    RowProblem(row.line, row.external_id, Problem("organisation", reason, "warning"))
                )

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

    def _site_owners(self, rows: list[EntryRow]) -> dict[str, int]:
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
    def _check_sites(row: EntryRow, here: _Known | None, owners: dict[str, int]) -> None:
        for number, site in enumerate(row.row.entry.deployments):
            owner = owners.get(site.external_id)
            if owner is not None and (here is None or here.id != owner):
                raise RowError(
                    Problem(
                        f"deployments.{number}.external_id",
                        f"the site {site.external_id[:60]!r} belongs to another entry",
                    )
                )

    def _resolved(self, row: EntryRow, report: Report) -> Entry:
        """The row's document with what only the catalog knows; says what it can't resolve."""

        def warn(path: str, reason: str) -> None:
            report.problems.append(RowProblem(row.line, row.external_id, Problem(path, reason, "warning")))

        # Copies of what is changed here: a batch that fails is laid again, row by row. Validation was done before.
        given = row.row.entry
        places = []
        for number, site in enumerate(given.deployments):
            place, note = self._places.resolve(site.place, row.row.states.get(number, ""))
            places.append(place)
            if note:
                warn("place" if len(given.deployments) == 1 else f"deployments.{number}.place", note)
        unknown = [name for name in given.topics if self._refs.topic(name) is None]
        if unknown:
            warn("topics", f"{', '.join(unknown)[:200]}: no topic of the catalog, kept as keywords")
        known_tags = [name for name in row.row.tags if self._refs.technology(name) is not None]
        plain = [name for name in row.row.tags if name not in known_tags]
        if given.working_group and self._refs.working_group(given.working_group) is None:
            warn("working_group", f"{given.working_group!r} is no working group of the catalog, left out")
        entry = given.model_copy(
            update={
                "external_id": row.external_id,
                "topics": [name for name in given.topics if name not in unknown],
                "technologies": list(dict.fromkeys([*given.technologies, *known_tags])),
                "keywords": list(dict.fromkeys([*given.keywords, *unknown, *plain])),
                "deployments": [
                    site.model_copy(update={"place": place})
                    for site, place in zip(given.deployments, places, strict=True)
                ],
            }
        )
        gaps = missing(entry)
        if gaps:
            warn("", f"incomplete: {', '.join(gaps)}")
        return entry

    def _create(self, rows: list[tuple[EntryRow, Entry]]) -> int:
        """Add new entries, all flushed at once; gives how many are public."""
        session, now = self.session, utcnow()
        if self.create:
            self._refs.prefetch(_organisations_of(entry for _, entry in rows), (), create=True)
        addresses = Addresses(
            session, [entry.title or UNTITLED for _, entry in rows], [row.row.record for row, _ in rows]
        )
        added: list[tuple[EntryRow, Solution, Revision]] = []
        waiting: list[object] = []
        for row, entry in rows:
            record = row.row.record
            status = _target(record, publish=self._publish)
            for number, site in enumerate(entry.deployments):
                if not site.external_id:
                    entry.deployments[number] = site.model_copy(
                        update={"external_id": f"{row.external_id[:280]}-{number + 1}"}
                    )
            solution = Solution(
                external_id=row.external_id,
                status=status,
                created_at=record.created_at or now,
                slug=addresses.take(entry.title or UNTITLED, record.slug),
            )
            titled = entry if entry.title else entry.model_copy(update={"title": UNTITLED})
            entries.write(solution, titled, self._refs, create=self.create)
            solution.organisation_id = solution.organisation.id if solution.organisation else None
            solution.working_group_id = solution.working_group.id if solution.working_group else None
            if status not in OPEN:
                solution.published_at = record.published_at or now
                solution.first_published_at = record.first_published_at or solution.published_at
            entries.stamp_audience(solution)
            solution.former_slugs = [FormerSlug(slug=address) for address in addresses.former(record.former_slugs)]
            revision = _revision(solution, 1, status, dump(entry), now)
            waiting += [solution, revision]
            if record.pending is not None and status not in OPEN and record.pending.status in OPEN:
                pending = _revision(solution, 2, record.pending.status, dump(record.pending.entry), now)
                pending.base_number = 1
                waiting.append(pending)
            added.append((row, solution, revision))
        # All at once: the database then gets a few large statements instead of many small ones.
        session.add_all(waiting)
        session.flush()
        related = self._link([solution for _, solution, _ in added])
        public = [solution.id for _, solution, _ in added if solution.status is Status.PUBLISHED]
        self._note([(row, solution.id, revision.content) for row, solution, revision in added], now)
        self._tell_index({*public, *related})
        return len(public)

    def _link(self, solutions: list[Solution]) -> set[int]:
        """Point the reuses of new sites, and those that waited for them, at their origins; gives entries touched."""
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

    def _settle(self, row: EntryRow, entry: Entry, here: _Known, report: Report) -> Literal["updated", "unchanged"]:
        """Bring a known entry up to date, where the row says something else than last time."""
        live = _target(row.row.record, publish=self._publish) is Status.PUBLISHED
        if here.status is Status.ARCHIVED and here.digest != row.digest:
            reason = "the entry is archived and stays as it is; restore it first"
            report.problems.append(RowProblem(row.line, row.external_id, Problem("", reason, "warning")))
            return "unchanged"
        solution = self.session.get_one(Solution, here.id, options=WHOLE)
        self._take_over_sites(entry, solution)
        content = dump(entry)
        unpublished = live and solution.first_published_at is None
        if _unordered(content) == _unordered(self._current(solution, here)) and not unpublished:
            return "unchanged"
        if not here.untouched:
            raise RowError(Problem("", "someone is working on this entry; publish or discard their draft first"))
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
                made = here if here and here not in given else f"{entry.external_id[:280]}-{number + 1}"
                entry.deployments[number] = site.model_copy(update={"external_id": made})

    @staticmethod
    def _current(solution: Solution, here: _Known) -> dict[str, Any]:
        if here.open is not None and solution.first_published_at is None:
            return dump(Entry.model_validate(here.open.content | {"external_id": solution.external_id}))
        return dump(entries.read(solution))

    def _change(  # noqa: PLR0913 - the row in all its forms
        self, row: EntryRow, entry: Entry, solution: Solution, here: _Known, content: dict[str, Any], *, live: bool
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
            entries.write(solution, titled, self._refs, create=self.create)
            session.flush()
            entries.stamp_audience(solution)
            entries.link_reuses(session, solution, self._refs)
        session.flush()
        self._note([(row, solution.id, content)], now, again=True)

    def _note(self, done: list[tuple[EntryRow, int, dict[str, Any]]], now: datetime, *, again: bool = False) -> None:
        """Write the audit log and remember what was imported, for the next run."""
        session = self.session
        session.execute(
            insert(AuditEvent),
            [
                {
                    "at": now,
                    "actor_id": self._actor.user_id,
                    "actor_name": self._actor.name,
                    "action": "entry.import",
                    "subject_type": "solution",
                    "subject_id": solution_id,
                    "reason": "",
                    "details": {"external_id": row.external_id},
                }
                for row, solution_id, _ in done
            ],
        )
        for row, solution_id, content in done:
            found = session.get(ImportMark, solution_id) if again else None
            if found is None:
                found = ImportMark(solution_id=solution_id)
                session.add(found)
            found.digest, found.content = row.digest, digest_of(content)
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


def _unordered(content: dict[str, Any]) -> dict[str, Any]:
    """The document with those lists sorted whose order the catalog does not keep."""
    return content | {name: sorted(content[name]) for name in ("topics", "technologies") if name in content}


def _organisations_of(entries_: Iterable[Entry]) -> Iterator[str]:
    for entry in entries_:
        yield entry.organisation
        for site in entry.deployments:
            yield site.organisation
            yield from (partner.organisation for partner in site.partners)


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
