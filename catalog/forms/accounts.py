"""The forms of accounts: signing in, forgotten, new and changed passwords, and what persons change of their own account.

The checks of identity and password are Flask-Security's; here stand our fields, words and limits.
"""

from flask_babel import lazy_gettext
from flask_security import forms as library
from flask_security.forms import EmailValidation, valid_user_email
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField, RadioField, StringField, SubmitField
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, InputRequired, Length

from catalog.services import accounts

_LONGEST_EMAIL = 254
_EMAIL = lazy_gettext("E-Mail-Adresse")
_EMPTY_EMAIL = lazy_gettext("Bitte geben Sie Ihre E-Mail-Adresse ein.")
_NEW = lazy_gettext("Neues Passwort")
_AGAIN = lazy_gettext("Neues Passwort wiederholen")
_RULE = lazy_gettext("Mindestens 8 Zeichen. Gut sind drei oder vier zufällige Wörter.")
_DIFFERENT = lazy_gettext("Die beiden Eingaben sind verschieden.")
_EMPTY_PASSWORD = lazy_gettext("Bitte geben Sie ein Passwort ein.")


def _new_password() -> PasswordField:
    return PasswordField(
        _NEW, description=_RULE, validators=[InputRequired(_EMPTY_PASSWORD)],
        render_kw={"autocomplete": "new-password", "maxlength": accounts.LONGEST_PASSWORD},
    )


def _repeated(other: str) -> PasswordField:
    return PasswordField(
        _AGAIN, validators=[EqualTo(other, _DIFFERENT)],
        render_kw={"autocomplete": "new-password", "maxlength": accounts.LONGEST_PASSWORD},
    )


class SignInForm(library.LoginForm):  # type: ignore[misc]  # the library carries no types
    """Address and password; one answer for everything that can be wrong."""

    email = EmailField(
        _EMAIL, validators=[InputRequired(_EMPTY_EMAIL), Length(max=_LONGEST_EMAIL), EmailValidation(verify=False)],
        render_kw={"autocomplete": "username", "maxlength": _LONGEST_EMAIL},
    )
    password = PasswordField(
        lazy_gettext("Passwort"),
        validators=[InputRequired(_EMPTY_PASSWORD), Length(max=accounts.LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password", "maxlength": accounts.LONGEST_PASSWORD},
    )
    # Staying signed in beyond the session is not offered: computers in control rooms and offices are shared.
    remember = None
    submit = SubmitField(lazy_gettext("Anmelden"))


class ForgottenPasswordForm(library.ForgotPasswordForm):  # type: ignore[misc]  # see above
    """Only the address; what happens looks the same whether it has an account or not."""

    email = EmailField(
        _EMAIL, validators=[InputRequired(_EMPTY_EMAIL), Length(max=_LONGEST_EMAIL), EmailValidation(verify=True), valid_user_email],
        render_kw={"autocomplete": "username", "maxlength": _LONGEST_EMAIL},
    )
    submit = SubmitField(lazy_gettext("Link anfordern"))


class NewPasswordForm(library.ResetPasswordForm):  # type: ignore[misc]  # see above
    """A new password, twice, behind a reset link."""

    password = _new_password()
    password_confirm = _repeated("password")
    submit = SubmitField(lazy_gettext("Passwort speichern"))


class ChangePasswordForm(library.ChangePasswordForm):  # type: ignore[misc]  # see above
    """The present password, and the new one twice."""

    password = PasswordField(
        lazy_gettext("Jetziges Passwort"), validators=[InputRequired(_EMPTY_PASSWORD), Length(max=accounts.LONGEST_PASSWORD)],
        render_kw={"autocomplete": "current-password", "maxlength": accounts.LONGEST_PASSWORD},
    )
    new_password = _new_password()
    new_password_confirm = _repeated("new_password")
    submit = SubmitField(lazy_gettext("Passwort ändern"))


class AccountForm(FlaskForm):  # type: ignore[misc]  # the library carries no types
    """What persons may change of their own account; address, roles and organisations are not among it."""

    name = StringField(
        lazy_gettext("Name"), description=lazy_gettext("So erscheinen Sie bei Ihren Beiträgen und Hinweisen."),
        validators=[InputRequired(lazy_gettext("Bitte geben Sie Ihren Namen an.")), Length(max=accounts.LONGEST_NAME)],
        render_kw={"autocomplete": "name", "maxlength": accounts.LONGEST_NAME},
    )
    language = RadioField(
        lazy_gettext("Sprache der Mails"),
        choices=[SelectChoice("de", "Deutsch"), SelectChoice("en", "English")],
    )


class SignOutForm(FlaskForm):  # type: ignore[misc]  # see above
    """Nothing but the token that proves the request comes from our own page."""

