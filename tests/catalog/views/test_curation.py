"""The curators' desk over HTTP: closed to others, sound pages, decisions with their reasons, the archive."""

import re
from dataclasses import dataclass

import pytest
from flask import Flask

from catalog.domain.actor import Actor
from catalog.domain.workflow import Status
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.user import Role, User
from catalog.runtime import Runtime
from catalog.services import submission
from tests.browser import Browser
from tests.catalog.web.signin import sign_in
from tests.factories import actor_for, make_draft, make_organisation, make_published, make_user
from tests.forms import form_of


@dataclass
class Desk:
    """A curator signed in, and an author whose entries wait."""

    runtime: Runtime
    browser: Browser
    member: User
    author: Actor

    def waiting(self, **given: str) -> int:
        """The number of a revision that waits for a decision."""
        with self.runtime.unit_of_work() as session:
            return submission.submit(session, self.author, make_draft(session, self.author, **given)).id

    def status(self, revision_id: int) -> Status:
        """Where the revision stands."""
        with self.runtime.unit_of_work.reading() as session:
            return session.get_one(Revision, revision_id).status


@pytest.fixture
def desk(app: Flask, runtime: Runtime) -> Desk:
    runtime.index.rebuild([])
    with runtime.unit_of_work() as session:
        member = make_user(session, make_organisation(session, name="Stadtwerke Eigenstadt"))
        curator = make_user(session, name="Kuno Redaktion")
        curator.roles.append(Role(name="curator"))
        session.flush()
        author = actor_for(member)
    browser = Browser(app.test_client())
    sign_in(browser.client, curator)
    return Desk(runtime, browser, member, author)


def test_the_desk_is_closed_to_everybody_else(app: Flask, desk: Desk) -> None:
    revision_id = desk.waiting()
    other = Browser(app.test_client())
    pages = ("/redaktion", f"/redaktion/{revision_id}", "/redaktion/archiv")
    assert [other.get(page).status_code for page in pages] == [303, 303, 303]
    sign_in(other.client, desk.member)
    assert [other.get(page).status_code for page in pages] == [403, 403, 403]
    sent = form_of(desk.browser.get(f"/redaktion/{revision_id}").text, f"/redaktion/{revision_id}/veroeffentlichen")
    assert other.client.post(f"/redaktion/{revision_id}/veroeffentlichen", data=sent).status_code in {400, 403}
    assert desk.status(revision_id) is Status.SUBMITTED


def test_the_queue_says_what_waits_and_can_be_narrowed(desk: Desk) -> None:
    desk.waiting(title="Neuer Pegel")
    with desk.runtime.unit_of_work() as session:
        known = make_published(session, desk.author, title="Bekannter Zähler")
        entry, version = submission.document_to_edit(session, known)
        submission.save(session, desk.author, known, entry, version=version)
        submission.submit(session, desk.author, known)
        make_draft(session, desk.author, title="Geheimer Entwurf")
    page = desk.browser.get("/redaktion").text
    assert "Neuer Pegel" in page
    assert "Bekannter Zähler" in page
    assert "Stadtwerke Eigenstadt" in page
    assert "Geheimer Entwurf" not in page
    assert "Bekannter Zähler" not in desk.browser.get("/redaktion?art=new").text
    assert "Neuer Pegel" not in desk.browser.get("/redaktion?art=change").text
    assert "Neuer Pegel" not in desk.browser.get("/redaktion?stand=changes_requested").text
    assert "Neuer Pegel" not in desk.browser.get("/redaktion?organisation=999999").text
    for odd in ("?stand=draft", "?stand=x", "?art=x", "?organisation=x"):
        answer = desk.browser.get(f"/redaktion{odd}")
        assert answer.status_code == 200
        assert "Geheimer Entwurf" not in answer.text


def test_what_is_not_for_the_desk_is_not_found(desk: Desk) -> None:
    with desk.runtime.unit_of_work() as session:
        solution = make_draft(session, desk.author)
        draft = submission.open_revision(session, solution)
        assert draft is not None
    assert desk.browser.get(f"/redaktion/{draft.id}").status_code == 404
    assert desk.browser.get("/redaktion/999999").status_code == 404
    assert desk.browser.get(f"/redaktion/eintrag/{solution.id}/archivieren").status_code == 404


def test_a_decision_on_what_the_author_has_taken_back_is_explained(desk: Desk) -> None:
    revision_id = desk.waiting()
    accept = f"/redaktion/{revision_id}/veroeffentlichen"
    sent = form_of(desk.browser.get(f"/redaktion/{revision_id}").text, accept)
    with desk.runtime.unit_of_work() as session:
        submission.withdraw(session, desk.author, session.get_one(Revision, revision_id).solution)
    answer = desk.browser.post(accept, data=sent)
    assert answer.status_code == 409
    assert "zurückgezogen" in answer.text
    assert desk.status(revision_id) is Status.DRAFT


def test_a_decision_on_an_older_text_is_refused(desk: Desk) -> None:
    revision_id = desk.waiting()
    accept = f"/redaktion/{revision_id}/veroeffentlichen"
    sent = form_of(desk.browser.get(f"/redaktion/{revision_id}").text, accept)
    with desk.runtime.unit_of_work() as session:
        solution = session.get_one(Revision, revision_id).solution
        submission.withdraw(session, desk.author, solution)
        entry, version = submission.document_to_edit(session, solution)
        submission.save(session, desk.author, solution, entry.model_copy(update={"benefit": "Neu."}), version=version)
        submission.submit(session, desk.author, solution)
    assert desk.browser.post(accept, data=sent).status_code == 409
    assert desk.status(revision_id) is Status.SUBMITTED


def test_archiving_and_restoring(app: Flask, desk: Desk) -> None:
    with desk.runtime.unit_of_work() as session:
        solution = make_published(session, desk.author, title="Altes Verfahren")
    address, reader = f"/redaktion/eintrag/{solution.id}/archivieren", Browser(app.test_client())
    assert reader.get(f"/loesungen/{solution.slug}").status_code == 200
    page = desk.browser.get(address)
    refused = desk.browser.post(address, data=form_of(page.text, address, reason=" "))
    assert refused.status_code == 422
    assert "Bitte nennen Sie einen Grund." in refused.text
    done = desk.browser.post(address, data=form_of(page.text, address, reason="Technik überholt"))
    assert done.location == "/redaktion/archiv"
    assert reader.get(f"/loesungen/{solution.slug}").status_code == 404
    archive = desk.browser.get("/redaktion/archiv")
    assert "Altes Verfahren" in archive.text
    assert desk.browser.post(address, data=form_of(page.text, address, reason="Noch einmal")).status_code == 409
    back = re.search(r'action="(/redaktion/eintrag/\d+/wiederherstellen)"', archive.text)
    assert back
    assert desk.browser.post(back[1], data=form_of(archive.text, back[1])).location == f"/loesungen/{solution.slug}"
    assert reader.get(f"/loesungen/{solution.slug}").status_code == 200
    with desk.runtime.unit_of_work.reading() as session:
        assert session.get_one(Solution, solution.id).status is Status.PUBLISHED
