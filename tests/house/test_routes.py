"""Every address, as every role: what it answers, that reading writes nothing, that writing needs a token, its headers.

The table lies in `routes.tsv`. A new address is added there with the status each role gets; one that goes is taken
out there, on purpose.
"""

import csv
import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from catalog.app import create_app
from catalog.domain.actor import SYSTEM, OrganisationRole, Role
from catalog.domain.permissions import Permission
from catalog.domain.vocabulary import Visibility
from catalog.models.organisation import Organisation
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.topic import Topic
from catalog.models.user import User
from catalog.runtime import Runtime
from catalog.services import accounts, curation, submission
from tests import factories
from tests.catalog.web.signin import csrf_token, sign_in

TABLE = Path(__file__).with_name("routes.tsv")
ROLES = ("anonymous", "reader", "member", "other", "curator", "admin")
# What a form of a decision needs to be accepted; elsewhere only the token is sent.
SENT = {
    "curation.request_changes": {"reason": "Bitte nennen Sie die Kosten."},
    "curation.archive": {"reason": "Veraltet."},
}
SCRIPTS_MAY_READ: tuple[str, ...] = ()
LOOSE = re.compile(r"unsafe|https?:|[*]|blob:")
ABSENT = {"slug": "pegelmessung-die-es-nicht-gibt", "id": "987654"}


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    method: str
    rule: str
    about: str
    statuses: dict[str, int]

    def __str__(self) -> str:
        """How it is named in a failure."""
        return f"{self.method} {self.rule} {self.about}".strip()


def table() -> list[Row]:
    """The lines of the table; "#" begins a remark."""
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return [
        Row(row["method"], row["rule"], row["about"] or "", {role: int(row[role]) for role in ROLES})
        for row in csv.DictReader(lines, delimiter="\t")
    ]


ROWS = table()


class World:
    """A catalog with an entry in each state for whoever asks, and one person of each role."""

    def __init__(self, runtime: Runtime) -> None:
        """Make the organisations and the people."""
        self.runtime = runtime
        with runtime.unit_of_work() as session:
            own = factories.make_organisation(session, slug="stadtwerke-eigen", name="Stadtwerke Eigen")
            other = factories.make_organisation(session, slug="stadtwerke-fremd", name="Stadtwerke Fremd")
            factories.make_topic(session, slug="wasser", name="Wasser")
            author = factories.make_user(session, own)
            people = {
                "reader": factories.make_user(session, own, OrganisationRole.READER),
                "member": factories.make_user(session, own),
                "other": factories.make_user(session, other),
                "curator": factories.make_user(session),
                "admin": factories.make_user(session),
            }
            people["curator"].roles.append(accounts.role(session, Role.CURATOR))
            people["admin"].roles.append(accounts.role(session, Role.ADMIN))
            self.author = factories.actor_for(author)
            self.people: dict[str, User] = people

    def entry(self, session: Session, state: str) -> Solution:
        """A new entry of the author in this state."""
        given: dict[str, Any] = {"topics": ["wasser"]}
        if state == "members":
            given["visibility"] = Visibility.MEMBERS
        solution = factories.make_draft(session, self.author, **given)
        if state == "draft":
            return solution
        revision = submission.submit(session, self.author, solution)
        if state == "submitted":
            return solution
        if state == "returned":
            curation.request_changes(session, SYSTEM, revision, "Bitte nennen Sie die Kosten.")
            return solution
        curation.publish(session, SYSTEM, revision)
        session.flush()
        if state == "archived":
            curation.archive(session, SYSTEM, solution, "Veraltet.")
        if state in {"changing", "changed"}:
            entry, version = submission.document_to_edit(session, solution)
            submission.save(session, self.author, solution, entry, version=version)
            if state == "changed":
                submission.submit(session, self.author, solution)
        session.flush()
        return solution

    def address(self, row: Row) -> str:
        """The row's address, about an entry made for it alone."""
        if "<" not in row.rule:
            return row.rule
        if row.about in {"absent", "file", "token", "unknown"}:
            values = {
                "<path:unknown>": "gibt-es-nicht",
                "<string:identity>": ABSENT["slug"],
                "<slug>": ABSENT["slug"],
                "<token>": "abc.def.ghi",
                "<path:filename>": "css/layout.css",
            }
            return re.sub(r"<[^>]+>", lambda match: values.get(match[0], ABSENT["id"]), row.rule)
        with self.runtime.unit_of_work() as session:
            if row.about in {"topic", "organisation"}:
                kind = {"topic": Topic, "organisation": Organisation}[row.about]
                return row.rule.replace("<slug>", session.scalars(select(kind)).first().slug)  # type: ignore[union-attr]
            solution = self.entry(session, row.about)
            revision = session.scalars(
                select(Revision).where(Revision.solution_id == solution.id).order_by(Revision.number.desc())
            ).first()
            values = {
                "<slug>": solution.slug,
                "<int:solution_id>": str(solution.id),
                "<int:revision_id>": str(revision.id if revision else 0),
                "<string:identity>": solution.external_id,
            }
            return re.sub(r"<[^>]+>", lambda match: values[match[0]], row.rule)


