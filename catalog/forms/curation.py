"""What curators type when they decide: a reason, a note, and which version they have read; who may decide is not known here."""

from typing import TYPE_CHECKING

from wtforms import HiddenField

from catalog.forms.fields import Form, TextField

if TYPE_CHECKING:

    def lazy_gettext(_text: str) -> str:
        """Stand for flask_babel's, whose lazy text WTForms takes like any other, only its types do not say so."""

else:
    from flask_babel import lazy_gettext


class _Decision(Form):
    version = HiddenField()

    @property
    def read_version(self) -> int | None:
        """The version the curator had before them."""
        value = self.version.data or ""
        return int(value) if value.isdecimal() else None


class PublishForm(_Decision):
    """Accepting a revision, with a note for its author where there is something to say."""

    note = TextField(
        lazy_gettext("Hinweis an die Einreichenden"), rows=2, optional=True,
        hint=lazy_gettext("Er steht beim Eintrag unter „Meine Beiträge“."),
    )


class ReturnForm(_Decision):
    """Sending a revision back."""

    reason = TextField(
        lazy_gettext("Was soll geändert werden?"), rows=5,
        hint=lazy_gettext("Die Einreichenden lesen Ihren Text über dem Formular. Bitte nennen Sie Feld und Wunsch."),
    )


class ArchiveForm(Form):
    """Taking an entry out of the catalog."""

    reason = TextField(
        lazy_gettext("Grund"), rows=3,
        hint=lazy_gettext("Er steht im Protokoll und geht an die Person, die den Eintrag angelegt hat."),
    )
