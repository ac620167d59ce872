"""What templates get: addresses of the same page, the reader's language and look, misspelt names; error pages."""

import re
from urllib.parse import parse_qsl, urlsplit

import pytest
from flask import Flask, render_template_string
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from catalog.runtime import Runtime
from catalog.web.address import here
from tests.browser import Browser, problems


@given(st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=12), max_size=4), st.text(max_size=12))
def test_an_address_keeps_everything_but_what_is_changed(parameters: dict[str, str], path: str) -> None:
    with Flask("x").test_request_context("/" + path.replace("?", "").replace("#", ""), query_string=parameters):
        address = urlsplit(here(lang="en"))
        assert not address.netloc
        assert not address.scheme
        found = dict(parse_qsl(address.query, keep_blank_values=True))
        assert found == parameters | {"lang": "en"}


def test_an_address_never_leads_to_another_host() -> None:
    with Flask("x").test_request_context("//example.org/x"):
        assert re.match(r"/[^/]", here(lang="en"))


def test_the_language_switch_keeps_page_and_query(client: FlaskClient) -> None:
    page = Browser(client).get("/hilfe?a=1&a=2").text
    assert 'href="/hilfe?a=1&amp;a=2&amp;lang=en"' in page
    assert '<html lang="de">' in page
    assert '<html lang="en">' in Browser(client).get("/hilfe?lang=en").text


def test_a_chosen_language_is_remembered(client: FlaskClient) -> None:
    client.get("/hilfe?lang=en")
    assert '<html lang="en">' in client.get("/impressum").text
    assert '<html lang="de">' in client.get("/impressum?lang=de").text
    assert '<html lang="de">' in client.get("/impressum?lang=xx").text


@pytest.mark.parametrize(("choice", "theme"), [("hell", "light"), ("dunkel", "dark")])
def test_a_chosen_look_is_kept_and_rendered_by_the_server(client: FlaskClient, choice: str, theme: str) -> None:
    answer = client.get(f"/hilfe?darstellung={choice}&a=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/hilfe?a=1")
    assert f'data-kern-theme="{theme}"' in client.get("/hilfe").text
    assert client.get("/hilfe?darstellung=automatisch").status_code == 303
    assert "data-kern-theme" not in client.get("/hilfe").text


def test_an_unknown_look_changes_nothing(client: FlaskClient) -> None:
    client.get("/hilfe?darstellung=dunkel")
    client.set_cookie("darstellung", '"><script>')
    assert "data-kern-theme" not in Browser(client).get("/hilfe").text


def test_a_misspelt_name_in_a_template_is_an_error(app: Flask) -> None:
    with app.test_request_context(), pytest.raises(UndefinedError):
        render_template_string("{{ missspelt }}")


def test_public_pages_set_no_cookie(client: FlaskClient) -> None:
    for address in ("/", "/hilfe", "/impressum", "/nix"):
        assert "Set-Cookie" not in client.get(address).headers, address


def test_curators_pages_are_offered_to_nobody_else(client: FlaskClient) -> None:
    assert 'href="/redaktion"' not in client.get("/").text


def test_the_error_page_needs_no_database(client: FlaskClient, runtime: Runtime) -> None:
    runtime.engine.dispose()
    file = runtime.settings.data_dir / "catalog.sqlite3"
    for part in file.parent.glob("catalog.sqlite3*"):
        part.unlink()
    file.mkdir()
    answer = client.get("/")
    assert answer.status_code == 503
    assert problems(answer.text) == []
    assert "Lösungskatalog" in answer.text


def test_a_crash_gives_a_reference_number_and_nothing_else(
    app: Flask, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    app.testing = False

    def broken() -> str:
        message = "inside knowledge"
        raise RuntimeError(message)

    app.add_url_rule("/kaputt", view_func=broken)
    answer = client.get("/kaputt")
    assert answer.status_code == 500
    assert problems(answer.text) == []
    assert "inside knowledge" not in answer.text
    reference = answer.text.split("<code>")[1].split("</code>")[0]
    assert any(reference in record.getMessage() for record in caplog.records)


_BROKEN = {
    "<p>": "no language",
    '<html lang="de"><title></title><main><h1>A</h1></main>': "one title with text",
    '<html lang="de"><title>T</title><main><h1>A</h1><h1>B</h1></main>': "2 <h1>",
    '<html lang="de"><title>T</title><main><h1>A</h1><i id="x"></i><i id="x"></i></main>': "id 'x' stands 2 times",
    '<html lang="de"><title>T</title><main><h1>A</h1><input name="q"></main>': "has no label",
    '<html lang="de"><title>T</title><main><h1>A</h1><form method="post"></form></main>': "no CSRF token",
    '<html lang="de"><title>T</title><main><h1>A</h1><p style="x"></p></main>': "style on <p>",
    '<html lang="de"><title>T</title><main><h1>A</h1><p onclick="x"></p></main>': "onclick on <p>",
    '<html lang="de"><title>T</title><main><h1>A</h1><script>x</script></main>': "inline <script>",
    '<html lang="de"><title>T</title><main><h1>A</h1><img src="//example.org/x"></main>': "asks another server",
    '<html lang="de"><title>T</title><main><h1>A</h1><h3>B</h3></main>': "follows a heading of level 1",
    '<html lang="de"><title>T</title><main><h1>A</h1><a href="#x">B</a></main>': "link to #x",
    '<html lang="de"><title>T</title><main><h1>A</h1><p><div></p></main>': "parse error",
    '<html lang="de"><title>T</title><main><h1>A</h1><button></button></main>': "<button> without text",
}


@pytest.mark.parametrize(("page", "expected"), _BROKEN.items())
def test_the_page_checker_finds(page: str, expected: str) -> None:
    assert any(expected in line for line in problems("<!doctype html>" + page))


def test_the_page_checker_lets_a_sound_page_pass() -> None:
    page = '<!doctype html><html lang="de"><head><title>T</title></head><body><main><h1>A</h1></main></body></html>'
    assert problems(page) == []
