"""What curators type when they decide: a reason, a note, which version they have read; nothing of who may decide."""

from flask_babel import lazy_gettext
from wtforms import HiddenField

from catalog.forms.fields import Form, TextField, version_number


class _Decision(Form):
    version = HiddenField()

    @property
    def read_version(self) -> int | None:
        """The version the curator had before them."""
        return version_number(self.version.data)


class PublishForm(_Decision):
    """Accepting a revision, with a note for its author where there is something to say."""

    note = TextField(
        lazy_gettext("Hinweis an die Einreichenden"),
        rows=2,
        optional=True,
        hint=lazy_gettext("Er steht beim Eintrag unter „Meine Beiträge“."),
    )


class ReturnForm(_Decision):
    """Sending a revision back."""

    reason = TextField(
        lazy_gettext("Was soll geändert werden?"),
        rows=5,
        hint=lazy_gettext("Die Einreichenden lesen Ihren Text über dem Formular. Bitte nennen Sie Feld und Wunsch."),
    )


class ArchiveForm(Form):
    """Taking an entry out of the catalog."""

    reason = TextField(
        lazy_gettext("Grund"),
        rows=3,
        hint=lazy_gettext("Er steht im Protokoll und geht an die Person, die den Eintrag angelegt hat."),
    )
