"""Fixtures that most tests share: a data folder, an open runtime on a migrated database, the app and its client."""

from collections.abc import Iterator
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


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a fresh data folder."""
    return Settings(data_dir=tmp_path / "var", secret_key="for tests only, never for a catalog that people use")


@pytest.fixture
def runtime(settings: Settings, migrated_database: Path) -> Iterator[Runtime]:
    """An open runtime on an empty, migrated SQLite database and an empty index."""
    settings.data_dir.mkdir(mode=0o700)
    (settings.data_dir / "catalog.sqlite3").write_bytes(migrated_database.read_bytes())
    opened = open_runtime(settings)
    yield opened
    opened.engine.dispose()


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
