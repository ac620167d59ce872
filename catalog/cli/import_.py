"""`catalog import`: an exchange file into the catalog, with progress and report; the work is in `services/transfer`."""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, BinaryIO

import click

from catalog.cli import console
from catalog.services.transfer.importing import import_rows
from catalog.services.transfer.lines import Line, read_lines
from catalog.services.transfer.prepared import Report

_SHOWN = 50


@click.command(name="import")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Only say what would happen; write nothing.")
@click.option("--publish", is_flag=True, help="Entries go live at once; without it they become drafts.")
@click.option("--strict", is_flag=True, help="All rows or none: one bad row, and nothing is stored.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--quiet", is_flag=True, help="Print errors and the sum, but no warnings.")
def command(  # noqa: PLR0913 - one for each option
    *, file: Path, dry_run: bool, publish: bool, strict: bool, as_json: bool, quiet: bool
) -> None:
    """Bring the rows of FILE (JSON Lines, `-` for standard input) into the catalog.

    The same file can be imported again and again: rows whose external_id is known are updated where they have changed.
    Ends with 1 when a row was refused.
    """
    with console.opened() as runtime:
        if not dry_run:
            runtime.unit_of_work.refuse_if_read_only()
        sessions = runtime.unit_of_work.reading if dry_run else runtime.unit_of_work.writing
        with _readable(file) as stream:

            def run(advance: Callable[[int], None]) -> Report:
                return import_rows(
                    sessions,
                    runtime.index,
                    lambda: _lines(stream),
                    publish=publish,
                    strict=strict,
                    dry_run=dry_run,
                    advance=advance,
                )

            report = _with_progress(run, stream, hidden=as_json)
    if as_json:
        said = json.dumps(_as_json(report, dry_run=dry_run, stored=_stored(report, strict=strict)), ensure_ascii=False)
        # Half a character, which a file can name and nothing can print, becomes a question mark.
        click.echo(said.encode(errors="replace").decode())
    else:
        _print(report, dry_run=dry_run, publish=publish, strict=strict, quiet=quiet)
    if report.failed:
        raise SystemExit(console.REFUSED)


def _readable(file: Path) -> IO[bytes]:
    """The file, or standard input put aside: a strict run reads twice."""
    if str(file) != "-":
        return file.open("rb")
    kept = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    shutil.copyfileobj(sys.stdin.buffer, kept)
    return kept


def _lines(stream: BinaryIO | IO[bytes]) -> Iterator[Line]:
    stream.seek(0)
    return read_lines(stream)  # type: ignore[arg-type]  # a temporary file is one too


def _with_progress(run: Callable[[Callable[[int], None]], Report], stream: IO[bytes], *, hidden: bool) -> Report:
    err = sys.stderr
    if hidden or not err.isatty():
        return run(lambda _size: None)
    length = stream.seek(0, 2)
    with click.progressbar(length=length, label="Importing", file=err, width=0) as bar:
        return run(bar.update)


def _stored(report: Report, *, strict: bool) -> bool:
    return not (strict and report.failed)


def _print(report: Report, *, dry_run: bool, publish: bool, strict: bool, quiet: bool) -> None:
    for found in report.errors:
        click.echo(str(found), err=True)
    warnings = [found for found in report.problems if found.problem.severity == "warning"]
    for found in [] if quiet else warnings[:_SHOWN]:
        click.echo(str(found), err=True)
    if len(warnings) > _SHOWN and not quiet:
        click.echo(f"… and {len(warnings) - _SHOWN} more warnings; --json lists all of them.", err=True)
    verb = "would be " if dry_run else ""
    click.echo(
        f"{report.rows} rows: {report.created} {verb}created, {report.updated} {verb}updated, "
        f"{report.unchanged} unchanged, {report.failed} refused."
    )
    if not _stored(report, strict=strict):
        click.echo("Nothing was stored, because --strict was given.")
    elif not dry_run and not publish and report.stored:
        click.echo("What is new lies as drafts; with --publish it goes live.")
    if report.index_waits:
        click.echo(
            "The search index could not be updated now; the worker does it, or `catalog index rebuild`.", err=True
        )


def _as_json(report: Report, *, dry_run: bool, stored: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "stored": stored and not dry_run,
        "rows": report.rows,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "failed": report.failed,
        "published": report.published,
        "index_waits": report.index_waits,
        "problems": [
            {
                "line": found.line,
                "external_id": found.external_id,
                "field": found.problem.field,
                "severity": found.problem.severity,
                "reason": found.problem.reason,
            }
            for found in report.problems
        ],
    }
