"""The product's main story in a real browser: find, follow, submit, send back, mend, publish, find again."""

import re

from playwright.sync_api import Page, expect

from tests.in_browser.conftest import sign_in


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
    submit = page.get_by_role("button", name="Filter anwenden")
    if submit.is_visible():
        submit.click()
    expect(page).to_have_url(re.compile("thema=wasser"))
    expect(page.get_by_role("main").get_by_role("link", name=re.compile("Grundwasser")).first).to_be_visible()
    address = page.url
    page.go_back()
    expect(page).not_to_have_url(re.compile("thema=wasser"))
    page.goto(address)
    expect(page.get_by_role("main").get_by_label(re.compile(r"^Wasser")).first).to_be_checked()


def _fill(page: Page, name: str, value: str) -> None:
    page.get_by_label(re.compile(f"^{name}")).first.fill(value)


def test_submitted_sent_back_mended_published_and_found(page: Page, new_context) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    title = "Quarzsandfilter erkennen Verblockung mit Differenzdruckmessung"
    sign_in(page, "member")
    page.goto("/einreichen")
    start = page.get_by_role("main").get_by_role("button", name=re.compile("beginnen|anlegen|starten", re.IGNORECASE))
    if start.count():
        start.first.click()
    page.get_by_label(re.compile("^Titel")).first.fill(title)
    page.get_by_role("button", name=re.compile("Entwurf speichern|Speichern")).first.click()
    expect(page.get_by_label(re.compile("^Titel")).first).to_have_value(title)

    # Handing in too early names every gap and loses nothing.
    page.get_by_role("button", name=re.compile("Einreichen|Zur Prüfung")).last.click()
    summary = page.get_by_role("alert")
    expect(summary).to_contain_text("Nutzen")
    expect(page.get_by_label(re.compile("^Titel")).first).to_have_value(title)

    _fill(page, "Nutzen", "Filter werden gespült, wenn es nötig ist, und nicht nach Kalender.")
    _fill(page, "Herausforderung", "Spülungen nach festem Plan kosten Wasser und Strom.")
    _fill(page, "Lösung", "Differenzdruckaufnehmer melden den Zustand der Filter an die Leitwarte.")
    page.get_by_label(re.compile("^Trinkwasser")).first.check()
    _fill(page, "Ort", "Lübeck")
    _fill(page, "Beginn", "05/2023")
    page.get_by_label(re.compile("^Stand")).first.select_option(label="Pilot")
    _fill(page, "Was hat nicht funktioniert", "Zwei Aufnehmer drifteten nach einem Jahr.")
    page.get_by_role("button", name=re.compile("Einreichen|Zur Prüfung")).last.click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("eingereicht", re.IGNORECASE))

    curator = new_context().new_page()
    sign_in(curator, "curator")
    curator.goto("/redaktion")
    curator.get_by_role("link", name=title).first.click()
    expect(curator.get_by_role("main")).to_contain_text("Differenzdruckaufnehmer melden")
    curator.get_by_label(re.compile("^Grund|^Hinweis|^Begründung")).first.fill("Bitte nennen Sie den Aufwand.")
    curator.get_by_role("button", name=re.compile("zurückgeben|erbitten|Überarbeitung", re.IGNORECASE)).first.click()

    # A reader finds nothing yet.
    reader = new_context().new_page()
    reader.goto("/suche?q=Quarzsandfilter")
    expect(reader.get_by_role("main").get_by_role("link", name=title)).to_have_count(0)

    page.goto("/meine-beitraege")
    expect(page.get_by_role("main")).to_contain_text("Überarbeitung erbeten")
    page.get_by_role(
        "link", name=re.compile("Weiterschreiben|Bearbeiten|Überarbeiten|" + re.escape(title))
    ).first.click()
    expect(page.get_by_role("main")).to_contain_text("Bitte nennen Sie den Aufwand.")
    _fill(page, "Personentage", "12,5")
    page.get_by_role("button", name=re.compile("Einreichen|Zur Prüfung")).last.click()
    expect(page.get_by_role("main")).to_contain_text(re.compile("eingereicht", re.IGNORECASE))

    curator.goto("/redaktion")
    curator.get_by_role("link", name=title).first.click()
    curator.get_by_role("button", name=re.compile("Veröffentlichen")).first.click()
    expect(curator.get_by_role("main")).to_contain_text(re.compile("veröffentlicht", re.IGNORECASE))

    reader.goto("/suche?q=Quarzsandfilter")
    reader.get_by_role("main").get_by_role("link", name=title).first.click()
    expect(reader.get_by_role("heading", level=1)).to_contain_text(title)
    expect(reader.get_by_role("main")).to_contain_text("12,5")
