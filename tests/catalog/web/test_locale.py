"""Numbers, days and amounts read as people of the page's language write them; English is British."""

from datetime import UTC, date, datetime

import pytest
from flask import Flask

from catalog.web import locale


@pytest.mark.parametrize(
    ("language", "short", "long", "clock"),
    [
        ("de", "07.03.2026", "7. März 2026", "07.03.2026, 14:03 Uhr"),
        ("en", "7 Mar 2026", "7 March 2026", "7 Mar 2026, 14:03"),
    ],
)
def test_days_and_moments(app: Flask, language: str, short: str, long: str, clock: str) -> None:
    with app.test_request_context(f"/?lang={language}"):
        assert locale.day(date(2026, 3, 7)) == short
        assert locale.day(date(2026, 3, 7), "long") == long
        assert locale.moment(datetime(2026, 3, 7, 13, 3, tzinfo=UTC)) == clock
        assert locale.partial_day("2021-05") == ("Mai 2021" if language == "de" else "May 2021")
        assert locale.partial_day("2021") == "2021"


@pytest.mark.parametrize(
    ("language", "amount", "cents", "number"),
    [("de", "1.234.567\xa0€", "66,60\xa0€", "1.234,5"), ("en", "€1,234,567", "€66.60", "1,234.5")],
)
def test_amounts_and_numbers(app: Flask, language: str, amount: str, cents: str, number: str) -> None:
    with app.test_request_context(f"/?lang={language}"):
        assert locale.euro(1_234_567) == amount
        assert locale.euro(66.6) == cents
        assert locale.number(1_234.5) == number
        assert locale.euro(None) == locale.number(None) == locale.day(None) == ""
