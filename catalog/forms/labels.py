"""What fields and values of an entry are called on a page: from field paths and plain values to words people know.

The labels are those of the form itself, so that a curator reads the same names as the author.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from flask_babel import gettext
from wtforms import FieldList
from wtforms.fields.core import UnboundField

from catalog.domain.entry import Entry
from catalog.domain.text import N_
from catalog.forms.fields import Form, Part
from catalog.forms.submission import EntryForm
from catalog.services.differences import Change, Piece
from catalog.web.locale import number, partial_day, term

_ROWS = {
    "deployments": N_("Standort"),
    "kpis": N_("Kennzahl"),
    "funding": N_("Förderung"),
    "partners": N_("Partner"),
    "sources": N_("Quelle"),
}
_DATES = frozenset({"started", "ended", "accessed"})
_BEYOND_THE_FORM = {
    "ags": N_("Gemeindeschlüssel"),
    "language": N_("Sprache"),
    "demo": N_("Beispieldaten"),
}


@dataclass(frozen=True, slots=True)
class ReadableChange:
    """A change as a page shows it; `pieces` where single words are marked, else both values as text."""

    label: str
    kind: str
    before: str
    after: str
    pieces: tuple[Piece, ...] = ()


def label_of(path: str, entry: Entry | None = None) -> str:
    """The label of a field path, with the row it is in: "Standort 2 (Lübeck): Was nicht funktioniert hat"."""
    parts = path.split(".")
    form: type[Form | Part] = EntryForm
    rows: list[str] = []
    while len(parts) > 1 and parts[1].isdecimal() and parts[0] in _ROWS:
        rows.append(f"{gettext(_ROWS[parts[0]])} {int(parts[1]) + 1}{_place_of(parts, entry)}")
        form = _row_form(form, parts[0])
        parts = parts[2:]
    rows.append(_own_label(form, parts))
    return ": ".join(row for row in rows if row)


def _place_of(parts: Sequence[str], entry: Entry | None) -> str:
    if entry is None or parts[0] != "deployments" or int(parts[1]) >= len(entry.deployments):
        return ""
    name = entry.deployments[int(parts[1])].place.name
    return f" ({name})" if name else ""


def _unbound(form: type[Form | Part], name: str) -> "UnboundField[Any] | None":
    found = getattr(form, name, None)
    return found if isinstance(found, UnboundField) else None


def _row_form(form: type[Form | Part], name: str) -> type[Form | Part]:
    rows = _unbound(form, name)
    if rows is None or not issubclass(rows.field_class, FieldList):
        return form
    inner: type[Form | Part] = rows.args[0].args[0]
    return inner


def _own_label(form: type[Form | Part], parts: Sequence[str]) -> str:
    if not parts:
        return ""
    if parts[-1] in _BEYOND_THE_FORM:
        return gettext(_BEYOND_THE_FORM[parts[-1]])
    field = _unbound(form, "_".join(parts)) or _unbound(form, parts[0])
    if field is None:
        return parts[-1]
    return str(field.args[1] if issubclass(field.field_class, FieldList) else field.args[0])


def readable(changes: Sequence[Change], after: Entry, names: Mapping[str, Mapping[str, str]]) -> list[ReadableChange]:
    """The changes with labels and values in the page's language; `names` is what `services.choices.names` gives."""
    return [
        ReadableChange(
            label=label_of(change.path, after),
            kind=change.kind,
            before=_text(change.path, change.before, names),
            after=_text(change.path, change.after, names),
            pieces=change.pieces if change.kind == "changed" and _is_prose(change.path) else (),
        )
        for change in changes
    ]


def _is_prose(path: str) -> bool:
    """Whether words can be compared: what is shown translated (slugs, dates) can't be."""
    name = path.rpartition(".")[2]
    return name not in _DATES | {"organisation", "working_group", "ags", "language"}


def _text(path: str, value: Any, names: Mapping[str, Mapping[str, str]]) -> str:  # noqa: ANN401 - any field's value
    match value:
        case None | "":
            return ""
        case list():
            return ", ".join(_text(path, single, names) for single in value)
        case bool():
            return gettext("Ja") if value else gettext("Nein")
        case StrEnum():
            return term(value)
        case float() | int():
            return number(value)
    name = path.rpartition(".")[2]
    return partial_day(value) if name in _DATES else names.get(name, {}).get(value, str(value))
