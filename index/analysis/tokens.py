"""Cuts text into words with offsets and positions; what a word means or how it is reduced belongs elsewhere.

Offsets count in the NFC form of the text: `normalise` first where they matter.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

# A unit after a number makes a second, joined term ("450 MHz" -> "450mhz"), so that the pair is found as one thing.
UNITS: Final = frozenset(
    re.findall(
        r"\S+",
        "mm cm dm m km mm² m² km² ha mm³ cm³ m³ l ml hl kg g mg t h min s ms µs d w kw mw gw tw wh kwh mwh gwh twh "
        "kwp mwp gwp v kv mv kva mva var kvar hz khz mhz ghz bar mbar kbit mbit gbit kb mb gb tb j kj mj gj pa kpa "
        "mpa hpa k ppm ew va nm lux lm db dbm euro eur cent ct prozent grad liter meter kilometer",
    ),
)

_NUMBER = r"\d+(?:[.,]\d+)*"
# One run: letters and digits, held together by the marks that join words in German.
_RUN = re.compile(
    r"§{1,2}[ \u00a0]?\d+(?:[ \u00a0]?[a-zA-Z])?\b"
    rf"|{_NUMBER}[^\W\d_]{{1,4}}[²³]?(?![^\W_])(?![-\u2010-\u2013/&][^\W_])"
    rf"|{_NUMBER}(?![^\W_])"
    r"|[^\W_]+(?:[-\u2010\u2011\u2013/.'’*:&_+][^\W_]+)*",
)
_SPLIT = re.compile(r"[^\W_]+")
_NUMBER_UNIT = re.compile(r"(\d+(?:[.,]\d+)?)([^\W\d_]{1,4}[²³]?)\Z")
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?\Z")
_ONLY_NUMBER = re.compile(rf"{_NUMBER}\Z")
# Marks of gender-fair spelling: what follows them is an ending, not a word ("Bürger*innen").
_GENDERED = re.compile(r"([^\W\d_]{3,})[*:_/](?:-?)(innen|in)\Z", re.IGNORECASE)

_MAX_WORD = 80
_MAX_JOINED_PARTS = 6
_SHORT_PART = 3
_ABBREVIATION_PART = 2


class Token(NamedTuple):
    """A lower-case word, its offsets in the NFC text, its position, and whether it is a second reading."""

    text: str
    start: int
    end: int
    position: int
    alias: bool = False


def normalise(text: str) -> str:
    """Return `text` in NFC, with soft hyphens and zero-width marks replaced so that no word is torn apart.

    Only changes text that needs it, so that offsets stay right for all ordinary text.
    """
    if not text.isascii():
        if "\u00ad" in text or "\u200b" in text or "\ufeff" in text:
            text = text.replace("\u00ad", "").replace("\u200b", "").replace("\ufeff", "")
        text = unicodedata.normalize("NFC", text)
    return text


def number(text: str) -> str:
    """Return the canonical form of a number as written in German: "1.234,5" -> "1234.5", "3,5" -> "3.5"."""
    if _GROUPED.match(text):
        text = text.replace(".", "")
    return text.replace(",", ".")


def tokenise(text: str) -> list[Token]:
    """Return the words of `text` in order; aliases (joined hyphen forms, "450mhz") share their first word's position.

    Any text is accepted; the time is linear in its length.
    """
    tokens: list[Token] = []
    position = 0
    previous_number: Token | None = None
    for match in _RUN.finditer(text):
        run = match.group()
        start, end = match.span()
        if run.isalpha():
            token = Token(run.lower()[:_MAX_WORD], start, end, position)
            tokens.append(token)
            if previous_number is not None and token.text in UNITS and start - previous_number.end <= 1:
                joined = previous_number.text + token.text
                tokens.append(Token(joined, previous_number.start, end, previous_number.position, alias=True))
            previous_number = None
            position += 1
            continue
        before = len(tokens)
        position = _cut(run, start, position, tokens)
        last = tokens[-1] if len(tokens) > before else None
        previous_number = last if last is not None and last.text[0].isdigit() and last.end == end else None
    return tokens


def _cut(run: str, start: int, position: int, tokens: list[Token]) -> int:
    """Append the tokens of a run that is more than letters; return the next free position."""
    end = start + len(run)
    if run[0] == "§":
        digits = run.lstrip("§ \u00a0").lower().replace(" ", "").replace("\u00a0", "")
        tokens.append(Token("§" + digits, start, end, position))
        tokens.append(Token(digits, start, end, position, alias=True))
        return position + 1
    if _ONLY_NUMBER.match(run):
        if run.count(".") == 2 and not _GROUPED.match(run):  # noqa: PLR2004 - a date has two dots
            return _parts(run, start, position, tokens)
        tokens.append(Token(number(run)[:_MAX_WORD], start, end, position))
        return position + 1
    with_unit = _NUMBER_UNIT.match(run)
    if with_unit is not None and with_unit.group(2).lower() in UNITS:
        value, unit = number(with_unit.group(1)), with_unit.group(2).lower()
        middle = start + with_unit.end(1)
        tokens.append(Token(value, start, middle, position))
        tokens.append(Token(value + unit, start, end, position, alias=True))
        tokens.append(Token(unit, middle, end, position + 1))
        return position + 2
    gendered = _GENDERED.match(run)
    if gendered is not None:
        tokens.append(Token(gendered.group(1).lower()[:_MAX_WORD], start, start + gendered.end(1), position))
        return position + 1
    return _parts(run, start, position, tokens)


def _parts(run: str, start: int, position: int, tokens: list[Token]) -> int:
    """Append the parts of a joined run and, where people may write it as one word, the joined form."""
    parts = list(_SPLIT.finditer(run))
    if len(parts) == 1:
        part = parts[0]
        tokens.append(
            Token(part.group().lower()[:_MAX_WORD], start + part.start(), start + part.end(), position),
        )
        return position + 1
    joined = "".join(part.group() for part in parts).lower()
    if "." in run and all(len(part.group()) <= _ABBREVIATION_PART for part in parts) and joined.isalpha():
        # "z.B.", "e.V.", "u.a.": one word in the reader's mind
        tokens.append(Token(joined, start, start + len(run), position))
        return position + 1
    if ("'" in run or "’" in run) and len(parts) == 2:  # noqa: PLR2004 - "Müller's"
        tokens.append(Token(joined[:_MAX_WORD], start, start + len(run), position))
        return position + 1
    first = position
    for part in parts:
        tokens.append(
            Token(part.group().lower()[:_MAX_WORD], start + part.start(), start + part.end(), position),
        )
        position += 1
    hyphened = not any(mark in run for mark in "/.*:&_+")
    short = all(len(part.group()) <= _SHORT_PART for part in parts)
    if len(parts) <= _MAX_JOINED_PARTS and len(joined) <= _MAX_WORD and (hyphened or short):
        tokens.append(Token(joined, start, start + len(run), first, alias=True))
    return position


def words(text: str) -> Iterator[str]:
    """Yield only the words, aliases left out: for callers that need no offsets."""
    return (token.text for token in tokenise(normalise(text)) if not token.alias)
