"""Seeding: the ground every catalog stands on is laid quickly, once, and never over what curators have changed."""

import time

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from catalog.models.place import Municipality, PlaceAlias
from catalog.models.topic import Technology, Topic
from catalog.models.user import Role
from catalog.services import places, seeding

LONGEST_SECONDS = 6  # two on an idle machine; tests share theirs


def test_a_second_run_changes_nothing(session: Session) -> None:
    first = seeding.seed(session)
    assert first.added > 11_000
    session.flush()
    again = seeding.seed(session)
    assert (again.added, again.changed) == (0, 0)


def test_eleven_thousand_places_are_in_within_seconds(session: Session) -> None:
    started = time.process_time()
    seeding.places(session)
    assert time.process_time() - started < LONGEST_SECONDS
    assert (session.scalar(select(func.count()).select_from(Municipality)) or 0) > 10_000
    assert (session.scalar(select(func.count()).select_from(PlaceAlias)) or 0) > 1_000


def test_a_part_of_town_leads_to_its_municipality(session: Session) -> None:
    seeding.places(session)
    found = places.find(session, name="Travemünde")
    assert found is not None
    assert (found.name, found.state.abbreviation) == ("Lübeck", "SH")


def test_a_newer_gazetteer_corrects_what_is_there(session: Session) -> None:
    seeding.places(session)
    session.execute(update(Municipality).where(Municipality.ags == "01003000").values(population=1, name="Lybeck"))
    session.flush()
    assert seeding.places(session).changed == 1
    session.expire_all()
    assert session.get_one(Municipality, "01003000").name == "Lübeck"


def test_topics_keep_their_tree_and_what_curators_wrote(session: Session) -> None:
    seeding.taxonomy(session)
    first_level = session.scalars(select(Topic).where(Topic.parent_id.is_(None)).order_by(Topic.position)).all()
    assert [topic.slug for topic in first_level][:4] == ["mobilitaet", "energie", "wasser", "abfall"]
    water = next(topic for topic in first_level if topic.slug == "wasser")
    assert {"trinkwasser", "abwasser"} <= {topic.slug for topic in water.children}
    water.name = "Wasser und mehr"
    session.flush()
    again = seeding.taxonomy(session)
    assert again.added == 0
    assert session.scalars(select(Topic.name).where(Topic.slug == "wasser")).one() == "Wasser und mehr"


def test_a_topic_that_was_deleted_comes_back_and_the_rest_stays(session: Session) -> None:
    seeding.taxonomy(session)
    session.delete(session.scalars(select(Technology).where(Technology.slug == "lorawan")).one())
    session.flush()
    assert seeding.taxonomy(session).added == 1


def test_the_roles_exist(session: Session) -> None:
    seeding.roles(session)
    assert set(session.scalars(select(Role.name))) == {"curator", "admin"}