@pytest.fixture
def world(runtime: Runtime) -> World:
    """The catalog with nobody signed in; the index is brought up to date before each request that needs it."""
    runtime.index.rebuild([])
    runtime.unit_of_work.after_commit = None
    return World(runtime)


@pytest.fixture
def app(world: World) -> Flask:
    """The application as it is served: with its errors as pages."""
    made = create_app(runtime=world.runtime)
    made.testing = False
    return made


def as_role(app: Flask, world: World, role: str) -> FlaskClient:
    """A browser in which a person of that role is signed in."""
    client = app.test_client()
    if role != "anonymous":
        sign_in(client, world.people[role])
    return client


def content(runtime: Runtime) -> dict[str, list[Any]]:
    """Everything the database holds, but for the places, which are many and come with the program.

    Nor the counters of the limits, which count what is refused as well.
    """
    with runtime.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(text(f'SELECT * FROM "{name}"'))))  # noqa: S608 - our own tables
            for name in inspect(runtime.engine).get_table_names()
            if name not in {"municipality", "place_alias", "rate_counter"}
        }


def routes(app: Flask) -> set[tuple[str, str]]:
    """All pairs of method and rule the application has."""
    return {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


def test_every_address_has_a_stated_rule(app: Flask) -> None:
    there, stated = routes(app), {(row.method, row.rule) for row in ROWS}
    assert there - stated == set(), f"add these to {TABLE.name}, with the status each role gets"
    assert stated - there == set(), f"these addresses are gone; if on purpose, take them out of {TABLE.name}"


def test_addresses_about_entries_are_stated_for_each_state_that_matters() -> None:
    """Whoever may not know of an entry gets the same answer as for one that does not exist: both must be stated."""
    for rule in {row.rule for row in ROWS if re.search(r"loesungen/<|solution_id|revision_id|solutions/<", row.rule)}:
        stated = {row.about for row in ROWS if row.rule == rule}
        assert "absent" in stated, rule
        assert len(stated) > 2, rule


def endpoint(app: Flask, row: Row) -> str:
    return next(
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.rule == row.rule and row.method in (rule.methods or set())
    )


@pytest.mark.parametrize("role", ROLES)
def test_reading_answers_as_stated_and_writes_nothing(app: Flask, world: World, role: str) -> None:
    addresses = [(row, world.address(row)) for row in ROWS if row.method == "GET"]
    client = as_role(app, world, role)
    before = content(world.runtime)
    wrong = []
    for row, address in addresses:
        answer = client.get(address)
        if answer.status_code != row.statuses[role]:
            wrong.append(f"{row}: {answer.status_code} instead of {row.statuses[role]}")
        wrong += [f"{row}: {problem}" for problem in header_problems(answer, role, row)]
        answer.close()
    assert wrong == []
    after = content(world.runtime)
    assert {name for name in before if before[name] != after[name]} == set(), "a GET has written"


@pytest.mark.parametrize("role", ROLES)
def test_writing_answers_as_stated(app: Flask, world: World, role: str) -> None:
    addresses = [(row, world.address(row)) for row in ROWS if row.method == "POST"]
    wrong = []
    for row, address in addresses:
        client = as_role(app, world, role)  # a new one each time: some of these sign out
        refused = row.statuses[role] in {303, 403, 404}
        before = content(world.runtime) if refused else {}
        answer = client.post(address, data={"csrf_token": csrf_token(client)} | SENT.get(endpoint(app, row), {}))
        if answer.status_code != row.statuses[role]:
            wrong.append(f"{row}: {answer.status_code} instead of {row.statuses[role]}")
        wrong += [f"{row}: {problem}" for problem in header_problems(answer, role, row)]
        if refused and before != content(world.runtime) and "konto" not in row.rule:
            wrong.append(f"{row}: refused, and yet something was written")
    assert wrong == []


@pytest.mark.parametrize("role", ["anonymous", "member", "admin"])
@pytest.mark.parametrize("token", ["none", "another's", "damaged"])
def test_nothing_is_written_without_the_form_token(app: Flask, world: World, role: str, token: str) -> None:
    addresses = [(row, world.address(row)) for row in ROWS if row.method == "POST"]
    client = as_role(app, world, role)
    other = as_role(app, world, "other")
    sent = {
        "none": {},
        "another's": {"csrf_token": csrf_token(other)},
        "damaged": {"csrf_token": csrf_token(client)[:-4] + "AAAA"},
    }[token]
    before = content(world.runtime)
    answered = {
        str(row): client.post(address, data=sent | SENT.get(endpoint(app, row), {})).status_code
        for row, address in addresses
    }
    assert {name: status for name, status in answered.items() if status not in {400, 405}} == {}
    assert content(world.runtime) == before


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST", "TRACE", "PROPFIND"])
def test_other_methods_are_refused_on_every_address(app: Flask, world: World, method: str) -> None:
    client = as_role(app, world, "admin")
    there = routes(app)
    before = content(world.runtime)
    for rule in sorted({row.rule for row in ROWS}):
        if (method, rule) in there:
            continue
        address = re.sub(r"<[^>]+>", "1", rule)
        answer = client.open(address, method=method)
        assert answer.status_code in {400, 404, 405}, f"{method} {rule}: {answer.status_code}"
    assert content(world.runtime) == before


def header_problems(answer: TestResponse, role: str, row: Row) -> list[str]:
    """What an answer's headers lack."""
    headers = answer.headers
    caching, kind = headers.get("Cache-Control", ""), headers.get("Content-Type", "")
    is_file = row.rule.startswith(("/static/", "/favicon", "/healthz"))  # the same for everyone, nobody is asked who
    rules = {
        "500": answer.status_code < 500,
        "nosniff": headers.get("X-Content-Type-Options") == "nosniff",
        "referrer": is_file or headers.get("Referrer-Policy") in {"same-origin", "no-referrer", "strict-origin"},
        f"vary {headers.getlist('Vary')}": is_file or "Cookie" in ", ".join(headers.getlist("Vary")),
        f"kept: {caching!r}": is_file or role == "anonymous" or "no-store" in caching,
        f"charset: {kind}": not kind.startswith("text/") or "charset=" in kind.lower(),
        "open cookie": all(
            "HttpOnly" in cookie or cookie.startswith(SCRIPTS_MAY_READ) for cookie in headers.getlist("Set-Cookie")
        ),
        "cookie from elsewhere": all("SameSite=" in cookie for cookie in headers.getlist("Set-Cookie")),
    }
    return [*(name for name, kept in rules.items() if not kept), *policy_problems(headers)]


def policy_problems(headers: Headers) -> list[str]:
    """What the content security policy lets through that it should not."""
    policy = {
        name: allowed
        for name, _, allowed in (
            part.strip().partition(" ") for part in headers.get("Content-Security-Policy", "").split(";")
        )
    }
    closed = ("default-src", "frame-ancestors", "base-uri", "object-src")
    found = [f"{name} is {policy.get(name)}" for name in closed if policy.get(name) != "'none'"]
    return found + [f"loose: {name} {sources}" for name, sources in policy.items() if LOOSE.search(sources)]


def neutral(answer: TestResponse, address: str) -> tuple[int, bytes, list[tuple[str, str]]]:
    """An answer without the address it was asked at and the form token, which differ in any case."""
    body = answer.get_data()
    for form in {address, quote(address), quote(address, safe="")}:
        body = body.replace(form.encode(), b"ADDRESS")
    body = re.sub(rb'(name="csrf_token"[^>]*value=|value=)"[^"]{40,}"', b"TOKEN", body)
    headers = [
        (name, value.replace(quote(address), "ADDRESS").replace(quote(address, safe=""), "ADDRESS"))
        for name, value in answer.headers
        if name not in {"Set-Cookie", "Content-Length", "Date"}
    ]
    return answer.status_code, body, headers


@pytest.mark.parametrize("role", ROLES)
def test_hidden_and_absent_answer_with_the_same_bytes(app: Flask, world: World, role: str) -> None:
    client = as_role(app, world, role)
    asked = 0
    hidden = [
        row for row in ROWS if row.about not in {"absent", "file", "token", "unknown", ""} and row.statuses[role] == 404
    ]
    for row in hidden:
        absent = next(
            other for other in ROWS if (other.method, other.rule) == (row.method, row.rule) and other.about == "absent"
        )
        answers = []
        for one in (row, absent):
            address = world.address(one)
            given = {"data": {"csrf_token": csrf_token(client)}} if row.method == "POST" else {}
            answers.append(neutral(client.open(address, method=row.method, **given), address))
        for first, second in pairwise(answers):
            assert first == second, str(row)
        asked += 1
    assert asked >= {"reader": 5, "other": 5, "member": 0}.get(role, 2)


def test_the_world_of_this_test_is_what_it_says(world: World) -> None:
    """The states the table names are those the entries are in, so that a row can't pass for the wrong reason."""
    with world.runtime.unit_of_work() as session:
        for state, live, open_ in (
            ("draft", "draft", "draft"),
            ("submitted", "submitted", "submitted"),
            ("returned", "changes_requested", "changes_requested"),
            ("published", "published", None),
            ("members", "published", None),
            ("changing", "published", "draft"),
            ("changed", "published", "submitted"),
            ("archived", "archived", None),
        ):
            solution = world.entry(session, state)
            revision = submission.open_revision(session, solution)
            assert (solution.status, revision and revision.status) == (live, open_)
        assert session.scalar(select(func.count()).select_from(Solution)) == 8


def test_every_permission_is_needed_by_some_address() -> None:
    """A right that no page asks for is either dead or forgotten; administering comes with its pages."""
    root = Path(__file__).resolve().parents[2] / "catalog"
    code = "\n".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py") if path.name != "permissions.py")
    assert {one.name for one in Permission if f"Permission.{one.name}" not in code} <= {"ADMINISTER"}
