"""What all commands share at the console: opening the runtime, and saying clearly what is wrong and what to do.

The one place that maps exceptions to sentences for an operator; no command's own work.
"""

import errno
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from catalog import database
from catalog.config import Settings, SettingsError, load
from catalog.database import SchemaError
from catalog.domain.errors import DomainError, InvalidError
from catalog.runtime import Runtime, open_runtime
from index import IndexLocked, IndexUnavailable

REFUSED: Final = 1  # the command ran, and its answer is "no": bad rows, a failed check
UNUSABLE: Final = 3  # the command could not run here; 2 is click's own code for wrong usage

_LITTLE_SPACE: Final = 1024 * 1024
_NO_SPACE = (
    "There is no space left on the disk. Free some and run the command again; what was stored before is unharmed."
)
# What SQLite says, to what the operator needs to hear.
_SQLITE = (
    (
        "file is not a database",
        "The database file {file} is damaged or not a database. Put it aside and restore a backup.",
    ),
    (
        "malformed",
        "The database file {file} is damaged. Put it aside and restore a backup; do not go on writing to it.",
    ),
    (
        "database is locked",
        "Another process is writing to the database for longer than ten seconds. Try again when it is done.",
    ),
    (
        "attempt to write a readonly database",
        "The database file {file} is read-only. Give it to the user that runs the catalog.",
    ),
    (
        "unable to open database file",
        "The database file {file} can't be opened. Check that its folder exists and can be written.",
    ),
    ("database or disk is full", _NO_SPACE),
    (
        "disk i/o error",
        "The disk under {file} reports an error or is full. Check space and disk, then run the command again.",
    ),
)
_OS = {
    errno.ENOSPC: _NO_SPACE,
    errno.EDQUOT: _NO_SPACE,
    errno.EROFS: "The file system of {file} is read-only.",
    errno.EACCES: "No permission for {file}. Give it to the user that runs the catalog.",
    errno.EPERM: "No permission for {file}. Give it to the user that runs the catalog.",
    errno.ENOENT: "{file} does not exist.",
    errno.EISDIR: "{file} is a folder, not a file.",
}


class ConsoleError(click.ClickException):
    """A sentence for the operator and the exit code that goes with it."""

    def __init__(self, message: str, exit_code: int = UNUSABLE) -> None:
        """Keep both; click prints the sentence and ends the process with the code."""
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click keeps it on the class, for exceptions that never differ


def _database_sentence(problem: DBAPIError, settings: Settings | None) -> str:
    text = " ".join(str(problem.orig).split())
    file = (
        settings.data_dir / "catalog.sqlite3"
        if settings is not None and not settings.database_url
        else "of the catalog"
    )
    if "disk i/o error" in text.lower() and settings is not None and _full(settings.data_dir):
        return _NO_SPACE  # what SQLite says when only the file of its shared memory finds no room
    for phrase, sentence in _SQLITE:
        if phrase in text.lower():
            return sentence.format(file=file)
    if "no such table" in text or "no such column" in text or "does not exist" in text:
        return "The database lacks tables this version needs. Run `catalog db upgrade`."
    if isinstance(problem, OperationalError | InterfaceError):
        # The address itself may hold a password, so only the server's own first words are shown.
        return f"The database can't be used: {text[:200]}. Check CATALOG_DATABASE_URL and that the server runs."
    return f"The database refused the data: {text[:200]}"


def _full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < _LITTLE_SPACE
    except OSError:
        return False


def explain(  # noqa: PLR0911 - a table of cases
    problem: BaseException, settings: Settings | None = None
) -> str | None:
    """The sentence for a problem an operator can do something about; None for anything else, which is a bug."""
    match problem:
        case SettingsError() | SchemaError():
            return str(problem)
        case InvalidError():
            return "; ".join(f"{path}: {message}" for path, message in problem.errors.items())
        case DomainError():
            return str(problem.message)
        case IndexLocked():
            return "Another process is writing to the search index. Try again in a moment."
        case IndexUnavailable():
            return f"The search index can't be used ({problem.reason}). Run `catalog index rebuild`; no data is lost."
        case DBAPIError():
            return _database_sentence(problem, settings)
        case PoolTimeoutError():
            return "No database connection became free in time. Try again when there is less going on."
        case ModuleNotFoundError() if problem.name in {"psycopg", "psycopg_pool"}:
            return "PostgreSQL needs the driver: install the package with its `postgres` extra."
        case OSError() if problem.errno in _OS:
            return _OS[problem.errno].format(file=problem.filename or "a file of the catalog")
        case _:
            return None


@contextmanager
def explained(settings: Settings | None = None) -> Iterator[None]:
    """Run a block and turn what an operator can mend into a ConsoleError; bugs pass through unchanged."""
    try:
        yield
    except BrokenPipeError:
        # The reader of our output (`| head`) has left. Python would complain once more when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except click.ClickException:
        raise
    except Exception as problem:
        sentence = explain(problem, settings)
        if sentence is None:
            raise
        raise ConsoleError(sentence) from problem


@contextmanager
def opened(*, check_schema: bool = True, **overrides: object) -> Iterator[Runtime]:
    """The runtime of the settings in force, closed at the end; problems inside the block come out as ConsoleError.

    With `check_schema` a database that is empty, older or newer than this program is refused at once.
    """
    with explained():
        settings = load(None, **overrides)
    with explained(settings):
        runtime = open_runtime(settings)
        try:
            if check_schema:
                database.check_schema(runtime.engine)
            yield runtime
        finally:
            runtime.engine.dispose()
