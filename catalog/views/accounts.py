"""Pages of accounts: one's own account and its sign-ins; signing in itself is Flask-Security's, shown with our forms."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import FormInfo

from catalog.forms.accounts import AccountForm, ChangePasswordForm, ForgottenPasswordForm, NewPasswordForm, SignInForm
from catalog.services import accounts
from catalog.web import locale, login
from catalog.web.context import actor, reading, writing
from catalog.web.login import needs_account

blueprint = Blueprint("accounts", __name__)

_FORMS = {
    "login_form": SignInForm,
    "forgot_password_form": ForgottenPasswordForm,
    "reset_password_form": NewPasswordForm,
    "change_password_form": ChangePasswordForm,
}


@blueprint.record_once
def _use_our_forms(state: BlueprintSetupState) -> None:
    security = state.app.extensions["security"]
    for name, form in _FORMS.items():
        security.set_form_info(name, FormInfo(cls=form))
