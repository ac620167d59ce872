"""`catalog worker`: the loop around `services/upkeep`, which ends with its parent process or when asked to."""

import logging
import os
import signal
import threading
from types import FrameType
from typing import Final

import click

from catalog.cli import console
from catalog.config import SettingsError
from catalog.models import load_all
from catalog.models.outbox import OutboxMessage
from catalog.runtime import Runtime
from catalog.services import mail
from catalog.services.outbox import Mailer
from catalog.services.upkeep import Upkeep
from catalog.web import requestlog

log = logging.getLogger(__name__)

POLL_SECONDS: Final = 0.5
_LONGEST_PAUSE: Final = 60.0


@click.command(name="worker")
@click.option(
    "--parent", type=int, hidden=True, help="Process to end with; a server that starts a worker names itself."
)
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(*, parent: int | None, log_format: str) -> None:
    """Deliver index updates and mails, and keep the search index whole, until SIGTERM or the end of the parent."""
    load_all()
    requestlog.configure(as_json=log_format == "json")
    stop = threading.Event()

    def ask_to_stop(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, ask_to_stop)
    # Asked only now, the parent could be gone already and its place be taken by init.
    parent = os.getppid() if parent is None else parent
    with console.opened() as runtime:
        work(runtime, stop, parent)


def work(runtime: Runtime, stop: threading.Event, parent: int) -> None:
    """Turn after turn, with growing pauses while something is broken; a short one after each that found nothing."""
    upkeep = Upkeep(runtime.engine, runtime.unit_of_work.writing, runtime.index, _mailer(runtime))
    pause = POLL_SECONDS
    while not stop.is_set() and os.getppid() == parent:
        try:
            done = upkeep.turn()
            pause = 0.0 if done else POLL_SECONDS
        except Exception as problem:  # whatever breaks, the worker must outlive it
            upkeep.forget()
            pause = min(max(pause, POLL_SECONDS) * 2, _LONGEST_PAUSE)
            sentence = console.explain(problem, runtime.settings)
            if sentence is None:
                log.exception("unexpected; trying again in %.0f s", pause)
            else:
                log.error("%s Trying again in %.0f s.", sentence, pause)  # noqa: TRY400 - the sentence says it all
        stop.wait(pause)
    upkeep.close()


def _mailer(runtime: Runtime) -> Mailer:
    """How mails leave; with settings that can't work they wait, and each says why, while the index goes on."""
    try:
        return mail.mailer(runtime.settings, runtime.secret_key, runtime.unit_of_work.reading)
    except SettingsError as problem:
        text = str(problem)
        log.error("mails wait: %s", text)  # noqa: TRY400 - see above

    def refuse(_message: OutboxMessage) -> None:
        raise SettingsError(text)

    return refuse
