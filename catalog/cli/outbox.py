"""`catalog outbox`: what waits to leave the database, and delivering it by hand."""

import time

import click
from sqlalchemy import func, select

from catalog.cli import console
from catalog.models import load_all
from catalog.models.outbox import OutboxMessage
from catalog.runtime import Runtime
from catalog.services import mail, outbox
from index import IndexLocked

_LOCK_SECONDS = 10.0
_WATCH_SECONDS = 2.0


@click.group(name="outbox")
def command() -> None:
    """Index updates and mails that still have to go out."""
    load_all()


@command.command()
def status() -> None:
    """Show what waits; ends with 1 when a delivery has failed and not succeeded since."""
    with console.opened() as runtime, runtime.unit_of_work.reading() as session:
        rows = session.execute(
            select(OutboxMessage.kind, func.count(), func.min(OutboxMessage.created_at))
            .group_by(OutboxMessage.kind)
            .order_by(OutboxMessage.kind)
        ).all()
        failed = session.scalars(
            select(OutboxMessage).where(OutboxMessage.last_error != "").order_by(OutboxMessage.id).limit(20)
        ).all()
        if not rows:
            click.echo("Nothing waits.")
        for kind, count, oldest in rows:
            click.echo(f"{kind}: {count} waiting, the oldest since {oldest:%Y-%m-%d %H:%M:%S} UTC")
        for message in failed:
            what = message.payload.get("template", message.kind)
            click.echo(f"  {what} (no. {message.id}): {message.attempts} attempts, {message.last_error}", err=True)
    if failed:
        message_text = "Some deliveries fail. The worker goes on trying; see the reasons above."
        raise console.ConsoleError(message_text, console.REFUSED)


@command.command()
@click.option("--watch", is_flag=True, help="Go on delivering until Ctrl-C.")
def deliver(*, watch: bool) -> None:
    """Deliver what is due now."""
    with console.opened() as runtime:
        while True:
            entries, mails = _deliver(runtime)
            if entries or mails or not watch:
                click.echo(f"Delivered: {entries} index updates, {mails} mails.")
            if not watch:
                return
            time.sleep(_WATCH_SECONDS)


def _deliver(runtime: Runtime) -> tuple[int, int]:
    sessions = runtime.unit_of_work.writing
    send = mail.mailer(runtime.settings, runtime.secret_key, runtime.unit_of_work.reading)
    try:
        entries = outbox.deliver_index(sessions, runtime.index, lock_timeout=_LOCK_SECONDS)
    except IndexLocked:
        click.echo("Another process is delivering to the search index right now.", err=True)
        entries = 0
    return entries, outbox.deliver_mail(sessions, send)
