"""Form fields: what Germans type is understood, what is wrong is said, what was typed stays; how macros show them."""

from collections.abc import Iterator
from datetime import date

import html5lib
import pytest
from flask import Flask, get_template_attribute
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict
from wtforms import FieldList, FormField
from wtforms.fields.choices import SelectChoice

from catalog.domain.entry import partial_date
from catalog.domain.vocabulary import DeploymentStatus, StopCause
from catalog.forms.fields import (
    CheckField,
    ChoiceField,
    DayField,
    Form,
    LineField,
    LinkField,
    NumberField,
    Part,
    PartialDateField,
    TermField,
    TermsField,
    TextField,
    WholeNumberField,
    WordsField,
    YesNoField,
    number_text,
    partial_date_text,
    read_number,
    read_partial_date,
)


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("1.234,5", 1234.5), ("1234.5", 1234.5), ("1,234.5", 1234.5), ("1.234", 1234), ("1.5", 1.5), ("1,5", 1.5),
        ("1.234.567,89", 1234567.89), ("1 234,5", 1234.5), ("1\u202f234", 1234), ("12,5 €", 12.5), ("-3", -3),
        ("−3", -3), ("+7", 7), ("0", 0), (",5", 0.5),
    ],
)  # fmt: skip
def test_numbers_are_read_as_germans_write_them(typed: str, value: float) -> None:
    assert read_number(typed) == value


@pytest.mark.parametrize(
    "typed",
    [
        "",
        ",",
        ".",
        "-",
        "abc",
        "1.23.4",
        "1,2,3",
        "1e5",
        "nan",
        "inf",
        "١٢",
        "1.2345,6",
        "1..2",
        "9" * 20,
        "0x10",
        "1_000",
    ],
)
def test_what_is_no_number_is_none(typed: str) -> None:
    assert read_number(typed) is None


@given(st.floats(min_value=-1e15, max_value=1e15, allow_nan=False))
def test_a_shown_number_is_read_back_unchanged(value: float) -> None:
    assert read_number(number_text(value)) == value


@given(st.text(max_size=30))
def test_any_text_is_a_number_or_none(typed: str) -> None:
    value = read_number(typed)
    assert value is None or abs(value) <= 1e15


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("2021", "2021"), ("05/2021", "2021-05"), ("5.2021", "2021-05"), ("17.05.2021", "2021-05-17"),
        ("17.5.21", "2021-05-17"), ("2021-05", "2021-05"), ("2021-05-17", "2021-05-17"), ("Mai 2021", "2021-05"),
        ("3. März 2020", "2020-03-03"), ("Sept. 2020", "2020-09"), ("May 2021", "2021-05"),
        ("29.2.24", "2024-02-29"),
    ],
)  # fmt: skip
def test_dates_are_read_as_exactly_as_they_are_known(typed: str, value: str) -> None:
    assert read_partial_date(typed) == value


@pytest.mark.parametrize("typed", ["31.02.2021", "29.02.2023", "13/2021", "1800", "2100", "bald", "0.5.2021", "٢٠٢١"])
def test_what_is_no_date_is_none(typed: str) -> None:
    assert read_partial_date(typed) is None


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from([4, 7, 10]))
def test_a_shown_date_is_read_back_unchanged(day: date, length: int) -> None:
    value = partial_date(day.isoformat()[:length])
    assert read_partial_date(partial_date_text(value)) == value


class _Row(Part):
    indicator = LineField("Kennzahl", required="Nennen Sie die Kennzahl.")
    value = NumberField("Wert", optional=True)


class _Sample(Form):
    title = LineField("Titel", required="Geben Sie einen Titel ein.", hint="Kurz.")
    text = TextField("Beschreibung", optional=True)
    cost = NumberField("Kosten", optional=True, smallest=0)
    count = WholeNumberField("Anzahl", optional=True)
    started = PartialDateField("Beginn", optional=True)
    day = DayField("Tag", optional=True)
    link = LinkField("Link", optional=True)
    words = WordsField("Stichwörter")
    status = TermField("Stand", terms=DeploymentStatus)
    causes = TermsField("Gründe", terms=StopCause, required="Wählen Sie einen Grund.")
    recommend = YesNoField("Würden Sie es empfehlen?")
    state = ChoiceField(
        "Land", choices=[SelectChoice("01", "Schleswig-Holstein")], blank="Bitte wählen", required="Wählen Sie."
    )
    agreed = CheckField("Ich stimme zu")
    rows = FieldList(FormField(_Row), "Kennzahlen", min_entries=1)


