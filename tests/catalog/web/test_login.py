"""Signing in and out, sessions, passwords: what an attacker tries, and what a person needs."""

import re
import statistics
import time
from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from catalog.app import create_app
from catalog.domain.actor import SYSTEM, Actor, OrganisationRole, Role
from catalog.models.base import utcnow
from catalog.models.outbox import OutboxMessage
from catalog.models.user import SignIn, User
from catalog.runtime import Runtime
from catalog.services import accounts
from catalog.web import login
from tests import factories
from tests.catalog.web.signin import csrf_token, sign_in
from tests.sql import statements

PASSWORD = "grüne Wiese im Mai"
OTHER = "vier blaue Fahrräder"

HOSTILE = [
    "//evil.example", "///evil.example", "////evil.example", "/\\evil.example", "\\evil.example",
    "\\\\evil.example", "/\\/evil.example", "\\/evil.example", "/\t/evil.example", "/\n/evil.example",
    "/\r/evil.example", "\t//evil.example", " //evil.example", "\x19//evil.example", "\x00//evil.example",
    "https:evil.example", "https:/evil.example", "https://evil.example", "http://evil.example",
    "HTTPS://EVIL.EXAMPLE", "https:///evil.example", "https:\\\\evil.example", "ftp://evil.example",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
    "//localhost@evil.example", "https://localhost@evil.example", "https://localhost:80@evil.example/",
    "//localhost:x@evil.example", "https://evil.example#localhost", "https://evil.example?localhost",
    "https://evil.example\\@localhost", "//evil.example/localhost", "https://localhost.evil.example",
    "//evil.example%2f..", "／／evil.example", "/／evil.example", "//evil。example", "https://ｅvil.example", "http://[",
    "http://[::1", "//[evil.example]", "http://localhost:99999999/", "https://evil.example:443", "evil.example",
    "www.evil.example", "./evil.example", "../evil.example", "?next=//evil.example", "#//evil.example", ":", "//",
    "\\", "mailto:a@evil.example", "blob:https://evil.example", "view-source:https://evil.example",
    "/ok\r\nLocation: https://evil.example", "/ok\x00//evil.example",
    "/" + "a" * 3_000,
]  # fmt: skip


@pytest.fixture
def person(session: Session) -> User:
    """A member of a utility with a password."""
    user = factories.make_user(
        session,
        factories.make_organisation(session),
        password=accounts.hash_password(PASSWORD),
        email="ada@example.org",
    )
    session.commit()
    return user


def _sign_in(
    client: FlaskClient, password: str = PASSWORD, email: str = "ada@example.org", **given: str
) -> TestResponse:
    goal = given.pop("query", "")
    return client.post(
        f"/anmelden{goal}", data={"csrf_token": csrf_token(client), "email": email, "password": password} | given
    )


def _actor(client: FlaskClient) -> Actor | None:
    """Who the application thinks is asking when this client does."""
    with client:
        client.get("/gibt-es-nicht")
        return g.get("actor")


# --- in and out ---


def test_signing_in_and_out(client: FlaskClient, person: User) -> None:
    assert _actor(client) is None
    assert _sign_in(client).headers["Location"] == "/"
    found = _actor(client)
    assert found is not None
    assert found.user_id == person.id
    answer = client.post("/abmelden", data={"csrf_token": csrf_token(client)})
    assert answer.headers["Location"] == "/"
    assert _actor(client) is None


def test_the_address_may_be_typed_in_any_case_and_the_password_in_any_unicode_form(
    client: FlaskClient, person: User
) -> None:
    assert person.email == "ada@example.org"
    assert _sign_in(client, "gru\u0308ne Wiese im Mai", "ADA@Example.ORG").status_code == 302


def test_the_actor_has_roles_organisations_and_groups_from_two_queries(
    client: FlaskClient, session: Session, runtime: Runtime
) -> None:
    first, second = factories.make_organisation(session), factories.make_organisation(session)
    user = factories.make_user(session, first, OrganisationRole.READER)
    accounts.set_organisation(session, SYSTEM, user, second.slug, OrganisationRole.MANAGER)
    accounts.set_roles(session, SYSTEM, user, [Role.CURATOR, Role.ADMIN])
    session.commit()
    sign_in(client, user)
    with statements(runtime) as seen:
        found = _actor(client)
    assert found == Actor(
        user_id=user.id,
        name=user.name,
        roles=frozenset({Role.CURATOR, Role.ADMIN}),
        organisations={first.id: OrganisationRole.READER, second.id: OrganisationRole.MANAGER},
    )
    assert len([statement for statement in seen if statement.startswith("SELECT")]) <= 2
    with statements(runtime) as seen:
        client.application.test_client().get("/gibt-es-nicht")
    assert seen == []


