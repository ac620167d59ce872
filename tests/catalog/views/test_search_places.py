"""A place named in the search box is offered as a filter, and the offer leads to what lies there."""

import re
from html import unescape

import pytest
from flask import Flask

from catalog.runtime import Runtime
from catalog.services import outbox
from tests.browser import Browser
from tests.factories import make_municipality, make_organisation, make_published, make_topic


@pytest.fixture
def browser(runtime: Runtime, app: Flask) -> Browser:
    """A browser on a catalog with entries that lie in Lübeck."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        water = make_topic(session, slug="wasser", name="Wasser").slug
        make_municipality(session)
        organisation = make_organisation(session, slug="sw", name="Stadtwerke").slug
        make_published(session, title="Pegel am Bach", topics=[water], organisation=organisation)
    return Browser(app.test_client())


def offered(text: str) -> list[tuple[str, str]]:
    """Return address and label of the offered filters on a page."""
    line = re.search(r'<p class="search__correction">Filter: (.*?)</p>', text)
    found = re.findall(r'<a href="([^"]+)"[^>]*>([^<]+)</a>', line.group(1)) if line else []
    return [(unescape(address), label) for address, label in found]


@pytest.mark.parametrize(
    ("typed", "label"), [("Pegel+Luebeck", "Ort Lübeck"), ("Pegel+Schleswig-Holstein", "Bundesland Schleswig-Holstein")]
)
def test_a_place_in_the_query_is_offered_as_a_filter(browser: Browser, typed: str, label: str) -> None:
    [(address, shown)] = offered(browser.get(f"/suche?q={typed}").text)
    assert shown == label
    filtered = browser.get(address).text
    assert "1 Lösung" in filtered
    assert offered(filtered) == []


@pytest.mark.parametrize("typed", ["Pegel", "Pegel+M%C3%BCnchen", "Pegel+NRW"])
def test_nothing_is_offered_where_there_is_no_entry(browser: Browser, typed: str) -> None:
    assert offered(browser.get(f"/suche?q={typed}").text) == []
