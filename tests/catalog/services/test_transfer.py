"""Import and export: every row is taken, refused or changed for a reason that is said; nothing is doubled or lost."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from catalog import database
from catalog.domain.actor import SYSTEM
from catalog.domain.entry import Deployment as Site
from catalog.domain.entry import Entry, Funding, Kpi, Partner, Place, Reuse, Source, Transfer, dump
from catalog.domain.vocabulary import CostBand, DeploymentStatus, KpiKind, OrganisationKind, PartnerRole, StopCause
from catalog.domain.workflow import Status
from catalog.models.audit import AuditEvent
from catalog.models.deployment import Deployment
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.topic import Technology
from catalog.runtime import Runtime
from catalog.services import curation, outbox, submission
from catalog.services.transfer import exporting, importing, lines, prepared
from catalog.services.transfer.lines import Line, read_lines
from catalog.services.transfer.rows import OrganisationRow, SolutionRow, parse
from catalog.unit_of_work import UnitOfWork
from index import Query, SearchIndex
from tests import factories

PUBLIC = frozenset({"public"})
Row = dict[str, Any]


def bring(runtime: Runtime, rows: Iterable[Row], **options: Any) -> prepared.Report:
    """Import rows as a file would give them."""
    options.setdefault("publish", True)
    numbered = [Line(number, 100, row) for number, row in enumerate(rows, start=1)]
    sessions = runtime.unit_of_work.reading if options.get("dry_run") else runtime.unit_of_work.writing
    return importing.import_rows(sessions, runtime.index, lambda: numbered, **options)


def row(**given: Any) -> Row:
    return {"external_id": "a-1", "title": "Pegel messen", "solution": "Sensoren melden den Pegel."} | given


def exported(runtime: Runtime, **options: bool) -> list[Row]:
    with runtime.unit_of_work.reading() as session:
        return list(exporting.rows(session, **options))


def entry_of(given: Row) -> SolutionRow:
    found, problems = parse(given)
    assert isinstance(found, SolutionRow), problems
    return found


@contextmanager
def reading(runtime: Runtime) -> Iterator[Session]:
    with runtime.unit_of_work.reading() as session:
        yield session


def the_solution(session: Session, external_id: str = "a-1") -> Solution:
    return session.scalars(select(Solution).where(Solution.external_id == external_id)).one()


def count(session: Session, model: type[Any]) -> int:
    return session.scalar(select(func.count()).select_from(model)) or 0


# --- reading a row --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"topic": "Wasser, Abwasser"}, {"topics": ["Wasser", "Abwasser"]}),
        ({"Thema": ["Wasser"]}, {"topics": ["Wasser"]}),
        ({"technology": "LoRaWAN; GIS"}, {"technologies": ["LoRaWAN", "GIS"]}),
        ({"Schlagwörter": "Pegel, Funk"}, {"keywords": ["Pegel", "Funk"]}),
        ({"summary": "Kurz."}, {"benefit": "Kurz."}),
        ({"description": "Kurz."}, {"benefit": "Kurz."}),
        ({"problem": "Zu spät."}, {"challenge": "Zu spät."}),
        ({"source": "https://example.org/a"}, {"sources": [{"url": "https://example.org/a"}]}),
        ({"url": "www.example.org"}, {"sources": [{"url": "https://www.example.org"}]}),
        ({"email": "info@example.org"}, {"contact": {"mailbox": "info@example.org"}}),
        ({"transfer": "Schwellen anpassen."}, {"transfer": {"adaptation": "Schwellen anpassen."}}),
        ({"city": "Lübeck"}, {"deployments": [{"place": {"name": "Lübeck"}}]}),
        (
            {"Ort": {"ags": "01003000", "name": "Lübeck"}},
            {"deployments": [{"place": {"ags": "01003000", "name": "Lübeck"}}]},
        ),
        ({"place": "01003000"}, {"deployments": [{"place": {"ags": "01003000"}}]}),
        ({"ags": 1003000}, {"deployments": [{"place": {"ags": "01003000"}}]}),
        ({"year": 2021}, {"deployments": [{"started": "2021"}]}),
        ({"year": 2021.0}, {"deployments": [{"started": "2021"}]}),
        ({"started": "17.05.2021"}, {"deployments": [{"started": "2021-05-17"}]}),
        ({"started": "5/2021"}, {"deployments": [{"started": "2021-05"}]}),
        ({"started": "2021-05-17T10:00:00Z"}, {"deployments": [{"started": "2021-05-17"}]}),
        ({"seit": "seit 2020"}, {"deployments": [{"started": "2020"}]}),
        ({"started": "ca. 2021"}, {"deployments": [{"started": "2021"}]}),
        ({"period": "2019–2022"}, {"deployments": [{"started": "2019", "ended": "2022"}]}),
        ({"period": "2019-2022"}, {"deployments": [{"started": "2019", "ended": "2022"}]}),
        ({"period": "05/2019 bis heute"}, {"deployments": [{"started": "2019-05"}]}),
        ({"period": {"from": 2019, "to": "2020-03"}}, {"deployments": [{"started": "2019", "ended": "2020-03"}]}),
        ({"status": "Regelbetrieb"}, {"deployments": [{"status": "regular_operation"}]}),
        ({"status": "In Betrieb"}, {"deployments": [{"status": "regular_operation"}]}),
        ({"Stand": "BEENDET"}, {"deployments": [{"status": "stopped"}]}),
        ({"lessons": ["Akku leer.", "Funkloch."]}, {"deployments": [{"not_worked": "Akku leer.\nFunkloch."}]}),
        ({"what_did_not_work": "Akku."}, {"deployments": [{"not_worked": "Akku."}]}),
        ({"costs": "ca. 1.234,50 €"}, {"deployments": [{"capex_eur": 1234.5}]}),
        ({"costs": "3 Mio. €"}, {"deployments": [{"capex_eur": 3_000_000.0}]}),
        ({"costs": "unter 10.000 €"}, {"deployments": [{"capex_band": "below_10k"}]}),
        ({"capex_eur": "12.000"}, {"deployments": [{"capex_eur": 12000.0}]}),
        ({"person_days": "12,5"}, {"deployments": [{"person_days": 12.5}]}),
        ({"partners": ["Funk AG"]}, {"deployments": [{"partners": [{"organisation": "Funk AG"}]}]}),
        ({"follows": "x-1"}, {"deployments": [{"reuse": {"follows": "x-1"}}]}),
        ({"stop_causes": "Förderung ausgelaufen; law"}, {"deployments": [{"stop_causes": ["funding_ended", "law"]}]}),
        ({"critical_infrastructure": "nein"}, {"critical_infrastructure": False}),
        ({"external_id": 17}, {"external_id": "17"}),
        (
            {"organisation": "SWL", "year": "2021"},
            {"organisation": "SWL", "deployments": [{"organisation": "SWL", "started": "2021"}]},
        ),
        (
            {"year": "2021", "deployments": [{"place": "Kiel"}]},
            {"deployments": [{"place": {"name": "Kiel"}, "started": "2021"}]},
        ),
        ({"benefit": None, "topics": []}, {}),
    ],
)
def test_flat_and_loose_fields_become_those_of_an_entry(given: Row, expected: Row) -> None:
    base = {"title": "T", "solution": "L"}
    assert dump(entry_of(base | given).entry) == base | expected


@pytest.mark.parametrize(
    ("given", "field", "reason"),
    [
        ({"title": ""}, "title", "is missing"),
        ({"title": "  "}, "title", "is missing"),
        ({"solution": None}, "solution", "is missing"),
        ({"title": {"de": "T"}}, "title", "must be text"),
        ({"title": "x" * 301}, "title", "longer than 300"),
        ({"solution": "x" * 40_001}, "solution", "longer than 40,000"),
        ({"started": "gestern"}, "deployments.0.started", "is not a date"),
        ({"started": "2021-13"}, "deployments.0.started", "is not a date"),
        ({"started": "2021", "ended": "2019"}, "deployments.0", "the end is before the start"),
        ({"status": "irgendwie"}, "deployments.0.status", "is none of idea, pilot"),
        ({"capex_eur": "viel"}, "deployments.0.capex_eur", "is not a number"),
        ({"capex_eur": -1}, "deployments.0.capex_eur", "at least 0"),
        ({"capex_eur": 10**400}, "deployments.0.capex_eur", "too large"),
        ({"deployments": "Lübeck"}, "deployments.0", "must be an object"),
        ({"sources": ["ftp://x"]}, "sources.0.url", "web address"),
        ({"critical_infrastructure": "vielleicht"}, "critical_infrastructure", "neither true nor false"),
        ({"visibility": "geheim"}, "visibility", "is none of"),
        ({"keywords": ["x"] * 51}, "keywords", "more than 50"),
        ({"type": "person"}, "type", "is none of solution"),
        ({"place": {"ags": "12"}}, "deployments.0.place.ags", "does not have the form"),
        ({"record": {"slug": "../x"}}, "record.slug", "does not have the form"),
    ],
)
def test_what_can_not_be_read_is_refused_with_field_and_reason(given: Row, field: str, reason: str) -> None:
    found, problems = parse({"title": "T", "solution": "L"} | given)
    assert found is None
    assert [(problem.field, reason in problem.reason) for problem in problems if problem.severity == "error"] == [
        (field, True)
    ]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"colour": "red"}, "colour"),
        ({"deployments": [{"colour": "red"}]}, "deployments.0.colour"),
        ({"costs": "unbekannt"}, "costs"),
        ({"period": "früher"}, "period"),
        ({"topic": "Wasser", "topics": ["Energie"]}, "topic"),
        ({"challenge": "a\x00b"}, "challenge"),
        ({"challenge": "a\ud800b"}, "challenge"),
        ({"started": "ca. 2021"}, "started"),
    ],
)
def test_what_is_left_out_or_mended_is_a_warning(given: Row, field: str) -> None:
    found, problems = parse({"title": "T", "solution": "L"} | given)
    assert found is not None
    assert [(problem.field, problem.severity) for problem in problems] == [(field, "warning")]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
_names = st.sampled_from(
    [
        *Entry.model_fields,
        *Site.model_fields,
        "type",
        "record",
        "period",
        "costs",
        "ags",
        "state",
        "follows",
        "tags",
        "description",
        "year",
    ]
)


@given(st.dictionaries(_names, _json, max_size=6) | _json)
@settings(max_examples=400, deadline=None)
def test_no_row_whatever_breaks_the_reading(given: object) -> None:
    found, problems = parse(given)
    assert (found is None) == any(problem.severity == "error" for problem in problems)


# --- reading a file -------------------------------------------------------------------------------------------------


def read(data: bytes) -> list[Line]:
    return list(read_lines(io.BytesIO(data)))


def test_bom_windows_line_ends_and_blank_lines_are_fine() -> None:
    found = read(b'\xef\xbb\xbf{"title": "\xc3\x84"}\r\n\r\n  \r\n{"title": "b"}')
    assert [(line.number, line.value, line.problem) for line in found] == [
        (1, {"title": "Ä"}, None),
        (4, {"title": "b"}, None),
    ]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"title": "a"', "no valid JSON"),
        (b'{"title": NaN}', "no JSON number"),
        (b'{"n": ' + b"1" * 5000 + b"}", "no valid JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"title": "\xff"}', "byte 12 of the line is not UTF-8"),
        (b'{"title": "a\x00"}', "NUL bytes"),
        (b"[\n", "one object per line"),
        ('{"title": "a"}'.encode("utf-16"), "UTF-16"),
        (b'{"title": "' + b"x" * lines.LONGEST_LINE + b'"}', "longer than 5 MB"),
    ],
)
def test_a_broken_line_is_reported_and_the_next_one_read(data: bytes, reason: str) -> None:
    found = read(data + b'\n{"title": "next"}\n')
    assert found[0].problem is not None
    assert reason in found[0].problem.reason
    if reason != "UTF-16":
        assert found[-1].value == {"title": "next"}


def test_a_line_of_just_five_megabytes_is_read() -> None:
    value = "x" * (lines.LONGEST_LINE - len('{"title": ""}'))
    assert read(json.dumps({"title": value}).encode())[0].value == {"title": value}


@given(st.binary(max_size=300))
@settings(max_examples=300, deadline=None)
def test_no_bytes_whatever_break_the_reading(data: bytes) -> None:
    for line in read_lines(io.BytesIO(data)):
        assert (line.problem is None) or line.value is None


# --- importing ------------------------------------------------------------------------------------------------------


def test_title_and_solution_are_enough_and_the_rest_is_a_warning(runtime: Runtime) -> None:
    report = bring(
        runtime,
        [{"title": "Pegel messen", "solution": "Sensoren melden den Pegel.", "city": "Nirgendwo", "topic": "Quatsch"}],
    )
    assert (report.created, report.published, report.failed) == (1, 1, 0)
    warned = {found.problem.field: found.problem.reason for found in report.problems}
    assert "not in the gazetteer" in warned["place"]
    assert "kept as keywords" in warned["topics"]
    assert "benefit" in warned[""]
    with reading(runtime) as session:
        solution = session.scalars(select(Solution)).one()
        assert (solution.status, solution.is_complete, solution.keywords) == (Status.PUBLISHED, False, ["Quatsch"])
        assert solution.deployments[0].place_name == "Nirgendwo"
    hits = runtime.index.search(Query("Pegel", PUBLIC)).hits
    assert [hit.id for hit in hits] == [str(solution.id)]


def test_unknown_organisations_and_technologies_are_added_and_known_ones_found(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        factories.make_organisation(session, slug="swl", name="ÜBERLAND Stadtwerke")
    bring(
        runtime,
        [
            row(organisation="ÜBERLAND Stadtwerke", technologies=["Quantenfunk"], year=2020),
            row(
                external_id="a-2",
                organisation="Neue Netz GmbH",
                technologies="quantenfunk",
                partners=["Neue Netz GmbH"],
                year=2020,
            ),
        ],
    )
    with reading(runtime) as session:
        assert {found.slug: found.kind for found in session.scalars(select(Organisation))} == {
            "swl": OrganisationKind.UTILITY,
            "neue-netz-gmbh": OrganisationKind.NETWORK_OPERATOR,
        }
        assert list(session.scalars(select(Technology.name))) == ["Quantenfunk"]
        assert the_solution(session).organisation is not None


def test_a_state_tells_places_of_one_name_apart(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        factories.make_municipality(session, "01000001", "Neustadt", population=50_000)
        factories.make_state(session, "09", "Bayern", "BY")
        session.add(
            Municipality(ags="09000001", name="Neustadt", search_name="neustadt", state_code="09", population=9)
        )
    report = bring(
        runtime,
        [
            row(city="Neustadt", state="Bayern"),
            row(external_id="a-2", city="Neustadt"),
            row(external_id="a-3", city="Neustadt", state="Oz"),
        ],
    )
    notes = [found.problem.reason for found in report.problems if found.problem.field == "place"]
    with reading(runtime) as session:
        assert [the_solution(session, name).deployments[0].ags for name in ("a-1", "a-2")] == ["09000001", "01000001"]
    assert len(notes) == 2
    assert "2 municipalities" in notes[0]
    assert "no German state" in notes[1]


def test_the_same_file_again_changes_nothing(runtime: Runtime) -> None:
    rows = [
        row(),
        {"title": "Ohne Kennung", "solution": "Geht auch."},
        row(external_id="a-2", year="2020", city="Lübeck"),
    ]
    assert bring(runtime, rows).created == 3
    before = exported(runtime)
    again = bring(runtime, rows)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 3)
    assert exported(runtime) == before


def test_a_changed_row_is_a_new_version_and_keeps_address_sites_and_followers(runtime: Runtime) -> None:
    bring(runtime, [row(year=2020), row(external_id="a-2", year=2021, follows="a-1-1")])
    with reading(runtime) as session:
        first = the_solution(session)
        site, address = first.deployments[0].id, first.slug
    report = bring(
        runtime, [row(year=2020, benefit="Jetzt mit Nutzen."), row(external_id="a-2", year=2021, follows="a-1-1")]
    )
    assert (report.updated, report.unchanged, report.published) == (1, 1, 1)
    with reading(runtime) as session:
        now = the_solution(session)
        assert (now.benefit, now.slug, now.deployments[0].id) == ("Jetzt mit Nutzen.", address, site)
        follower = the_solution(session, "a-2").deployments[0]
        assert follower.reuse is not None
        assert follower.reuse.origin_id == site
        numbers = session.execute(
            select(Revision.number, Revision.status).where(Revision.solution_id == now.id).order_by(Revision.number)
        )
        assert [tuple(found) for found in numbers] == [(1, Status.ARCHIVED), (2, Status.PUBLISHED)]
    assert runtime.index.search(Query("Nutzen", PUBLIC)).total == 1


def test_without_publish_rows_become_drafts_that_publish_makes_public(runtime: Runtime) -> None:
    assert bring(runtime, [row()], publish=False).published == 0
    with reading(runtime) as session:
        assert the_solution(session).status is Status.DRAFT
    assert runtime.index.search(Query("Pegel", PUBLIC)).total == 0
    assert bring(runtime, [row(benefit="Neu.")], publish=False).updated == 1
    published = bring(runtime, [row(benefit="Neu.")])
    assert (published.updated, published.published) == (1, 1)
    with reading(runtime) as session:
        assert (the_solution(session).status, the_solution(session).benefit) == (Status.PUBLISHED, "Neu.")
        assert count(session, Revision) == 1


def test_a_change_without_publish_waits_beside_what_readers_see(runtime: Runtime) -> None:
    bring(runtime, [row(benefit="Alt.")])
    assert bring(runtime, [row(benefit="Neu.")], publish=False).updated == 1
    with reading(runtime) as session:
        solution = the_solution(session)
        assert solution.benefit == "Alt."
        waiting = submission.open_revision(session, solution)
        assert waiting is not None
        assert waiting.content["benefit"] == "Neu."
    assert bring(runtime, [row(benefit="Neu.")]).published == 1
    with reading(runtime) as session:
        assert the_solution(session).benefit == "Neu."


def test_what_someone_is_writing_is_never_overwritten(runtime: Runtime) -> None:
    bring(runtime, [row(benefit="Alt.")])
    with runtime.unit_of_work() as session:
        solution = the_solution(session)
        entry, version = submission.document_to_edit(session, solution)
        submission.save(session, SYSTEM, solution, entry.model_copy(update={"benefit": "Von Hand."}), version=version)
    report = bring(runtime, [row(benefit="Aus der Datei.")])
    assert [found.problem.reason for found in report.errors] == [
        "someone is working on this entry; publish or discard their draft first"
    ]
    with reading(runtime) as session:
        waiting = submission.open_revision(session, the_solution(session))
        assert waiting is not None
        assert waiting.content["benefit"] == "Von Hand."


def test_what_curators_changed_stays_until_the_row_itself_changes(runtime: Runtime) -> None:
    bring(runtime, [row(benefit="Aus der Datei.")])
    with runtime.unit_of_work() as session:
        solution = the_solution(session)
        complete: Row = {"challenge": "c", "topics": [factories.make_topic(session).slug]}
        complete["organisation"] = factories.make_organisation(session).slug
        sites = factories.make_entry(session).deployments
        factories.publish_change(session, solution, benefit="Von Hand.", deployments=sites, **complete)
    assert bring(runtime, [row(benefit="Aus der Datei.")]).unchanged == 1
    with reading(runtime) as session:
        assert the_solution(session).benefit == "Von Hand."


def test_an_archived_entry_stays_archived(runtime: Runtime) -> None:
    bring(runtime, [row()])
    with runtime.unit_of_work() as session:
        curation.archive(session, SYSTEM, the_solution(session), "veraltet")
    report = bring(runtime, [row(benefit="Neu.")])
    assert (report.updated, report.unchanged) == (0, 1)
    assert any("archived" in found.problem.reason for found in report.problems)
    with reading(runtime) as session:
        assert the_solution(session).status is Status.ARCHIVED


def test_repeated_ids_in_one_file_are_refused(runtime: Runtime) -> None:
    report = bring(
        runtime,
        [
            row(),
            row(title="Anderer Titel"),
            row(),
            row(external_id="a-2", deployments=[{"external_id": "s"}]),
            row(external_id="a-3", deployments=[{"external_id": "s"}]),
        ],
    )
    assert (report.created, report.failed) == (2, 3)
    assert [found.line for found in report.errors] == [2, 3, 5]


def test_a_site_of_another_entry_is_not_taken(runtime: Runtime) -> None:
    bring(runtime, [row(deployments=[{"external_id": "s", "place": "Kiel"}])])
    report = bring(runtime, [row(external_id="b", deployments=[{"external_id": "s"}])])
    assert "belongs to another entry" in report.errors[0].problem.reason
    with reading(runtime) as session:
        assert count(session, Solution) == 1


def test_same_titles_get_addresses_of_their_own(runtime: Runtime) -> None:
    assert bring(runtime, [row(external_id=f"t-{number}") for number in range(120)]).created == 120
    assert bring(runtime, [row(external_id="t-x")]).created == 1
    with reading(runtime) as session:
        slugs = set(session.scalars(select(Solution.slug)))
    assert slugs == {"pegel-messen", *(f"pegel-messen-{number}" for number in range(2, 122))}


def test_good_rows_go_in_and_bad_ones_are_reported(runtime: Runtime) -> None:
    report = bring(runtime, [row(), row(external_id="b", title=""), row(external_id="c")])
    assert (report.rows, report.created, report.failed) == (3, 2, 1)
    assert [(found.line, found.external_id, found.problem.field) for found in report.errors] == [(2, "b", "title")]


def test_strict_stores_nothing_when_any_row_is_bad(runtime: Runtime) -> None:
    report = bring(runtime, [row(), row(external_id="b", title="")], strict=True)
    assert (report.created, report.failed) == (0, 1)
    bring(runtime, [row(external_id="first", deployments=[{"external_id": "s"}])])
    late = bring(runtime, [row(), row(external_id="b", deployments=[{"external_id": "s"}])], strict=True)
    assert (late.created, late.failed) == (0, 1)
    with reading(runtime) as session:
        assert [found.external_id for found in session.scalars(select(Solution))] == ["first"]
    assert bring(runtime, [row(), row(external_id="b")], strict=True).created == 2


def test_a_dry_run_tells_and_writes_nothing(runtime: Runtime) -> None:
    bring(runtime, [row()])
    before = exported(runtime)
    rows = [
        row(benefit="Neu."),
        row(external_id="b", organisation="Ganz neu GmbH", year=2020),
        row(external_id="c", title=""),
        {"type": "organisation", "name": "Auch neu"},
    ]
    report = bring(runtime, rows, dry_run=True)
    assert (report.created, report.updated, report.failed) == (2, 1, 1)
    assert any("'Ganz neu GmbH' is new" in found.problem.reason for found in report.problems)
    assert exported(runtime) == before


def test_a_row_the_database_refuses_costs_no_other_row(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        if runtime.engine.dialect.name == "sqlite":
            trigger = "CREATE TRIGGER no_b BEFORE INSERT ON solution WHEN new.title = 'B' "
            session.execute(text(trigger + "BEGIN SELECT RAISE(ABORT, 'no B'); END"))
        else:
            session.execute(text("ALTER TABLE solution ADD CONSTRAINT no_b CHECK (title != 'B')"))
    report = bring(
        runtime, [row(), row(external_id="b", title="B"), row(external_id="c", organisation="Neu GmbH", year=2020)]
    )
    assert (report.created, report.failed) == (2, 1)
    assert [(found.line, "refused the row" in found.problem.reason) for found in report.errors] == [(2, True)]


def test_reuses_are_linked_in_whatever_order_rows_come(runtime: Runtime) -> None:
    bring(runtime, [row(external_id="late", deployments=[{"external_id": "l", "reuse": {"follows": "e"}}])])
    bring(
        runtime,
        [
            row(
                external_id="early",
                deployments=[{"external_id": "e", "reuse": "self"}, {"external_id": "self", "reuse": "self"}],
            )
        ],
    )
    with reading(runtime) as session:
        links = {
            site.external_id: site.reuse.origin.external_id if site.reuse and site.reuse.origin else None
            for site in session.scalars(select(Deployment))
        }
    assert links == {"l": "e", "e": "self", "self": None}


def test_every_import_is_in_the_audit_log(runtime: Runtime) -> None:
    bring(runtime, [row()])
    bring(runtime, [row(benefit="Neu.")])
    with reading(runtime) as session:
        found = session.scalars(select(AuditEvent).where(AuditEvent.action == "entry.import")).all()
        assert [(event.subject_id, event.details) for event in found] == [
            (the_solution(session).id, {"external_id": "a-1"})
        ] * 2


def test_other_rows_are_added_and_changed_by_slug(runtime: Runtime) -> None:
    rows = [
        {"type": "topic", "slug": "wasser", "name": "Wasser"},
        {"type": "topic", "slug": "netz", "name": "Netz", "parent": "wasser", "position": 3},
        {"type": "technology", "name": "Funk"},
        {"type": "working_group", "name": "AG Wasser", "topic": "wasser"},
        {
            "type": "organisation",
            "slug": "swl",
            "name": "Stadtwerke",
            "kind": "Stadtwerk",
            "ags": "",
            "divisions": ["Trinkwasser", "gas"],
        },
    ]
    assert bring(runtime, rows).created == 5
    assert bring(runtime, rows).unchanged == 5
    changed = [rows[0] | {"name": "Wasser!"}, {"type": "organisation", "slug": "swl", "divisions": "gas"}]
    assert bring(runtime, changed).updated == 2
    bad = [
        {"type": "topic", "slug": "wasser", "parent": "netz"},
        {"type": "topic", "slug": "x", "name": "X", "parent": "nowhere"},
        {"type": "organisation", "slug": "other", "name": "Stadtwerke"},
        {"type": "organisation", "slug": "Not A Slug", "name": "X"},
        {"type": "technology"},
    ]
    assert [found.problem.field for found in bring(runtime, bad).errors] == ["parent", "parent", "name", "slug", "name"]
    kept = [found for found in exported(runtime) if found["type"] == "organisation"]
    assert kept == [
        {"type": "organisation", "slug": "swl", "name": "Stadtwerke", "kind": "utility", "divisions": ["gas"]}
    ]


def test_a_short_organisation_row_says_nothing_of_the_rest() -> None:
    found, _ = parse({"type": "organisation", "slug": "a", "ags": "01003000", "place": "Lübeck"})
    assert isinstance(found, OrganisationRow)
    assert (found.place.ags, found.place.name) == ("01003000", "Lübeck")


# --- there and back -------------------------------------------------------------------------------------------------


@pytest.fixture
def fresh(tmp_path: Path, migrated_database: Path, sqlite_runtime: Runtime) -> Iterator[Callable[[], Runtime]]:
    """Opens further, empty catalogs on SQLite, each with an index of its own; they share the chain of analysis."""
    opened: list[Runtime] = []

    def make() -> Runtime:
        file = tmp_path / f"fresh-{len(opened)}.sqlite3"
        file.write_bytes(migrated_database.read_bytes())
        engine = database.make_engine(f"sqlite:///{file}")
        index = SearchIndex(file.with_suffix(".index"), analyzer=sqlite_runtime.index.analyzer)
        index.rebuild(())
        made = replace(sqlite_runtime, engine=engine, unit_of_work=UnitOfWork(engine), index=index)
        with made.unit_of_work.writing.begin() as session:
            factories.make_municipality(session)
        opened.append(made)
        return made

    yield make
    for runtime in opened:
        runtime.engine.dispose()


# Controls and marks of direction are taken out of texts by the document itself.
_text = st.text(st.characters(codec="utf-8", categories=("L", "M", "N", "P", "S", "Zs")), max_size=30).map(str.strip)
_line = _text.map(lambda found: " ".join(found.split()))
_some_line = _line.filter(bool)
_amount = st.none() | st.floats(0, 1e9, allow_nan=False)
_dates = st.sampled_from([("", ""), ("2019", "2021"), ("2020-05", ""), ("2021-05-17", "2021-05")])
_slugs = st.sampled_from(["swl", "stadt-kiel"])
_kpis = st.builds(
    Kpi, indicator=_line, unit=_line, before=_amount, after=_amount, kind=st.sampled_from(KpiKind), note=_line
)
_partners = st.builds(Partner, organisation=_slugs | _some_line, role=st.sampled_from(PartnerRole), product=_line)
_places = st.sampled_from([Place(), Place(ags="01003000", name="Lübeck"), Place(name="Nirgendwo")])


@st.composite
def _site(draw: st.DrawFn, identity: str) -> Site:
    started, ended = draw(_dates)
    return Site(
        external_id=identity,
        organisation=draw(_slugs | _some_line),
        place=draw(_places).model_copy(),
        started=started,
        ended=ended,
        status=draw(st.none() | st.sampled_from(DeploymentStatus)),
        summary=draw(_text),
        results=draw(_text),
        worked=draw(_text),
        not_worked=draw(_text),
        stop_causes=draw(st.lists(st.sampled_from(StopCause), unique=True, max_size=2)),
        kpis=draw(st.lists(_kpis, max_size=2)),
        capex_band=draw(st.none() | st.sampled_from(CostBand)),
        capex_eur=draw(_amount),
        person_days=draw(_amount),
        funding=[Funding(programme=name) for name in draw(st.lists(_line, max_size=2))],
        partners=draw(st.lists(_partners, max_size=2)),
        reuse=draw(
            st.none()
            | st.builds(
                Reuse,
                follows=st.sampled_from(["e0-0", "e1-0", "unbekannt"]),
                adapted=_text,
                recommend=st.none() | st.booleans(),
            )
        ),
    )


@st.composite
def _catalogs(draw: st.DrawFn) -> list[Row]:
    rows: list[Row] = [
        {"type": "topic", "slug": "wasser", "name": "Wasser"},
        {"type": "organisation", "slug": "swl", "name": "Stadtwerke", "place": {"ags": "01003000"}},
        {
            "type": "organisation",
            "slug": "stadt-kiel",
            "name": "Stadt Kiel",
            "networks": ["lorawan"],
            "has_data_platform": True,
        },
    ]
    for number in range(draw(st.integers(1, 3))):
        entry = Entry(
            external_id=f"e{number}",
            title=draw(_some_line),
            solution=draw(_text.filter(bool)),
            benefit=draw(_text),
            title_en=draw(_line),
            topics=draw(st.sampled_from([[], ["wasser"], ["unbekannt"]])),
            technologies=draw(st.lists(_some_line, max_size=2)),
            keywords=draw(st.lists(_some_line, max_size=2)),
            organisation=draw(_slugs),
            critical_infrastructure=draw(st.none() | st.booleans()),
            transfer=Transfer(technical=draw(_text), licence=draw(_line)),
            sources=[Source(url="https://example.org", title=draw(_line))],
            deployments=[draw(_site(f"e{number}-{position}")) for position in range(draw(st.integers(0, 2)))],
        )
        state = draw(st.sampled_from([{}, {"record": {"status": "draft"}}, {"record": {"status": "archived"}}]))
        rows.append(dump(entry) | state)
    return rows


@given(_catalogs())
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_import_of_an_export_is_lossless(fresh: Callable[[], Runtime], rows: list[Row]) -> None:
    first, second = fresh(), fresh()
    report = bring(first, rows)
    assert not report.errors, [str(found) for found in report.errors]
    there = exported(first)
    back = bring(second, there)
    assert not back.errors, [str(found) for found in back.errors]
    assert exported(second) == there
    assert bring(second, there).stored == 0
    assert bring(first, there).stored == 0


def test_a_rich_entry_with_history_comes_back_whole(runtime: Runtime, fresh: Callable[[], Runtime]) -> None:
    with runtime.unit_of_work() as session:
        solution = factories.make_published(session, title="Alter Titel")
        factories.publish_change(session, solution, title="Neuer Titel")
        entry, version = submission.document_to_edit(session, solution)
        submission.save(
            session, SYSTEM, solution, entry.model_copy(update={"benefit": "Noch nicht angenommen."}), version=version
        )
        submission.submit(session, SYSTEM, solution)
        factories.make_draft(session, SYSTEM, title="", deployments=[])
    there = exported(runtime)
    second = fresh()
    assert not bring(second, there).errors
    assert exported(second) == there
    with reading(second) as session:
        found = session.scalars(select(Solution).where(Solution.slug == "neuer-titel")).one()
        assert [former.slug for former in found.former_slugs] == ["alter-titel"]
        waiting = submission.open_revision(session, found)
        assert waiting is not None
        assert (waiting.status, waiting.content["benefit"]) == (Status.SUBMITTED, "Noch nicht angenommen.")


def test_published_only_leaves_out_the_rest(runtime: Runtime) -> None:
    bring(
        runtime,
        [row(), row(external_id="d", record={"status": "draft"}), row(external_id="z", record={"status": "archived"})],
    )
    bring(runtime, [row(benefit="Wartet.")], publish=False)
    found = [given for given in exported(runtime, published_only=True) if given["type"] == "solution"]
    assert [given["external_id"] for given in found] == ["a-1"]
    assert "pending" not in found[0]["record"]


def test_names_the_catalog_kept_as_text_stay_text(runtime: Runtime, fresh: Callable[[], Runtime]) -> None:
    with runtime.unit_of_work() as session:
        factories.make_draft(
            session,
            SYSTEM,
            deployments=[Site(organisation="Nur ein Name", partners=[Partner(organisation="Auch einer")])],
        )
    second = fresh()
    bring(second, exported(runtime))
    assert exported(second) == exported(runtime)
    with reading(second) as session:
        assert "Nur ein Name" not in set(session.scalars(select(Organisation.name)))


def test_many_rows_cost_few_statements(runtime: Runtime) -> None:
    """The look-ups of a batch are asked together: questions must not grow with the rows."""

    def questions(rows: list[Row]) -> int:
        asked: list[str] = []

        def note(_c: object, _k: object, statement: str, *_: object) -> None:
            asked.append(statement)

        event.listen(runtime.engine, "before_cursor_execute", note)
        try:
            bring(runtime, rows)
        finally:
            event.remove(runtime.engine, "before_cursor_execute", note)
        return sum(statement.startswith("SELECT") for statement in asked)

    def some(prefix: str, number: int) -> list[Row]:
        return [
            row(
                external_id=f"{prefix}-{n}",
                title=f"{prefix} {n}",
                organisation=f"Werk {prefix}{n}",
                year=2020,
                city="Kiel",
            )
            for n in range(number)
        ]

    few = questions(some("few", 5))
    many = questions(some("many", 150))
    assert many <= few + 15


def test_the_outbox_is_empty_afterwards(runtime: Runtime) -> None:
    bring(runtime, [row(external_id=f"o-{number}") for number in range(30)])
    with reading(runtime) as session:
        assert outbox.waiting(session, outbox.INDEX) == 0