def test_reading_pages_writes_nothing(client: FlaskClient, person: User, runtime: Runtime) -> None:
    sign_in(client, person)
    with statements(runtime) as seen:
        for path in ("/impressum", "/konto", "/anmelden", "/passwort-aendern", "/passwort-vergessen", "/gibt-es-nicht"):
            client.get(path)
    assert not [statement for statement in seen if not statement.startswith(("SELECT", "BEGIN"))]


def test_there_is_no_registration_and_none_of_the_library_s_other_pages(app: Flask) -> None:
    rules = {rule.endpoint: str(rule) for rule in app.url_map.iter_rules() if rule.endpoint.startswith("security.")}
    assert rules == {
        "security.login": "/anmelden",
        "security.logout": "/abmelden",
        "security.forgot_password": "/passwort-vergessen",
        "security.reset_password": "/passwort-vergessen/<token>",
        "security.change_password": "/passwort-aendern",
    }


def test_an_account_token_in_the_address_or_a_header_opens_nothing(
    client: FlaskClient, app: Flask, person: User
) -> None:
    with app.test_request_context():
        token = str(person.get_auth_token())
    with client:
        client.get(f"/konto?auth_token={token}", headers={"Authentication-Token": token})
        assert g.get("actor") is None
    assert client.get(f"/konto?auth_token={token}", headers={"Authentication-Token": token}).status_code == 303
    assert client.get("/konto", headers={"Authorization": "Basic YWRhQGV4YW1wbGUub3JnOng="}).status_code == 303


def test_asking_for_json_gets_no_token_and_no_account(client: FlaskClient, person: User) -> None:
    answer = client.post(
        "/anmelden?include_auth_token",
        json={"email": person.email, "password": PASSWORD},
        headers={"X-CSRFToken": csrf_token(client)},
    )
    assert answer.status_code == 415
    assert _actor(client) is None
    assert "fs_paa" not in answer.text


# --- the session ---


def test_the_session_is_another_after_signing_in(client: FlaskClient, person: User) -> None:
    before = csrf_token(client)
    client.set_cookie("sitzung", client.get_cookie("sitzung").value)  # type: ignore[union-attr]
    with client.session_transaction() as planted:
        planted["planted"] = "by someone else"
        raw = planted["csrf_token"]
    assert _sign_in(client).status_code == 302
    with client.session_transaction() as after:
        assert "planted" not in after
        assert after.get("csrf_token") != raw
        assert after["sign_in"]
    assert client.post("/abmelden", data={"csrf_token": before}).status_code == 400
    assert _actor(client) is not None
    assert person.active


def test_each_sign_in_is_one_of_its_own(client: FlaskClient, app: Flask, person: User) -> None:
    sign_in(client, person)
    other = app.test_client()
    sign_in(other, person)
    with client.session_transaction() as first, other.session_transaction() as second:
        assert first["sign_in"] != second["sign_in"]


def _copy(client: FlaskClient, app: Flask) -> FlaskClient:
    copy = app.test_client()
    cookie = client.get_cookie("sitzung")
    assert cookie is not None
    copy.set_cookie("sitzung", cookie.value)
    assert _actor(copy) is not None
    return copy


def test_a_copied_cookie_is_worth_nothing_after_signing_out(client: FlaskClient, app: Flask, person: User) -> None:
    sign_in(client, person)
    copy = _copy(client, app)
    client.post("/abmelden", data={"csrf_token": csrf_token(client)})
    assert _actor(copy) is None


def test_signing_out_here_leaves_other_devices_signed_in(client: FlaskClient, app: Flask, person: User) -> None:
    other = app.test_client()
    sign_in(other, person)
    sign_in(client, person)
    client.post("/abmelden", data={"csrf_token": csrf_token(client)})
    assert _actor(other) is not None


