"""Mails from the outbox: written from the present rows when they are delivered, sent by SMTP or laid into a folder.

Who is told what is decided in `notifications`; here stands how a message becomes a mail and leaves. Works without a
request: addresses come from the settings alone.
"""

import os
import smtplib
import ssl
from collections.abc import Callable, Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from babel.support import NullTranslations, Translations
from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from catalog.config import Settings, SettingsError
from catalog.domain.actor import Role as RoleName
from catalog.domain.text import squeeze
from catalog.domain.workflow import Status
from catalog.models.audit import AuditEvent
from catalog.models.base import utcnow
from catalog.models.outbox import OutboxMessage
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.models.user import User
from catalog.paths import TEMPLATES, TRANSLATIONS
from catalog.services import accounts
from catalog.services.outbox import Mailer

SMTP_SECONDS: Final = 30.0
FOLDER: Final = "mail"
_PORTS: Final = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_LONGEST_SUBJECT: Final = 150

Facts = dict[str, Any]
Send = Callable[[EmailMessage], None]


def mailer(settings: Settings, secret_key: str, sessions: sessionmaker[Session]) -> Mailer:
    """What `outbox.deliver_mail` calls with each message; raises SettingsError for a mail address that can't work.

    A message with nothing left to say, or nobody to say it to, counts as delivered.
    """
    send = transport(settings)

    def deliver(message: OutboxMessage) -> None:
        with sessions() as session:
            mail = compose(session, message, settings, secret_key)
        if mail is not None:
            send(mail)

    return deliver


# --- writing ---


def compose(session: Session, message: OutboxMessage, settings: Settings, secret_key: str) -> EmailMessage | None:
    """The mail for an outbox message; None when it has become pointless.

    That is so for closed accounts, for entries that have gone on meanwhile, and for demo accounts where mails leave.
    """
    user = session.get(User, message.subject_id) if message.subject_id is not None else None
    if user is None or not user.active or (user.is_demo and settings.mail_url):
        return None
    base_url = settings.base_url.rstrip("/")
    name = str(message.payload.get("template", ""))
    write = _FACTS.get(name)
    facts = write(session, message.payload, user, secret_key) if write is not None else None
    address = _ascii_address(user.email)
    if facts is None or address is None:
        return None
    link = base_url + facts.pop("path")
    return _mail(
        settings,
        to=Address(_header(user.name), addr_spec=address),
        number=f"{message.id}.{int(message.created_at.timestamp())}",
        text=_render(
            name, user.language, facts | {"name": squeeze(user.name) or user.email, "link": link, "base_url": base_url}
        ),
    )


def _submitted(session: Session, payload: Mapping[str, Any], user: User, _key: str) -> Facts | None:
    revision = _revision(session, payload, Status.SUBMITTED)
    reviews = {role.name for role in user.roles} & {RoleName.CURATOR, RoleName.ADMIN}
    if revision is None or not reviews:
        return None
    return _title(revision) | {
        "path": f"/redaktion/{revision.id}",
        "author": squeeze(revision.author.name) if revision.author else "",
    }


def _changes_requested(session: Session, payload: Mapping[str, Any], _user: User, _key: str) -> Facts | None:
    revision = _revision(session, payload, Status.CHANGES_REQUESTED)
    return (
        None
        if revision is None
        else _title(revision) | {"path": f"/einreichen/{revision.solution_id}", "note": _last_note(revision)}
    )


def _published(session: Session, payload: Mapping[str, Any], _user: User, _key: str) -> Facts | None:
    revision = _revision(session, payload, Status.PUBLISHED)
    return (
        None
        if revision is None
        else _title(revision)
        | {
            "path": f"/loesungen/{revision.solution.slug}",
            "note": _last_note(revision),
        }
    )


def _archived(session: Session, payload: Mapping[str, Any], _user: User, _key: str) -> Facts | None:
    solution = session.get(Solution, payload.get("solution_id") or 0)
    if solution is None or solution.status is not Status.ARCHIVED:
        return None
    reason = session.scalar(
        select(AuditEvent.reason)
        .where(
            AuditEvent.subject_type == "solution",
            AuditEvent.subject_id == solution.id,
            AuditEvent.action == "entry.archive",
        )
        .order_by(AuditEvent.id.desc())
        .limit(1)
    )
    return {"title": squeeze(solution.title), "path": "/meine-beitraege", "note": reason or ""}


def _password_reset(_session: Session, _payload: Mapping[str, Any], user: User, key: str) -> Facts:
    return {"path": f"/passwort-vergessen/{accounts.reset_token(key, user)}"}


