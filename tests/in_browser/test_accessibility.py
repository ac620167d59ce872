"""WCAG 2.2 AA by axe-core on every page, in every role, light and dark, in both languages, and on a narrow screen."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.in_browser.conftest import sign_in, watched

_AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EVERYONE = [
    "/",
    "/suche",
    "/suche?q=Travemünde",
    "/suche?q=Zähler&thema=wasser",
    "/suche?q=gibtesnicht",
    "/themen",
    "/themen/wasser",
    "/organisationen",
    "/organisationen/stadtwerke-luebeck",
    "/anmelden",
    "/passwort-vergessen",
    "/impressum",
    "/datenschutz",
    "/barrierefreiheit",
    "/hilfe",
    "/gibt-es-nicht",
    "ENTRY",
]
PAGES = {
    "anonymous": EVERYONE,
    "reader": ["/", "/suche?q=LoRaWAN", "ENTRY", "/konto", "/einreichen"],
    "member": ["/", "ENTRY", "/konto", "/einreichen", "/meine-beitraege", "FORM"],
    "curator": ["/redaktion", "ENTRY", "/konto", "/meine-beitraege"],
    "admin": ["/redaktion", "/konto", "ENTRY"],
}


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


def findings(page: Page) -> list[str]:
    """What axe finds wrong on the page, one line for each element."""
    page.evaluate(_axe())
    result = page.evaluate(
        "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", _RULES
    )
    return [
        f"{page.url}: {violation['id']}: {node['html'][:160]} ({node.get('failureSummary', '')[:160]})"
        for violation in result["violations"]
        for node in violation["nodes"]
    ]


def _open(page: Page, address: str, language: str) -> None:
    if address == "ENTRY":
        page.goto("/suche?q=Travemünde")
        page.get_by_role("main").get_by_role("article").first.get_by_role("link").first.click()
    elif address == "FORM":
        page.goto("/einreichen")
        start = page.get_by_role("main").get_by_role("button")
        if page.get_by_label("Titel").count() == 0 and start.count():
            start.first.click()
    else:
        page.goto(address)
    if language != "de":
        page.goto(page.url + ("&" if "?" in page.url else "?") + f"lang={language}")


@pytest.mark.parametrize("role", PAGES)
@pytest.mark.parametrize(
    ("scheme", "language", "width"), [("light", "de", 1280), ("dark", "de", 375), ("light", "en", 320)]
)
def test_axe_finds_nothing(
    new_context: Callable[..., BrowserContext], role: str, scheme: str, language: str, width: int
) -> None:
    context = new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, reduced_motion="reduce")
    page = watched(context.new_page())
    if role != "anonymous":
        sign_in(page, role)
    found: list[str] = []
    for address in PAGES[role]:
        _open(page, address, language)
        found += findings(page)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if overflow > 0:
            found.append(f"{page.url}: {overflow} px wider than the screen of {width} px")
    assert found == []
