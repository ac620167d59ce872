"""Signing in: Flask-Security over our tables and pages, and the actor of each request.

Flask-Security checks passwords and reset links and decides where to go next; accounts are changed by
`services/accounts` alone. The forms it shows come from `views/accounts`.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Final, cast
from urllib.parse import quote, urlsplit

from flask import Flask, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import user_logged_out  # type: ignore[import-untyped]  # comes without types
from flask_security import MailUtil, PasswordUtil, Security, SQLAlchemySessionUserDatastore, user_authenticated
from sqlalchemy import inspect
from sqlalchemy.orm import Session, scoped_session
from sqlalchemy.orm.attributes import set_committed_value
from werkzeug.exceptions import UnsupportedMediaType
from werkzeug.local import LocalProxy

from catalog.domain.actor import Actor
from catalog.domain.text import N_
from catalog.models.user import Role, User
from catalog.paths import TRANSLATIONS
from catalog.services import accounts
from catalog.services.accounts import PASSWORDS, SignedIn
from catalog.web.context import actor, reading, writing
from catalog.web.locale import say

SIGN_IN: Final = "security.login"
FORGOTTEN: Final = "security.forgot_password"
CHANGE: Final = "security.change_password"
PAGES: Final = (SIGN_IN, FORGOTTEN, CHANGE, "security.reset_password", "security.logout")
_KEY: Final = "sign_in"
_LONGEST_NEXT: Final = 2_000
_NOBODY_ASKED: Final = ("static", "health.healthz")

_SAY = {
    "GENERIC_AUTHN_FAILED": N_("Anmelden hat nicht geklappt. Bitte prüfen Sie E-Mail-Adresse und Passwort."),
    "UNAUTHENTICATED": N_("Bitte melden Sie sich dafür an."),
    "PASSWORD_RESET_REQUEST": N_(
        "Gibt es zu dieser Adresse ein Konto, so kommt gleich eine E-Mail mit einem Link. Er gilt eine Stunde lang."
    ),
    "PASSWORD_RESET_EXPIRED": N_("Dieser Link ist abgelaufen. Bitte fordern Sie einen neuen an."),
    "INVALID_RESET_PASSWORD_TOKEN": N_("Dieser Link gilt nicht oder nicht mehr. Bitte fordern Sie einen neuen an."),
    "PASSWORD_RESET_NO_LOGIN": N_("Ihr neues Passwort ist gespeichert. Bitte melden Sie sich damit an."),
    "PASSWORD_CHANGE": N_("Ihr neues Passwort ist gespeichert. Auf allen anderen Geräten sind Sie abgemeldet."),
    "PASSWORD_NOT_PROVIDED": N_("Bitte geben Sie ein Passwort ein."),
    "PASSWORD_IS_THE_SAME": N_("Das neue Passwort muss sich vom jetzigen unterscheiden."),
    "INVALID_PASSWORD": N_("Das jetzige Passwort stimmt nicht."),
    "RETYPE_PASSWORD_MISMATCH": N_("Die beiden Eingaben sind verschieden."),
    "INVALID_REDIRECT": N_("Diese Anfrage ist nicht verständlich"),
    "EMAIL_NOT_PROVIDED": N_("Bitte geben Sie Ihre E-Mail-Adresse ein."),
    "INVALID_EMAIL_ADDRESS": N_("Bitte geben Sie eine E-Mail-Adresse an, zum Beispiel name@stadtwerke.de."),
}
# How the library's categories are called in our pages.
_CATEGORY = {
    "PASSWORD_RESET_REQUEST": "info",
    "UNAUTHENTICATED": "info",
    "PASSWORD_RESET_NO_LOGIN": "success",
    "PASSWORD_CHANGE": "success",
}

View = Callable[..., ResponseReturnValue]


def init_app(app: Flask) -> None:
    """Register sign-in, its addresses and the hook that finds out who is asking."""
    app.before_request(_begin)
    app.config.update(
        SESSION_PROTECTION=None,  # sign-ins are rows; a telephone that changes its network stays signed in
        SECURITY_LOGIN_URL="/anmelden",
        SECURITY_LOGOUT_URL="/abmelden",
        SECURITY_LOGOUT_METHODS=["POST"],
        SECURITY_RESET_URL="/passwort-vergessen",
        SECURITY_CHANGE_URL="/passwort-aendern",
        SECURITY_POST_CHANGE_VIEW="/konto",
        SECURITY_LOGIN_USER_TEMPLATE="accounts/sign_in.html",
        SECURITY_FORGOT_PASSWORD_TEMPLATE="accounts/forgotten.html",  # noqa: S106 - no password but a page for one
        SECURITY_RESET_PASSWORD_TEMPLATE="accounts/new_password.html",  # noqa: S106
        SECURITY_CHANGE_PASSWORD_TEMPLATE="accounts/change_password.html",  # noqa: S106
        SECURITY_RECOVERABLE=True,
        SECURITY_CHANGEABLE=True,
        SECURITY_REGISTERABLE=False,
        SECURITY_FRESHNESS=timedelta(-1),
        SECURITY_API_ENABLED_METHODS=["session"],
        SECURITY_RETURN_GENERIC_RESPONSES=True,
        SECURITY_RESET_PASSWORD_WITHIN=accounts.RESET_LIFE,
        SECURITY_RESET_SALT=accounts.RESET_SALT,
        SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False, "allow_smtputf8": False},
        SECURITY_EMAIL_PLAINTEXT=False,  # the mail is written when it is delivered, see `_Mail`
        SECURITY_EMAIL_HTML=False,
        SECURITY_SEND_PASSWORD_CHANGE_EMAIL=False,  # services/accounts does, in the same transaction
        SECURITY_SEND_PASSWORD_RESET_NOTICE_EMAIL=False,
        SECURITY_PASSWORD_SCHEMES=["argon2"],
        SECURITY_DEPRECATED_PASSWORD_SCHEMES=[],
        SECURITY_PASSWORD_SINGLE_HASH=["argon2"],
        SECURITY_STATIC_FOLDER=None,
        SECURITY_CACHE_CONTROL={"no-store": None},
        SECURITY_CLI_USERS_NAME=None,
        SECURITY_CLI_ROLES_NAME=None,
        SECURITY_I18N_DOMAIN="messages",
        SECURITY_I18N_DIRNAME=[str(TRANSLATIONS)],
        **{f"SECURITY_MSG_{key}": (text, _CATEGORY.get(key, "danger")) for key, text in _SAY.items()},
    )
    security = Security(
        app,
        _Accounts(cast("scoped_session[Session]", LocalProxy(reading)), User, Role),
        mail_util_cls=_Mail,
        password_util_cls=_PasswordRules,
    )
    # One hasher for pages and command line, with its limit on how many run at once. The second context only
    # fingerprints the old password for the reset link; the same cost there hides whether an address has an account.
    security.pwd_context = PASSWORDS
    security.hashing_context = PASSWORDS
    security.want_json(lambda _request: False)
    security.login_manager.user_loader(_user)
    security.login_manager.request_loader(lambda _request: None)  # no tokens in addresses or headers
    user_authenticated.connect(_signed_in, app)
    user_logged_out.connect(_signed_out, app)
    replace_view(app, FORGOTTEN, _evenly)


# --- each request ---


def _begin() -> ResponseReturnValue | None:
    """Find out who is asking: nobody without a query, a person with two; and turn foreign goals away."""
    if request.endpoint in _NOBODY_ASKED:
        return None
    token, uniquifier = session.get(_KEY), session.get("_user_id")
    if isinstance(token, str) and isinstance(uniquifier, str):
        found = accounts.signed_in(reading(), token, uniquifier)
        if found is None:
            session.clear()
        else:
            g.signed_in = found
            g.actor = found.actor
    if request.endpoint in PAGES:
        if request.is_json:
            raise UnsupportedMediaType  # the library would read it, but the limits would not
        given = [*request.args.getlist("next"), *request.form.getlist("next")]
        if not all(goal == "" or is_own(goal) for goal in given):
            return redirect(url_for(SIGN_IN), 303)
    return None


def current() -> SignedIn | None:
    """The person who is asking, with the row; None for nobody."""
    return cast("SignedIn | None", g.get("signed_in"))


def token() -> str:
    """What tells this browser's sign-in from the person's others."""
    return str(session.get(_KEY, ""))


def is_own(goal: str) -> bool:
    """Whether an address is a plain path on this very host, so that following it after signing in leads nowhere else.

    Browsers forgive much: they read backslashes as slashes and drop tabs and control characters, so none may occur.
    """
    if len(goal) > _LONGEST_NEXT or not re.fullmatch(r"/(?![/\\])[!-\[\]-~]*", goal):
        return False
    try:
        parts = urlsplit(goal)
    except ValueError:
        return False
    return not parts.scheme and not parts.netloc


def needs_account(view: View) -> View:
    """Have whoever is not signed in do so first and then come back; what a person may there, the service decides."""

    @wraps(view)
    def guarded(*args: Any, **given: Any) -> ResponseReturnValue:
        if actor().signed_in:
            return view(*args, **given)
        if request.method != "GET":
            return redirect(url_for(SIGN_IN), 303)
        goal = quote(request.path, safe="/") + (
            f"?{request.query_string.decode('ascii', 'ignore')}" if request.query_string else ""
        )
        return redirect(url_for(SIGN_IN, next=goal if is_own(goal) else None), 303)

    return guarded


# --- what Flask-Security asks of us ---


class _Accounts(SQLAlchemySessionUserDatastore):
    """Reads with the request's session; each change is a transaction of its own in `services/accounts`."""

    def find_user(self, case_insensitive: bool = False, **given: Any) -> User | None:  # noqa: FBT001, FBT002 - the library's signature
        """The account with this address or identity; closed accounts have no identity to reset a password with."""
        found = cast("User | None", super().find_user(case_insensitive=case_insensitive, **given))
        return None if found is not None and "fs_uniquifier" in given and not found.active else found

    def put(self, model: User) -> User:
        """Store a password the library has set on the row; everything else on it is not the library's to change."""
        state = inspect(model)
        if state.attrs.password.history.has_changes() and model.password:
            with writing() as opened:
                row = opened.get_one(User, model.id)
                if state.attrs.fs_uniquifier.history.has_changes():
                    accounts.set_password(opened, Actor(user_id=row.id, name=row.name), row, model.password)
                    set_committed_value(model, "fs_uniquifier", row.fs_uniquifier)
                else:
                    row.password = model.password  # the same password, hashed with today's parameters
            set_committed_value(model, "password", model.password)
        return model

    def commit(self) -> None:
        """Nothing is left to store: see `put`."""


