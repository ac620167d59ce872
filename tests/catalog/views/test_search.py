"""The search page, its feed, its suggestions and its description as browsers and feed readers get them."""

from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.domain.vocabulary import DeploymentStatus
from catalog.runtime import Runtime
from catalog.services import outbox
from tests.browser import Browser
from tests.factories import make_entry, make_organisation, make_published, make_topic

_ATOM = "{http://www.w3.org/2005/Atom}"


def parsed(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314 - our own answer


@pytest.fixture
def browser(runtime: Runtime, app: Flask) -> Browser:
    """A browser on a catalog of 23 entries about water, one of them stopped and with mark-up in its words."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        water = make_topic(session, slug="wasser", name="Wasser").slug
        organisation = make_organisation(session, slug="sw-luebeck", name="Stadtwerke Lübeck").slug
        for number in range(22):
            make_published(session, title=f"Pegelmessung Nummer {number}", topics=[water], organisation=organisation)
        entry = make_entry(session, topics=[water], organisation=organisation)
        site = entry.deployments[0].model_copy(update={"status": DeploymentStatus.STOPPED, "stop_reason": "teuer"})
        make_published(
            session,
            title='Schieber <b onclick="x">&amp;</b>',
            benefit='<script>alert("Schieber")</script>',
            challenge="Schieber klemmten.",
            solution="Ein Motor dreht sie.",
            topics=[water],
            organisation=organisation,
            deployments=[site],
        )
    return Browser(app.test_client())


def test_the_page_shows_results_filters_and_what_was_found(browser: Browser) -> None:
    text = browser.get("/suche?q=Pegelmessung").text
    assert "22 Lösungen" in text
    assert "<mark>Pegelmessung</mark> Nummer" in text
    assert text.count('class="hit"') == 20
    assert 'name="thema" value="wasser"' in text
    assert "Regelbetrieb" not in text  # nothing is offered that would find nothing
    assert '<link rel="canonical" href="http://127.0.0.1:8000/suche?q=Pegelmessung">' in text


def test_the_second_page_continues_and_keeps_the_query(browser: Browser) -> None:
    text = browser.get("/suche?q=Pegelmessung&seite=2").text
    assert text.count('class="hit"') == 2
    assert 'start="21"' in text
    assert 'href="/suche?q=Pegelmessung"' in text


def test_what_authors_wrote_is_text_and_never_markup(browser: Browser) -> None:
    text = browser.get("/suche?q=Schieber").text
    assert "<b onclick" not in text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert(&#34;<mark>Schieber</mark>&#34;)" in text


def test_what_readers_type_is_text_and_never_markup(browser: Browser) -> None:
    text = browser.get('/suche?q="><script>x</script>&thema="><script>y</script>').text
    assert "<script>x" not in text
    assert "<script>y" not in text


def test_a_chosen_filter_is_a_chip_that_takes_it_off(browser: Browser) -> None:
    text = browser.get("/suche?q=Pegelmessung&status=pilot&thema=wasser").text
    assert 'href="/suche?q=Pegelmessung&amp;status=pilot"' in text
    assert 'href="/suche?q=Pegelmessung&amp;thema=wasser"' in text
    assert "Alle Filter zurücksetzen" in text
    assert 'name="status" value="pilot" checked' in text


def test_parameters_have_one_order(browser: Browser) -> None:
    text = browser.get("/suche?seite=2&sort=neueste&status=pilot&x=1&status=idea&thema=wasser&q=Pegelmessung").text
    address = "/suche?q=Pegelmessung&amp;thema=wasser&amp;status=idea&amp;status=pilot&amp;sort=neueste&amp;seite=2"
    assert f'<link rel="canonical" href="http://127.0.0.1:8000{address}">' in text


def test_years_from_two_fields_become_a_range(browser: Browser) -> None:
    text = browser.get("/suche?von=2020&bis=2022").text
    assert "Jahr: 2020–2022" in text
    assert 'name="von" value="2020"' in text


def test_no_address_is_an_error(browser: Browser) -> None:
    for address in (
        "/suche?seite=0", "/suche?seite=-3", "/suche?seite=zwei", "/suche?seite=99999999999999", "/suche?seite=²",
        "/suche?sort=x", "/suche?jahr=x&jahr=2020..", "/suche?thema=&land=%00&status=%ff", "/suche?q=%00%ff",
        "/suche?q=" + "%F0%9F%92%A7" * 300,
        "/suche?q=" + "wort+" * 1_500, "/suche?q=(((%22", "/suche?" + "thema=a&" * 200,
        "/suche?lang=en&q=pegel", "/suche?lang=xx",
    ):  # fmt: skip
        assert browser.get(address).status_code == 200, address


def test_nothing_found_helps_on(browser: Browser) -> None:
    text = browser.get("/suche?q=Pegelmessung&status=scaled").text
    assert "Keine Treffer" in text
    assert "ohne Stand „ausgeweitet“</a> (22)" in text


def test_without_the_index_the_page_answers_and_says_so(browser: Browser, runtime: Runtime) -> None:
    for file in runtime.settings.index_dir.iterdir():
        if file.is_file():
            file.unlink()
    answer = browser.get("/suche?q=Pegelmessung&thema=wasser")
    assert answer.status_code == 200
    assert "Die Suche ist gerade eingeschränkt" in answer.text
    assert "22 Lösungen" in answer.text
    assert browser.get("/vorschlaege?q=Pegel").json == []
    assert browser.get("/suche.atom?q=Pegelmessung").status_code == 200


def test_the_feed_is_atom_with_the_newest_first(browser: Browser) -> None:
    answer = browser.get("/suche.atom?q=Schieber&thema=wasser&sort=relevanz")
    assert answer.mimetype == "application/atom+xml"
    feed = parsed(answer.data)
    assert [entry.findtext(f"{_ATOM}title") for entry in feed.iter(f"{_ATOM}entry")] == [
        'Schieber <b onclick="x">&amp;</b>'
    ]
    assert feed.findtext(f"{_ATOM}updated", "").startswith("20")
    links = {link.get("rel"): link.get("href") for link in feed.findall(f"{_ATOM}link")}
    assert links["self"] == "http://127.0.0.1:8000/suche.atom?q=Schieber&thema=wasser"
    assert 'type="application/atom+xml"' in browser.get("/suche?q=Schieber").text


def test_a_feed_of_odd_words_is_still_xml(browser: Browser) -> None:
    for query in ("%01%02<>&", "%ef%bf%be", "]]>", "%22"):
        parsed(browser.get(f"/suche.atom?q={query}").data)


def test_the_search_can_be_added_to_a_browser(browser: Browser) -> None:
    answer = browser.get("/suche.xml")
    assert answer.mimetype == "application/opensearchdescription+xml"
    templates = [url.get("template") for url in parsed(answer.data).iter() if url.tag.endswith("Url")]
    assert "http://127.0.0.1:8000/suche?q={searchTerms}" in templates


def test_suggestions_lead_somewhere_that_exists(browser: Browser) -> None:
    found = browser.get("/vorschlaege?q=Wass").json
    assert found
    assert {"art": "topic", "name": "Thema", "text": "Wasser", "adresse": "/suche?thema=wasser"} in found
    entries = [item for item in browser.get("/vorschlaege?q=Pegelmess").json if item["art"] == "entry"]
    assert entries
    for item in [*found, *entries]:
        assert browser.client.get(item["adresse"]).status_code == 200


def test_the_page_costs_the_same_number_of_queries_however_many_hits(browser: Browser, runtime: Runtime) -> None:
    from sqlalchemy import event

    statements: list[str] = []
    event.listen(runtime.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    numbers = []
    for query in ("Schieber", "Pegelmessung", "Pegelmessung&thema=wasser"):
        statements.clear()
        browser.get(f"/suche?q={query}")
        numbers.append(len([text for text in statements if text.startswith("SELECT")]))
    assert numbers[0] == numbers[1] <= numbers[2] <= 16, numbers


def test_too_many_searches_are_slowed_down(runtime: Runtime, client: FlaskClient) -> None:
    limit = runtime.settings.search_limit
    statuses = [client.get("/suche.xml").status_code for _ in range(3)]
    assert statuses == [200] * 3  # only searching counts
    statuses = [client.get("/suche").status_code for _ in range(limit + 1)]
    assert statuses[-1] == 429
    assert set(statuses[:-1]) == {200}
