"""The form over HTTP: rows come and go, mistakes are shown in place, places are asked back, nobody overwrites."""

from dataclasses import dataclass

import pytest
from flask import Flask

from catalog.domain.actor import Actor
from catalog.domain.workflow import Status
from catalog.models.place import Municipality, PlaceAlias
from catalog.models.solution import Solution
from catalog.models.topic import Technology
from catalog.runtime import Runtime
from catalog.services import submission
from tests.browser import Browser
from tests.catalog.web.signin import sign_in
from tests.factories import actor_for, make_draft, make_organisation, make_published, make_user
from tests.forms import form_of


@dataclass
class Desk:
    """A member with a draft, and everything a test needs to look behind the page."""

    runtime: Runtime
    browser: Browser
    author: Actor
    solution_id: int

    @property
    def address(self) -> str:
        """The form of the draft."""
        return f"/einreichen/{self.solution_id}"

    def content(self) -> dict[str, object]:
        """What is saved, as the document the next form starts from."""
        with self.runtime.unit_of_work.reading() as session:
            entry, _ = submission.document_to_edit(session, session.get_one(Solution, self.solution_id))
            return entry.model_dump(mode="json")

    def site(self) -> dict[str, object]:
        """The first site of what is saved."""
        return self.content()["deployments"][0]  # type: ignore[index,no-any-return]


@pytest.fixture
def desk(app: Flask, runtime: Runtime) -> Desk:
    runtime.index.rebuild([])
    with runtime.unit_of_work() as session:
        user = make_user(session, make_organisation(session, name="Stadtwerke Eigenstadt"), name="Maren Mitglied")
        author = actor_for(user)
        solution = make_draft(session, author, title="Pegelmessung")
        session.add(Technology(slug="lorawan", name="LoRaWAN"))
        for ags, name in (("01000001", "Neustadt (Alpha)"), ("01000002", "Neustadt (Beta)")):
            session.add(Municipality(ags=ags, name=name, search_name="neustadt", state_code="01", population=900))
        session.add(PlaceAlias(name="Travemünde", search_name="travemuende", ags="01003000"))
        session.flush()
        made = Desk(runtime, Browser(app.test_client()), author, solution.id)
    sign_in(made.browser.client, user)
    return made


def test_who_may_not_write_does_not_learn_of_the_draft(app: Flask, desk: Desk) -> None:
    nobody = Browser(app.test_client())
    assert "melden Sie sich" in nobody.get("/einreichen").text
    assert nobody.get(desk.address).status_code == 303
    assert nobody.get("/meine-beitraege").status_code == 303
    with desk.runtime.unit_of_work() as session:
        stranger = make_user(session, make_organisation(session))
    sign_in(nobody.client, stranger)
    for address in (desk.address, f"{desk.address}/vorschau", f"{desk.address}/verwerfen"):
        assert nobody.get(address).status_code == 404


def test_every_page_of_the_author_is_sound(desk: Desk) -> None:
    for address in (
        "/einreichen",
        desk.address,
        f"{desk.address}/vorschau",
        f"{desk.address}/verwerfen",
        "/meine-beitraege",
    ):
        assert desk.browser.get(address).status_code == 200, address


def test_rows_come_and_go_without_losing_a_word(desk: Desk) -> None:
    saved = desk.content()
    page = desk.browser.get(desk.address)
    sent = form_of(
        page.text, desk.address, benefit="Noch nicht gespeichert", **{"deployments-0-capex_eur": "etwa zwölf"}
    )
    page = desk.browser.post(desk.address, data=sent | {"add": "deployments-0-kpis"})
    assert page.status_code == 200
    sent = form_of(
        page.text, desk.address, **{"deployments-0-kpis-0-indicator": "Erste", "deployments-0-kpis-0-before": "1.234,5"}
    )
    page = desk.browser.post(desk.address, data=sent | {"add": "deployments-0-kpis"})
    sent = form_of(page.text, desk.address, **{"deployments-0-kpis-1-indicator": "Zweite"})
    page = desk.browser.post(desk.address, data=sent | {"add": "deployments"})
    sent = form_of(
        page.text, desk.address, **{"deployments-1-place": "Lübeck", "deployments-1-worked": "Der zweite Ort"}
    )
    assert sent["deployments-1-organisation"] == "Stadtwerke Eigenstadt"
    page = desk.browser.post(desk.address, data=sent | {"remove": "deployments-0-kpis-0"})
    sent = form_of(page.text, desk.address)
    assert sent["benefit"] == "Noch nicht gespeichert"
    assert sent["deployments-0-capex_eur"] == "etwa zwölf"
    assert sent["deployments-0-kpis-0-indicator"] == "Zweite"
    assert "deployments-0-kpis-1-indicator" not in sent
    page = desk.browser.post(desk.address, data=sent | {"remove": "deployments-0"})
    sent = form_of(page.text, desk.address)
    assert sent["deployments-0-worked"] == "Der zweite Ort"
    assert "deployments-1-worked" not in sent
    assert desk.content() == saved, "adding and removing rows saves nothing"
    for odd in ("deployments-7-kpis", "title", "../x", ""):
        assert desk.browser.post(desk.address, data=sent | {"add": odd}).status_code in {200, 302, 422}


