"""The database connection and its schema: an engine set up for each system, and migrations to the head."""

import os
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.pool import ConnectionPoolEntry

_WAIT_FOR_LOCK_MS = 10_000


class SchemaError(Exception):
    """The database's schema does not fit this version of the program; the text says what to do."""


def make_engine(url: str) -> Engine:
    """An engine for the address; SQLite gets WAL, foreign keys, a full sync at each commit and real transactions."""
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True, pool_timeout=5, connect_args={"connect_timeout": 5})
    engine = create_engine(url, connect_args={"timeout": _WAIT_FOR_LOCK_MS / 1000})

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _entry: ConnectionPoolEntry) -> None:  # noqa: ANN401 - the driver's own class
        connection.isolation_level = None  # the driver must not begin transactions of its own, see `_begin`
        connection.execute(f"PRAGMA busy_timeout = {_WAIT_FOR_LOCK_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # "saved" means on the disk
        connection.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer takes the lock at once: one that reads first and then writes would fail instead of waiting.
        writes = connection.get_execution_options().get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "catalog:migrations")
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """The schema version this program needs."""
    found = ScriptDirectory.from_config(_config()).get_current_head()
    if found is None:
        msg = "the package holds no migrations"
        raise SchemaError(msg)
    return found


def current(engine: Engine) -> str | None:
    """The schema version the database has, None for an empty one."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> bool:
    """Bring the schema to the head; gives whether anything was done. An SQLite file is copied beside itself before.

    Raises SchemaError for a database that a newer program has written.
    """
    before = current(engine)
    if before == head():
        return False
    if before is not None:
        _refuse_newer(before)
        _copy_sqlite(engine, before)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        command.upgrade(_config(connection), "head")
    return True


def check_schema(engine: Engine) -> None:
    """Raise SchemaError, saying what to do, when the database does not have this program's schema."""
    found = current(engine)
    if found == head():
        return
    if found is None:
        msg = "The database is empty. Run `catalog init` first."
        raise SchemaError(msg)
    _refuse_newer(found)
    msg = "The database has an older schema. Run `catalog db upgrade`; a copy is kept beside it."
    raise SchemaError(msg)


def _refuse_newer(revision: str) -> None:
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        msg = (
            f"The database was written by a newer version of the catalog (schema {revision}). "
            "Install that version again; this one would damage the data."
        )
        raise SchemaError(msg)


def _copy_sqlite(engine: Engine, revision: str) -> Path | None:
    if engine.url.get_backend_name() != "sqlite" or not engine.url.database:
        return None
    source = Path(engine.url.database)
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    target = source.with_name(f"{source.name}.before-upgrade-{revision}-{stamp}")
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copy2(source, target)
    os.chmod(target, 0o600)  # noqa: PTH101 - copy2 keeps the source's mode, which may be wider
    return target