@pytest.mark.parametrize("step", ["disable", "delete", "roles", "password"])
def test_everything_ends_when_the_account_changes(
    client: FlaskClient, runtime: Runtime, person: User, step: str
) -> None:
    sign_in(client, person)
    assert _actor(client) is not None
    with runtime.unit_of_work() as session:
        user = session.get_one(User, person.id)
        match step:
            case "disable":
                accounts.set_active(session, SYSTEM, user, active=False)
            case "delete":
                session.delete(user)
            case "roles":
                accounts.set_roles(session, SYSTEM, user, [Role.CURATOR])
            case "password":
                accounts.set_password(session, SYSTEM, user, accounts.hash_password(OTHER))
    assert _actor(client) is None


def test_a_sign_in_ends_after_eight_idle_hours_and_after_seven_days(client: FlaskClient, person: User) -> None:
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        sign_in(client, person)
        for hours in range(7, 7 * 24, 7):
            clock.move_to(start + timedelta(hours=hours))
            assert _actor(client) is not None
        clock.move_to(start + timedelta(days=7, seconds=1))
        assert _actor(client) is None
    with time_machine.travel(start, tick=False) as clock:
        sign_in(client, person)
        assert _actor(client) is not None
        clock.move_to(start + timedelta(hours=8, seconds=2))
        assert _actor(client) is None


def test_the_cookie_is_guarded(runtime: Runtime, person: User) -> None:
    secure = replace(runtime, settings=replace(runtime.settings, base_url="https://katalog.example.org"))
    client = create_app(runtime=secure).test_client()
    page = client.get("/anmelden", base_url="https://katalog.example.org")
    token = re.search(r'name="csrf_token" type="hidden" value="([^"]+)"', page.text)
    assert token
    answer = client.post(
        "/anmelden",
        data={"csrf_token": token[1], "email": person.email, "password": PASSWORD},
        base_url="https://katalog.example.org",
        headers={"Referer": "https://katalog.example.org/anmelden"},
    )
    assert answer.status_code == 302
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert cookie.startswith("__Host-")
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


def test_only_a_fingerprint_of_the_cookie_is_stored(client: FlaskClient, runtime: Runtime, person: User) -> None:
    sign_in(client, person)
    with client.session_transaction() as cookie, runtime.unit_of_work.reading() as session:
        row = session.scalars(select(SignIn)).one()
        assert cookie["sign_in"] not in (row.fingerprint, row.device)


# --- one answer for everything that can be wrong ---


def test_unknown_disabled_and_wrong_look_the_same(client: FlaskClient, session: Session, person: User) -> None:
    closed = factories.make_user(
        session, email="bob@example.org", password=accounts.hash_password(PASSWORD), active=False
    )
    open_ = factories.make_user(session, email="eve@example.org", password=None)
    session.commit()
    answers = {
        email: _sign_in(client, password, email)
        for email, password in (
            (person.email, "falsch gera"),
            (closed.email, PASSWORD),
            (open_.email, PASSWORD),
            ("neu@example.org", PASSWORD),
        )
    }
    texts = {
        re.sub(r'(csrf_token" (?:type="hidden" )?value=")[^"]+', r"\1", answer.text.replace(email, "wer@example.org"))
        for email, answer in answers.items()
    }
    assert len(texts) == 1
    assert "Anmelden hat nicht geklappt" in texts.pop()
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({answer.content_length for email, answer in answers.items() if len(email) == len(person.email)}) == 1


def test_a_reset_is_answered_alike_for_known_and_unknown_addresses(
    client: FlaskClient, runtime: Runtime, person: User
) -> None:
    answers = [
        client.post("/passwort-vergessen", data={"csrf_token": csrf_token(client), "email": email})
        for email in (person.email, "neu@example.org")
    ]
    first, second = (re.sub(r'value="[^"@]{60,}"', "", answer.text.replace("neu@", "ada@")) for answer in answers)
    assert first == second
    assert "Gibt es zu dieser Adresse ein Konto" in first
    with runtime.unit_of_work.reading() as session:
        rows = session.scalars(
            select(OutboxMessage).where(OutboxMessage.kind == "email").order_by(OutboxMessage.id)
        ).all()
        assert [(row.subject_id, row.payload) for row in rows] == [
            (person.id, {"template": "password_reset"}), (None, {"template": "password_reset"}),
        ]  # fmt: skip


