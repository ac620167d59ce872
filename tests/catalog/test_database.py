"""The engine's promises and the way from schema to schema."""

import sqlite3
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, text

from catalog import database
from catalog.database import SchemaError
from catalog.models.base import Base
from catalog.runtime import Runtime
from tests import postgres


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return database.make_engine(f"sqlite:///{tmp_path / 'catalog.sqlite3'}")


def test_sqlite_is_set_up_to_keep_what_it_says_it_has(engine: Engine) -> None:
    with engine.connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}
    engine.dispose()


def test_a_writer_takes_the_lock_at_once_and_readers_go_on(engine: Engine, tmp_path: Path) -> None:
    """Whoever reads first and then writes would fail instead of waiting."""
    database.upgrade(engine)
    other = sqlite3.connect(tmp_path / "catalog.sqlite3", timeout=0)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        assert other.execute("SELECT count(*) FROM solution").fetchone() == (0,)
    with engine.connect() as connection, connection.begin():
        connection.execute(text("SELECT 1"))
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    other.close()
    engine.dispose()


def test_migrations_lead_to_the_schema_the_models_describe(each_runtime: Runtime) -> None:
    with each_runtime.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata)
    assert found == []


def test_upgrading_twice_does_nothing_the_second_time(engine: Engine, tmp_path: Path) -> None:
    assert database.current(engine) is None
    assert database.upgrade(engine) is True
    assert database.current(engine) == database.head()
    assert database.upgrade(engine) is False
    assert list(tmp_path.glob("*.before-upgrade-*")) == []
    engine.dispose()


def test_an_sqlite_file_is_copied_before_it_is_upgraded(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.upgrade(engine)
    present = database.head()
    with engine.begin() as connection:
        connection.execute(text("INSERT INTO role (name, description) VALUES ('kept', '')"))
    monkeypatch.setattr(database, "head", lambda: "another")  # there is no second migration yet
    assert database.upgrade(engine) is True
    (copy,) = tmp_path.glob(f"catalog.sqlite3.before-upgrade-{present}-*")
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    with sqlite3.connect(copy) as kept:
        assert kept.execute("SELECT name FROM role").fetchall() == [("kept",)]
    kept.close()
    engine.dispose()


def test_an_empty_an_older_and_a_newer_database_are_told_apart(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SchemaError, match="catalog init"):
        database.check_schema(engine)
    database.upgrade(engine)
    database.check_schema(engine)
    with monkeypatch.context() as patched:
        patched.setattr(database, "head", lambda: "another")
        with pytest.raises(SchemaError, match="catalog db upgrade"):
            database.check_schema(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'of_tomorrow'"))
    for refused in (database.check_schema, database.upgrade):
        with pytest.raises(SchemaError, match=r"newer version.*of_tomorrow"):
            refused(engine)
    engine.dispose()


def test_a_migration_that_breaks_changes_nothing(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    class BrokenError(Exception):
        pass

    upgrade = database.command.upgrade

    def breaks(*given: object) -> None:
        upgrade(*given)  # type: ignore[arg-type]
        raise BrokenError

    with monkeypatch.context() as patched:
        patched.setattr(database.command, "upgrade", breaks)
        with pytest.raises(BrokenError):
            database.upgrade(engine)
    assert database.current(engine) is None
    with engine.connect() as connection:
        left = connection.execute(text("SELECT name FROM sqlite_master WHERE name = 'solution'")).all()
    assert left == []
    assert database.upgrade(engine) is True
    engine.dispose()


@pytest.mark.postgres
def test_postgresql_is_migrated_the_same_way(postgres_server: postgres.Server) -> None:
    with postgres_server.fresh(migrated=False) as url:
        engine = database.make_engine(url)
        assert database.upgrade(engine) is True
        assert database.upgrade(engine) is False
        database.check_schema(engine)
        engine.dispose()
