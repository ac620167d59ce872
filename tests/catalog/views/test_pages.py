"""Legal pages, help and what robots ask for: reachable, sound, honest about what the operator has not said."""

import dataclasses

import pytest
from flask.testing import FlaskClient

from catalog.app import create_app
from catalog.runtime import Runtime
from tests.browser import Browser

PAGES = ("/impressum", "/datenschutz", "/barrierefreiheit", "/hilfe")


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("language", ["de", "en"])
def test_pages_are_sound_and_linked_from_every_page(client: FlaskClient, address: str, language: str) -> None:
    assert Browser(client).get(f"{address}?lang={language}").status_code == 200
    assert f'href="{address}"' in client.get("/nix").text


def test_without_an_operator_the_pages_say_so(client: FlaskClient) -> None:
    for address in PAGES[:3]:
        assert "CATALOG_OPERATOR_NAME" in client.get(address).text


def test_the_operator_stands_on_the_legal_pages(runtime: Runtime) -> None:
    given = dataclasses.replace(
        runtime.settings,
        operator_name="Verband <kommunaler> Beispiele e. V.",
        operator_address="Beispielweg 1, 12345 Beispielstadt",
        operator_email="post@example.org",
        operator_phone="0123 456",
        enforcement_body="Schlichtungsstelle Musterland",
    )
    client = create_app(runtime=dataclasses.replace(runtime, settings=given)).test_client()
    for address in PAGES[:3]:
        page = Browser(client).get(address).text
        assert "CATALOG_OPERATOR_NAME" not in page
        assert 'href="mailto:post@example.org"' in page
    imprint = client.get("/impressum").text
    assert "Verband &lt;kommunaler&gt; Beispiele e. V.<br>Beispielweg 1<br>12345 Beispielstadt" in imprint
    assert "Schlichtungsstelle Musterland" in client.get("/barrierefreiheit").text


def test_robots_keep_away_from_private_and_endless_pages(client: FlaskClient) -> None:
    answer = client.get("/robots.txt")
    assert answer.mimetype == "text/plain"
    assert "Disallow: /redaktion" in answer.text
    assert "Disallow: /\n" not in answer.text


@pytest.mark.parametrize("address", ["/favicon.ico", "/favicon.svg"])
def test_browsers_find_an_icon(client: FlaskClient, address: str) -> None:
    with client.get(address, follow_redirects=True) as answer:
        assert answer.status_code == 200
        assert answer.mimetype == "image/svg+xml"
