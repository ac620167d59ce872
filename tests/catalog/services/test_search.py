"""Searching through the service: filters, counts, labels, rights checked again in the rows, life without an index."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, update

from catalog.domain.actor import ANONYMOUS, SYSTEM, Actor
from catalog.domain.entry import Deployment, Place, Reuse
from catalog.domain.vocabulary import DeploymentStatus, ReuseStatus, StopCause
from catalog.domain.workflow import Status
from catalog.models.solution import Solution, SolutionAudience
from catalog.models.topic import Technology
from catalog.runtime import Runtime
from catalog.services import indexing, outbox, search, suggestions
from catalog.services.facets import Choice, year_span
from catalog.services.search import Answer, Request, Sort
from catalog.services.solutions import known_reuses
from tests.factories import (
    actor_for,
    make_draft,
    make_municipality,
    make_organisation,
    make_published,
    make_state,
    make_topic,
    make_user,
)

Ask = Callable[..., Answer]


@pytest.fixture
def catalog(runtime: Runtime) -> Runtime:
    """Five entries: three of water (one in a narrower topic), one of energy in Bavaria, one of members only."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        water = make_topic(session, slug="wasser", name="Wasser", name_en="Water", position=1)
        make_topic(session, slug="kanal", name="Kanalnetz", parent_id=water.id, position=2)
        make_topic(session, slug="energie", name="Energie", position=3)
        make_state(session, "09", "Bayern", "BY")
        make_municipality(session, "01003000", "Lübeck")
        make_municipality(session, "09162000", "München", state_code="09", population=1_500_000)
        make_organisation(session, slug="sw-luebeck", name="Stadtwerke Lübeck")
        make_organisation(session, slug="sw-muenchen", name="Stadtwerke München")
        luebeck, munich = Place(ags="01003000", name="Lübeck"), Place(ags="09162000", name="München")

        session.add_all([Technology(slug="lorawan", name="LoRaWAN"), Technology(slug="geheimfunk", name="Geheimfunk")])

        def entry(title: str, topic: str, organisation: str, site: Deployment, **given: Any) -> None:
            site.organisation = organisation
            given = {"benefit": "Weniger Aufwand.", "challenge": "Viel Aufwand.", "solution": "Neue Technik."} | given
            make_published(session, title=title, topics=[topic], organisation=organisation, deployments=[site], **given)

        entry(
            "Pegelmessung am Hafen",
            "wasser",
            "sw-luebeck",
            Deployment(place=luebeck, started="2019", ended="2021", status=DeploymentStatus.PILOT, not_worked="x"),
            technologies=["LoRaWAN"],
        )
        entry(
            "Messung von Starkregen im Kanal",
            "kanal",
            "sw-luebeck",
            Deployment(place=luebeck, started="2023", status=DeploymentStatus.REGULAR_OPERATION, not_worked="x"),
        )
        entry(
            "Zähler im Schacht",
            "wasser",
            "sw-muenchen",
            Deployment(
                place=munich,
                started="2020",
                status=DeploymentStatus.STOPPED,
                not_worked="x",
                stop_causes=[StopCause.UNIT_COST],
            ),
            solution="Die **Messung** geht per [Funk](https://example.org/funk) an das Werk.",
        )
        entry(
            "Wärmepumpe im Fluss",
            "energie",
            "sw-muenchen",
            Deployment(place=munich, started="2022", status=DeploymentStatus.PILOT, not_worked="x"),
        )
        entry(
            "Messung nur für Mitglieder",
            "wasser",
            "sw-luebeck",
            Deployment(place=luebeck, started="2024", status=DeploymentStatus.PILOT, not_worked="x"),
            visibility="members",
            technologies=["Geheimfunk"],
        )
    return runtime


@pytest.fixture
def ask(catalog: Runtime) -> Ask:
    """Search the catalog with a session of its own."""

    def asked(text: str = "", actor: Actor = ANONYMOUS, preset: Any = None, **given: Any) -> Answer:
        with catalog.unit_of_work.reading() as session:
            return search.search(session, catalog.index, actor, Request(text=text, **given), preset)

    return asked