@pytest.mark.parametrize("path", ["/anmelden", "/passwort-vergessen"])
def test_time_does_not_tell_whether_an_address_has_an_account(client: FlaskClient, session: Session, path: str) -> None:
    count = 24
    hashed = accounts.hash_password(PASSWORD)
    for number in range(count):
        factories.make_user(session, email=f"bekannt-{number}@example.org", password=hashed)
    session.commit()
    took: dict[str, list[float]] = {"bekannt": [], "fremdes": []}
    for number in range(count):
        for kind, times in took.items():
            client.environ_base["REMOTE_ADDR"] = f"10.{len(kind)}.{kind == 'bekannt':d}.{number}"
            data = {
                "csrf_token": csrf_token(client),
                "email": f"{kind}-{number}@example.org",
                "password": "falsch gera",
            }
            started = time.perf_counter()
            assert client.post(path, data=data).status_code == 200
            times.append(time.perf_counter() - started)
    apart = abs(statistics.median(took["bekannt"]) - statistics.median(took["fremdes"]))
    assert apart < max(0.010, 0.15 * statistics.median(took["bekannt"]))


# --- where to go afterwards ---


def test_foreign_goals_lead_nowhere_else(client: FlaskClient, person: User) -> None:
    assert person.active
    assert len(HOSTILE) >= 60
    for goal in HOSTILE:
        _refuses(client, goal)


def _refuses(client: FlaskClient, goal: str) -> None:
    shown = client.get("/anmelden", query_string={"next": goal})
    assert shown.status_code == 303
    assert shown.headers["Location"] == "/anmelden"
    for where in ("query", "form"):
        answer = client.post(
            "/anmelden",
            query_string={"next": goal} if where == "query" else {},
            data={"csrf_token": csrf_token(client), "email": "ada@example.org", "password": PASSWORD}
            | ({"next": goal} if where == "form" else {}),
        )
        assert answer.status_code == 303
        assert answer.headers["Location"] == "/anmelden"


def test_own_goals_are_reached(app: Flask, person: User) -> None:
    assert person.active
    for goal in ("/konto", "/suche?q=Hochwasser&topic=water", "/suche?q=M%C3%BCll", "/einreichen/12", "/"):
        assert _sign_in(app.test_client(), next=goal).headers["Location"] == goal


def test_whoever_is_not_signed_in_comes_back_to_the_page(client: FlaskClient, person: User) -> None:
    assert person.active
    answer = client.get("/konto?x=M%C3%BCll&y=//evil")
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/anmelden?next=/konto?x%3DM%25C3%25BCll%26y%3D//evil"
    page = client.get(answer.headers["Location"])
    assert 'value="/konto?x=M%C3%BCll&amp;y=//evil"' in page.text


# --- passwords ---


def test_changing_the_password_ends_all_other_sign_ins(
    client: FlaskClient, app: Flask, runtime: Runtime, person: User
) -> None:
    other = app.test_client()
    sign_in(other, person)
    sign_in(client, person)
    copy = _copy(client, app)
    answer = client.post(
        "/passwort-aendern",
        data={
            "csrf_token": csrf_token(client),
            "password": PASSWORD,
            "new_password": OTHER,
            "new_password_confirm": OTHER,
        },
    )
    assert answer.status_code == 302, answer.text
    assert answer.headers["Location"] == "/konto"
    assert _actor(client) is not None
    assert _actor(other) is None
    assert _actor(copy) is None
    fresh = app.test_client()
    assert _sign_in(fresh, PASSWORD).status_code == 200
    assert _sign_in(fresh, OTHER).status_code == 302
    with runtime.unit_of_work.reading() as session:
        assert session.scalars(select(OutboxMessage.payload).where(OutboxMessage.kind == "email")).all() == [
            {"template": "password_changed"}
        ]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"password": "falsch"}, "Das jetzige Passwort stimmt nicht."),
        ({"new_password": "kurz", "new_password_confirm": "kurz"}, "8 bis 128 Zeichen"),
        ({"new_password": "x" * 129, "new_password_confirm": "x" * 129}, "8 bis 128 Zeichen"),
        ({"new_password": "passwort123", "new_password_confirm": "passwort123"}, "zu leicht zu erraten"),
        ({"new_password": "ada@example1", "new_password_confirm": "ada@example1"}, "zu leicht zu erraten"),
        ({"new_password_confirm": "anders geschrieben"}, "Die beiden Eingaben sind verschieden."),
        ({"new_password": PASSWORD, "new_password_confirm": PASSWORD}, "muss sich vom jetzigen unterscheiden"),
        ({"password": ""}, "Bitte geben Sie ein Passwort ein."),
    ],
)
def test_a_password_is_not_changed_to_a_bad_one(
    client: FlaskClient, person: User, runtime: Runtime, given: dict[str, str], said: str
) -> None:
    sign_in(client, person)
    data = {
        "csrf_token": csrf_token(client),
        "password": PASSWORD,
        "new_password": OTHER,
        "new_password_confirm": OTHER,
    }
    answer = client.post("/passwort-aendern", data=data | given)
    assert answer.status_code == 200
    assert said in answer.text
    with runtime.unit_of_work.reading() as session:
        assert session.get_one(User, person.id).password == person.password


