"""Guessing is slow, floods stop, and the right person still gets in."""

from contextlib import suppress
from dataclasses import replace
from multiprocessing.pool import ThreadPool

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from catalog.app import create_app
from catalog.models.base import utcnow
from catalog.models.limit import RateCounter
from catalog.models.user import User
from catalog.runtime import Runtime, open_runtime
from catalog.services import accounts
from catalog.web import limits
from tests import factories
from tests.catalog.web.signin import csrf_token, sign_in

PASSWORD = "grüne Wiese im Mai"
WRONG = "falsch"


@pytest.fixture
def person(session: Session) -> User:
    """Someone with a password."""
    user = factories.make_user(session, email="ada@example.org", password=accounts.hash_password(PASSWORD))
    session.commit()
    return user


def _try(client: FlaskClient, address: str, password: str = WRONG, email: str = "ada@example.org") -> TestResponse:
    data = {"csrf_token": csrf_token(client), "email": email, "password": password}
    return client.post("/anmelden", data=data, environ_overrides={"REMOTE_ADDR": address})


def test_an_attack_from_one_place_is_stopped_and_locks_nobody_out(
    client: FlaskClient, app: Flask, person: User
) -> None:
    statuses = [_try(client, "192.0.2.1").status_code for _ in range(14)]
    assert statuses == [200] * 10 + [429] * 4
    refused = _try(client, "192.0.2.1", PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["Retry-After"]) <= 301
    assert "Zu viele Versuche" in refused.text
    assert person.active
    assert _try(app.test_client(), "198.51.100.7", PASSWORD).status_code == 302


def test_an_attack_from_many_places_is_stopped_and_a_known_browser_still_gets_in(
    client: FlaskClient, app: Flask, person: User
) -> None:
    known = app.test_client()
    assert _try(known, "198.51.100.7", PASSWORD).status_code == 302
    known.post("/abmelden", data={"csrf_token": csrf_token(known)})
    statuses = [_try(client, f"192.0.2.{number % 20}").status_code for number in range(30)]
    assert statuses == [200] * 10 + [429] * 20
    assert _try(client, "203.0.113.9", PASSWORD).status_code == 429
    assert _try(known, "198.51.100.7", PASSWORD).status_code == 302
    assert person.active


def test_a_known_browser_is_known_for_its_own_account_only_and_counts_for_itself(
    client: FlaskClient, session: Session, person: User
) -> None:
    factories.make_user(session, email="bob@example.org", password=accounts.hash_password(PASSWORD))
    session.commit()
    assert _try(client, "192.0.2.1", PASSWORD).status_code == 302
    client.post("/abmelden", data={"csrf_token": csrf_token(client)})
    assert person.active
    assert [_try(client, f"192.0.2.{number}").status_code for number in range(12)] == [200] * 10 + [429] * 2
    assert [_try(client, "192.0.2.50", email="bob@example.org").status_code for _ in range(12)] == [200] * 10 + [
        429
    ] * 2


def test_a_made_up_browser_is_not_known(client: FlaskClient, person: User) -> None:
    assert person.active
    for value in ("x", "WyJ4IiwieSJd.x.y", ""):
        client.set_cookie("geraet", value)
        _try(client, "192.0.2.1")
    assert [_try(client, "192.0.2.1").status_code for _ in range(8)] == [200] * 7 + [429]


def test_guessing_many_accounts_from_one_place_is_stopped(client: FlaskClient) -> None:
    statuses = [_try(client, "192.0.2.1", email=f"person-{number}@example.org").status_code for number in range(12)]
    assert statuses == [200] * 10 + [429] * 2


def test_spelling_the_address_otherwise_gains_nothing(client: FlaskClient, person: User) -> None:
    assert person.active
    spellings = ["ada@example.org", "ADA@example.org", " ada@example.org ", "Ada@EXAMPLE.org"]
    statuses = [_try(client, f"192.0.2.{number}", email=spellings[number % 4]).status_code for number in range(12)]
    assert statuses == [200] * 10 + [429] * 2


def test_successful_sign_ins_cost_nothing(app: Flask, person: User) -> None:
    assert person.active
    assert [_try(app.test_client(), "192.0.2.1", PASSWORD).status_code for _ in range(13)] == [302] * 13


