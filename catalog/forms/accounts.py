"""The forms of accounts: signing in, passwords forgotten, new and changed, and one's own details.

The checks of identity and password are Flask-Security's; here stand our fields, words and limits.
"""

from typing import cast

from flask_babel import lazy_gettext
from flask_security import forms as library
from flask_security.forms import EmailValidation, valid_user_email
from wtforms import EmailField, PasswordField, RadioField, StringField, SubmitField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs
from wtforms.validators import EqualTo, InputRequired, Length

from catalog.forms.fields import Form
from catalog.services import accounts

_LONGEST_EMAIL = 254


def _(text: str) -> str:
    """A text that is translated when it is shown; to the form library it is a text like any other."""
    return cast("str", lazy_gettext(text))


_EMAIL = _("E-Mail-Adresse")
_EMPTY_EMAIL = _("Bitte geben Sie Ihre E-Mail-Adresse ein.")
_NEW = _("Neues Passwort")
_AGAIN = _("Neues Passwort wiederholen")
_RULE = _("Mindestens 8 Zeichen. Gut sind drei oder vier zufällige Wörter.")
_DIFFERENT = _("Die beiden Eingaben sind verschieden.")
_EMPTY_PASSWORD = _("Bitte geben Sie ein Passwort ein.")


def _normal(password: str | None) -> str | None:
    return accounts.normal_password(password) if password else password


def _new_password() -> PasswordField:
    return PasswordField(
        _NEW,
        description=_RULE,
        filters=[_normal],
        validators=[InputRequired(_EMPTY_PASSWORD)],
        render_kw={"autocomplete": "new-password", "maxlength": accounts.LONGEST_PASSWORD},
    )


def _repeated(other: str) -> PasswordField:
    return PasswordField(
        _AGAIN,
        filters=[_normal],
        validators=[EqualTo(other, _DIFFERENT)],
        render_kw={"autocomplete": "new-password", "maxlength": accounts.LONGEST_PASSWORD},
    )


class SignInForm(library.LoginForm):
    """Address and password; one answer for everything that can be wrong."""

    email = EmailField(
        _EMAIL,
        validators=[InputRequired(_EMPTY_EMAIL), Length(max=_LONGEST_EMAIL), EmailValidation(verify=False)],
        render_kw={"autocomplete": "username", "maxlength": _LONGEST_EMAIL},
    )
    password = PasswordField(
        _("Passwort"),
        validators=[InputRequired(_EMPTY_PASSWORD), Length(max=accounts.LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password", "maxlength": accounts.LONGEST_PASSWORD},
    )
    # Staying signed in beyond the session is not offered: computers in control rooms and offices are shared.
    remember = None  # type: ignore[assignment]  # this is how WTForms takes a field away
    submit = SubmitField(_("Anmelden"))


class ForgottenPasswordForm(library.ForgotPasswordForm):
    """Only the address; what happens looks the same whether it has an account or not."""

    email = EmailField(
        _EMAIL,
        validators=[
            InputRequired(_EMPTY_EMAIL),
            Length(max=_LONGEST_EMAIL),
            EmailValidation(verify=True),
            valid_user_email,
        ],
        render_kw={"autocomplete": "username", "maxlength": _LONGEST_EMAIL},
    )
    submit = SubmitField(_("Link anfordern"))


class NewPasswordForm(library.ResetPasswordForm):
    """A new password, twice, behind a reset link."""

    password = _new_password()
    password_confirm = _repeated("password")
    submit = SubmitField(_("Passwort speichern"))


class ChangePasswordForm(library.ChangePasswordForm):
    """The present password, and the new one twice."""

    password = PasswordField(
        _("Jetziges Passwort"),
        validators=[InputRequired(_EMPTY_PASSWORD), Length(max=accounts.LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password", "maxlength": accounts.LONGEST_PASSWORD},
    )
    new_password = _new_password()
    new_password_confirm = _repeated("new_password")
    submit = SubmitField(_("Passwort ändern"))


class AccountForm(Form):
    """What persons may change of their own account; address, roles and organisations are not among it."""

    name = StringField(
        _("Name"),
        description=_("So erscheinen Sie bei Ihren Beiträgen und Hinweisen."),
        validators=[InputRequired(_("Bitte geben Sie Ihren Namen an.")), Length(max=accounts.LONGEST_NAME)],
        render_kw={"autocomplete": "name", "maxlength": accounts.LONGEST_NAME},
    )
    language = RadioField(
        _("Sprache der Mails"),
        choices=[SelectChoice("de", "Deutsch"), SelectChoice("en", "English")],
    )


class SignOutForm(Form):
    """Nothing but the token that proves the request comes from our own page."""