def _password_changed(_session: Session, _payload: Mapping[str, Any], _user: User, _key: str) -> Facts:
    return {"path": "/passwort-vergessen"}


# Which facts each template needs; None means that there is nothing to say any more.
_FACTS: Final[dict[str, Callable[[Session, Mapping[str, Any], User, str], Facts | None]]] = {
    "submitted": _submitted,
    "changes_requested": _changes_requested,
    "published": _published,
    "archived": _archived,
    "password_reset": _password_reset,
    "password_changed": _password_changed,
}


def _revision(session: Session, payload: Mapping[str, Any], status: Status) -> Revision | None:
    found = session.get(Revision, payload.get("revision_id") or 0)
    return found if found is not None and found.status is status else None


def _title(revision: Revision) -> Facts:
    return {"title": squeeze(str(revision.content.get("title", ""))) or squeeze(revision.solution.title)}


def _last_note(revision: Revision) -> str:
    return revision.notes[-1].text.strip() if revision.notes else ""


def _ascii_address(email: str) -> str | None:
    try:
        return validate_email(email, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        return None


def _render(name: str, language: str, facts: Facts) -> tuple[str, str]:
    template = _template(name, language)
    context = template.new_context(facts)
    subject = _header("".join(template.blocks["subject"](context)))
    if len(subject) > _LONGEST_SUBJECT:
        subject = subject[: _LONGEST_SUBJECT - 2].rstrip() + " …"
    return subject, template.render(facts)


def _header(text: str) -> str:
    """One line that is nothing but text: what looks encoded would be decoded on the way, line breaks in it included."""
    return squeeze("".join(char if char.isprintable() else " " for char in text)).replace("=?", "= ?")


def _template(name: str, language: str) -> Template:
    found = Translations.load(str(TRANSLATIONS), [language]) if language != "de" else NullTranslations()
    # Plain text: nothing to escape, and escaping would show as &amp; to the reader.
    env = Environment(  # noqa: S701
        loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        keep_trailing_newline=True, extensions=["jinja2.ext.i18n"],
    )  # fmt: skip
    env.install_gettext_translations(found, newstyle=True)  # type: ignore[attr-defined]  # added by the extension
    return env.get_template(f"emails/{name}.txt")


def _mail(settings: Settings, *, to: Address, number: str, text: tuple[str, str]) -> EmailMessage:
    sender_name, sender = parseaddr(settings.mail_from)
    host = urlsplit(settings.base_url).hostname or "localhost"
    mail = EmailMessage(policy=SMTP)
    mail["From"] = Address(sender_name, addr_spec=sender)
    mail["To"] = to
    mail["Subject"] = text[0]
    mail["Date"] = format_datetime(utcnow())
    # The same for a mail that is sent twice after a crash: mail programs then show it once.
    mail["Message-ID"] = f"<outbox-{number}@{host}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text[1], cte="quoted-printable")
    return mail


# --- sending ---


def transport(settings: Settings) -> Send:
    """How mails leave: by SMTP where the settings name a server, else as files in the data folder.

    Raises SettingsError for an address that is none, and for one that would send a password in clear.
    """
    if not settings.mail_url:
        return lambda mail: _to_folder(settings.data_dir / FOLDER, mail)
    address = urlsplit(settings.mail_url)
    if address.scheme not in _PORTS or not address.hostname:
        msg = "CATALOG_MAIL_URL must begin with smtp://, smtps:// or smtp+starttls:// and name a server."
        raise SettingsError(msg)
    if address.scheme == "smtp" and address.username and address.hostname not in _HERE:
        msg = "CATALOG_MAIL_URL would send the password unencrypted: use smtps:// or smtp+starttls://."
        raise SettingsError(msg)
    return lambda mail: _by_smtp(address, mail)


def _by_smtp(address: SplitResult, mail: EmailMessage) -> None:
    host, port = address.hostname or "", address.port or _PORTS[address.scheme]
    secure = ssl.create_default_context()  # checks certificate and host name
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=SMTP_SECONDS, context=secure)
    else:
        server = smtplib.SMTP(host, port, timeout=SMTP_SECONDS)
    with server:
        if address.scheme == "smtp+starttls":
            server.starttls(context=secure)
        if address.username:
            server.login(unquote(address.username), unquote(address.password or ""))
        server.send_message(mail)


def _to_folder(folder: Path, mail: EmailMessage) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    number = str(mail["Message-ID"]).removeprefix("<outbox-").partition("@")[0]
    target = folder / f"{number}.eml"
    temporary = target.with_suffix(".tmp")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
        handle.write(mail.as_bytes())
    temporary.replace(target)
