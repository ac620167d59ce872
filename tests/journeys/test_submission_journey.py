"""A story through HTTP: a member writes and submits, a curator sends back, the member mends, the curator publishes."""

import html
import re

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.domain.actor import OrganisationRole
from catalog.models.audit import AuditEvent
from catalog.models.user import Role
from catalog.runtime import Runtime
from catalog.web.context import EXTENSION
from tests.browser import Browser
from tests.catalog.web.signin import sign_in
from tests.factories import make_municipality, make_organisation, make_topic, make_user
from tests.forms import form_of


@pytest.fixture
def people(app: Flask) -> dict[str, Browser]:
    """A member and a curator, each with a browser of their own."""
    runtime: Runtime = app.extensions[EXTENSION]
    runtime.index.rebuild([])
    with runtime.unit_of_work() as session:
        make_municipality(session)
        make_topic(session, slug="pegel", name="Pegel und Hochwasser")
        organisation = make_organisation(session, name="Stadtwerke Beispielstadt", slug="stadtwerke-beispielstadt")
        member = make_user(session, organisation, OrganisationRole.MEMBER, name="Maren Mitglied")
        curator = make_user(session, name="Kuno Redaktion")
        curator.roles.append(Role(name="curator"))
    browsers = {}
    for name, user in (("member", member), ("curator", curator)):
        browsers[name] = Browser(app.test_client())
        sign_in(browsers[name].client, user)
    return browsers


def test_from_the_first_word_to_the_published_entry(  # noqa: PLR0915 - a story is told in one piece
    app: Flask, people: dict[str, Browser]
) -> None:
    member, curator, reader = people["member"], people["curator"], Browser(app.test_client())

    # The member begins a draft and is led to the form.
    begun = form_of(member.get("/einreichen").text, "/einreichen", title="Pegel am Stadtbach")
    answer = member.post("/einreichen", data=begun)
    assert answer.status_code == 302
    address = answer.location
    page = member.get(address)
    assert page.status_code == 200
    assert "Pegel am Stadtbach" in page.text

    # A half-finished draft can be saved; handing it in names what is missing, and nothing typed is lost.
    sent = form_of(page.text, address, benefit="Das Wasser kommt nicht mehr überraschend.")
    assert member.post(address, data=sent | {"step": "save"}).location == address
    refused = member.post(address, data=form_of(member.get(address).text, address) | {"step": "submit"})
    assert refused.status_code == 422
    for anchor in ("#challenge", "#solution", "#topics-0", "#deployments-0-place", "#deployments-0-not_worked"):
        assert f'href="{anchor}"' in refused.text, anchor
        assert f'id="{anchor[1:]}"' in refused.text, anchor
    assert "Das Wasser kommt nicht mehr überraschend." in refused.text

    # Completed, it goes to the curators; readers and the search know nothing of it.
    filled = form_of(
        refused.text,
        address,
        **{
            "challenge": "Der Bach steigt schneller, als jemand nachsehen kann.",
            "solution": "Fünf Sensoren melden den Pegel über LoRaWAN.",
            "topics": "pegel",
            "deployments-0-place": "Lübeck",
            "deployments-0-started": "05/2021",
            "deployments-0-status": "pilot",
            "deployments-0-not_worked": "Die Batterien hielten nur ein Jahr.",
        },
    )
    answer = member.post(address, data=filled | {"step": "submit"})
    assert answer.location == "/meine-beitraege"
    assert "eingereicht" in member.get("/meine-beitraege").text
    assert "am Stadtbach" not in reader.get("/suche?q=Pegel").text
    assert reader.get("/loesungen/pegel-am-stadtbach").status_code == 404
    assert reader.get(address).status_code == 303

    # The curator reads it as it will appear and sends it back; without a reason that is refused.
    queue = curator.get("/redaktion")
    assert "Pegel am Stadtbach" in queue.text
    review = re.search(r'href="(/redaktion/\d+)"', queue.text)
    assert review
    desk = review[1]
    page = curator.get(desk)
    assert "Die Batterien hielten nur ein Jahr." in page.text
    back = f"{desk}/zurueckgeben"
    refused = curator.post(back, data=form_of(page.text, back))
    assert refused.status_code == 422
    assert "Bitte nennen Sie einen Grund." in refused.text
    answer = curator.post(back, data=form_of(page.text, back, reason="Bitte den Nutzen mit einer Zahl belegen."))
    assert answer.location == "/redaktion"

    # The member finds the reason above the form, mends the text and hands in again.
    assert "Hinweise lesen und überarbeiten" in member.get("/meine-beitraege").text
    page = member.get(address)
    assert "Bitte den Nutzen mit einer Zahl belegen." in page.text
    mended = form_of(page.text, address, benefit="Die Feuerwehr weiß zwei Stunden früher Bescheid.")
    assert member.post(address, data=mended | {"step": "submit"}).location == "/meine-beitraege"

    # The curator publishes; a second click of another curator is told what happened.
    page = curator.get(desk)
    accept = f"{desk}/veroeffentlichen"
    accepted = form_of(page.text, accept, note="Danke!")
    assert curator.post(accept, data=accepted).location == "/redaktion"
    late = curator.post(accept, data=accepted)
    assert late.status_code == 409
    assert "Kuno Redaktion" in late.text

    # The reader finds and reads it at once.
    found = reader.get("/suche?q=Pegel")
    assert "/loesungen/pegel-am-stadtbach" in found.text
    shown = reader.get("/loesungen/pegel-am-stadtbach")
    assert shown.status_code == 200
    assert "Die Feuerwehr weiß zwei Stunden früher Bescheid." in html.unescape(shown.text)

    # A later change waits; readers keep the published text until it is accepted.
    page = member.get(address)
    change = form_of(page.text, address, **{"deployments-0-not_worked": "Die Batterien hielten nur neun Monate."})
    assert member.post(address, data=change | {"step": "submit"}).location == "/meine-beitraege"
    assert "nur ein Jahr" in reader.get("/loesungen/pegel-am-stadtbach").text
    desk = re.search(r'href="(/redaktion/\d+)"', curator.get("/redaktion").text)[1]  # type: ignore[index]
    page = curator.get(desk)
    assert "Standort 1 (Lübeck): Was nicht funktioniert hat" in page.text
    assert re.search(r"<del>.*ein Jahr.*</del>.*<ins>.*neun Monate.*</ins>", page.text)
    accept = f"{desk}/veroeffentlichen"
    assert curator.post(accept, data=form_of(page.text, accept)).status_code == 302
    assert "neun Monate" in reader.get("/loesungen/pegel-am-stadtbach").text

    # Every step is in the log with who took it and why.
    runtime: Runtime = app.extensions[EXTENSION]
    with runtime.unit_of_work.reading() as session:
        log = [
            (event.action, event.actor_name, event.reason)
            for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))
            if event.action.startswith("entry.")
        ]
    assert log == [
        ("entry.create", "Maren Mitglied", ""),
        ("entry.submit", "Maren Mitglied", ""),
        ("entry.request_changes", "Kuno Redaktion", "Bitte den Nutzen mit einer Zahl belegen."),
        ("entry.submit", "Maren Mitglied", ""),
        ("entry.publish", "Kuno Redaktion", "Danke!"),
        ("entry.edit", "Maren Mitglied", ""),
        ("entry.submit", "Maren Mitglied", ""),
        ("entry.publish", "Kuno Redaktion", ""),
    ]
