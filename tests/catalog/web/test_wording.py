"""Names of entries, topics and what people wrote, on German and English pages."""

import re

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.topic import Technology, Topic
from catalog.runtime import Runtime
from catalog.services import outbox
from catalog.services.submission import UNTITLED
from catalog.web import wording
from tests.browser import Browser
from tests.catalog.web.signin import sign_in
from tests.factories import actor_for, make_draft, make_organisation, make_published, make_user


def test_what_people_wrote_carries_its_language_only_on_pages_in_another(app: Flask) -> None:
    with app.test_request_context("/?lang=en"):
        assert wording.in_language("a < b", "de") == '<span lang="de">a &lt; b</span>'
        assert wording.in_language("a < b", "en") == "a < b"
        assert wording.in_language("", "de") == ""
    with app.test_request_context("/?lang=de"):
        assert wording.in_language("a < b", "de") == "a < b"


def test_titles_are_english_where_there_is_one(app: Flask) -> None:
    both, german = Solution(title="Pegel", title_en="Level", language="de"), Solution(title="Pegel", language="de")
    german.title_en = ""
    with app.test_request_context("/?lang=en"):
        assert (wording.title_of(both), wording.title_language(both)) == ("Level", "en")
        assert (wording.title_of(german), wording.title_language(german)) == ("Pegel", "de")
    with app.test_request_context("/?lang=de"):
        assert (wording.title_of(both), wording.title_language(both)) == ("Pegel", "de")


@pytest.mark.parametrize(("language", "shown"), [("de", "Ohne Titel"), ("en", "Untitled")])
def test_an_untitled_draft_is_listed_and_opens_in_both_languages(
    app: Flask, runtime: Runtime, language: str, shown: str
) -> None:
    with runtime.unit_of_work() as session:
        user = make_user(session, make_organisation(session))
        solution = make_draft(session, actor_for(user), title="")
        session.flush()
        assert solution.title == UNTITLED
        assert all("title" not in content for content in session.scalars(select(Revision.content)))
        number = solution.id
    browser = Browser(app.test_client())
    sign_in(browser.client, user)
    for address in ("/meine-beitraege", f"/einreichen/{number}", f"/einreichen/{number}/verwerfen"):
        page = browser.get(f"{address}?lang={language}")
        assert page.status_code == 200, address
        assert shown in page.text, address


def test_the_form_offers_topics_and_technologies_in_the_language_of_the_page(app: Flask, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        user = make_user(session, make_organisation(session))
        session.add(Topic(slug="waermenetz", name="Wärmenetz", name_en="Heat network", position=1))
        session.add(Technology(slug="funkzaehler", name="Funkzähler", name_en="Radio meter"))
        session.add(Technology(slug="lorawan", name="LoRaWAN"))
        number = make_draft(session, actor_for(user)).id
    browser = Browser(app.test_client())
    sign_in(browser.client, user)
    for language, names in (("de", ("Wärmenetz", "Funkzähler")), ("en", ("Heat network", "Radio meter"))):
        labels = re.findall(r"<label[^>]*>([^<]+)</label>", browser.get(f"/einreichen/{number}?lang={language}").text)
        assert {*names, "LoRaWAN"} <= set(labels)


def test_a_german_passage_is_marked_as_german_on_an_english_page_only(app: Flask, runtime: Runtime) -> None:
    with runtime.unit_of_work() as session:
        make_published(
            session, title="Pegel im Bach", title_en="Level in the brook", benefit="Hochwasser kommt nie mehr."
        )
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    browser = Browser(app.test_client())
    english = browser.get("/suche?q=hochwasser&lang=en").text
    assert ">Level in the brook</a>" in english
    assert '<p class="hit__passage"><span lang="de"><mark>Hochwasser</mark> kommt nie mehr.</span></p>' in english
    assert '<p class="hit__passage"><mark>Hochwasser</mark> kommt' in browser.get("/suche?q=hochwasser&lang=de").text