def test_the_window_ends(client: FlaskClient, person: User) -> None:
    assert person.active
    with time_machine.travel(utcnow(), tick=False) as clock:
        for _ in range(11):
            last = _try(client, "192.0.2.1")
        assert last.status_code == 429
        clock.shift(299)
        assert _try(client, "192.0.2.1").status_code == 429
        clock.shift(2)
        assert _try(client, "192.0.2.1", PASSWORD).status_code == 302


def test_counts_are_shared_between_processes_and_survive_a_restart(runtime: Runtime, person: User) -> None:
    assert person.active
    first, second = (
        create_app(runtime=runtime).test_client(),
        create_app(runtime=open_runtime(runtime.settings)).test_client(),
    )
    statuses = [_try(client, "192.0.2.1").status_code for client in (first, second) * 6]
    assert statuses == [200] * 10 + [429] * 2
    assert _try(create_app(runtime=open_runtime(runtime.settings)).test_client(), "192.0.2.1").status_code == 429


def test_reset_mails_are_limited_for_known_and_unknown_addresses_alike(client: FlaskClient, person: User) -> None:
    for email in (person.email, "neu@example.org"):
        statuses = [
            client.post("/passwort-vergessen", data={"csrf_token": csrf_token(client), "email": email}).status_code
            for _ in range(7)
        ]
        assert statuses == [200] * 5 + [429] * 2


def test_guessing_the_present_password_is_limited(client: FlaskClient, person: User) -> None:
    sign_in(client, person)
    data = {
        "csrf_token": csrf_token(client),
        "password": "falsch",
        "new_password": "neues Wort hier",
        "new_password_confirm": "neues Wort hier",
    }
    assert [client.post("/passwort-aendern", data=data).status_code for _ in range(12)] == [200] * 10 + [429] * 2


def test_writing_is_limited_per_person(
    app: Flask, client: FlaskClient, session: Session, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    from limits import RateLimitItemPerHour

    monkeypatch.setattr(limits, "WRITES", RateLimitItemPerHour(3))
    other = factories.make_user(session)
    session.commit()
    sign_in(client, person)
    data = {"csrf_token": csrf_token(client), "name": "Ada", "language": "de"}
    assert [client.post("/konto", data=data).status_code for _ in range(5)] == [303] * 3 + [429] * 2
    assert client.get("/konto").status_code == 200
    elsewhere = app.test_client()
    sign_in(elsewhere, other)
    assert elsewhere.post("/konto", data=data | {"csrf_token": csrf_token(elsewhere)}).status_code == 303


def test_searches_are_limited_per_address_without_touching_the_database(runtime: Runtime) -> None:
    for limit, expected in ((5, 5), (0, 20)):
        app = create_app(runtime=replace(runtime, settings=replace(runtime.settings, search_limit=limit)))
        view = limits.limited_searches(lambda: "found")
        for place in ("192.0.2.1", "192.0.2.2"):
            answered = 0
            for _ in range(20):
                with (
                    app.test_request_context("/suche", environ_base={"REMOTE_ADDR": place}),
                    suppress(TooManyRequests),
                ):
                    answered += view() == "found"
            assert answered == expected
    with runtime.unit_of_work.reading() as session:
        assert session.scalars(select(RateCounter)).all() == []


@pytest.mark.parametrize(
    ("given", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("unix:", "unix:"),
        ("", ""),
    ],
)
def test_an_address_is_what_a_household_shares(app: Flask, given: str, counted: str) -> None:
    with app.test_request_context("/", environ_base={"REMOTE_ADDR": given}):
        assert limits.address() == counted


def test_the_table_names_neither_addresses_nor_accounts(client: FlaskClient, runtime: Runtime) -> None:
    _try(client, "192.0.2.1")
    with runtime.unit_of_work.reading() as session:
        keys = list(session.scalars(select(RateCounter.key)))
    assert keys
    assert not [key for key in keys if "192.0" in key or "ada" in key]


def test_no_two_counts_at_once_get_the_same_number(each_runtime: Runtime) -> None:
    storage = limits.DatabaseStorage(each_runtime.engine)
    with ThreadPool(8) as pool:
        counted = pool.map(lambda _: storage.incr("k", 60), range(60))
    assert sorted(counted) == list(range(1, 61))
    assert storage.get("k") == 60
    assert storage.get("other") == 0
    assert storage.incr("k", 60, -1) == 59
    assert storage.check()
    storage.clear("k")
    assert storage.get("k") == 0
    storage.incr("k", 60)
    assert storage.reset() == 1