def test_mistakes_of_form_are_shown_in_place_and_nothing_is_saved(desk: Desk) -> None:
    saved = desk.content()
    wrong = {
        "deployments-0-capex_eur": "etwa zwölf",
        "deployments-0-started": "letzten Sommer",
        "deployments-0-person_days": "-3",
        "title": "x" * 301,
    }
    page = desk.browser.get(desk.address)
    page = desk.browser.post(desk.address, data=form_of(page.text, desk.address) | {"add": "sources"})
    wrong["sources-0-url"] = "javascript:alert(1)"
    answer = desk.browser.post(desk.address, data=form_of(page.text, desk.address, **wrong) | {"step": "save"})
    assert answer.status_code == 422
    shown = form_of(answer.text, desk.address)
    for name, typed in wrong.items():
        assert shown[name] == typed
        assert f'href="#{name}"' in answer.text, name
    assert "<title>Fehler:" in answer.text
    assert desk.content() == saved


def test_an_end_before_the_beginning_is_told_at_the_site(desk: Desk) -> None:
    page = desk.browser.get(desk.address)
    dates = {"deployments-0-started": "05/2021", "deployments-0-ended": "2020"}
    answer = desk.browser.post(desk.address, data=form_of(page.text, desk.address, **dates) | {"step": "save"})
    assert answer.status_code == 422
    assert "Das Ende liegt vor dem Beginn." in answer.text


def test_every_field_is_saved_and_shown_again(desk: Desk) -> None:
    page = desk.browser.get(desk.address)
    for rows in ("deployments-0-kpis", "deployments-0-funding", "deployments-0-partners", "sources"):
        page = desk.browser.post(desk.address, data=form_of(page.text, desk.address) | {"add": rows})
    typed = {
        "title_en": "Level",
        "keywords": "Pegel, Bach; Pegel",
        "technologies": "lorawan",
        "technologies_more": "Radarsensor",
        "critical_infrastructure": "nein",
        "transfer_data": "Geländemodell",
        "contact_mailbox": "netz@example.org",
        "sources-0-url": "https://example.org/a",
        "sources-0-accessed": "17.05.2026",
        "deployments-0-ended": "31.12.2023",
        "deployments-0-opex_eur": "1.234,56",
        "deployments-0-stop_causes": "law",
        "deployments-0-kpis-0-indicator": "Alarme",
        "deployments-0-kpis-0-after": "2,5",
        "deployments-0-kpis-0-kind": "impact",
        "deployments-0-funding-0-amount_eur": "5000",
        "deployments-0-partners-0-organisation": "Stadtwerke Eigenstadt",
        "deployments-0-partners-0-role": "operator",
        "deployments-0-reuse_adapted": "Anderer Mast",
        "deployments-0-reuse_recommend": "ja",
    }
    answer = desk.browser.post(desk.address, data=form_of(page.text, desk.address, **typed) | {"step": "save"})
    assert answer.status_code == 302
    content, site = desk.content(), desk.site()
    assert content["keywords"] == ["Pegel", "Bach"]
    assert content["technologies"] == ["lorawan", "Radarsensor"]
    assert content["critical_infrastructure"] is False
    assert content["transfer"]["data"] == "Geländemodell"  # type: ignore[index]
    assert content["sources"] == [{"url": "https://example.org/a", "title": "", "accessed": "2026-05-17"}]
    assert (site["ended"], site["opex_eur"], site["stop_causes"]) == ("2023-12-31", 1234.56, ["law"])
    assert site["kpis"][0] | {"indicator": "Alarme", "after": 2.5, "kind": "impact"} == site["kpis"][0]  # type: ignore[index]
    assert site["funding"][0]["amount_eur"] == 5000  # type: ignore[index]
    partner = site["partners"][0]  # type: ignore[index]
    assert (partner["organisation"].startswith("stadtwerke-"), partner["role"]) == (True, "operator")
    assert site["reuse"]["recommend"] is True  # type: ignore[index]
    again = form_of(desk.browser.get(desk.address).text, desk.address)
    assert desk.browser.post(desk.address, data=again | {"step": "save"}).status_code == 302
    assert desk.content() == content, "saving what is shown changes nothing"
    assert again["deployments-0-opex_eur"] == "1234,56"
    assert again["deployments-0-partners-0-organisation"] == "Stadtwerke Eigenstadt"