def titles(answer: Answer) -> list[str]:
    return [hit.card.title for hit in answer.hits]


def counts(choices: tuple[Choice, ...]) -> dict[str, int]:
    return {choice.value: choice.count for choice in choices}


def test_without_a_query_the_catalog_can_be_browsed_newest_first(ask: Ask) -> None:
    answer = ask()
    assert answer.total == 4
    assert titles(answer)[0] == "Wärmepumpe im Fluss"
    assert answer.available


def test_title_and_passage_come_from_the_row_without_marks_of_markdown(ask: Ask) -> None:
    answer = ask("Messung")
    assert set(titles(answer)) == {"Pegelmessung am Hafen", "Messung von Starkregen im Kanal", "Zähler im Schacht"}
    hit = next(hit for hit in answer.hits if hit.card.title == "Zähler im Schacht")
    assert "".join(piece.text for piece in hit.passage.parts) == "Die Messung geht per Funk an das Werk."
    assert [piece.text for piece in hit.passage.parts if piece.marked] == ["Messung"]
    assert hit.passage.field == "solution"


def test_values_of_a_facet_widen_and_facets_narrow_each_other(ask: Ask) -> None:
    assert ask(filters={"state": ("01",)}).total == 2
    assert ask(filters={"state": ("01", "09")}).total == 4
    assert ask(filters={"state": ("01", "09"), "status": ("pilot",)}).total == 2


def test_a_facets_own_counts_ignore_its_own_filter(ask: Ask) -> None:
    answer = ask(filters={"state": ("01",)})
    assert counts(answer.facets["state"]) == {"01": 2, "09": 2}
    assert counts(answer.facets["status"]) == {"pilot": 1, "regular_operation": 1}
    assert {choice.value: choice.chosen for choice in answer.facets["state"]} == {"01": True, "09": False}


def test_counts_are_what_choosing_the_value_then_gives(ask: Ask) -> None:
    answer = ask("Messung")
    for facet in ("state", "status", "kind", "organisation", "technology", "year", "cause"):
        for choice in answer.facets[facet]:
            assert ask("Messung", filters={facet: (choice.value,)}).total == choice.count, (facet, choice)


def test_a_topic_counts_what_lies_below_it_and_opens_when_chosen(ask: Ask) -> None:
    closed = ask().facets["topic"]
    assert [(choice.value, choice.count, choice.children) for choice in closed] == [
        ("wasser", 3, ()),
        ("energie", 1, ()),
    ]
    opened = ask(filters={"topic": ("wasser",)}).facets["topic"][0]
    assert [(child.value, child.label, child.count) for child in opened.children] == [("kanal", "Kanalnetz", 1)]


def test_a_chosen_topic_gives_way_to_one_below_it(ask: Ask) -> None:
    answer = ask(filters={"topic": ("kanal", "wasser")})
    assert titles(answer) == ["Messung von Starkregen im Kanal"]
    assert [chip.value for chip in answer.chips] == ["kanal"]


def test_a_year_finds_what_ran_in_it_and_a_range_what_ran_within(ask: Ask) -> None:
    assert titles(ask(filters={"year": ("2020",)})) == ["Zähler im Schacht", "Pegelmessung am Hafen"]
    assert ask(filters={"year": ("2021..2022",)}).total == 2
    assert ask(filters={"year": ("2023..",)}).total == 1
    assert ask(filters={"year": ("..2019",)}).total == 1


@pytest.mark.parametrize(
    ("token", "span"),
    [
        ("2021", (2021, 2021)),
        ("2021..2024", (2021, 2024)),
        ("2024-2021", (2021, 2024)),
        ("2021..", (2021, 2050)),
        ("..2021", (1950, 2021)),
        ("20", None),
        ("..", None),
        ("", None),
        ("20212022", None),
        ("2021;", None),
    ],
)
def test_years_are_read_as_people_write_them(token: str, span: tuple[int, int] | None) -> None:
    assert year_span(token) == span


