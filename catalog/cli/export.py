"""`catalog export`: the catalog as an exchange file; what stands in it is decided in `services/transfer`."""

import json
import os
import sys
from pathlib import Path
from typing import IO

import click
from sqlalchemy.orm import Session

from catalog.cli import console
from catalog.services.transfer import exporting


@click.command(name="export")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), default="-")
@click.option("--published-only", is_flag=True, help="Leave out drafts, pending changes and archived entries.")
def command(*, file: Path, published_only: bool) -> None:
    """Write the catalog to FILE (JSON Lines; standard output without one), in the form that `catalog import` reads.

    Organisations, topics, technologies, working groups and entries are in it; accounts, review notes, the audit log,
    earlier versions and attachments are not: a backup of the data folder keeps those.
    """
    with console.opened() as runtime, runtime.unit_of_work.reading() as session:
        if runtime.engine.dialect.name == "postgresql":
            # One state of the database from first row to last; SQLite gives that by itself.
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        if str(file) == "-":
            # Not the terminal's own encoding: an exchange file is UTF-8 wherever it was written.
            with open(sys.stdout.fileno(), "w", encoding="utf-8", newline="\n", closefd=False) as stream:
                count = _write(session, stream, published_only=published_only)
        else:
            # Beside the target first: whoever reads the file never finds half an export.
            part = file.with_name(f".{file.name}.{os.getpid()}.part")
            try:
                with part.open("w", encoding="utf-8", newline="\n") as stream:
                    count = _write(session, stream, published_only=published_only)
                    stream.flush()
                    os.fsync(stream.fileno())
                part.replace(file)
            finally:
                part.unlink(missing_ok=True)
    click.echo(f"{count} rows written.", err=True)


def _write(session: Session, stream: IO[str], *, published_only: bool) -> int:
    count = 0
    for row in exporting.rows(session, published_only=published_only):
        stream.write(json.dumps(row, ensure_ascii=False) + "\n")
        count += 1
    stream.flush()
    return count