@pytest.mark.parametrize(
    ("typed", "ags", "name"),
    [
        ("Lübeck", "01003000", "Lübeck"),
        ("hansestadt luebeck", "01003000", "Lübeck"),
        ("01003000", "01003000", "Lübeck"),
        ("Travemünde", "01003000", "Travemünde"),
        ("Travemünde (Lübeck, Schleswig-Holstein)", "01003000", "Travemünde"),
        ("Neustadt (Beta)", "01000002", "Neustadt (Beta)"),
        ("Neustadt", "", "Neustadt"),
        ("Nirgendwo", "", "Nirgendwo"),
    ],
)
def test_places_are_resolved_or_kept_as_words(desk: Desk, typed: str, ags: str, name: str) -> None:
    page = desk.browser.get(desk.address)
    sent = form_of(page.text, desk.address, **{"deployments-0-place": typed, "deployments-0-ags": ""})
    assert desk.browser.post(desk.address, data=sent | {"step": "save"}).status_code == 302
    assert desk.site()["place"] == {"ags": ags, "name": name}


def test_an_ambiguous_place_is_asked_back_before_handing_in(desk: Desk) -> None:
    page = desk.browser.get(desk.address)
    sent = form_of(page.text, desk.address, **{"deployments-0-place": "Neustadt"})
    asked = desk.browser.post(desk.address, data=sent | {"step": "submit"})
    assert asked.status_code == 422
    assert "welcher Ort gemeint ist" in asked.text
    sent = form_of(asked.text, desk.address, **{"deployments-0-place_choice": "01000001"})
    assert desk.browser.post(desk.address, data=sent | {"step": "submit"}).location == "/meine-beitraege"
    assert desk.site()["place"] == {"ags": "01000001", "name": "Neustadt (Alpha)"}


def test_a_place_nobody_knows_can_be_kept_on_purpose(desk: Desk) -> None:
    page = desk.browser.get(desk.address)
    sent = form_of(page.text, desk.address, **{"deployments-0-place": "Landkreis Irgendwo"})
    asked = desk.browser.post(desk.address, data=sent | {"step": "submit"})
    assert asked.status_code == 422
    sent = form_of(asked.text, desk.address, **{"deployments-0-place_choice": "-"})
    assert desk.browser.post(desk.address, data=sent | {"step": "submit"}).location == "/meine-beitraege"
    assert desk.site()["place"] == {"ags": "", "name": "Landkreis Irgendwo"}


def test_who_saves_second_sees_both_texts(desk: Desk) -> None:
    mine = form_of(desk.browser.get(desk.address).text, desk.address, benefit="Meine Worte.")
    theirs = form_of(desk.browser.get(desk.address).text, desk.address, benefit="Ihre Worte.")
    assert desk.browser.post(desk.address, data=theirs | {"step": "save"}).status_code == 302
    answer = desk.browser.post(desk.address, data=mine | {"step": "save"})
    assert answer.status_code == 409
    assert "Ihre" in answer.text
    kept = form_of(answer.text, desk.address)
    assert kept["benefit"] == "Meine Worte."
    assert desk.content()["benefit"] == "Ihre Worte."
    # Saving once more is a decision made with both texts in view.
    assert desk.browser.post(desk.address, data=kept | {"step": "save"}).status_code == 302
    assert desk.content()["benefit"] == "Meine Worte."