def test_what_does_not_exist_finds_nothing_and_breaks_nothing(ask: Ask) -> None:
    for facet in ("topic", "state", "organisation", "kind", "status", "technology", "place", "cause"):
        assert ask(filters={facet: ("gibt-es-nicht",)}).total == 0
    assert ask(filters={"nonsense": ("x",)}).total == 4


def test_no_text_breaks_the_search(ask: Ask) -> None:
    for text in ('"', "AND OR NOT (", "\x00", "a" * 10_000, "💧" * 500, "titel:", "-", "*", "jahr:..", "%_\\"):
        assert ask(text).available


def test_a_preset_holds_whatever_is_chosen_and_is_no_chip(ask: Ask) -> None:
    answer = ask(preset={"topic": ("wasser",)}, filters={"topic": ("energie",), "state": ("09",)})
    assert titles(answer) == ["Zähler im Schacht"]
    assert ("topic", "wasser") not in {(chip.facet, chip.value) for chip in answer.chips}


def test_labels_are_names_and_follow_the_language(ask: Ask) -> None:
    answer = ask(
        filters={"state": ("01",), "organisation": ("sw-luebeck",), "status": ("pilot",), "topic": ("wasser",)}
    )
    assert [chip.label for chip in answer.chips] == [
        "Wasser",
        DeploymentStatus.PILOT,
        "Schleswig-Holstein",
        "Stadtwerke Lübeck",
    ]
    assert [choice.label for choice in ask(language="en").facets["topic"]] == ["Water", "Energie"]


def test_nothing_found_says_which_filter_to_take_off(ask: Ask) -> None:
    answer = ask("Messung", filters={"state": ("01",), "cause": ("unit_cost",)})
    assert answer.total == 0
    assert {(chip.facet, count) for chip, count in answer.loosened} == {("state", 1), ("cause", 2)}


def test_pages_hold_what_they_should_and_the_last_one_answers_for_those_beyond(ask: Ask) -> None:
    pages = [titles(ask(page=number, per_page=3)) for number in (1, 2)]
    assert [len(page) for page in pages] == [3, 1]
    assert len({*pages[0], *pages[1]}) == 4
    beyond = ask(page=7, per_page=3)
    assert (beyond.request.page, titles(beyond)) == (2, pages[1])


def test_sorting_by_date_and_by_reuses(ask: Ask) -> None:
    assert titles(ask("Messung", sort=Sort.NEWEST))[-1] == "Pegelmessung am Hafen"
    assert len(titles(ask("Messung", sort=Sort.REUSED))) == 3


def test_reuses_are_counted_as_everywhere_else_and_tell_of_nothing_hidden(ask: Ask, catalog: Runtime) -> None:
    with catalog.unit_of_work() as session:
        origin = session.scalars(select(Solution).where(Solution.title == "Pegelmessung am Hafen")).one()
        follows = Reuse(follows=origin.deployments[0].external_id, status=ReuseStatus.DONE)
        site = Deployment(
            place=Place(ags="01003000"), started="2022", status=DeploymentStatus.PILOT, not_worked="x", reuse=follows
        )
        make_published(session, title="Nachgenutzt", deployments=[site])
        make_published(session, title="Geheim nachgenutzt", deployments=[site], visibility="members")
        make_draft(session, SYSTEM, title="Entwurf einer Nachnutzung", deployments=[site])
    with catalog.unit_of_work.reading() as session:
        origin = session.scalars(select(Solution).where(Solution.title == "Pegelmessung am Hafen")).one()
        assert len(known_reuses(origin)) == 1
    hit = next(hit for hit in ask("Pegelmessung").hits if hit.card.title == "Pegelmessung am Hafen")
    assert hit.card.reuses == 1
    assert titles(ask(sort=Sort.REUSED))[0] == "Pegelmessung am Hafen"


def test_members_find_what_members_may_read(ask: Ask, catalog: Runtime) -> None:
    with catalog.unit_of_work() as session:
        member = actor_for(make_user(session))
    assert ask("Messung", actor=member).total == 4
    assert "geheimfunk" in counts(ask(actor=member).facets["technology"])
    assert "geheimfunk" not in counts(ask().facets["technology"])