def test_a_reset_link_works_once_and_ends_every_sign_in(
    client: FlaskClient, app: Flask, runtime: Runtime, person: User
) -> None:
    signed_in = app.test_client()
    sign_in(signed_in, person)
    path = f"/passwort-vergessen/{accounts.reset_token(runtime.secret_key, person)}"
    page = client.get(path)
    assert page.status_code == 200
    assert "no-store" in page.headers["Cache-Control"]
    data = {"csrf_token": csrf_token(client), "password": OTHER, "password_confirm": OTHER}
    assert client.post(path, data=data | {"password": "kurz", "password_confirm": "kurz"}).status_code == 200
    assert client.post(path, data=data).headers["Location"] == "/anmelden"
    assert _actor(client) is None
    assert _actor(signed_in) is None
    assert client.post(path, data=data).headers["Location"] == "/passwort-vergessen"
    assert client.get(path).headers["Location"] == "/passwort-vergessen"
    assert _sign_in(client, OTHER).status_code == 302


def test_a_reset_link_ends_after_an_hour_and_with_the_account(
    client: FlaskClient, runtime: Runtime, person: User
) -> None:
    start = utcnow()
    with time_machine.travel(start, tick=False) as clock:
        path = f"/passwort-vergessen/{accounts.reset_token(runtime.secret_key, person)}"
        clock.move_to(start + timedelta(minutes=59))
        assert client.get(path).status_code == 200
        clock.move_to(start + timedelta(minutes=61))
        assert client.get(path).headers["Location"] == "/passwort-vergessen"
        assert "abgelaufen" in client.get("/passwort-vergessen").text
    with runtime.unit_of_work() as session:
        session.execute(update(User).values(active=False))
    path = f"/passwort-vergessen/{accounts.reset_token(runtime.secret_key, person)}"
    assert client.get(path).headers["Location"] == "/passwort-vergessen"


def test_a_made_up_reset_link_is_refused(client: FlaskClient) -> None:
    for token in ("x", "a.b.c", "%00", "WyJ4Il0.x.y", "é"):
        assert client.get(f"/passwort-vergessen/{token}").headers["Location"] == "/passwort-vergessen"
        assert "gilt nicht oder nicht mehr" in client.get("/passwort-vergessen").text


def test_a_token_made_for_another_purpose_resets_nothing(client: FlaskClient, app: Flask, person: User) -> None:
    security = app.extensions["security"]
    with app.test_request_context():
        for name in ("remember_token", "login", "confirm", "change_email"):
            token = getattr(security, f"{name}_serializer").dumps([person.fs_uniquifier, None])
            assert client.get(f"/passwort-vergessen/{token}").status_code == 302, name


def test_old_hashes_are_renewed_at_sign_in(client: FlaskClient, runtime: Runtime, person: User) -> None:
    from argon2 import PasswordHasher

    with runtime.unit_of_work() as session:
        weak = PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash(accounts.normal_password(PASSWORD))
        session.get_one(User, person.id).password = weak
    assert _sign_in(client).status_code == 302
    with runtime.unit_of_work.reading() as session:
        row = session.get_one(User, person.id)
        assert row.password != weak
        assert row.fs_uniquifier == person.fs_uniquifier
        assert "m=65536" in (row.password or "")


# --- forms ---


def test_no_form_works_without_the_token_of_this_very_session(
    client: FlaskClient, app: Flask, runtime: Runtime, person: User
) -> None:
    old = csrf_token(client)
    sign_in(client, person)
    csrf_token(client)
    tokens = {
        "none": {},
        "made up": {"csrf_token": "x"},
        "foreign": {"csrf_token": csrf_token(app.test_client())},
        "old": {"csrf_token": old},
    }
    for path in ("/anmelden", "/abmelden", "/passwort-vergessen", "/passwort-aendern", "/konto", "/konto/abmelden"):
        for kind, given in tokens.items():
            with statements(runtime) as seen:
                answer = client.post(path, data={"name": "Mallory", "language": "en"} | given)
            assert answer.status_code == 400, (path, kind)
            assert not [statement for statement in seen if not statement.startswith(("SELECT", "BEGIN"))]
    assert _actor(client) is not None


