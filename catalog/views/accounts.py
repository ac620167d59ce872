"""Pages of accounts: one's own account and where one is signed in; signing in is Flask-Security's, with our forms."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from flask_babel import gettext
from flask_security import FormInfo

from catalog.domain.actor import OrganisationRole, Role
from catalog.domain.text import N_
from catalog.forms.accounts import (
    AccountForm,
    ChangePasswordForm,
    ForgottenPasswordForm,
    NewPasswordForm,
    SignInForm,
    SignOutForm,
)
from catalog.services import accounts
from catalog.web import login
from catalog.web.context import actor, reading, runtime, writing
from catalog.web.limits import limited_writes
from catalog.web.login import needs_account

blueprint = Blueprint("accounts", __name__)

_FORMS = {
    "login_form": SignInForm,
    "forgot_password_form": ForgottenPasswordForm,
    "reset_password_form": NewPasswordForm,
    "change_password_form": ChangePasswordForm,
}
ROLES = {Role.CURATOR: N_("Redaktion"), Role.ADMIN: N_("Verwaltung des Katalogs")}
ORGANISATION_ROLES = {
    OrganisationRole.READER: N_("liest"),
    OrganisationRole.MEMBER: N_("liest und schreibt"),
    OrganisationRole.MANAGER: N_("liest, schreibt und verwaltet"),
}


@blueprint.record_once
def _use_our_forms(state: BlueprintSetupState) -> None:
    security = state.app.extensions["security"]
    for name, form in _FORMS.items():
        security.set_form_info(name, FormInfo(cls=form))
    security.login_context_processor(_demo)


def _demo() -> dict[str, Any]:
    """The demo accounts for the sign-in page, where the settings say that this is a demo."""
    if not runtime().settings.demo:
        return {"demo_accounts": [], "demo_password": ""}
    from catalog.services.demo import DEMO_PASSWORD  # the demo's code is loaded by a demo alone

    return {"demo_accounts": accounts.demo_accounts(reading()), "demo_password": DEMO_PASSWORD}


@blueprint.route("/konto", methods=["GET", "POST"])
@needs_account
@limited_writes
def account() -> ResponseReturnValue:
    """One's own account: name and language to change, roles and organisations to see, and where one is signed in."""
    user = accounts.of_actor(reading(), actor())
    form = AccountForm(obj=user)
    if form.validate_on_submit():
        with writing() as session:
            accounts.set_details(session, actor(), name=form.name.data or "", language=form.language.data)
        flash(gettext("Ihre Angaben sind gespeichert."), "success")
        return redirect(url_for("accounts.account"), 303)
    return render_template(
        "accounts/account.html",
        user=user,
        roles=[gettext(ROLES[Role(row.name)]) for row in user.roles],
        organisations=[(row.organisation, gettext(ORGANISATION_ROLES[row.role])) for row in user.memberships],
        form=form,
        sign_out_form=SignOutForm(),
        sign_ins=accounts.sign_ins(reading(), actor(), login.token()),
    )


@blueprint.post("/konto/abmelden")
@needs_account
@limited_writes
def sign_out_elsewhere() -> ResponseReturnValue:
    """End one's sign-ins in all other browsers."""
    with writing() as session:
        accounts.end_other_sign_ins(session, actor(), login.token())
    flash(gettext("Auf allen anderen Geräten sind Sie abgemeldet."), "success")
    return redirect(url_for("accounts.account"), 303)
