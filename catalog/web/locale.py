"""Which language a page is in, and how numbers, dates and terms read in it; German first."""

from datetime import date, datetime
from enum import StrEnum

from babel import dates, numbers
from flask import Flask, request
from flask_babel import Babel, get_locale, gettext

from catalog.domain.text import Message
from catalog.domain.vocabulary import LABELS
from catalog.domain.workflow import STATUS_LABELS, Status
from catalog.paths import TRANSLATIONS

LANGUAGES = ("de", "en")
COOKIE = "sprache"
_ZONE = dates.get_timezone("Europe/Berlin")
_WITH_MONTH, _WITH_DAY = 7, 10


def init_app(app: Flask) -> None:
    """Choose the language of each requestive templates the formatting functions."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(TRANSLATIONS)
    app.config["BABEL_DEFAULT_LOCALE"] = "de"
    app.config["BABEL_DEFAULT_TIMEZONE"] = "Europe/Berlin"
    Babel(app, locale_selector=choose)  # type: ignore[no-untyped-call]  # the package carries no types
    set_language_cookie(app)
    app.jinja_env.filters.update(
        term=term, say=say, datum=day, zeitpunkt=moment, zeitraum=partial_day, zahl=number, euro=euro
    )


def choose() -> str:
    """The language asked for in the address, else the one remembered in a cookie, else German.

    The browser's own preference is not asked: the catalog speaks German until a reader switches.
    """
    wanted = request.args.get("lang") or request.cookies.get(COOKIE) or "de"
    return wanted if wanted in LANGUAGES else "de"


def remember() -> str | None:
    """The language to keep in a cookie because the reader has just switched, None when there was no switch."""
    wanted = request.args.get("lang")
    return wanted if wanted in LANGUAGES and wanted != request.cookies.get(COOKIE) else None


def page_language() -> str:
    """The language of the page, German where there is no request."""
    return str(get_locale() or "de")


def _tag() -> str:
    """Whose way of writing dates and numbers: English is British, as the texts are."""
    return "en_GB" if page_language() == "en" else page_language()


def term(value: StrEnum | str | None) -> str:
    """The label of a controlled term in the page's language; nothing for no term."""
    if value is None or value == "":
        return ""
    if isinstance(value, Status):
        return gettext(STATUS_LABELS[value])
    return gettext(LABELS[value]) if isinstance(value, StrEnum) else str(value)


def say(message: Message | str) -> str:
    """A message in the page's language, its values put in after translation."""
    if isinstance(message, Message):
        return gettext(message.text, **message.params) if message.params else gettext(message.text)
    return gettext(message) if message else ""


def day(value: date | datetime | None, style: str = "short") -> str:
    """A day: 23.11.2026 in tables ("short"), 23. November 2026 in text ("long")."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = value.astimezone(_ZONE).date()
    pattern = "dd.MM.yyyy" if style == "short" and _tag() == "de" else ("d MMM yyyy" if style == "short" else "long")
    return dates.format_date(value, pattern, locale=_tag())


def moment(value: datetime | None) -> str:
    """A moment in Berlin time: 23.11.2026, 14:03 Uhr."""
    if value is None:
        return ""
    local = value.astimezone(_ZONE)
    clock = dates.format_time(local, "HH:mm", locale=_tag())
    return f"{day(local)}, {clock} Uhr" if _tag() == "de" else f"{day(local)}, {clock}"


def partial_day(value: str) -> str:
    """A date of any precision: "2021" stays, "2021-05" becomes Mai 2021, "2021-05-17" becomes 17.05.2021."""
    if len(value) == _WITH_DAY:
        return day(date.fromisoformat(value))
    if len(value) == _WITH_MONTH:
        return dates.format_date(date.fromisoformat(f"{value}-01"), "MMMM yyyy", locale=_tag())
    return value


def number(value: float | None, digits: int | None = None) -> str:
    """A number as people write it: 1.234,5; with as many decimals as it has, or exactly `digits`."""
    if value is None:
        return ""
    if digits is None:
        return numbers.format_decimal(value, locale=_tag())
    return numbers.format_decimal(value, format="#,##0." + "0" * digits if digits else "#,##0", locale=_tag())


def euro(value: float | None) -> str:
    """An amount in euro: 1.234 €, with cents only where there are any."""
    if value is None:
        return ""
    cents = value != round(value)
    amount = "#,##0.00" if cents else "#,##0"
    pattern = f"¤{amount}" if page_language() == "en" else f"{amount}\xa0¤"
    return numbers.format_currency(value, "EUR", pattern, locale=_tag(), currency_digits=False)


def set_language_cookie(app: Flask) -> None:
    """Have a language switch remembered for a year."""

    @app.after_request
    def _keep(response):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - Flask's own hook signature
        wanted = remember()
        if wanted:
            response.set_cookie(
                COOKIE, wanted, max_age=31_536_000, samesite="Lax", httponly=True, secure=request.is_secure
            )
        return response
