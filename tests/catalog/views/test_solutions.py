"""The entry's page: what readers see, what they must not, where old addresses lead."""

import re

import pytest
from flask.testing import FlaskClient

from catalog.domain.actor import Role
from catalog.domain.entry import Contact, Deployment, Kpi, Place, Reuse
from catalog.domain.vocabulary import DeploymentStatus, ReuseStatus, StopCause, Visibility
from catalog.runtime import Runtime
from catalog.services import curation
from tests import factories
from tests.catalog.web.signin import sign_in


def _site(name: str, **given: object) -> Deployment:
    basis = {
        "external_id": f"site-{name}",
        "place": Place(ags="01003000", name=name),
        "started": "2020",
        "status": DeploymentStatus.PILOT,
        "not_worked": f"In {name} rostete der Halter.",
    }
    return Deployment(**(basis | given))


def test_an_entry_shows_results_failures_and_the_chain(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        solution = factories.make_published(
            session,
            title="Pegel per Funk",
            deployments=[
                _site("Travemünde", kpis=[Kpi(indicator="Kontrollfahrten", unit="Fahrten", before=100, after=80)]),
                _site(
                    "Arnsberg",
                    reuse=Reuse(follows="site-Travemünde", status=ReuseStatus.PLANNED, adapted="Andere Halter."),
                ),
                _site("Kiel", status=DeploymentStatus.STOPPED, stop_causes=[StopCause.FUNDING_ENDED]),
            ],
        )
        slug = solution.slug
    page = client.get(f"/loesungen/{slug}").text
    assert re.search(r"<h1[^>]*>\s*Pegel per Funk", page)
    assert "−20\xa0%" in page
    assert "In Travemünde rostete der Halter." in page
    assert "Förderung ausgelaufen" in page
    chain = page[page.index('id="nachnutzung"') :]
    assert chain.index("Travemünde") < chain.index("Arnsberg") < chain.index("Andere Halter.")
    assert "1 Standort" in page


def test_mail_addresses_are_not_in_the_source_for_strangers(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        organisation = factories.make_organisation(session)
        reader = factories.make_user(session, organisation)
        slug = factories.make_published(
            session, contact=Contact(name="Ansprechstelle", mailbox="fragen@example.org")
        ).slug
    assert "fragen@" not in client.get(f"/loesungen/{slug}").text
    sign_in(client, reader)
    assert "fragen@example.org" in client.get(f"/loesungen/{slug}").text


def test_a_former_address_leads_to_the_present_one_for_good(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        solution = factories.make_published(session, title="Der alte Titel")
        old = solution.slug
        factories.publish_change(session, solution, title="Ein neuer Titel")
        new = solution.slug
    answer = client.get(f"/loesungen/{old}")
    assert answer.status_code == 301
    assert answer.location.endswith(f"/loesungen/{new}")
    assert client.get(answer.location).status_code == 200


def test_an_old_address_of_a_hidden_entry_tells_nothing(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        solution = factories.make_published(session, title="Wird verborgen")
        old = solution.slug
        factories.publish_change(session, solution, title="Nun anders benannt", visibility=Visibility.MEMBERS)
    assert client.get(f"/loesungen/{old}").data == client.get("/loesungen/gab-es-nie").data.replace(
        b"gab-es-nie", old.encode()
    )


@pytest.mark.parametrize("state", ["draft", "archived", "members"])
def test_hidden_is_absent_to_strangers_and_there_for_its_own_people(
    client: FlaskClient, runtime: Runtime, state: str
) -> None:
    with runtime.unit_of_work() as session:
        author_user = factories.make_user(session, factories.make_organisation(session))
        author = factories.actor_for(author_user)
        if state == "draft":
            solution = factories.make_draft(session, author, title="Geheimer Entwurf")
        else:
            given = {"visibility": Visibility.MEMBERS} if state == "members" else {}
            solution = factories.make_published(session, author, title="Geheimer Eintrag", **given)
            if state == "archived":
                curator = factories.actor_for(factories.make_user(session), Role.CURATOR)
                curation.archive(session, curator, solution, "veraltet")
        slug = solution.slug
    hidden, absent = client.get(f"/loesungen/{slug}"), client.get("/loesungen/gibt-es-nicht")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    assert hidden.data.replace(slug.encode(), b"X") == absent.data.replace(b"gibt-es-nicht", b"X")
    sign_in(client, author_user)
    assert client.get(f"/loesungen/{slug}").status_code == 200


def test_readers_keep_the_published_text_while_a_change_waits(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        author_user = factories.make_user(session, factories.make_organisation(session))
        author = factories.actor_for(author_user)
        solution = factories.make_published(session, author, challenge="Der gültige Text.")
        slug = solution.slug
        from catalog.services import submission

        entry, version = submission.document_to_edit(session, solution)
        submission.save(
            session, author, solution, entry.model_copy(update={"challenge": "Der neue Text."}), version=version
        )
    page = client.get(f"/loesungen/{slug}").text
    assert "Der gültige Text." in page
    assert "Der neue Text." not in page
    assert "noch nicht veröffentlichte Fassung" not in page
    sign_in(client, author_user)
    assert "noch nicht veröffentlichte Fassung" in client.get(f"/loesungen/{slug}").text


def test_hostile_text_stays_text(client: FlaskClient, runtime: Runtime) -> None:
    attack = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    with runtime.unit_of_work() as session:
        slug = factories.make_published(
            session,
            title=f"Titel {attack}",
            benefit=attack,
            challenge=attack,
            solution=f"[x](javascript:alert(1)) {attack}",
            keywords=[attack],
            deployments=[_site("Kiel", not_worked=attack, worked=attack)],
        ).slug
    page = client.get(f"/loesungen/{slug}").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "javascript:" not in re.sub(r"\[x\]\(javascript:alert\(1\)\)", "", page)


def test_english_readers_get_the_english_title_and_marked_german_text(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        slug = factories.make_published(
            session, title="Pegel", title_en="Water levels", benefit_en="Levels are known."
        ).slug
    page = client.get(f"/loesungen/{slug}?lang=en").text
    assert re.search(r"<h1[^>]*>\s*Water levels", page)
    assert "Levels are known." in page
    assert re.search(r'class="prose kern-body" lang="de"', page)
