"""What these tests share: a data folder with a small catalog, and the signs by which a catalog is whole."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from catalog.runtime import Runtime
from catalog.services import indexing, outbox
from index import Query
from tests import factories
from tests.reliability.writers import GIVEN, opened
from tests.served import run

PUBLIC = frozenset({"public"})


@pytest.fixture
def data(tmp_path: Path, migrated_database: Path) -> Path:
    """A data folder with three published entries."""
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    shutil.copy(migrated_database, folder / "catalog.sqlite3")
    runtime = opened(folder)
    runtime.index.rebuild([])
    with runtime.unit_of_work() as session:
        factories.make_organisation(session, slug=GIVEN["organisation"])
        factories.make_topic(session, slug=GIVEN["topics"][0])
        for _ in range(3):
            factories.make_published(session, **GIVEN)
    runtime.engine.dispose()
    return folder


@pytest.fixture
def observer(data: Path) -> Iterator[Runtime]:
    """A process of its own that looks at the catalog others write to."""
    runtime = opened(data)
    yield runtime
    runtime.engine.dispose()


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo catalog and its accounts; copy it, never work in it."""
    folder = tmp_path_factory.mktemp("demo") / "var"
    made = run(folder, "init", "--demo")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def demo_copy(demo: Path, tmp_path: Path) -> Path:
    """The demo catalog in a folder of the test's own."""
    folder = tmp_path / "demo"
    shutil.copytree(demo, folder)
    return folder


def found(runtime: Runtime, word: str) -> list[str]:
    """The ids an anonymous reader finds with the word."""
    return [hit.id for hit in runtime.index.search(Query(word, PUBLIC, limit=200)).hits]


def settle(runtime: Runtime) -> None:
    """What `catalog outbox deliver` does, or the worker at its next turn."""
    outbox.deliver_index(runtime.unit_of_work.writing, runtime.index, lock_timeout=10)


def differences(runtime: Runtime) -> set[tuple[str, str]]:
    """Where index and database disagree, entry for entry and version for version."""
    with runtime.unit_of_work.reading() as session:
        return set(indexing.versions(session).items()) ^ set(runtime.index.versions().items())


def integrity(runtime: Runtime) -> str:
    """What SQLite says of its own file: "ok"."""
    with runtime.engine.connect() as connection:
        assert connection.execute(text("PRAGMA foreign_key_check")).all() == []
        return str(connection.execute(text("PRAGMA integrity_check")).scalar())