def test_the_identity_of_another_entrys_site_is_not_taken_over(desk: Desk) -> None:
    with desk.runtime.unit_of_work() as session:
        foreign = make_published(session).deployments[0].external_id
    page = desk.browser.get(desk.address)
    sent = form_of(page.text, desk.address, **{"deployments-0-external_id": foreign})
    assert desk.browser.post(desk.address, data=sent | {"step": "save"}).status_code == 302
    assert desk.site()["external_id"] not in {foreign, ""}


def test_a_followed_site_is_found_by_words_and_kept(desk: Desk) -> None:
    with desk.runtime.unit_of_work() as session:
        origin = make_published(session, title="Grundwasser per Funk").deployments[0].external_id
        secret = make_draft(
            session, actor_for(make_user(session, make_organisation(session))), title="Geheimes Grundwasser"
        )
        hidden = secret.deployments[0].external_id
    page = desk.browser.get(desk.address)
    sent = form_of(page.text, desk.address, **{"deployments-0-reuse_follows": "grundwasser lübeck"})
    asked = desk.browser.post(desk.address, data=sent | {"find": "deployments-0-reuse_follows"})
    assert origin in asked.text
    assert hidden not in asked.text
    sent = form_of(asked.text, desk.address, **{"deployments-0-reuse_choice": origin})
    assert desk.browser.post(desk.address, data=sent | {"step": "save"}).status_code == 302
    assert desk.site()["reuse"]["follows"] == origin  # type: ignore[index]
    assert "Verknüpft mit Grundwasser per Funk" in desk.browser.get(desk.address).text
    assert "Geheimes" not in desk.browser.get("/einreichen/standorte?q=grundwasser").text


def test_taking_back_and_throwing_away(desk: Desk) -> None:
    sent = form_of(desk.browser.get(desk.address).text, desk.address)
    assert desk.browser.post(desk.address, data=sent | {"step": "submit"}).location == "/meine-beitraege"
    waiting = desk.browser.get(desk.address)
    assert "Zurückziehen" in waiting.text
    refused = desk.browser.post(desk.address, data=sent | {"step": "save"})
    assert refused.status_code == 409
    back = f"{desk.address}/zurueckziehen"
    assert desk.browser.post(back, data=form_of(waiting.text, back)).status_code == 302
    away = f"{desk.address}/verwerfen"
    assert desk.browser.post(away, data=form_of(desk.browser.get(away).text, away)).status_code == 302
    with desk.runtime.unit_of_work.reading() as session:
        assert session.get(Solution, desk.solution_id) is None


def test_a_published_entry_is_changed_beside_what_readers_see(desk: Desk) -> None:
    with desk.runtime.unit_of_work() as session:
        published = make_published(session, desk.author, title="Öffentlich")
        address, slug = f"/einreichen/{published.id}", published.slug
    page = desk.browser.get(address)
    assert "Leserinnen und Leser sehen die veröffentlichte Fassung" in page.text
    sent = form_of(page.text, address, title="Noch nicht öffentlich")
    assert desk.browser.post(address, data=sent | {"step": "preview"}).location == f"{address}/vorschau"
    assert "Noch nicht öffentlich" in desk.browser.get(f"{address}/vorschau").text
    with desk.runtime.unit_of_work.reading() as session:
        row = session.get_one(Solution, published.id)
        assert (row.title, row.slug, row.status) == ("Öffentlich", slug, Status.PUBLISHED)


def test_the_form_needs_its_token(desk: Desk) -> None:
    sent = form_of(desk.browser.get(desk.address).text, desk.address, csrf_token="falsch")
    assert desk.browser.post(desk.address, data=sent | {"step": "save"}).status_code in {400, 422}
    assert desk.browser.client.post(f"{desk.address}/verwerfen").status_code == 400


def test_places_are_suggested_while_typing(desk: Desk) -> None:
    found = desk.browser.client.get("/orte?q=trave").json
    assert found == {
        "places": [{"name": "Travemünde", "ags": "01003000", "label": "Travemünde (Lübeck, Schleswig-Holstein)"}]
    }
    for odd in ("", "%", "\x00", "x" * 5_000, "_"):
        assert desk.browser.client.get("/orte", query_string={"q": odd}).json == {"places": []}
