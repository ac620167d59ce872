"""`catalog search`: the search at the console, one query, or many for relevance tools; no ranking here."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import click
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.cli import console
from catalog.domain.actor import ANONYMOUS, SYSTEM, Actor
from catalog.domain.permissions import audiences_of
from catalog.domain.workflow import Status
from catalog.models import load_all
from catalog.models.solution import Solution
from catalog.runtime import Runtime
from catalog.services import search as service
from catalog.services.search import Answer, Hit, Request
from catalog.services.solutions import visible_to
from index import Query

_MOST_HITS = 10_000


@click.command(name="search")
@click.argument("words", nargs=-1)
@click.option("--limit", type=click.IntRange(1, _MOST_HITS), help="At most this many hits; 10, or 100 for a run file.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object with all that is known of each hit.")
@click.option("--as-curator", is_flag=True, help="Search what curators may see, not only what everyone may.")
@click.option(
    "--queries", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="JSON Lines with id and text."
)
@click.option(
    "--trec-run", type=click.File("w", encoding="utf-8", lazy=False), help="Run file to write; - for the console."
)
@click.option("--tag", default="catalog", show_default=True, help="Name of the run, its last column.")
def command(  # noqa: PLR0913 - the options of a command are its parameters
    *,
    words: tuple[str, ...],
    limit: int | None,
    as_json: bool,
    as_curator: bool,
    queries: Path | None,
    trec_run: IO[str] | None,
    tag: str,
) -> None:
    """Search the catalog for WORDS as someone who is not signed in, or run many queries into a TREC run file."""
    if (queries is None) != (trec_run is None):
        message = "--queries and --trec-run belong together."
        raise click.UsageError(message)
    if queries is None and not words:
        message = "Say what to search for, or give --queries and --trec-run."
        raise click.UsageError(message)
    if any(char.isspace() for char in tag) or not tag:
        message = "--tag must be one word."
        raise click.UsageError(message)
    actor = SYSTEM if as_curator else ANONYMOUS
    load_all()
    with console.opened() as runtime:
        if queries is not None and trec_run is not None:
            _run(runtime, actor, queries, trec_run, limit=limit or 100, tag=tag)
        else:
            _show(runtime, actor, " ".join(words), limit or 10, as_json=as_json)


def _show(runtime: Runtime, actor: Actor, text: str, limit: int, *, as_json: bool) -> None:
    with runtime.unit_of_work.reading() as session:
        answer = service.search(session, runtime.index, actor, Request(text=text, per_page=limit))
    if not answer.available:
        click.echo("The search index can't be used; this is a plain answer. Run `catalog index rebuild`.", err=True)
    base = runtime.settings.base_url.rstrip("/")
    if as_json:
        click.echo(json.dumps(_as_json(answer, base), ensure_ascii=False, indent=2))
        return
    for number, hit in enumerate(answer.hits, 1):
        _print(number, hit, base)
    if answer.corrected:
        click.echo(f"{'Searched for' if answer.correction_applied else 'Did you mean'}: {answer.corrected}")
    click.echo(f"{answer.total} found in {answer.seconds * 1000:.1f} ms.")


def _print(number: int, hit: Hit, base: str) -> None:
    bold = [click.style(piece.text, bold=True) if piece.marked else piece.text for piece in hit.title]
    click.echo(f"{number:>3}. {''.join(bold)}")
    facts = [hit.card.organisation, ", ".join(site.place for site in hit.card.sites if site.place)]
    click.echo(f"     {'; '.join(fact for fact in facts if fact)}")
    cut = (" …" if hit.passage.starts_inside else "", " …" if hit.passage.ends_inside else "")
    click.echo(f"    {cut[0]} {''.join(piece.text for piece in hit.passage.parts)}{cut[1]}")
    click.echo(f"     {base}/loesungen/{hit.card.slug}")


def _as_json(answer: Answer, base: str) -> dict[str, object]:
    return {
        "query": answer.request.text,
        "total": answer.total,
        "seconds": round(answer.seconds, 6),
        "corrected": answer.corrected,
        "available": answer.available,
        "hits": [
            {
                "id": hit.card.external_id,
                "title": hit.card.title,
                "url": f"{base}/loesungen/{hit.card.slug}",
                "organisation": hit.card.organisation,
                "places": [site.place for site in hit.card.sites if site.place],
                "passage": "".join(piece.text for piece in hit.passage.parts),
                "reasons": [{"asked": why.word, "found": why.found, "kind": why.kind} for why in hit.reasons],
                "score": hit.score,
            }
            for hit in answer.hits
        ],
    }


def _queries(file: Path) -> Iterator[tuple[str, str]]:
    """Id and text of each query; raises ConsoleError, naming the line, for one that has not both."""
    with file.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                identity, text = str(row["id"]), str(row["text"])
            except (ValueError, KeyError, TypeError) as problem:
                message = f"{file}, line {number}: a query needs `id` and `text` ({problem})."
                raise console.ConsoleError(message, console.REFUSED) from problem
            if not identity or any(char.isspace() for char in identity):
                message = f"{file}, line {number}: the id must be one word."
                raise console.ConsoleError(message, console.REFUSED)
            yield identity, text


def _run(runtime: Runtime, actor: Actor, queries: Path, out: IO[str], *, limit: int, tag: str) -> None:  # noqa: PLR0913
    """Write the hits of all queries; ids and right to see are read once, since the index alone decides the order."""
    started = time.perf_counter()
    audiences = audiences_of(actor)
    count = 0
    with runtime.unit_of_work.reading() as session:
        identities = _readable(session, actor)
    for identity, text in _queries(queries):
        rank = 0
        for hit in runtime.index.search(Query(text=text, audiences=audiences, limit=limit)).hits:
            external = identities.get(hit.id)
            if external is not None:
                rank += 1
                out.write(f"{identity} Q0 {external} {rank} {hit.score:.6f} {tag}\n")
        count += 1
    out.flush()
    if out is not sys.stdout:
        click.echo(f"{count} queries in {time.perf_counter() - started:.2f} s.", err=True)


def _readable(session: Session, actor: Actor) -> dict[str, str]:
    """Row number in the index's writing to public identity, of all entries the actor may read."""
    rows = session.execute(
        select(Solution.id, Solution.external_id).where(Solution.status == Status.PUBLISHED, visible_to(actor))
    )
    return {str(number): external for number, external in rows}
