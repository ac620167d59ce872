"""The database itself refuses what must not be, and the migrations make exactly the models."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError, IntegrityError
from sqlalchemy.orm import Session

from catalog import database
from catalog.domain.actor import SYSTEM
from catalog.domain.vocabulary import OrganisationKind
from catalog.domain.workflow import Status
from catalog.models.base import Base
from catalog.models.deployment import Deployment, Reuse
from catalog.models.organisation import Organisation
from catalog.models.revision import Revision
from catalog.models.topic import Topic
from catalog.runtime import Runtime
from catalog.services import audit, outbox
from tests import factories


def test_migrations_make_exactly_the_models(runtime: Runtime) -> None:
    with runtime.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_second_upgrade_does_nothing(runtime: Runtime) -> None:
    assert database.current(runtime.engine) == database.head()
    assert database.upgrade(runtime.engine) is False


def test_a_database_of_a_newer_program_is_refused_with_a_text(runtime: Runtime) -> None:
    with runtime.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(database.SchemaError, match="newer version"):
        database.upgrade(runtime.engine)
    with pytest.raises(database.SchemaError, match="newer version"):
        database.check_schema(runtime.engine)


@pytest.mark.parametrize("statement", ["UPDATE audit_event SET reason = 'x'", "DELETE FROM audit_event"])
def test_the_audit_log_only_grows(runtime: Runtime, statement: str) -> None:
    with runtime.unit_of_work() as session:
        audit.record(session, SYSTEM, "test", "solution", 1)
    with pytest.raises(DatabaseError, match="only grow"), runtime.engine.begin() as connection:
        connection.execute(text(statement))


def test_an_unknown_term_is_refused(session: Session) -> None:
    factories.make_organisation(session)
    with pytest.raises(DatabaseError):
        session.execute(text("UPDATE organisation SET kind = 'restaurant'"))


def test_foreign_keys_hold(session: Session) -> None:
    session.add(Organisation(slug="x", name="X", kind=OrganisationKind.CITY, ags="99999999"))
    with pytest.raises(IntegrityError):
        session.flush()


def test_an_entry_has_at_most_one_open_revision(session: Session) -> None:
    author = factories.actor_for(factories.make_user(session, factories.make_organisation(session)))
    solution = factories.make_draft(session, author)
    session.add(Revision(solution=solution, number=2, status=Status.SUBMITTED, content={}))
    with pytest.raises(IntegrityError):
        session.flush()


def test_a_site_does_not_follow_itself(session: Session) -> None:
    site = factories.make_published(session).deployments[0]
    site.reuse = Reuse(origin=site)
    with pytest.raises(DatabaseError):
        session.flush()


def test_a_topic_is_not_its_own_parent(session: Session) -> None:
    topic = factories.make_topic(session)
    topic.parent_id = topic.id
    with pytest.raises(IntegrityError):
        session.flush()


@pytest.mark.parametrize(
    ("column", "value"),
    [("capex_eur", -1.0), ("person_days", -0.5), ("months_to_operation", -3.0)],
)
def test_costs_and_durations_are_not_negative(session: Session, column: str, value: float) -> None:
    site = factories.make_published(session).deployments[0]
    setattr(site, column, value)
    with pytest.raises(IntegrityError):
        session.flush()


def test_an_end_before_the_beginning_is_refused_at_any_precision(session: Session) -> None:
    site = factories.make_published(session).deployments[0]
    site.started, site.ended = "2021-05", "2021"
    session.flush()
    site.ended = "2020"
    with pytest.raises(IntegrityError):
        session.flush()


def test_no_text_is_cut(session: Session) -> None:
    long = "Grundwasser " * 20_000
    solution = factories.make_published(session)
    solution.challenge = solution.keywords[0] if solution.keywords else long
    session.flush()
    session.expire(solution)
    assert solution.challenge == long


def test_a_site_goes_with_its_entry_and_leaves_its_followers(session: Session) -> None:
    origin = factories.make_published(session)
    follower = factories.make_published(session)
    follower.deployments[0].reuse = Reuse(origin=origin.deployments[0], origin_name="the first site")
    session.flush()
    for revision in session.query(Revision).filter_by(solution_id=origin.id):
        session.delete(revision)
    session.delete(origin)
    session.flush()
    session.expire_all()
    reuse = session.get_one(Deployment, follower.deployments[0].id).reuse
    assert reuse is not None
    assert reuse.origin is None
    assert reuse.origin_name == "the first site"


def test_what_is_enqueued_is_rolled_back_with_its_cause(runtime: Runtime) -> None:
    class BrokenError(Exception):
        pass

    def broken() -> None:
        with runtime.unit_of_work() as session:
            factories.make_topic(session, slug="verschwindet")
            outbox.enqueue(session, outbox.INDEX, 1)
            raise BrokenError

    with pytest.raises(BrokenError):
        broken()
    with runtime.unit_of_work.reading() as session:
        assert outbox.waiting(session) == 0
        assert session.query(Topic).filter_by(slug="verschwindet").count() == 0
