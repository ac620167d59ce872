"""Topic and organisation pages: counts and lists obey the read rule and take few questions to the database."""

from flask.testing import FlaskClient

from catalog.domain.entry import Deployment, Place, Reuse
from catalog.domain.vocabulary import DeploymentStatus, OrganisationKind, ReuseStatus, Visibility
from catalog.runtime import Runtime
from tests import factories
from tests.sql import statements


def _fill(runtime: Runtime, number: int) -> None:
    with runtime.unit_of_work() as session:
        topic = factories.make_topic(session, slug=f"wasser-{number}", name="Wasser", name_en="Water")
        factories.make_topic(session, slug=f"pegel-{number}", name="Pegel", parent_id=topic.id)
        for _ in range(number):
            factories.make_published(session, topics=[f"pegel-{number}"])


def test_a_topic_counts_what_lies_below_it_and_only_what_one_may_see(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        water = factories.make_topic(session, slug="wasser", name="Wasser")
        factories.make_topic(session, slug="pegel", name="Pegel", parent_id=water.id)
        factories.make_published(session, topics=["pegel"], title="Öffentlicher Pegel")
        factories.make_published(session, topics=["pegel"], title="Pegel der Mitglieder", visibility=Visibility.MEMBERS)
    overview = client.get("/themen").text
    assert overview.count('<span class="count">1</span>') == 2
    page = client.get("/themen/wasser").text
    assert "Öffentlicher Pegel" in page
    assert "Pegel der Mitglieder" not in page
    assert "1 Lösung" in page
    assert client.get("/themen/gibt-es-nicht").status_code == 404


def test_topics_ask_the_database_as_often_for_many_as_for_few(client: FlaskClient, runtime: Runtime) -> None:
    _fill(runtime, 2)
    client.get("/themen")
    with statements(runtime) as few:
        client.get("/themen")
    _fill(runtime, 9)
    with statements(runtime) as many:
        client.get("/themen")
    assert len(few) == len(many)


def test_an_organisation_shows_its_part_and_who_follows_whom(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        origin = factories.make_organisation(session, slug="ursprung", name="Stadtwerke Ursprung")
        follower = factories.make_organisation(session, slug="nachnutzer", name="Stadtwerke Nachnutzer")
        sites = [
            Deployment(
                external_id="a",
                organisation=origin.slug,
                place=Place(name="Hier"),
                started="2020",
                status=DeploymentStatus.PILOT,
                not_worked="x",
            ),
            Deployment(
                external_id="b",
                organisation=follower.slug,
                place=Place(name="Dort"),
                started="2022",
                status=DeploymentStatus.PILOT,
                not_worked="x",
                reuse=Reuse(follows="a", status=ReuseStatus.RUNNING),
            ),
        ]
        factories.make_published(session, organisation=origin.slug, title="Die Lösung", deployments=sites)
        factories.make_published(session, organisation=origin.slug, title="Intern", visibility=Visibility.MEMBERS)
    page = client.get("/organisationen/ursprung").text
    assert "Die Lösung" in page
    assert "Intern" not in page
    assert "An andere weitergegeben" in page
    assert "Stadtwerke Nachnutzer" in page
    assert "Von anderen übernommen" in client.get("/organisationen/nachnutzer").text
    assert client.get("/organisationen/gibt-es-nicht").status_code == 404


def test_the_list_of_organisations_filters_and_forgives(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        factories.make_organisation(session, name="Stadtwerke Alpha")
        factories.make_organisation(session, name="Stadt Beta", kind=OrganisationKind.CITY)
        factories.make_organisation(session, name="Gamma GmbH", kind=OrganisationKind.PARTNER)
    everyone = client.get("/organisationen").text
    assert "Stadtwerke Alpha" in everyone
    assert "Gamma GmbH" not in everyone  # a partner without a site is no member of the network
    cities = client.get("/organisationen?art=city").text
    assert "Stadt Beta" in cities
    assert "Stadtwerke Alpha" not in cities
    assert client.get("/organisationen?art=quatsch&land=99").status_code == 200
