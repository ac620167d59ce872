"""The form base and the fields every form is made of: numbers, dates, links as Germans type them; no whole forms.

Each field takes `hint` (shown under the label), `required` (the sentence shown when it is empty) or `optional`
(marked "freiwillig"). What was typed is kept as typed, so that a mistake can be put right.
"""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast

import wtforms
from babel import dates
from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString
from flask_wtf import FlaskForm
from flask_wtf.i18n import translations
from wtforms import validators as checks
from wtforms import widgets
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs

from catalog.domain.entry import MAX_LINE, MAX_TEXT, plain_text, web_address
from catalog.domain.text import squeeze
from catalog.domain.vocabulary import label as label_of

Words = str | LazyString

_LARGEST_NUMBER = 1e15
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)")
_BLANKS = re.compile(r"[\s\u00a0\u202f\u2009]+")
_FIRST_YEAR, _LAST_YEAR = 1900, 2099
_CENTURY, _SHORT_YEAR = 2000, 2
_YES, _NO = "ja", "nein"


class Form(FlaskForm):
    """A page's form: carries the CSRF token, and says what is wrong in the page's language."""


class Part(wtforms.Form):
    """A group of fields inside a form (FormField, FieldList); the form around it carries the token."""

    class Meta:
        """As the form around it: messages in the page's language."""

        @staticmethod
        def get_translations(_form: wtforms.Form) -> Any:  # noqa: ANN401 - WTForms' own object
            """Give WTForms the messages of the page's language."""
            return translations


class RowsField(wtforms.FieldList):  # type: ignore[type-arg]  # takes no type when it runs
    """A list of fields or groups; names that a page of ours can't have sent are ignored."""

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterable[int]:
        """Give the numbers that stand in names; WTForms' own reads "²" and thousands of digits, and breaks on both."""
        number = re.compile(re.escape(prefix) + r"-(\d{1,4})(?:-|$)", re.ASCII)
        return [int(found[1]) for name in formdata if (found := number.match(name))]


class _Marked:
    """The arguments all fields share, turned into WTForms' validators and description."""

    def __init__(
        self,
        label: Words = "",
        validators: Iterable[Any] = (),
        *,
        hint: Words = "",
        required: Words = "",
        optional: bool = False,
        **kwargs: Any,
    ) -> None:
        presence: list[Any] = (
            [checks.DataRequired(cast("str", required))] if required else [checks.Optional()] if optional else []
        )
        super().__init__(label, [*presence, *validators], description=hint, **kwargs)  # type: ignore[call-arg]


