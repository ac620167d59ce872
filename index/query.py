"""Reads what somebody typed into clauses; never raises, whatever it is. What matches a clause is decided elsewhere."""

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from index import schema, weights
from index.analysis import Token, normalise, tokenise

Kind = Literal["word", "phrase", "prefix"]

# What may stand before a colon. Anything else before a colon is a plain word.
_FIELDS: Final = {
    "titel": schema.TITLE,
    "title": schema.TITLE,
    "organisation": schema.SITE,
    "ort": schema.SITE,
    "place": schema.SITE,
    "thema": schema.SUBJECT,
    "topic": schema.SUBJECT,
}
_YEAR_WORDS: Final = frozenset(("jahr", "year"))
_YEARS: Final = re.compile(r"(\d{4})?(?:(\.{2,3}|-|–)(\d{4})?)?\Z")
_AND: Final = frozenset(("AND", "UND", "&&"))
_OR: Final = frozenset(("OR", "ODER", "||"))
_NOT: Final = frozenset(("NOT", "NICHT"))
_CHUNK: Final = re.compile(r'([-+!]?)(?:([^\W\d_]{2,20}):)?(?:"([^"]*)"?|([^\s"]+))')
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")
_QUOTES: Final = str.maketrans({"„": '"', "“": '"', "”": '"', "«": '"', "»": '"'})


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing asked for: a word, a phrase in quotes, or the beginning of a word."""

    kind: Kind
    text: str
    tokens: tuple[Token, ...]
    field: str | None = None
    label: str = ""
    """The prefix as typed ("titel"), for showing what was understood."""
    group: int = -1
    """Clauses joined by OR share a number; -1 stands alone."""


@dataclass(slots=True)
class Parsed:
    """A query in parts."""

    clauses: list[Clause] = field(default_factory=list)
    excluded: list[Clause] = field(default_factory=list)
    years: tuple[int | None, int | None] | None = None
    named: list[tuple[str, str]] = field(default_factory=list)
    """(prefix, value) with a prefix that is none of ours: a facet, if there is one of that name."""
    restrictions: list[tuple[str, str]] = field(default_factory=list)


def parse(text: str, facets: frozenset[str] = frozenset()) -> Parsed:
    """Return the clauses of `text`; `facets` are names that may stand before a colon."""
    text = _CONTROL.sub(" ", normalise(text[: weights.MAX_QUERY_CHARACTERS]).translate(_QUOTES))
    reader = _Reader(facets)
    for match in _CHUNK.finditer(text):
        reader.read(match, at_start=match.start() == 0 or text[match.start() - 1].isspace())
    return reader.parsed


class _Reader:
    """Takes a query chunk by chunk and remembers what the next one stands under (OR, NOT)."""

    def __init__(self, facets: frozenset[str]) -> None:
        self.parsed = Parsed()
        self._facets = facets
        self._wildcards = self._terms = self._group = 0
        self._joining = self._negative = False

    def read(self, match: re.Match[str], *, at_start: bool) -> None:
        """Take one chunk: an operator, a restriction, a phrase or words."""
        sign, prefix, phrase, plain = match.groups()
        if plain is not None and not sign and prefix is None and self._operator(plain):
            return
        exclude = self._negative or (sign in ("-", "!") and at_start)
        self._negative = False
        body = phrase if phrase is not None else plain or ""
        label = (prefix or "").lower()
        if label and not exclude and self._limits(label, body):
            return
        restricted = _FIELDS.get(label)
        if label and restricted is None:
            if phrase is None:
                body = f"{prefix}:{body}"
            label = ""
        clauses, self._wildcards = _clauses(body, phrase is not None, restricted, label, self._wildcards)
        clauses = clauses[: max(0, weights.MAX_TERMS - self._terms)]
        self._terms += len(clauses)
        if not clauses:
            return
        if exclude:
            self.parsed.excluded.extend(clauses)
            self._joining = False
            return
        self._add(clauses)
        if restricted is not None:
            self.parsed.restrictions.append((label, body.strip()))

    def _operator(self, word: str) -> bool:
        if word in _OR:
            self._joining = bool(self.parsed.clauses)
        elif word in _NOT:
            self._negative = True
        else:
            return word in _AND
        return True

    def _limits(self, label: str, body: str) -> bool:
        """Take `jahr:…` and facets; False when it is neither."""
        if label in _YEAR_WORDS and (years := _years(body)) is not None:
            self.parsed.years = years
            self.parsed.restrictions.append((label, body))
            return True
        if label not in _FIELDS and label in self._facets and body:
            self.parsed.named.append((label, body))
            return True
        return False

    def _add(self, clauses: list[Clause]) -> None:
        if self._joining:
            last = self.parsed.clauses[-1]
            if last.group < 0:
                self._group += 1
                self.parsed.clauses[-1] = _with_group(last, self._group)
            number = self.parsed.clauses[-1].group
            clauses = [_with_group(clause, number) for clause in clauses]
            self._joining = False
        self.parsed.clauses.extend(clauses)


def _with_group(clause: Clause, group: int) -> Clause:
    return Clause(clause.kind, clause.text, clause.tokens, clause.field, clause.label, group)


def _clauses(body: str, quoted: bool, restricted: str | None, label: str, wildcards: int) -> tuple[list[Clause], int]:  # noqa: FBT001
    tokens = tokenise(body)
    if not tokens:
        return [], wildcards
    plain = [token for token in tokens if not token.alias]
    if quoted and len(plain) > 1:
        return [Clause("phrase", body.strip(), tuple(tokens), restricted, label)], wildcards
    if body.endswith("*") and not quoted and wildcards < weights.MAX_WILDCARDS:
        stem = body.rstrip("*").strip("\"'()[]{}.,;:!?")
        if len(stem) >= weights.MIN_PREFIX and len(plain) == 1 and plain[0].text == stem.lower():
            return [Clause("prefix", stem, (plain[0],), restricted, label)], wildcards + 1
    # A hyphenated word is asked for as its parts; the joined form comes along as an alias of the first.
    found: list[Clause] = []
    for token in plain:
        same_place = tuple(other for other in tokens if other.alias and other.position == token.position)
        found.append(Clause("word", token.text, (token, *same_place), restricted, label))
    return found, wildcards


def _years(body: str) -> tuple[int | None, int | None] | None:
    match = _YEARS.match(body.strip())
    if match is None or not body.strip():
        return None
    first, dots, last = match.groups()
    if first is None and last is None:
        return None
    if dots is None:
        return int(first), int(first)
    return (int(first) if first else None), (int(last) if last else None)
