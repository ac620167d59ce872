"""What nobody may see leaves no trace: catalogs with and without hidden entries answer alike.

Hidden entries are full of one-off words. Every way to find things is asked the same in each catalog, as a visitor and
as a member of another organisation. The answers must be equal but for times and tokens, and none may hold such a word.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from time_machine import travel

from catalog.app import create_app
from catalog.cli.search import command as search_command
from catalog.config import Settings
from catalog.domain.actor import SYSTEM
from catalog.domain.entry import Contact, Deployment, Entry, Funding, Kpi, Partner, Place, Source, Transfer
from catalog.domain.vocabulary import DeploymentStatus, StopCause, Visibility
from catalog.models.group import WorkingGroup
from catalog.models.user import User
from catalog.runtime import Runtime, open_runtime
from catalog.services import curation, outbox, submission
from tests.catalog.web.signin import sign_in
from tests.factories import (
    actor_for,
    make_municipality,
    make_organisation,
    make_published,
    make_state,
    make_topic,
    make_user,
)

# Nothing in the language or the data resembles this, and every hidden field holds a word made from it.
CANARY = "zwölfkuckuck"
_MARK = re.compile(CANARY.replace("ö", "(?:ö|oe|o|\\\\u00f6|%C3%B6|&#246;)"), re.IGNORECASE)
# What may differ between two equal catalogs: tokens, times taken, hashed marks of one request.
_VARYING = re.compile(
    r'name="csrf_token" value="[^"]*"|\d+,\d+ (?:Sekunden|seconds)|"seconds": ?[\d.e-]+|found in [\d.]+ ms'
)


@dataclass(frozen=True)
class Site:
    """One of the catalogs, as visitors and a member see it."""

    runtime: Runtime
    anonymous: FlaskClient
    member: FlaskClient


def hidden_entry(title: str, organisation: str, topic: str, state: str) -> Entry:
    """An entry with a one-off word in every field that takes words."""
    numbers = iter(range(1, 100))

    def word() -> str:
        return f"{CANARY}{next(numbers)}"

    return Entry(
        title=title, title_en=word(), benefit=word(), benefit_en=word(), challenge=word(), solution=word(),
        topics=[topic], technologies=[word()], keywords=[word()], organisation=organisation,
        transfer=Transfer(
            technical=word(), legal=word(), organisational=word(), data=word(), adaptation=word(), limits=word(),
            lifetime=word(), licence=word(),
        ),
        contact=Contact(name=word(), mailbox=f"{word()}@example.org", phone=word(), deputy=word()),
        sources=[Source(url="https://example.org/" + CANARY, title=word())],
        deployments=[
            Deployment(
                organisation=organisation, place=Place(ags=state + "162000", name=word()), started="1999", ended="2001",
                status=DeploymentStatus.STOPPED, summary=word(), results=word(), worked=word(), not_worked=word(),
                would_change=word(), stop_causes=[StopCause.ACCEPTANCE], stop_reason=word(), procurement=word(),
                kpis=[Kpi(indicator=word(), unit=word(), note=word(), method=word(), source=word(), period=word())],
                funding=[Funding(programme=word(), grantor=word())],
                partners=[Partner(organisation=word(), product=word())],
            )
        ],
    )  # fmt: skip


def fill(runtime: Runtime, holding: str) -> User:
    """The same readable catalog in all; in "hidden" also what a member may not see, in "all" besides what members may.

    Gives the member.
    """
    with runtime.unit_of_work() as session:
        make_topic(session, slug="wasser", name="Wasser")
        make_state(session, "09", "Bayern", "BY")
        make_municipality(session, "01003000", "Lübeck")
        make_municipality(session, "09162000", "München", state_code="09", population=1_500_000)
        mine = make_organisation(session, slug="sw-luebeck", name="Stadtwerke Lübeck")
        theirs = make_organisation(session, slug="sw-fremd", name="Stadtwerke Fremd")
        author = actor_for(make_user(session, theirs, email="author@example.org", name="Autorin"))
        reader = make_user(session, mine, email="reader@example.org", name="Leserin")
        site = Deployment(
            organisation="sw-luebeck", place=Place(ags="01003000", name="Lübeck"), started="2021",
            status=DeploymentStatus.PILOT, not_worked="Batterien",
        )  # fmt: skip
        common: dict[str, Any] = {"topics": ["wasser"], "organisation": "sw-luebeck", "deployments": [site]}
        for number, title in enumerate(("Pegelmessung am Hafen", "Leckortung im Wassernetz", "Zählerfernauslesung"), 1):
            site.external_id = f"s-{number}"
            entry = make_published(session, title=title, external_id=f"e-{number}", **common)
        if holding == "none":
            session.flush()
            return reader

        def given(title: str) -> Entry:
            return hidden_entry(title, "sw-fremd", "wasser", "09")

        submission.start(session, author, given(f"Entwurf {CANARY}"))
        # One letter away from a published title: a correction to or from it would tell of it.
        submitted = submission.start(session, author, given("Pegelmessunk am Hafen")).solution
        submission.submit(session, author, submitted)
        sent_back = submission.start(session, author, given(f"Zurückgegeben {CANARY}")).solution
        curation.request_changes(session, SYSTEM, submission.submit(session, author, sent_back), f"Bitte {CANARY}")
        archived = submission.start(session, author, given(f"Archiviert {CANARY}")).solution
        curation.publish(session, SYSTEM, submission.submit(session, author, archived))
        curation.archive(session, SYSTEM, archived, f"Weil {CANARY}")
        document, version = submission.document_to_edit(session, entry)
        changed = document.model_copy(update={"benefit": f"Neu: {CANARY}", "technologies": [f"{CANARY}neu"]})
        submission.save(session, SYSTEM, entry, changed, version=version)
        submission.submit(session, SYSTEM, entry)
        session.add(WorkingGroup(slug=CANARY, name=f"Gruppe {CANARY}", aim=CANARY))
        session.flush()
        group = {"visibility": Visibility.GROUP, "working_group": CANARY}
        kept = [given(f"Arbeitsgruppe {CANARY}").model_copy(update=group)]
        if holding == "all":
            kept.append(given(f"Mitglieder {CANARY}").model_copy(update={"visibility": Visibility.MEMBERS}))
        for inner in kept:
            solution = submission.start(session, author, inner).solution
            curation.publish(session, SYSTEM, submission.submit(session, author, solution))
        return reader


def open_site(folder: Path, database: Path, holding: str) -> Site:
    """A catalog in a folder of its own, filled and indexed."""
    folder.mkdir(mode=0o700)
    (folder / "catalog.sqlite3").write_bytes(database.read_bytes())
    settings = Settings(data_dir=folder, secret_key="for tests only, never for a catalog that people use")
    runtime = open_runtime(replace(settings, search_limit=0))
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    reader = fill(runtime, holding)
    app = create_app(runtime=runtime)
    app.testing = True
    anonymous, member = app.test_client(), app.test_client()
    sign_in(member, reader)
    return Site(runtime, anonymous, member)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory, migrated_database: Path) -> Iterator[dict[str, Site]]:
    """The catalogs by what they hold, made at the same moment."""
    base = tmp_path_factory.mktemp("no-trace")
    with travel("2026-05-04 09:00:00+00:00", tick=False):
        made = {name: open_site(base / name, migrated_database, name) for name in ("all", "hidden", "none")}
    yield made
    for site in made.values():
        site.runtime.engine.dispose()


# Which catalog holds everything that this person may not see, and nothing else.
FULL = {"anonymous": "all", "member": "hidden"}
WORDS = [
    CANARY, f"{CANARY}1", f"{CANARY}*", CANARY[:6], "zwolfkuckuck", f'"{CANARY}"', f"titel:{CANARY}", f"ort:{CANARY}9",
    "Pegelmessung", "Pegelmessunk", "Pegelmessunk am Hafen", "Pegelmesung", "Entwurf", "Archiviert", "Wasser",
    "München",
    "Bayern", "Stadtwerke Fremd", "status:beendet", "jahr:2000", "",
]  # fmt: skip
ADDRESSES = [
    *(f"/suche?q={word}" for word in WORDS),
    *(f"/suche?q={word}&land=09" for word in ("Wasser", "Pegelmessung")),
    *(f"/suche?technologie={CANARY}{number}" for number in range(1, 9)),
    "/suche?land=09", "/suche?status=stopped", "/suche?jahr=2000", "/suche?grund=acceptance",
    "/suche?organisation=sw-fremd",
    "/suche?ort=09162000", "/suche?sort=neueste", "/suche?sort=nachgenutzt", "/suche?seite=2",
    "/suche?q=Wasser&lang=en",
    *(f"/vorschlaege?q={word}" for word in (CANARY, CANARY[:3], "zwo", "Pegel", "Pegelmessunk", "Mün", "Fremd")),
    *(f"/suche.atom?q={word}" for word in (CANARY, "Wasser", "")),
    *(f"/api/v1/search?q={word}" for word in (CANARY, "Pegelmessunk", "Wasser", "")),
    f"/api/v1/search?technology={CANARY}2", "/api/v1/search?state=09", "/api/v1/search?status=stopped",
    "/api/v1/solutions/e-1", "/api/v1/solutions/e-3", "/",
    "/themen", "/themen/wasser", f"/themen/wasser?q={CANARY}", "/themen/wasser?land=09", "/organisationen",
    "/organisationen/sw-luebeck", "/organisationen/sw-fremd", "/organisationen?land=09",
    "/loesungen/pegelmessung-am-hafen", "/loesungen/leckortung-im-wassernetz", "/loesungen/zaehlerfernauslesung",
]  # fmt: skip


def shown(client: FlaskClient, address: str) -> tuple[int, str]:
    """Status and text of a page, without what differs from request to request."""
    answer = client.get(address)
    return answer.status_code, _VARYING.sub("", answer.text)


@pytest.mark.parametrize("who", ["anonymous", "member"])
def test_every_way_to_find_things_answers_as_if_there_were_nothing_hidden(sites: dict[str, Site], who: str) -> None:
    full, bare = getattr(sites[FULL[who]], who), getattr(sites["none"], who)
    differing = []
    for address in ADDRESSES:
        seen, expected = shown(full, address), shown(bare, address)
        assert expected[0] in {200, 404}, (address, expected[0])
        if seen != expected:
            at = next((n for n, (a, b) in enumerate(zip(seen[1], expected[1], strict=False)) if a != b), 0)
            differing.append(
                (
                    address,
                    seen[0],
                    expected[0],
                    seen[1][max(0, at - 120) : at + 120],
                    expected[1][max(0, at - 120) : at + 120],
                )
            )
    assert not differing, "\n".join(map(str, differing[:5]))


@pytest.mark.parametrize("who", ["anonymous", "member"])
def test_no_one_off_word_is_anywhere_but_where_it_was_typed(sites: dict[str, Site], who: str) -> None:
    for address in ADDRESSES:
        if not _MARK.search(address) and (CANARY[:3] not in address):
            assert not _MARK.search(getattr(sites[FULL[who]], who).get(address).text), address


@pytest.mark.parametrize("who", ["anonymous", "member"])
def test_hidden_and_absent_entries_answer_with_the_same_bytes(sites: dict[str, Site], who: str) -> None:
    site = sites[FULL[who]]
    client = getattr(site, who)
    with site.runtime.unit_of_work.reading() as session:
        rows = (
            session.connection().exec_driver_sql("SELECT id, external_id, slug, status, visibility FROM solution").all()
        )
    hidden = [row for row in rows if row.status != "published" or row.visibility != "public"]
    assert len(hidden) == {"anonymous": 6, "member": 5}[who]
    absent = client.get("/api/v1/solutions/l-0000000000000000")
    assert absent.status_code == 404
    for row in hidden:
        for identity in (row.id, row.external_id):
            answer = client.get(f"/api/v1/solutions/{identity}")
            assert (answer.status_code, answer.data) == (404, absent.data)
            assert sorted(name for name, _ in answer.headers) == sorted(name for name, _ in absent.headers)
        page, nothing = client.get(f"/loesungen/{row.slug}"), client.get(f"/loesungen/{'x' * len(row.slug)}")
        assert page.status_code == nothing.status_code == 404
        own = page.text.replace(row.slug, "x" * len(row.slug))
        assert _VARYING.sub("", own) == _VARYING.sub("", nothing.text)


def test_the_command_line_tells_a_visitor_no_more(
    sites: dict[str, Site], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    queries = tmp_path / "queries.jsonl"
    queries.write_text("".join(json.dumps({"id": f"q{n}", "text": word}) + "\n" for n, word in enumerate(WORDS, 1)))
    told = []
    for site in (sites["all"], sites["none"]):
        monkeypatch.setenv("CATALOG_DATA_DIR", str(site.runtime.settings.data_dir))
        run = CliRunner().invoke(search_command, ["--queries", str(queries), "--trec-run", "-"])
        assert run.exit_code == 0, run.output
        texts = [CliRunner().invoke(search_command, [word, "--json"]).output for word in WORDS if word]
        told.append([_VARYING.sub("", text) for text in (run.stdout, *texts)])
    assert told[0] == told[1]


def test_curators_do_find_what_members_wrote_for_a_group(
    sites: dict[str, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other side of the test above: the words are there, and who may see them finds them."""
    monkeypatch.setenv("CATALOG_DATA_DIR", str(sites["all"].runtime.settings.data_dir))
    found = CliRunner().invoke(search_command, [f"{CANARY}5", "--json", "--as-curator"])
    assert json.loads(found.stdout)["total"] == 2
