"""Mails are written from the present rows, say what to do, and leave safely or not at all."""

import email
import email.policy
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.config import Settings, SettingsError
from catalog.domain.actor import SYSTEM, Role
from catalog.models.outbox import OutboxMessage
from catalog.models.user import User
from catalog.runtime import Runtime
from catalog.services import accounts, curation, mail, outbox, submission
from tests import factories

ADDRESS = "https://katalog.example.org/unter"


@pytest.fixture
def people(session: Session) -> tuple[User, User]:
    """An author and a curator."""
    author = factories.make_user(session, factories.make_organisation(session), email="ada@example.org", name="Ada")
    curator = factories.make_user(session, email="bea@example.org", name="Bea")
    curator.roles = [accounts.role(session, Role.CURATOR)]
    session.flush()
    return author, curator


def _settings(runtime: Runtime, **given: str) -> Settings:
    return replace(
        runtime.settings, **({"base_url": ADDRESS, "mail_from": "Lösungskatalog <katalog@example.org>"} | given)
    )  # type: ignore[arg-type]


def _mails(session: Session, settings: Settings) -> list[EmailMessage]:
    session.flush()
    rows = session.scalars(select(OutboxMessage).where(OutboxMessage.kind == "email").order_by(OutboxMessage.id))
    written = [mail.compose(session, row, settings, "key") for row in rows]
    # Read back as a mail program does, so that encodings are part of the test.
    return [
        email.message_from_bytes(found.as_bytes(), policy=email.policy.default)
        for found in written
        if found is not None
    ]  # type: ignore[misc]


def _text(found: EmailMessage) -> str:
    return str(found.get_content()).replace("\r\n", "\n")


def _clear(session: Session) -> None:
    for row in session.scalars(select(OutboxMessage)):
        session.delete(row)
    session.flush()


def test_each_step_tells_whom_it_concerns(session: Session, runtime: Runtime, people: tuple[User, User]) -> None:
    author, _curator = people
    actor = factories.actor_for(author)
    settings = _settings(runtime)
    solution = factories.make_draft(session, actor, title="Pegel & Müll in Lübeck")
    revision = submission.submit(session, actor, solution)
    [asked] = _mails(session, settings)
    assert (asked["To"], asked["Subject"]) == ("Bea <bea@example.org>", "Zur Prüfung: Pegel & Müll in Lübeck")
    assert f"{ADDRESS}/redaktion/{revision.id}\n" in _text(asked)
    assert "Ada hat einen Beitrag eingereicht" in _text(asked)

    curation.request_changes(session, SYSTEM, revision, "Bitte nennen Sie die <Kosten>.")
    [back] = _mails(session, settings)
    assert back["To"] == "Ada <ada@example.org>"
    assert f"{ADDRESS}/einreichen/{solution.id}\n" in _text(back)
    assert "Bitte nennen Sie die <Kosten>." in _text(back)

    _clear(session)
    revision = submission.submit(session, actor, solution)
    curation.publish(session, SYSTEM, revision)
    [public] = _mails(session, settings)
    assert f"{ADDRESS}/loesungen/{solution.slug}\n" in _text(public)

    curation.archive(session, SYSTEM, solution, "Der Betrieb wurde eingestellt.")
    [gone] = _mails(session, settings)
    assert "Der Betrieb wurde eingestellt." in _text(gone)
    assert f"{ADDRESS}/meine-beitraege\n" in _text(gone)


def test_every_mail_has_its_headers_and_speaks_the_recipient_s_language(
    session: Session, runtime: Runtime, people: tuple[User, User]
) -> None:
    author, _ = people
    author.language = "en"
    accounts.request_reset(session, author.id)
    [found] = _mails(session, _settings(runtime))
    [again] = _mails(session, _settings(runtime))
    assert found["From"] == "Lösungskatalog <katalog@example.org>"
    assert found["Message-ID"] == again["Message-ID"]
    assert found["Message-ID"].endswith("@katalog.example.org>")
    assert found["Auto-Submitted"] == "auto-generated"
    assert found["Date"]
    assert found.get_content_type() == "text/plain"
    assert found["Subject"] == "New password for the Solutions catalogue"
    assert _text(found).startswith("Hello Ada,\n")
    author.language = "de"
    [german] = _mails(session, _settings(runtime))
    assert german["Subject"] == "Neues Passwort für den Lösungskatalog"
    assert _text(german).startswith("Guten Tag Ada,\n")


