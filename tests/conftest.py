"""Fixtures that most tests share: a data folder, an open runtime on a migrated database, the app and its client."""

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from catalog import database
from catalog.app import create_app
from catalog.config import Settings
from catalog.models import load_all
from catalog.runtime import Runtime, open_runtime
from tests import postgres

load_all()


@pytest.fixture(scope="session")
def migrated_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file made by the migrations alone, copied by each test that wants a fresh one."""
    file = tmp_path_factory.mktemp("migrated") / "catalog.sqlite3"
    engine = database.make_engine(f"sqlite:///{file}")
    database.upgrade(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return file


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[postgres.Server]:
    """A real PostgreSQL, started when the first test asks for it."""
    # Not below pytest's own folder: another run may clear that, and socket paths must be short.
    with (
        tempfile.TemporaryDirectory(prefix="katalog-pg-", ignore_cleanup_errors=True) as folder,
        postgres.running(Path(folder)) as server,
    ):
        yield server


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh data folder."""
    return Settings(data_dir=tmp_path / "var", secret_key="for tests only, never for a catalog that people use")


@pytest.fixture
def sqlite_runtime(settings: Settings, migrated_database: Path) -> Iterator[Runtime]:
    """An open runtime on an empty, migrated SQLite database and an empty index."""
    settings.data_dir.mkdir(mode=0o700, exist_ok=True)
    (settings.data_dir / "catalog.sqlite3").write_bytes(migrated_database.read_bytes())
    opened = open_runtime(settings)
    opened.index.rebuild(())
    yield opened
    opened.engine.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def each_runtime(request: pytest.FixtureRequest) -> Iterator[Runtime]:
    """The runtime on SQLite, then on PostgreSQL; folders whose tests must hold on both override `runtime` by it."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_runtime")
        return
    settings: Settings = request.getfixturevalue("settings")
    server: postgres.Server = request.getfixturevalue("postgres_server")
    with server.fresh() as url:
        opened = open_runtime(replace(settings, database_url=url))
        opened.index.rebuild(())
        yield opened
        opened.engine.dispose()


@pytest.fixture
def runtime(sqlite_runtime: Runtime) -> Runtime:
    """The runtime most tests use."""
    return sqlite_runtime


@pytest.fixture
def session(runtime: Runtime) -> Iterator[Session]:
    """A writing session; nothing is stored unless the test commits."""
    with runtime.unit_of_work.writing() as opened:
        yield opened


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """The application on the runtime."""
    made = create_app(runtime=runtime)
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser-like client, signed in as nobody."""
    return app.test_client()
