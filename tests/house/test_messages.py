"""The message catalogues are complete, and every page can be read in both languages."""

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog
from flask import Flask

from catalog.runtime import Runtime
from tests.house.test_routes import ROWS, World, as_role

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def messages() -> ModuleType:
    """The very program that `make check` and `make messages` call."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "deploy" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_text_is_translated_and_none_is_left_over(messages: ModuleType) -> None:
    template = messages.extracted()
    assert len(template) > 200
    assert messages.problems(template, messages.current()) == []


def test_an_incomplete_catalogue_would_be_found(messages: ModuleType) -> None:
    """The check itself: no translation, one too many, an uncertain one, a lost placeholder, a sign inside a word."""
    template, catalog = Catalog(locale="de"), Catalog(locale="en")
    for text in ("Suche", "Themen", "%(count)s Einträge", "Nutzer*innen"):
        template.add(text)
    catalog.add("Themen", string="Topics", flags=["fuzzy"])
    catalog.add("%(count)s Einträge", string="%(number)s entries", flags=["python-format"])
    catalog.add("Nutzer*innen", string="Users")
    catalog.add("Nirgends", string="Nowhere")
    found = messages.problems(template, catalog)
    for begin in (
        "not translated: 'Suche'",
        "uncertain (fuzzy): 'Themen'",
        "no longer used: 'Nirgends'",
        "sign inside a word: 'Nutzer*innen'",
        "'%(count)s Einträge': ",
    ):
        assert any(line.startswith(begin) for line in found), begin
    catalog = Catalog(locale="en")
    catalog.add("Suche", string="Search")
    template = Catalog(locale="de")
    template.add("Suche")
    assert messages.problems(template, catalog) == []


@pytest.fixture
def world(runtime: Runtime) -> World:
    runtime.index.rebuild([])
    runtime.unit_of_work.after_commit = None
    return World(runtime)


def test_every_page_renders_in_both_languages(app: Flask, world: World) -> None:
    """As whoever may see it: the same status, the language said on the page, and texts that differ."""
    app.testing = False
    for row in (row for row in ROWS if row.method == "GET"):
        role = next((role for role, status in row.statuses.items() if status == 200), None)
        if role is None:
            continue
        client = as_role(app, world, role)
        address = world.address(row)
        pages = {}
        for language in ("de", "en"):
            answer = client.get(address, query_string={"lang": language})
            assert answer.status_code == 200, f"{row} in {language}"
            if answer.mimetype == "text/html":
                pages[language] = answer.get_data(as_text=True)
                assert re.search(rf'<html[^>]*\blang="{language}"', pages[language]), f"{row} in {language}"
            answer.close()  # a static file is open until then
        if pages:
            heading = {one: re.findall(r"<title>(.*?)</title>", page, re.DOTALL) for one, page in pages.items()}
            assert all(len(found) == 1 and found[0].strip() for found in heading.values()), row
            assert re.sub(r"\W", "", pages["de"]) != re.sub(r"\W", "", pages["en"]), row


def test_error_pages_speak_both_languages(app: Flask) -> None:
    client = app.test_client()
    german = client.get("/gibt-es-nicht?lang=de").get_data(as_text=True)
    english = client.get("/gibt-es-nicht?lang=en").get_data(as_text=True)
    assert "Seite nicht gefunden" in german
    assert "Seite nicht gefunden" not in english