def test_the_account_form_changes_nothing_it_does_not_show(client: FlaskClient, runtime: Runtime, person: User) -> None:
    sign_in(client, person)
    before = {column.key: getattr(person, column.key) for column in User.__table__.columns}
    everything = {
        "id": "99",
        "email": "mallory@example.org",
        "password": "x",
        "active": "",
        "fs_uniquifier": "x",
        "is_demo": "1",
        "confirmed_at": "",
        "created_at": "",
        "roles": "admin",
        "role": "admin",
        "memberships": "1",
        "organisations": "1",
        "user_id": "99",
    }
    answer = client.post(
        "/konto", data={"csrf_token": csrf_token(client), "name": "  Ada \x00 Lovelace ", "language": "en"} | everything
    )
    assert answer.status_code == 303
    with runtime.unit_of_work.reading() as session:
        row = session.get_one(User, person.id)
        after = {column.key: getattr(row, column.key) for column in User.__table__.columns}
        assert row.roles == []
        assert len(row.memberships) == 1
    assert after == before | {"name": "Ada Lovelace", "language": "en"}


@pytest.mark.parametrize(
    "given", [{"name": ""}, {"name": "\x00 "}, {"language": "xx"}, {"language": ""}, {"name": "x" * 201}]
)
def test_bad_details_are_not_stored(client: FlaskClient, runtime: Runtime, person: User, given: dict[str, str]) -> None:
    sign_in(client, person)
    data = {"csrf_token": csrf_token(client), "name": "Ada", "language": "de"} | given
    assert client.post("/konto", data=data).status_code in {200, 422}
    with runtime.unit_of_work.reading() as session:
        assert session.get_one(User, person.id).name == person.name


def test_the_account_page_shows_and_ends_sign_ins(client: FlaskClient, app: Flask, person: User) -> None:
    other = app.test_client()
    sign_in(other, person)
    _sign_in(client, query="?next=/konto")
    page = client.get("/konto").text
    assert page.count("anderes Gerät") == 1
    assert page.count("dieses Gerät") == 1
    assert person.email in page
    assert client.post("/konto/abmelden", data={"csrf_token": csrf_token(client)}).status_code == 303
    assert _actor(other) is None
    assert _actor(client) is not None


def test_demo_accounts_are_shown_by_a_demo_alone(runtime: Runtime, session: Session, client: FlaskClient) -> None:
    factories.make_user(session, email="member@example.org", name="Mia Member", is_demo=True)
    factories.make_user(session, email="echt@example.org", name="Echte Person")
    session.commit()
    assert "member@example.org" not in client.get("/anmelden").text
    demo = create_app(runtime=replace(runtime, settings=replace(runtime.settings, demo=True))).test_client()
    page = demo.get("/anmelden").text
    assert "member@example.org" in page
    assert "echt@example.org" not in page


def test_maintenance_lets_nobody_in_and_says_so(runtime: Runtime, person: User) -> None:
    runtime.unit_of_work.read_only = True
    client = create_app(runtime=replace(runtime, settings=replace(runtime.settings, read_only=True))).test_client()
    answer = _sign_in(client)
    assert person.active
    assert answer.status_code == 403
    assert "gewartet" in answer.text


@pytest.mark.parametrize("path", ["/anmelden", "/passwort-vergessen", "/passwort-aendern", "/konto"])
def test_no_page_speaks_the_library_s_english(client: FlaskClient, person: User, path: str) -> None:
    sign_in(client, person)
    if path in {"/anmelden", "/passwort-vergessen"}:
        client.post("/abmelden", data={"csrf_token": csrf_token(client)})
    page = client.get(path).text + client.post(path, data={"csrf_token": csrf_token(client)}).text
    visible = re.sub(r"<[^>]+>", " ", page[page.index("<main") : page.rindex("</main")])
    assert not re.search(
        r"\b(password|email|invalid|provided|submit|login|remember|forgot|field|required)\b", visible, re.IGNORECASE
    )


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox, Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge, Windows",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 Version/18.0 Mobile Safari/604.1",
            "Safari, iOS",
        ),
        ("<script>alert(1)</script>", ""),
        ("", ""),
    ],
)
def test_a_device_is_named_in_two_words(agent: str, said: str) -> None:
    assert login.device(agent) == said