class LineField(_Marked, wtforms.StringField):
    """One line of text; white space is tidied, longer ones are refused."""

    def __init__(  # noqa: D107
        self, label: Words = "", validators: Iterable[Any] = (), *, longest: int = MAX_LINE, **kwargs: Any
    ) -> None:
        length = checks.Length(max=longest, message=cast("str", lazy_gettext("Bitte höchstens %(max)d Zeichen.")))
        super().__init__(label, [*validators, length], **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was typed without control characters and outer blanks."""
        if valuelist:
            self.data = squeeze(plain_text(str(valuelist[0])))


class TextField(_Marked, wtforms.TextAreaField):
    """A longer text; line ends are unified."""

    def __init__(  # noqa: D107
        self,
        label: Words = "",
        validators: Iterable[Any] = (),
        *,
        rows: int = 5,
        longest: int = MAX_TEXT,
        **kwargs: Any,
    ) -> None:
        length = checks.Length(max=longest, message=cast("str", lazy_gettext("Bitte höchstens %(max)d Zeichen.")))
        super().__init__(label, [*validators, length], render_kw={"rows": rows}, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Take what was typed with plain line ends."""
        if valuelist:
            self.data = plain_text(str(valuelist[0]))


class NumberField(_Marked, wtforms.Field):
    """A number as Germans write it, 1.234,5; also 1234.5. The value is a float, None where nothing was typed."""

    widget = widgets.TextInput()

    def __init__(  # noqa: D107
        self,
        label: Words = "",
        validators: Iterable[Any] = (),
        *,
        smallest: float | None = None,
        largest: float | None = None,
        render_kw: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self.smallest, self.largest = smallest, largest
        super().__init__(
            label, validators, render_kw={"inputmode": "decimal", "autocomplete": "off"} | (render_kw or {}), **kwargs
        )

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else number_text(self.data)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number; raises ValueError with the sentence for its author."""
        if not valuelist:
            return
        self.data = None
        typed = str(valuelist[0]).strip()
        if not typed:
            return
        value = read_number(typed)
        if value is None:
            raise ValueError(gettext("Bitte geben Sie eine Zahl an, zum Beispiel 1.234,5."))
        if self.smallest is not None and value < self.smallest:
            raise ValueError(gettext("Die Zahl muss mindestens %(number)s sein.", number=number_text(self.smallest)))
        if self.largest is not None and value > self.largest:
            raise ValueError(gettext("Die Zahl darf höchstens %(number)s sein.", number=number_text(self.largest)))
        self.data = value


class WholeNumberField(NumberField):
    """A whole number, 1.234; the value is an int."""

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the number; raises ValueError with the sentence for its author."""
        super().process_formdata(valuelist)
        if self.data is not None:
            if self.data != int(self.data):
                self.data = None
                raise ValueError(gettext("Bitte geben Sie eine ganze Zahl an, zum Beispiel 1.234."))
            self.data = int(self.data)


class PartialDateField(_Marked, wtforms.Field):
    """A date as exact as it is known: 17.05.2021, 05/2021 or 2021. The value is the ISO form of it, "" for none."""

    widget = widgets.TextInput()

    def __init__(  # noqa: D107
        self,
        label: Words = "",
        validators: Iterable[Any] = (),
        *,
        render_kw: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, render_kw={"autocomplete": "off"} | (render_kw or {}), **kwargs)

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else partial_date_text(self.data or "")

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the date; raises ValueError with the sentence for its author."""
        if not valuelist:
            return
        typed = str(valuelist[0]).strip()
        value = read_partial_date(typed) if typed else ""
        self.data = value or ""
        if value is None:
            raise ValueError(gettext("Bitte geben Sie ein Datum an, zum Beispiel 17.05.2021, 05/2021 oder 2021."))


class DayField(_Marked, wtforms.Field):
    """A whole day, 17.05.2021; the value is a date, None where nothing was typed."""

    widget = widgets.TextInput()

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return "" if self.data is None else partial_date_text(self.data.isoformat())

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read the day; raises ValueError with the sentence for its author."""
        if not valuelist:
            return
        typed = str(valuelist[0]).strip()
        self.data = None
        if not typed:
            return
        value = read_partial_date(typed)
        if value is None or len(value) != len("2021-05-17"):
            raise ValueError(gettext("Bitte geben Sie einen Tag an, zum Beispiel 17.05.2021."))
        self.data = date.fromisoformat(value)


class LinkField(LineField):
    """A web address; one typed without https:// gets it."""

    widget = widgets.URLInput()

    def __init__(  # noqa: D107
        self, label: Words = "", validators: Iterable[Any] = (), *, longest: int = 2_000, **kwargs: Any
    ) -> None:
        super().__init__(label, validators, longest=longest, **kwargs)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Complete and check the address; raises ValueError with the sentence for its author."""
        super().process_formdata(valuelist)
        if not self.data:
            return
        if "://" not in self.data and re.match(r"[\w-]+(\.[\w-]+)+(/|$|\?|#)", self.data):
            self.data = f"https://{self.data}"
        try:
            web_address(self.data)
        except ValueError as problem:
            raise ValueError(gettext(str(problem))) from None


class WordsField(_Marked, wtforms.Field):
    """Several short words in one line, separated by commas; the value is a list without doubles."""

    widget = widgets.TextInput()

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ", ".join(self.data or [])

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Split what was typed at commas, semicolons and line ends."""
        if valuelist:
            words = (squeeze(word) for word in re.split(r"[,;\n]", plain_text(str(valuelist[0]))))
            self.data = list(dict.fromkeys(word for word in words if word))


class ChoiceField(_Marked, wtforms.SelectField):
    """One of several in a list to choose from; with `blank` nothing is chosen at first."""

    def __init__(  # noqa: D107
        self,
        label: Words = "",
        validators: Iterable[Any] = (),
        *,
        choices: Sequence[SelectChoice] = (),
        blank: Words = "",
        **kwargs: Any,
    ) -> None:
        offered = [SelectChoice("", blank), *choices] if blank else list(choices)
        super().__init__(label, validators, choices=offered, **kwargs)


class TermField(ChoiceField):
    """One controlled term; the value is a member of the enum, None where nothing was chosen."""

    def __init__(  # noqa: D107
        self,
        label: Words = "",
        validators: Iterable[Any] = (),
        *,
        terms: type[StrEnum],
        blank: Words | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            label,
            validators,
            choices=term_choices(terms),
            blank=lazy_gettext("Bitte wählen") if blank is None else blank,
            coerce=_term_or_none(terms),
            **kwargs,
        )


class _CheckboxList(_Marked, wtforms.SelectMultipleField):
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class ChoicesField(_CheckboxList):
    """Any number of several, as a group of boxes; the value is a list of the choices' values."""

    def __init__(  # noqa: D107
        self, label: Words = "", validators: Iterable[Any] = (), *, choices: Sequence[SelectChoice] = (), **kwargs: Any
    ) -> None:
        super().__init__(label, validators, choices=list(choices), **kwargs)


class TermsField(_CheckboxList):
    """Any number of controlled terms, as a group of boxes; the value is a list of the enum's members."""

    def __init__(  # noqa: D107
        self, label: Words = "", validators: Iterable[Any] = (), *, terms: type[StrEnum], **kwargs: Any
    ) -> None:
        super().__init__(label, validators, choices=term_choices(terms), coerce=terms, **kwargs)


class RadiosField(_Marked, wtforms.RadioField):
    """One of few, all of them visible."""

    def __init__(  # noqa: D107
        self, label: Words = "", validators: Iterable[Any] = (), *, choices: Sequence[SelectChoice] = (), **kwargs: Any
    ) -> None:
        super().__init__(label, validators, choices=list(choices), **kwargs)


class YesNoField(RadiosField):
    """Yes, no, or not said; the value is True, False or None."""

    def __init__(self, label: Words = "", validators: Iterable[Any] = (), **kwargs: Any) -> None:  # noqa: D107
        choices = [
            SelectChoice(_YES, lazy_gettext("Ja")),
            SelectChoice(_NO, lazy_gettext("Nein")),
            SelectChoice("", lazy_gettext("keine Angabe")),
        ]
        super().__init__(label, validators, choices=choices, coerce=_yes_no, **kwargs)


class CheckField(_Marked, wtforms.BooleanField):
    """A single box to tick."""


class SecretField(_Marked, wtforms.PasswordField):
    """A password; never shown again, never trimmed."""


class EmailField(LineField):
    """An e-mail address; its form is checked, not whether it exists."""

    widget = widgets.EmailInput()

    def __init__(self, label: Words = "", validators: Iterable[Any] = (), **kwargs: Any) -> None:  # noqa: D107
        message = lazy_gettext("Bitte geben Sie eine E-Mail-Adresse an, zum Beispiel name@stadtwerke.de.")
        form = checks.Email(cast("str", message))
        super().__init__(label, [*validators, form], **kwargs)


def term_choices(terms: type[StrEnum]) -> list[SelectChoice]:
    """The choices of a controlled vocabulary, labelled in the page's language."""
    return [SelectChoice(term.value, lazy_gettext(label_of(term))) for term in terms]


def read_number(typed: str) -> float | None:
    """The number that was typed, None for anything else.

    A comma is the decimal sign; dots before groups of three digits separate thousands, any other single dot is a
    decimal sign too.
    """
    text = _BLANKS.sub("", typed.replace("−", "-")).removesuffix("€").removesuffix("EUR")
    sign, digits = (text[0], text[1:]) if text[:1] in {"+", "-"} else ("", text)
    whole, comma, decimals = digits.partition(",")
    if comma:
        if "," in decimals and "." not in digits:
            return None
        if "." in decimals:  # 1,234.5 as English writes it
            whole, decimals = digits.rsplit(".", 1)
            if not re.fullmatch(r"\d{1,3}(?:,\d{3})+", whole):
                return None
            whole = whole.replace(",", "")
        elif "." in whole and not _GROUPED.fullmatch(whole):
            return None
        digits = f"{whole.replace('.', '')}.{decimals}"
    elif _GROUPED.fullmatch(digits):
        digits = digits.replace(".", "")
    if not digits.isascii() or not _NUMBER.fullmatch(sign + digits):
        return None
    value = float(sign + digits)
    return value if math.isfinite(value) and abs(value) <= _LARGEST_NUMBER else None


def number_text(value: float) -> str:
    """A number as `read_number` reads it back: decimal comma, no separators."""
    text = format(Decimal(repr(value)), "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace(".", ",")


def read_partial_date(typed: str) -> str | None:
    """The date that was typed as "2021-05-17", "2021-05" or "2021"; None for what is no date between 1900 and 2099."""
    text = _BLANKS.sub(" ", typed.strip().lower()).rstrip(".")
    for number, names in _months().items():
        for name in names:
            match = re.fullmatch(rf"(?:(?P<day>\d{{1,2}})\.? )?{re.escape(name)}\.? (?P<year>\d{{4}})", text)
            if match:
                return _iso(match["year"], str(number), match["day"])
    for pattern in (
        r"(?P<year>\d{4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2}))?)?",
        r"(?P<month>\d{1,2}) ?[./] ?(?P<year>\d{4})",
        r"(?P<day>\d{1,2}) ?[./] ?(?P<month>\d{1,2}) ?[./] ?(?P<year>\d{4}|\d{2})",
    ):
        match = re.fullmatch(pattern, text, re.ASCII)
        if match:
            found = match.groupdict()
            return _iso(found["year"], found.get("month"), found.get("day"))
    return None


def version_number(text: str | None) -> int | None:
    """The version that a form carried in a hidden field; None for anything that is none."""
    return int(text) if text and re.fullmatch(r"-?[0-9]{1,9}", text) else None


def partial_date_text(value: str) -> str:
    """A date as `read_partial_date` reads it back, in German order: 17.05.2021, 05/2021, 2021."""
    year, _, rest = value.partition("-")
    month, _, day = rest.partition("-")
    return f"{day}.{month}.{year}" if day else f"{month}/{year}" if month else year


def _iso(year: str, month: str | None, day: str | None) -> str | None:
    number = int(year) + (_CENTURY if len(year) == _SHORT_YEAR else 0)
    if not _FIRST_YEAR <= number <= _LAST_YEAR:
        return None
    try:
        date(number, int(month or 1), int(day or 1))
    except ValueError:
        return None
    return f"{number:04}" + (f"-{int(month):02}" if month else "") + (f"-{int(day):02}" if day else "")


def _months() -> dict[int, set[str]]:
    names: dict[int, set[str]] = {}
    for language in ("de", "en"):
        for width in ("wide", "abbreviated"):
            for number, name in dates.get_month_names(width, locale=language).items():
                names.setdefault(number, set()).add(name.lower().rstrip("."))
    return names


def _term_or_none(terms: type[StrEnum]) -> Any:  # noqa: ANN401 - a coerce function of WTForms
    def coerce(value: object) -> StrEnum | str | None:
        # The empty choice is compared as text by WTForms, and stored as None.
        return None if value is None or value == "" else terms(str(value))

    return coerce


def _yes_no(value: object) -> bool | None:
    return True if value in {_YES, True} else False if value in {_NO, False} else None
