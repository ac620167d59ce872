"""The product's main story in a real browser: find, follow, submit, send back, mend, publish, find again."""

import re
from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page, expect

from tests.in_browser.conftest import sign_in, watched


def test_a_reader_finds_the_travemuende_pilot_and_follows_its_chain(page: Page) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("searchbox").or_(page.get_by_role("main").get_by_role("combobox")).first.fill(
        "Travemünde"
    )
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/suche\?.*q=Travem"))
    hit = page.get_by_role("main").get_by_role("link", name=re.compile("Travemünde")).first
    expect(hit).to_be_visible()
    hit.click()
    expect(page).to_have_url(re.compile("/loesungen/"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("Travemünde")
    chain = page.get_by_role("region", name=re.compile("Nachnutzung"))
    expect(chain).to_contain_text("Travemünde")
    expect(chain).to_contain_text("Arnsberg")
    expect(chain).to_contain_text("geplant")


def test_a_reader_filters_by_water_and_the_address_says_so(page: Page) -> None:
    page.goto("/suche")
    everything = page.get_by_role("main").get_by_role("article").count()
    assert everything == 20
    page.get_by_role("main").get_by_label(re.compile(r"^Wasser")).first.check()
    # With scripts the choice applies by itself, and is one step in the history.
    expect(page).to_have_url(re.compile("thema=wasser"))
    expect(page.get_by_role("main").get_by_role("link", name=re.compile("Grundwasser")).first).to_be_visible()
    address = page.url
    page.go_back()
    expect(page).not_to_have_url(re.compile("thema=wasser"))
    page.goto(address)
    expect(page.get_by_role("main").get_by_label(re.compile(r"^Wasser")).first).to_be_checked()


def test_submitted_sent_back_mended_published_and_found(  # noqa: PLR0915 - one story, told from beginning to end
    page: Page, new_context: Callable[..., BrowserContext]
) -> None:
    title = "Quarzsandfilter erkennen Verblockung mit Differenzdruckmessung"
    sign_in(page, "member")
    page.goto("/einreichen")
    start = page.get_by_role("main").get_by_role("button", name=re.compile("beginnen|anlegen|starten", re.IGNORECASE))
    if start.count():
        start.first.click()
    page.get_by_label("Titel", exact=True).fill(title)
    page.get_by_role("button", name="Entwurf speichern").first.click()
    expect(page.get_by_label("Titel", exact=True)).to_have_value(title)

    # Handing in too early names every gap and loses nothing.
    page.get_by_role("button", name="Einreichen", exact=True).click()
    summary = page.get_by_role("group", name=re.compile("Bitte prüfen Sie"))
    expect(summary).to_contain_text("Nutzen")
    expect(page.get_by_label("Titel", exact=True)).to_have_value(title)

    page.get_by_label("Nutzen in einem Satz").fill("Filter werden gespült, wenn es nötig ist, und nicht nach Kalender.")
    page.get_by_label("Herausforderung").fill("Spülungen nach festem Plan kosten Wasser und Strom.")
    page.get_by_label("Lösung", exact=True).fill(
        "Differenzdruckaufnehmer melden den Zustand der Filter an die Leitwarte."
    )
    page.get_by_label("Trinkwasserversorgung").check()
    page.get_by_role("combobox", name="Ort").first.fill("Lübeck")
    page.get_by_label("Beginn").first.fill("05/2023")
    page.get_by_label("Stand", exact=True).first.select_option(label="Pilot")
    page.get_by_label("Was nicht funktioniert hat").first.fill("Zwei Aufnehmer drifteten nach einem Jahr.")
    page.get_by_role("button", name="Einreichen", exact=True).click()
    page.goto("/meine-beitraege")
    expect(page.get_by_role("main")).to_contain_text("eingereicht")

    curator = watched(new_context().new_page())
    sign_in(curator, "curator")
    curator.goto("/redaktion")
    curator.get_by_role("link", name=title).first.click()
    expect(curator.get_by_role("main")).to_contain_text("Differenzdruckaufnehmer melden")
    back = curator.get_by_role("form", name="Überarbeitung erbitten")
    back.get_by_role("textbox").fill("Bitte nennen Sie den Aufwand.")
    back.get_by_role("button", name="Zurückgeben").click()
    expect(curator.get_by_role("main")).not_to_contain_text("Zurückgeben")

    # A reader finds nothing yet.
    reader = watched(new_context().new_page())
    reader.goto("/suche?q=Quarzsandfilter")
    expect(reader.get_by_role("main").get_by_role("link", name=title)).to_have_count(0)

    page.goto("/meine-beitraege")
    expect(page.get_by_role("main")).to_contain_text("Überarbeitung erbeten")
    page.get_by_role(
        "link", name=re.compile("Weiterschreiben|Bearbeiten|Überarbeiten|" + re.escape(title))
    ).first.click()
    expect(page.get_by_role("main")).to_contain_text("Bitte nennen Sie den Aufwand.")
    effort = page.get_by_label("Eigener Aufwand in Personentagen").first
    if not effort.is_visible():
        page.locator("details", has=effort).locator("summary").first.click()
    effort.fill("12,5")
    page.get_by_role("button", name="Einreichen", exact=True).click()
    page.goto("/meine-beitraege")
    expect(page.get_by_role("main")).to_contain_text("eingereicht")

    curator.goto("/redaktion")
    curator.get_by_role("link", name=title).first.click()
    curator.get_by_role("button", name="Veröffentlichen").first.click()
    expect(curator.get_by_role("main")).to_contain_text("veröffentlicht")

    # Found a moment after the click.
    reader.goto("/suche?q=Quarzsandfilter")
    reader.get_by_role("main").get_by_role("link", name=title).first.click()
    expect(reader.get_by_role("heading", level=1)).to_contain_text(title)
    expect(reader.get_by_role("main")).to_contain_text("12,5")
