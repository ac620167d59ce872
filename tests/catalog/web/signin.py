"""Signing in inside tests without typing a password, and the form token a browser would find in a page."""

from secrets import token_hex
from typing import cast

from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from catalog.models.user import User
from catalog.runtime import Runtime
from catalog.services import accounts
from catalog.web.context import EXTENSION


def sign_in(client: FlaskClient, user: User) -> None:
    """Sign the client in as a person whose account is committed, in place of whoever was signed in before."""
    runtime = cast("Runtime", client.application.extensions[EXTENSION])
    with runtime.unit_of_work() as session:
        token = accounts.start_sign_in(session, user.id)
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie.permanent = True
        cookie["_user_id"] = user.fs_uniquifier
        cookie["sign_in"] = token


def csrf_token(client: FlaskClient) -> str:
    """A token the client may send as `csrf_token` with its forms."""
    with client.session_transaction() as cookie:
        raw = cookie.setdefault("csrf_token", token_hex(20))
    return str(URLSafeTimedSerializer(client.application.secret_key or "", salt="wtf-csrf-token").dumps(raw))
