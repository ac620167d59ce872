"""The home page: it shows what there is, counts what the reader may see, and says nothing of the rest."""

import re

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from catalog.domain.actor import ANONYMOUS
from catalog.domain.entry import Deployment, Place, Reuse
from catalog.domain.vocabulary import DeploymentStatus, Membership, Visibility
from catalog.models.organisation import Organisation
from catalog.models.solution import Solution
from catalog.services import overview
from tests import factories
from tests.browser import Browser
from tests.catalog.web.signin import sign_in


def _figures(page: str) -> dict[str, str]:
    return dict(re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", page))


def _follower_of(origin: Solution, place: str = "Kiel") -> Deployment:
    return Deployment(
        place=Place(name=place), started="2024", status=DeploymentStatus.PILOT, not_worked="Nichts.",
        reuse=Reuse(follows=origin.deployments[0].external_id),
    )  # fmt: skip


def test_an_empty_catalog_has_a_home_page(client: FlaskClient) -> None:
    page = Browser(client).get("/").text
    assert _figures(page) == {"Mitglieder": "0", "Lösungen": "0", "Standorte": "0", "Nachnutzungen": "0"}
    assert "Neu im Katalog" not in page


def test_entries_are_counted_in_the_first_level_topic_once(session: Session, client: FlaskClient) -> None:
    water = factories.make_topic(session, slug="wasser", name="Wasser", position=1)
    ground = factories.make_topic(session, name="Grundwasser", parent_id=water.id)
    level = factories.make_topic(session, name="Pegel", parent_id=ground.id)
    energy = factories.make_topic(session, name="Energie", position=2)
    factories.make_published(session, topics=[ground.slug, level.slug, water.slug])
    factories.make_published(session, topics=[level.slug])
    assert [(row.topic.name, row.entries) for row in overview.topics(session, ANONYMOUS)] == [
        ("Wasser", 2),
        (energy.name, 0),
    ]
    session.commit()
    page = Browser(client).get("/").text
    assert 'href="/themen/wasser"' in page
    assert "2 Lösungen" in page


def test_hidden_entries_leave_no_trace(session: Session, client: FlaskClient) -> None:
    member = factories.make_organisation(session, membership=Membership.FULL)
    author = factories.actor_for(factories.make_user(session, member))
    topic = factories.make_topic(session, name="Wärme")
    public = factories.make_published(session, author, title="Öffentlicher Eintrag", topics=[topic.slug])
    factories.make_published(
        session, author, title="Nur für Mitglieder", topics=[topic.slug], visibility=Visibility.MEMBERS,
        deployments=[_follower_of(public, "Geheimdorf")],
    )  # fmt: skip
    factories.make_draft(session, author, title="Ein Entwurf", topics=[topic.slug], deployments=[_follower_of(public)])
    reader = factories.make_user(session)
    session.commit()

    page = Browser(client).get("/").text
    assert _figures(page) == {"Mitglied": "1", "Lösung": "1", "Standort": "1", "Nachnutzungen": "0"}
    assert "1 Lösung<" in page
    for secret in ("Nur für Mitglieder", "Ein Entwurf", "Geheimdorf", "Bewährt"):
        assert secret not in page

    sign_in(client, reader)
    page = Browser(client).get("/").text
    assert _figures(page)["Lösungen"] == "2"
    assert _figures(page)["Nachnutzung"] == "1"
    assert "Nur für Mitglieder" in page
    assert "Ein Entwurf" not in page


def test_the_most_reused_come_first_and_new_entries_are_not_repeated(session: Session) -> None:
    often, once = factories.make_published(session), factories.make_published(session)
    for origin in (often, often, once):
        factories.make_published(session, deployments=[_follower_of(origin)])
    found = overview.most_reused(session, ANONYMOUS)
    assert [(row.solution.id, row.reuses) for row in found] == [(often.id, 2), (once.id, 1)]
    assert [row.solution.id for row in overview.most_reused(session, ANONYMOUS, without=[often])] == [once.id]


def test_the_newest_come_first(session: Session) -> None:
    made = [factories.make_published(session).id for _ in range(6)]
    assert [row.id for row in overview.newest(session, ANONYMOUS)] == made[:1:-1]


def test_examples_are_taken_from_what_everybody_may_find(session: Session) -> None:
    organisation: Organisation = factories.make_organisation(session)
    author = factories.actor_for(factories.make_user(session, organisation))
    parent = factories.make_topic(session)
    child = factories.make_topic(session, name="Füllstände messen", parent_id=parent.id)
    secret = factories.make_topic(session, name="Geheime Sache", parent_id=parent.id)
    factories.make_published(session, author, topics=[child.slug])
    factories.make_published(session, author, topics=[secret.slug], visibility=Visibility.MEMBERS)
    assert overview.examples(session, ANONYMOUS) == ["Lübeck", "Füllstände messen"]