def test_a_reset_link_is_made_with_the_mail_and_opens_the_page(
    runtime: Runtime, session: Session, people: tuple[User, User]
) -> None:
    accounts.request_reset(session, people[0].id)
    [found] = _mails(session, _settings(runtime))
    assert f"{ADDRESS}/passwort-vergessen/{accounts.reset_token('key', people[0])[:20]}" in found.get_content()
    assert session.scalars(select(OutboxMessage.payload)).all() == [{"template": "password_reset"}]


def test_what_has_become_pointless_is_not_sent(session: Session, runtime: Runtime, people: tuple[User, User]) -> None:
    author, curator = people
    actor = factories.actor_for(author)
    solution = factories.make_draft(session, actor)
    submission.submit(session, actor, solution)
    curator.roles = []
    assert _mails(session, _settings(runtime)) == []
    curator.roles = [accounts.role(session, Role.CURATOR)]
    curator.active = False
    assert _mails(session, _settings(runtime)) == []
    curator.active = True
    assert len(_mails(session, _settings(runtime))) == 1
    submission.withdraw(session, actor, solution)
    assert _mails(session, _settings(runtime)) == []


def test_nobody_nothing_and_nonsense_are_dropped(session: Session, runtime: Runtime, people: tuple[User, User]) -> None:
    author, _ = people
    for subject, payload in (
        (None, {"template": "password_reset"}),
        (99_999, {"template": "password_reset"}),
        (author.id, {}),
        (author.id, {"template": "../../etc/passwd"}),
        (author.id, {"template": "_frame"}),
        (author.id, {"template": "submitted"}),
        (author.id, {"template": "published", "revision_id": 99_999}),
        (author.id, {"template": "archived", "solution_id": 99_999}),
    ):
        outbox.enqueue(session, outbox.EMAIL, subject, payload)
    assert _mails(session, _settings(runtime)) == []


def test_demo_accounts_get_files_but_no_mails(session: Session, runtime: Runtime, people: tuple[User, User]) -> None:
    people[0].is_demo = True
    accounts.request_reset(session, people[0].id)
    assert len(_mails(session, _settings(runtime))) == 1
    assert _mails(session, _settings(runtime, mail_url="smtp://localhost")) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "x\nBcc: eve@example.org",
        "x\r\nBcc: eve@example.org\r\n\r\nHallo",
        "x\u2028Bcc: e",
        "x\x0bBcc: e",
        '"x" <eve@example.org>,',
        "=?utf-8?q?x=0ABcc:_e?=",
    ],
)
def test_no_text_of_people_becomes_a_header(
    session: Session, runtime: Runtime, people: tuple[User, User], hostile: str
) -> None:
    author, curator = people
    author.name = curator.name = hostile
    actor = factories.actor_for(author)
    submission.submit(session, actor, factories.make_draft(session, actor, title=hostile.replace("\x0b", " ")))
    [found] = _mails(session, _settings(runtime))
    assert set(found.keys()) == {
        "From",
        "To",
        "Subject",
        "Date",
        "Message-ID",
        "Auto-Submitted",
        "Content-Type",
        "Content-Transfer-Encoding",
        "MIME-Version",
    }
    assert [address.addr_spec for address in found["To"].addresses] == ["bea@example.org"]


def test_an_international_domain_is_written_as_mail_servers_read_it(
    session: Session, runtime: Runtime, people: tuple[User, User]
) -> None:
    people[0].email = "ada@müllabfuhr.de"
    accounts.request_reset(session, people[0].id)
    [found] = _mails(session, _settings(runtime))
    assert found["To"].addresses[0].addr_spec == "ada@xn--mllabfuhr-q9a.de"


def test_without_a_server_mails_become_private_files(
    runtime: Runtime, people: tuple[User, User], session: Session
) -> None:
    accounts.request_reset(session, people[0].id)
    accounts.request_reset(session, None)
    session.commit()
    send = mail.mailer(_settings(runtime), "key", runtime.unit_of_work.reading)
    assert outbox.deliver_mail(runtime.unit_of_work.writing, send) == 2
    [file] = (runtime.settings.data_dir / mail.FOLDER).iterdir()
    assert file.stat().st_mode & 0o077 == 0
    assert b"passwort-vergessen" in file.read_bytes().replace(b"=\r\n", b"")
    with runtime.unit_of_work.reading() as reading:
        assert outbox.waiting(reading) == 0


