"""`catalog demo`: the demo catalog on request; `catalog init --demo` does the same while it sets up."""

import click

from catalog.cli import console
from catalog.runtime import Runtime
from catalog.services import demo


@click.group(name="demo")
def command() -> None:
    """Load the demo catalog, show its accounts."""


@command.command()
def load() -> None:
    """Load the demo catalog and its accounts, when there is no entry yet."""
    with console.opened() as runtime:
        load_into(runtime)
        show_accounts(runtime)


@command.command()
def accounts() -> None:
    """Show the demo accounts that exist here."""
    with console.opened() as runtime:
        show_accounts(runtime)


def load_into(runtime: Runtime) -> None:
    """Load the demo catalog and say what came of it; raises ConsoleError when its files do not fit this program."""
    runtime.unit_of_work.refuse_if_read_only()
    report = demo.load(runtime.unit_of_work.writing, runtime.index)
    if report is None:
        click.echo("Demo catalog: there are entries already, nothing was loaded.")
        return
    for problem in report.errors:
        click.echo(str(problem), err=True)
    if report.failed:
        message = "The demo catalog could not be loaded; nothing of it was stored."
        raise console.ConsoleError(message, console.REFUSED)
    click.echo(f"Demo catalog: {report.published} entries loaded.")


def show_accounts(runtime: Runtime) -> None:
    """Print the demo accounts and their password."""
    with runtime.unit_of_work.reading() as session:
        accounts = demo.present(session)
    if not accounts:
        click.echo("There are no demo accounts.")
        return
    click.echo(f"Demo accounts, all with the password {demo.DEMO_PASSWORD}:")
    for account in accounts:
        click.echo(f"  {account.email:<22}{account.role}")
