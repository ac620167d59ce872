"""Only the catalog's own host names and the usual methods are answered."""

from dataclasses import replace

from flask.testing import FlaskClient

from catalog.app import create_app
from catalog.config import Settings
from catalog.runtime import Runtime
from catalog.web.hosts import names


def test_names_come_from_address_and_setting(settings: Settings) -> None:
    given = replace(settings, base_url="https://katalog.example.org:8443/x", trusted_hosts=" Intern.example.org ,,")
    assert names(given) == {"katalog.example.org", "intern.example.org", "localhost", "127.0.0.1", "::1"}


def test_own_hosts_are_answered(runtime: Runtime) -> None:
    client = _client_of(runtime, "https://katalog.example.org")
    for host in ("katalog.example.org", "KATALOG.example.org:443", "localhost:8000", "127.0.0.1", "[::1]:8000"):
        assert client.get("/healthz", headers={"Host": host}).status_code == 200, host


FOREIGN = [
    "evil.example",
    "katalog.example.org.evil.example",
    "evil.katalog.example.org",
    "katalog.example.org@evil.example",
    "katalog.example.org,evil.example",
    "katalog.example.org evil.example",
    "127.0.0.1.evil.example",
    "0.0.0.0.example",
    "katalog.example.org:80@evil.example",
    "katalog.example.org:99999",
    "[::ffff:127.0.0.1]",
    "%65vil.example",
    ".example.org",
]


def test_other_hosts_are_refused_without_an_address_in_the_answer(runtime: Runtime) -> None:
    client = _client_of(runtime, "https://katalog.example.org")
    for host in FOREIGN:
        for path in ("/anmelden", "/passwort-vergessen", "/gibt-es-nicht", "/healthz"):
            answer = client.get(path, headers={"Host": host})
            assert answer.status_code == 400, host
            assert "evil" not in answer.text
            assert "Location" not in answer.headers


def test_forwarding_headers_are_not_believed_without_a_proxy(client: FlaskClient) -> None:
    for header in ("X-Forwarded-Host", "X-Host", "Forwarded", "X-Original-URL"):
        answer = client.get(
            "/passwort-aendern", headers={header: "host=evil.example" if header == "Forwarded" else "evil.example"}
        )
        assert answer.status_code == 302
        assert "evil" not in answer.headers["Location"] + answer.text


def test_unusual_methods_are_refused(client: FlaskClient) -> None:
    for method in ("TRACE", "CONNECT", "TRACK", "PROPFIND", "BREW"):
        for path in ("/healthz", "/anmelden", "/gibt-es-nicht"):
            assert client.open(path, method=method).status_code == 405


def _client_of(runtime: Runtime, base_url: str) -> FlaskClient:
    return create_app(runtime=replace(runtime, settings=replace(runtime.settings, base_url=base_url))).test_client()
