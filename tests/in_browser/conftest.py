"""A real Chromium against the real server with the demo catalog; all tests here share one of each."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from catalog.services.demo import DEMO_PASSWORD
from tests import served

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all browser tests in one process, and skip them, loudly, where there is no browser outside CI."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))
            if _CHROMIUM is None and os.environ.get("CI") != "true":
                item.add_marker(pytest.mark.skip(reason="NO CHROMIUM: install Debian's package to run browser tests"))


@pytest.fixture(scope="session")
def demo_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the demo catalog, made by the command an operator uses."""
    data = tmp_path_factory.mktemp("demo") / "var"
    done = served.run(data, "init", "--demo")
    assert done.returncode == 0, done.stdout + done.stderr
    return data


@pytest.fixture(scope="session")
def server(demo_data: Path) -> Iterator[served.Served]:
    """The catalog, served as `make run` serves it."""
    with served.serving(demo_data, demo="true") as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    assert _CHROMIUM, "no Chromium; see deploy/browser.sh"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=_CHROMIUM, args=_FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def new_context(browser: Browser, server: served.Served) -> Iterator[Callable[..., BrowserContext]]:
    """A maker of fresh browser profiles, which also proves that no page asks anyone but the server for anything."""
    opened: list[BrowserContext] = []
    strangers: list[str] = []

    def make(**options: object) -> BrowserContext:
        context = browser.new_context(base_url=server.address, locale="de-DE", **options)  # type: ignore[arg-type]
        context.on(
            "request",
            lambda request: (
                strangers.append(request.url) if not request.url.startswith((server.address, "data:")) else None
            ),
        )
        context.set_default_timeout(10_000)
        opened.append(context)
        return context

    yield make
    for context in opened:
        context.close()
    assert strangers == [], "pages asked third parties"


@pytest.fixture
def page(new_context: Callable[..., BrowserContext]) -> Page:
    """A page of a fresh profile on a desk-sized screen; a script error or a policy violation fails the test."""
    return watched(new_context(viewport={"width": 1280, "height": 900}).new_page())


def watched(page: Page) -> Page:
    """Have script errors and console errors raise in the test that causes them."""

    def fail(text: str) -> None:
        raise AssertionError(text)

    page.on("pageerror", lambda error: fail(f"script error: {error}"))
    page.on(
        "console",
        lambda message: (
            fail(f"console: {message.text}")
            if message.type == "error" and "Failed to load resource" not in message.text
            else None
        ),
    )
    return page


def sign_in(page: Page, who: str) -> None:
    """Sign in as one of the demo accounts: reader, member, curator, admin."""
    page.goto("/anmelden")
    page.get_by_label("E-Mail").fill(f"{who}@example.org")
    page.get_by_label("Passwort", exact=True).fill(DEMO_PASSWORD)
    page.get_by_role("main").get_by_role("button", name="Anmelden").click()
    page.wait_for_url(lambda url: "/anmelden" not in url)
