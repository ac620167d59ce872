"""`catalog db`: the database's schema and health; nothing about what the rows mean."""

import click
from sqlalchemy import Engine

from catalog import database
from catalog.cli import console
from catalog.runtime import Runtime


@click.group(name="db")
def command() -> None:
    """Look after the database: bring its schema up to date, show its state, check it."""


@command.command()
def upgrade() -> None:
    """Bring the schema up to date; an SQLite file is copied beside itself before."""
    with console.opened(check_schema=False) as runtime:
        done = database.upgrade(runtime.engine)
    click.echo("The schema was brought up to date." if done else "The schema is up to date already.")


@command.command()
def status() -> None:
    """Show which database is used and which schema it has."""
    with console.opened(check_schema=False) as runtime:
        found = database.current(runtime.engine)
        click.echo(f"Database: {_name(runtime)}")
        click.echo(f"Schema:   {found or 'none'}; this program needs {database.head()}")
        database.check_schema(runtime.engine)
    click.echo("The schema is up to date.")


@command.command()
def check() -> None:
    """Check schema, file and references between rows; ends with 1 when something is wrong."""
    with console.opened() as runtime:
        problems = _problems(runtime.engine)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        message = "The database has problems. Restore a backup, or mend the rows named above."
        raise console.ConsoleError(message, console.REFUSED)
    click.echo("The database is in order.")


def _problems(engine: Engine) -> list[str]:
    if engine.url.get_backend_name() != "sqlite":
        return []  # PostgreSQL checks references itself and has its own tools for the files
    with engine.connect() as connection:
        damaged = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check(20)")]
        dangling = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchmany(20)
    problems = [f"Damaged: {text}" for text in damaged if text != "ok"]
    return problems + [f"Row {row[1]} of {row[0]} refers to a row of {row[2]} that does not exist." for row in dangling]


def _name(runtime: Runtime) -> str:
    # Without the password, which an address may hold.
    return runtime.engine.url.render_as_string(hide_password=True)