class _PasswordRules(PasswordUtil):
    """Our rules for new passwords in place of the library's."""

    def normalize(self, password: str) -> str:
        """The form that is hashed."""
        return accounts.normal_password(password)

    def validate(self, password: str, is_register: bool, **given: Any) -> tuple[list[str] | None, str]:  # noqa: ARG002, FBT001 - the library's signature
        """What is wrong with a new password, and the form that is hashed."""
        user = given.get("user")
        problem = accounts.check_password(password, (user.name, user.email) if user else ())
        return [say(problem)] if problem else None, self.normalize(password)


class _Mail(MailUtil):
    """Puts mails into the outbox; the link is made when the mail goes out, so that none lies in the database."""

    def send_mail(self, *_given: object, user: User, **_named: object) -> None:  # type: ignore[override]
        """Only ever the mail with the reset link: the library's others are switched off."""
        with writing() as opened:
            accounts.request_reset(opened, user.id)
        g.reset_requested = True


def replace_view(app: Flask, endpoint: str, around: Callable[[View], View]) -> None:
    """Put something around a page that the library provides."""
    app.view_functions[endpoint] = around(cast("View", app.view_functions[endpoint]))


def _user(uniquifier: str) -> User | None:
    found = current()
    if found is None or found.user.fs_uniquifier != uniquifier:
        return None
    g.fs_authn_via = "session"
    return found.user


def _evenly(view: View) -> View:
    """Have a request for an unknown address write what one for a known address writes: time then tells nothing."""

    @wraps(view)
    def asked(*args: Any, **given: Any) -> ResponseReturnValue:
        answer = view(*args, **given)
        if request.method == "POST" and not g.get("reset_requested"):
            with writing() as opened:
                accounts.request_reset(opened, None)
        return answer

    return asked


def _signed_in(_app: Flask, user: User, **_given: Any) -> None:
    """A new identity begins: nothing of the session before survives, its form token included."""
    for key in set(session) - {"_user_id", "_fresh", "_id"}:
        session.pop(key)
    g.pop(current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token"), None)
    session.permanent = True
    with writing() as opened:
        session[_KEY] = accounts.start_sign_in(opened, user.id, device(request.user_agent.string))


def _signed_out(_app: Flask, **_given: Any) -> None:
    with writing() as opened:
        accounts.end_sign_in(opened, token())
    session.clear()


def device(agent: str) -> str:
    """Browser and system in two words, to tell one's own devices apart; nothing that could follow a person."""
    browsers = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iOS"),
        ("iPad", "iOS"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    found = [next((name for sign, name in names if sign in agent), "") for names in (browsers, systems)]
    return ", ".join(name for name in found if name)
