"""`catalog index`: build the search index anew, compare it with the database, tell how it is; no searching."""

import json
import time
from collections.abc import Iterable

import click

from catalog.cli import console
from catalog.services import indexing, outbox

_SHOWN = 20


@click.group(name="index")
def command() -> None:
    """Look after the search index; it can be built from the database at any time."""


@command.command()
@click.option(
    "--wait",
    "seconds",
    type=click.FloatRange(0),
    default=60.0,
    show_default=True,
    help="How many seconds to wait for another process that writes to the index.",
)
def rebuild(seconds: float) -> None:
    """Build the index anew, beside the one in use, and switch to it; searches go on meanwhile."""
    with console.opened() as runtime:
        started = time.perf_counter()
        count = outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index, lock_timeout=seconds)
        # What was changed while the new one was being built waits in the outbox: it goes in right away.
        settled = outbox.deliver_index(runtime.unit_of_work.writing, runtime.index, lock_timeout=seconds)
    click.echo(f"The search index was built with {count} entries in {time.perf_counter() - started:.1f} s.")
    if settled:
        click.echo(f"{settled} changes made meanwhile were added.")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="The ids as one JSON object.")
def check(*, as_json: bool) -> None:
    """Compare index and database; ends with 1 when entries are missing, left over or out of date in the index."""
    with console.opened() as runtime:
        held = runtime.index.versions()
        with runtime.unit_of_work.reading() as session:
            wanted = indexing.versions(session)
            waiting = outbox.waiting(session, outbox.INDEX)
    differences = {
        "missing": _sorted(set(wanted) - set(held)),
        "orphaned": _sorted(set(held) - set(wanted)),
        "stale": _sorted(number for number in set(held) & set(wanted) if held[number] != wanted[number]),
    }
    if as_json:
        click.echo(json.dumps({**differences, "waiting": waiting, "entries": len(wanted)}))
    else:
        for name, ids in differences.items():
            if ids:
                more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
                click.echo(f"{name.capitalize()}: {', '.join(ids[:_SHOWN])}{more}")
        if waiting:
            click.echo(f"{waiting} changes wait to be delivered; `catalog outbox deliver` or the worker does that.")
    if any(differences.values()):
        message = "Index and database differ. Run `catalog index rebuild`, or let the waiting changes be delivered."
        raise console.ConsoleError(message, console.REFUSED)
    if not as_json:
        click.echo(f"Index and database agree on {len(wanted)} entries.")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status(*, as_json: bool) -> None:
    """Tell how the index is; ends with 1 when it must be built anew."""
    with console.opened() as runtime:
        found = runtime.index.status()
        with runtime.unit_of_work.reading() as session:
            waiting = outbox.waiting(session, outbox.INDEX)
        folder = runtime.index.path
    facts = {
        "folder": str(folder),
        "documents": found.documents,
        "segments": found.segments,
        "generation": found.generation,
        "schema": found.schema_version,
        "analysis": found.analysis_version,
        "bytes": found.size,
        "waiting": waiting,
        "needs_rebuild": found.needs_rebuild,
        "reason": found.reason,
    }
    if as_json:
        click.echo(json.dumps(facts))
    else:
        for name, value in facts.items():
            if value not in {None, ""}:
                click.echo(f"{name.replace('_', ' ').capitalize() + ':':<15}{value}")
    if found.needs_rebuild:
        message = f"The index must be built anew ({found.reason}). Run `catalog index rebuild`; no data is lost."
        raise console.ConsoleError(message, console.REFUSED)


def _sorted(ids: Iterable[str]) -> list[str]:
    return sorted(ids, key=lambda number: (len(number), number))