@pytest.mark.parametrize(
    "url", ["http://mail.example.org", "mail.example.org", "smtp://", "smtp://user:secret@mail.example.org"]
)
def test_a_mail_address_that_can_t_work_is_refused_without_showing_its_password(runtime: Runtime, url: str) -> None:
    with pytest.raises(SettingsError) as problem:
        mail.mailer(_settings(runtime, mail_url=url), "key", runtime.unit_of_work.reading)
    assert "secret" not in str(problem.value)


class _Server(socketserver.ThreadingTCPServer):
    """A mail server that remembers what it was told; offers STARTTLS with a certificate nobody vouches for."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Dialogue)
        self.lines: list[str] = []
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate)


class _Dialogue(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        self._say("220 test")
        body = False
        for raw in self.rfile:
            line = raw.decode("utf-8", "replace").rstrip("\r\n")
            self.server.lines.append(line)
            if body:
                if line == ".":
                    body = False
                    self._say("250 ok")
                continue
            word = line.split(" ", 1)[0].upper()
            if word == "EHLO":
                self._say("250-test", "250 STARTTLS")
            elif word == "STARTTLS":
                self._say("220 go")
                try:
                    self.server.context.wrap_socket(self.connection, server_side=True)
                except OSError:
                    self.server.lines.append("TLS refused by the client")
                return
            elif word == "DATA":
                body = True
                self._say("354 go")
            elif word == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _say(self, *lines: str) -> None:
        for line in lines:
            self.wfile.write(f"{line}\r\n".encode())


@pytest.fixture
def server(tmp_path: Path) -> Iterator[_Server]:
    """The mail server, running on a free port."""
    from subprocess import run

    certificate = tmp_path / "own.pem"
    run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(certificate), "-out", str(tmp_path / "cert.pem")],
        check=True, capture_output=True,
    )  # fmt: skip
    certificate.write_text(certificate.read_text() + (tmp_path / "cert.pem").read_text())
    with _Server(certificate) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def test_a_mail_goes_out_by_smtp(
    runtime: Runtime, session: Session, people: tuple[User, User], server: _Server
) -> None:
    accounts.request_reset(session, people[0].id)
    session.commit()
    settings = _settings(runtime, mail_url=f"smtp://127.0.0.1:{server.server_address[1]}")
    assert (
        outbox.deliver_mail(runtime.unit_of_work.writing, mail.mailer(settings, "key", runtime.unit_of_work.reading))
        == 1
    )
    assert "rcpt TO:<ada@example.org>" in server.lines
    assert any("passwort-vergessen" in line for line in server.lines)


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_mail(
    runtime: Runtime, session: Session, people: tuple[User, User], server: _Server
) -> None:
    accounts.request_reset(session, people[0].id)
    session.commit()
    settings = _settings(runtime, mail_url=f"smtp+starttls://user:geheim@127.0.0.1:{server.server_address[1]}")
    assert (
        outbox.deliver_mail(runtime.unit_of_work.writing, mail.mailer(settings, "key", runtime.unit_of_work.reading))
        == 0
    )
    assert not [line for line in server.lines if line.upper().startswith(("MAIL", "RCPT", "AUTH", "DATA"))]
    with runtime.unit_of_work.reading() as reading:
        row = reading.scalars(select(OutboxMessage)).one()
        assert "certificate" in row.last_error.lower()
        assert "geheim" not in row.last_error


def test_every_template_has_its_facts_and_renders_in_both_languages() -> None:
    names = {file.stem for file in mail.TEMPLATES.joinpath("emails").glob("*.txt") if not file.stem.startswith("_")}
    assert names == set(mail._FACTS)
    for name in names:
        for language in ("de", "en"):
            facts = {
                "name": "Ada",
                "title": "T",
                "link": "https://x",
                "base_url": "https://x",
                "note": "N",
                "author": "B",
            }
            subject, text = mail._render(name, language, facts)
            assert subject
            assert "\n" not in subject
            assert "https://x" in text
            assert "\n\n\n" not in text