def test_a_name_that_only_a_hidden_entry_bears_is_not_told(ask: Ask, catalog: Runtime) -> None:
    with catalog.unit_of_work.reading() as session:
        assert session.query(Technology).filter_by(slug="geheimfunk").one().name == "Geheimfunk"
    answer = ask(filters={"technology": ("geheimfunk",)})
    assert [(chip.value, chip.label) for chip in answer.chips] == [("geheimfunk", "geheimfunk")]


def test_an_entry_hidden_behind_the_indexs_back_is_not_shown(ask: Ask, catalog: Runtime) -> None:
    before = ask("Pegelmessung")
    number = before.hits[0].card.id
    with catalog.unit_of_work.writing.begin() as session:  # past the outbox: the index still holds the entry
        session.execute(update(Solution).where(Solution.id == number).values(status=Status.ARCHIVED))
        session.execute(update(SolutionAudience).where(SolutionAudience.solution_id == number).values(label="curators"))
    after = ask("Pegelmessung")
    assert "Pegelmessung am Hafen" not in titles(after)
    assert after.total == before.total - 1


@pytest.fixture
def broken(catalog: Runtime) -> Runtime:
    """The catalog without its index."""
    (catalog.settings.index_dir / "CURRENT").unlink()
    assert catalog.index.status().needs_rebuild
    return catalog


def test_without_the_index_the_database_answers(broken: Runtime, ask: Ask) -> None:
    assert broken.settings.index_dir.is_dir()
    answer = ask("Messung")
    assert not answer.available
    assert set(titles(answer)) == {"Pegelmessung am Hafen", "Messung von Starkregen im Kanal", "Zähler im Schacht"}
    assert ask("Messung Hafen").total == 1
    assert ask("100%_").total == 0


def test_filters_hold_without_the_index_too(broken: Runtime, ask: Ask) -> None:
    assert broken.index.status().needs_rebuild
    expected = {
        ("topic", "wasser"): 3, ("topic", "kanal"): 1, ("state", "09"): 2, ("status", "pilot"): 2,
        ("technology", "lorawan"): 1,
        ("organisation", "sw-luebeck"): 2, ("kind", "utility"): 4, ("cause", "unit_cost"): 1, ("place", "01003000"): 2,
        ("year", "2020..2021"): 2, ("status", "gibt-es-nicht"): 0,
    }  # fmt: skip
    assert {(name, value): ask(filters={name: (value,)}).total for name, value in expected} == expected


def test_suggestions_are_of_every_kind_and_only_of_what_is_readable(catalog: Runtime) -> None:
    with catalog.unit_of_work.reading() as session:
        found = suggestions.suggest(session, catalog.index, ANONYMOUS, "lüb")
        assert ("organisation", "Stadtwerke Lübeck", "sw-luebeck") in [(s.kind, s.text, s.key) for s in found]
        assert ("place", "Lübeck", "01003000") in [(s.kind, s.text, s.key) for s in found]
        entries = suggestions.suggest(session, catalog.index, ANONYMOUS, "pegelm")
        assert ("entry", "Pegelmessung am Hafen") in [(s.kind, s.text) for s in entries]
        assert [s.kind for s in suggestions.suggest(session, catalog.index, ANONYMOUS, "Kana")][:1] == ["topic"]
        assert suggestions.suggest(session, catalog.index, ANONYMOUS, "geheim") == []
        assert suggestions.suggest(session, catalog.index, ANONYMOUS, "l") == []
        assert suggestions.suggest(session, catalog.index, ANONYMOUS, "\x00%_" * 5) == []


def test_without_the_index_nothing_is_suggested(broken: Runtime) -> None:
    with broken.unit_of_work.reading() as session:
        assert suggestions.suggest(session, broken.index, ANONYMOUS, "Pegel") == []


def test_every_facet_that_documents_have_may_be_typed(runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        document = indexing.document_for(make_published(session), indexing.topic_paths(session))
    assert set(document.facets) == set(indexing.FACETS)
