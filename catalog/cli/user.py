"""`catalog user`: accounts from the command line, the way the first administrator comes into being."""

import sys

import click

from catalog.cli import console
from catalog.domain.actor import SYSTEM, OrganisationRole, Role
from catalog.domain.errors import InvalidError
from catalog.models import load_all
from catalog.services import accounts

_ROLES = click.Choice([role.value for role in Role])


class _Place(click.ParamType):  # type: ignore[type-arg]  # generic for newer type checkers only
    """An organisation's slug, with a role after a colon where it is not "member"."""

    name = "SLUG[:ROLE]"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, OrganisationRole]:
        """Split and check."""
        slug, _, role = str(value).partition(":")
        try:
            return slug, OrganisationRole(role or OrganisationRole.MEMBER)
        except ValueError:
            self.fail(f"{role!r} is none of {', '.join(known.value for known in OrganisationRole)}.", param, ctx)


_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
_generate = click.option("--generate", is_flag=True, help="Make a random password and show it once.")


@click.group(name="user")
def command() -> None:
    """Accounts: add, list, change, close."""
    load_all()


def _password(email: str, name: str, *, stdin: bool, generate: bool) -> str:
    """The new password, from where the options say; raises InvalidError for one that is too simple."""
    if generate:
        password = accounts.generate_password()
        click.echo(f"Password (shown only now): {password}")
        return password
    if stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt="Password again", err=True)
    problem = accounts.check_password(password, (email, name))
    if problem is not None:
        raise InvalidError({"password": problem})
    return password


@command.command()
@click.argument("email")
@click.option("--name", prompt=True, help="Name as others see it.")
@click.option("--role", "roles", type=_ROLES, multiple=True, help="Catalog-wide role; may be given twice.")
@click.option(
    "--organisation",
    "places",
    type=_Place(),
    multiple=True,
    help="Organisation and role in it, for instance stadtwerke-luebeck:manager.",
)
@_stdin
@_generate
def add(  # noqa: PLR0913 - one parameter per option
    email: str,
    name: str,
    roles: tuple[str, ...],
    places: tuple[tuple[str, OrganisationRole], ...],
    *,
    password_stdin: bool,
    generate: bool,
) -> None:
    """Add an account for EMAIL; asks for the password."""
    with console.opened() as runtime:
        with runtime.unit_of_work.reading() as session:
            email = accounts.free_email(session, email)
        hashed = accounts.hash_password(_password(email, name, stdin=password_stdin, generate=generate))
        with runtime.unit_of_work() as session:
            accounts.add(
                session, SYSTEM, email, name, hashed, roles=[Role(role) for role in roles], organisations=dict(places)
            )
    click.echo(f"Account {email} added.")


@command.command(name="list")
def list_() -> None:
    """Show all accounts with roles and organisations."""
    with console.opened() as runtime, runtime.unit_of_work.reading() as session:
        for user in accounts.accounts(session):
            roles = ", ".join(sorted(role.name for role in user.roles))
            places = ", ".join(sorted(f"{row.organisation.slug}:{row.role.value}" for row in user.memberships))
            notes = ["closed"] * (not user.active) + ["demo"] * user.is_demo
            click.echo("\t".join((user.email, user.name, roles or "-", places or "-", ", ".join(notes))).rstrip())


@command.command()
@click.argument("email")
@_stdin
@_generate
def password(email: str, *, password_stdin: bool, generate: bool) -> None:
    """Set a new password for EMAIL; every sign-in of the account ends."""
    with console.opened() as runtime:
        with runtime.unit_of_work.reading() as session:
            name = accounts.get(session, email).name
        hashed = accounts.hash_password(_password(email, name, stdin=password_stdin, generate=generate))
        with runtime.unit_of_work() as session:
            accounts.set_password(session, SYSTEM, accounts.get(session, email), hashed)
    click.echo(f"Password of {email} set.")


@command.command()
@click.argument("email")
def disable(email: str) -> None:
    """Close the account of EMAIL; every sign-in ends at once, contributions stay."""
    with console.opened() as runtime, runtime.unit_of_work() as session:
        accounts.set_active(session, SYSTEM, accounts.get(session, email), active=False)
    click.echo(f"Account {email} closed.")


@command.command()
@click.argument("email")
def enable(email: str) -> None:
    """Open the account of EMAIL again."""
    with console.opened() as runtime, runtime.unit_of_work() as session:
        accounts.set_active(session, SYSTEM, accounts.get(session, email), active=True)
    click.echo(f"Account {email} open.")


@command.command()
@click.argument("email")
@click.option("--role", "roles", type=_ROLES, multiple=True, help="The catalog-wide roles the account has from now on.")
@click.option("--no-role", is_flag=True, help="Take all catalog-wide roles away.")
@click.option(
    "--organisation", "places", type=_Place(), multiple=True, help="Organisation and the role in it from now on."
)
@click.option("--leave", multiple=True, metavar="SLUG", help="Organisation the account no longer belongs to.")
def role(
    email: str,
    roles: tuple[str, ...],
    places: tuple[tuple[str, OrganisationRole], ...],
    leave: tuple[str, ...],
    *,
    no_role: bool,
) -> None:
    """Change what EMAIL may do, in the catalog and in organisations; what is not named stays as it is."""
    if not (roles or no_role or places or leave):
        msg = "Nothing to change: name --role, --no-role, --organisation or --leave."
        raise click.UsageError(msg)
    with console.opened() as runtime, runtime.unit_of_work() as session:
        user = accounts.get(session, email)
        if roles or no_role:
            accounts.set_roles(session, SYSTEM, user, [] if no_role else [Role(role) for role in roles])
        for slug, given in places:
            accounts.set_organisation(session, SYSTEM, user, slug, given)
        for slug in leave:
            accounts.set_organisation(session, SYSTEM, user, slug, None)
    click.echo(f"Account {email} changed.")
