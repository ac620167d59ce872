"""`catalog init`: from nothing to a catalog that can be served; safe to run again at any time."""

import click

from catalog import database
from catalog.cli import console
from catalog.cli.demo import load_into, show_accounts
from catalog.runtime import Runtime
from catalog.services import outbox, seeding


@click.command(name="init")
@click.option("--demo", is_flag=True, help="Load the demo catalog and its accounts, when there is no entry yet.")
def command(*, demo: bool) -> None:
    """Prepare the data folder: database, places, topics, roles and search index. What is there already stays."""
    with console.opened(check_schema=False) as runtime:
        prepare(runtime, demo=demo)
        click.echo(f"The catalog lies in {runtime.settings.data_dir.absolute()}.")
        click.echo(f"`catalog serve` makes it available at {runtime.settings.base_url}")
        if demo:
            show_accounts(runtime)


def prepare(runtime: Runtime, *, demo: bool) -> None:
    """Bring database, places, topics, roles and index to where a catalog can be served, saying what was done."""
    runtime.unit_of_work.refuse_if_read_only()
    if database.upgrade(runtime.engine):
        click.echo("Database: schema brought up to date.")
    with runtime.unit_of_work() as session:
        done = seeding.seed(session)
    if done.added or done.changed:
        click.echo(f"Places, topics and roles: {done.added} added, {done.changed} corrected.")
    if demo:
        load_into(runtime)
    status = runtime.index.status()
    if not status.exists or status.needs_rebuild:
        count = outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
        click.echo(f"Search index: built with {count} entries.")
