"""The demo catalog: loaded once, through the import everybody uses, and back out of the export unchanged."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from catalog.config import Settings
from catalog.models.organisation import Organisation
from catalog.models.solution import Solution
from catalog.models.user import User
from catalog.runtime import Runtime, open_runtime
from catalog.services import accounts, demo, seeding
from catalog.services.transfer import exporting, importing
from catalog.services.transfer.lines import Line
from index import Query

PUBLIC = frozenset({"public"})


@pytest.fixture
def seeded(runtime: Runtime) -> Runtime:
    """A catalog with places and topics."""
    with runtime.unit_of_work() as session:
        seeding.seed(session)
    return runtime


@pytest.fixture
def second(tmp_path: Path, migrated_database: Path) -> Iterator[Runtime]:
    """Another catalog with places and topics."""
    folder = tmp_path / "second"
    folder.mkdir()
    (folder / "catalog.sqlite3").write_bytes(migrated_database.read_bytes())
    opened = open_runtime(Settings(data_dir=folder, secret_key="for tests only, never for a catalog that people use"))
    with opened.unit_of_work() as session:
        seeding.seed(session)
    yield opened
    opened.engine.dispose()


def test_the_demo_catalog_is_whole_loaded_once_and_comes_back_from_its_export(seeded: Runtime, second: Runtime) -> None:
    report = demo.load(seeded.unit_of_work.writing, seeded.index)
    assert report is not None
    assert not report.errors, [str(found) for found in report.errors]
    with seeded.unit_of_work.reading() as session:
        assert (session.scalar(select(func.count()).select_from(Solution)) or 0) == report.published >= 44
        assert not session.scalars(select(Solution.id).where(Solution.is_demo.is_(False))).all()
        assert not session.scalars(select(Solution.title).where(Solution.is_complete.is_(False))).all()
        assert not session.scalars(select(Organisation.name).where(Organisation.is_demo.is_(False))).all()
    assert seeded.index.search(Query("Travemünde", PUBLIC)).total >= 1
    assert demo.load(seeded.unit_of_work.writing, seeded.index) is None

    with seeded.unit_of_work.reading() as session:
        there = list(exporting.rows(session))
    lines = [Line(number, 0, row) for number, row in enumerate(there, start=1)]
    back = importing.import_rows(second.unit_of_work.writing, second.index, lambda: lines, publish=True)
    assert not back.errors, [str(found) for found in back.errors]
    with second.unit_of_work.reading() as session:
        assert list(exporting.rows(session)) == there


def test_the_accounts_open_with_the_known_password_and_are_marked(seeded: Runtime) -> None:
    with seeded.unit_of_work.reading() as session:
        assert demo.present(session) == []
    demo.load(seeded.unit_of_work.writing, seeded.index)
    with seeded.unit_of_work.reading() as session:
        assert [account.email for account in demo.present(session)] == [
            "reader@example.org",
            "member@example.org",
            "curator@example.org",
            "admin@example.org",
        ]
        users = {user.email: user for user in session.scalars(select(User))}
        assert all(user.is_demo and user.active for user in users.values())
        assert accounts.PASSWORDS.verify(demo.DEMO_PASSWORD, users["member@example.org"].password)
        member = accounts.actor_of(session, users["member@example.org"])
        assert member.writing_organisations
        assert not accounts.actor_of(session, users["reader@example.org"]).writing_organisations
        assert accounts.actor_of(session, users["curator@example.org"]).is_curator
        assert accounts.actor_of(session, users["admin@example.org"]).is_admin