_GOOD = {
    "title": "  Pegel \x00 messen ", "cost": "1.234,50", "count": "1.200", "started": "05/2021", "day": "17.5.2021",
    "link": "www.example.org/a", "words": "Pegel, Funk;Pegel,,", "status": "pilot", "causes": "law",
    "recommend": "nein",
    "state": "01", "agreed": "y", "rows-0-indicator": "Zähler", "rows-0-value": "0,5",
}  # fmt: skip


@pytest.fixture
def in_request(app: Flask) -> Iterator[None]:
    app.config["WTF_CSRF_ENABLED"] = False
    with app.test_request_context("/"):
        yield


@pytest.mark.usefixtures("in_request")
def test_a_filled_form_gives_values_and_not_texts() -> None:
    form = _Sample(MultiDict(_GOOD))
    assert form.validate(), form.errors
    assert form.data == {
        "title": "Pegel messen", "text": None, "cost": 1234.5, "count": 1200, "started": "2021-05",
        "day": date(2021, 5, 17),
        "link": "https://www.example.org/a", "words": ["Pegel", "Funk"], "status": DeploymentStatus.PILOT,
        "causes": [StopCause.LAW], "recommend": False, "state": "01", "agreed": True,
        "rows": [{"indicator": "Zähler", "value": 0.5}],
    }  # fmt: skip


@pytest.mark.usefixtures("in_request")
@pytest.mark.parametrize(
    ("name", "typed", "message"),
    [
        ("title", " ", "Geben Sie einen Titel ein."),
        ("title", "x" * 301, "Bitte höchstens 300 Zeichen."),
        ("cost", "viel", "Bitte geben Sie eine Zahl an, zum Beispiel 1.234,5."),
        ("cost", "-1", "Die Zahl muss mindestens 0 sein."),
        ("count", "1,5", "Bitte geben Sie eine ganze Zahl an, zum Beispiel 1.234."),
        ("started", "bald", "Bitte geben Sie ein Datum an, zum Beispiel 17.05.2021, 05/2021 oder 2021."),
        ("day", "2021", "Bitte geben Sie einen Tag an, zum Beispiel 17.05.2021."),
        ("link", "javascript:alert(1)", "Bitte eine vollständige Adresse angeben, die mit https:// beginnt."),
        ("state", "99", "Keine gültige Auswahl."),
        ("state", "", "Wählen Sie."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(name: str, typed: str, message: str) -> None:
    form = _Sample(MultiDict(_GOOD | {name: typed}))
    assert not form.validate()
    assert form.errors == {name: [message]}
    if name in {"cost", "count", "started", "day"}:
        assert form[name]._value() == typed


@pytest.mark.usefixtures("in_request")
def test_an_unknown_term_is_refused() -> None:
    form = _Sample(MultiDict(_GOOD | {"status": "erfunden", "causes": "erfunden"}))
    assert not form.validate()
    assert set(form.errors) == {"status", "causes"}


@pytest.mark.usefixtures("in_request")
def test_every_field_is_rendered_labelled_described_and_marked() -> None:
    form = _Sample(MultiDict({"rows-0-value": "x"}))
    form.validate()
    field = get_template_attribute("components/field.html", "field")
    html = "".join(str(field(each)) for each in form)
    tree = html5lib.parseFragment(html, namespaceHTMLElements=False)
    ids = [element.get("id") for element in tree.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    for element in tree.iter():
        for target in (element.get("aria-describedby") or "").split() + (
            [element.get("for")] if element.get("for") else []
        ):
            assert target in ids
    title = next(element for element in tree.iter("input") if element.get("name") == "title")
    assert title.get("aria-invalid") == "true"
    assert title.get("aria-describedby") == "title-hint title-error"
    assert html.count("(freiwillig)") == sum(bool(each.flags.optional) for each in [*form, *form.rows[0].form])
    groups = {element.get("id") for element in tree.iter("fieldset")}
    assert {"causes", "recommend", "rows", "rows-0"} <= groups
    boxes = [element for element in tree.iter("input") if element.get("name") == "causes"]
    assert boxes
    assert not any("required" in element.attrib for element in boxes)


@pytest.mark.usefixtures("in_request")
def test_the_summary_links_every_mistake_to_its_field() -> None:
    form = _Sample(MultiDict({"rows-0-value": "x"}))
    form.validate()
    summary = str(get_template_attribute("components/error_summary.html", "error_summary")(form))
    for target in ("title", "causes-0", "state", "rows-0-indicator", "rows-0-value"):
        assert f'href="#{target}"' in summary
    assert "Bitte prüfen Sie 5 Angaben" in summary
    assert (
        str(get_template_attribute("components/error_summary.html", "error_summary")(_Sample(MultiDict(_GOOD)))) == ""
    )
