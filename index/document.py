"""What goes into the index and what comes out: frozen records; how they are computed belongs elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PART_OF_ASKED: Final = "asked part"
"""Kind of a mark on one part of a compound that was asked for as a whole; shown only beside the other parts."""


@dataclass(frozen=True, slots=True)
class Document:
    """One thing that can be found. Knows nothing of what it is in the application."""

    id: str
    """Unique key, as text."""
    fields: Mapping[str, str] = field(default_factory=dict)
    """Text by field name; the names are `index.schema.FIELDS`, others are refused."""
    facets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Facet name → values; any names. A value of a tree is given together with all its ancestors."""
    numbers: Mapping[str, float] = field(default_factory=dict)
    """Numbers to sort by, to limit by and for priors; the names are `index.schema.NUMBERS`."""
    audience: frozenset[str] = frozenset()
    """Labels; a query sees the document when it holds one of them."""
    language: str = "de"
    suggest: str = ""
    """What suggestions offer, normally the title."""
    version: str = ""
    """Any fingerprint of the content; `SearchIndex.versions()` gives it back, so that stale documents can be found."""


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody asks, and what they may see."""

    text: str = ""
    audiences: frozenset[str] = frozenset()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """OR inside a facet, AND across; a name that no document has matches none."""
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    """Number name → (from, to), both included; a document without the number is outside."""
    facets: tuple[str, ...] = ()
    """Facets to count; each ignores its own filter."""
    sort: str = "relevance"
    """"relevance", or a number name, with a leading minus for descending; ties by relevance, then id."""
    offset: int = 0
    limit: int = 20
    numbers: tuple[str, ...] = ()
    """Numbers whose smallest and largest value among the hits is wanted (`Results.ranges`)."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a document was found: `word` as asked, `found` as it stands in the index, and how the two belong together.

    `kind`: "form" (the same word), "compound" (a compound, its parts found), "part" (inside a compound), "synonym",
    "related", "typo", "similar", "prefix", "phrase", "place" (what a name in the query stands for), "near" (near that).
    """

    word: str
    found: str
    kind: str


@dataclass(frozen=True, slots=True)
class Hit:
    """One document found."""

    id: str
    score: float
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """A term searched for in place of (or beside) the one asked for."""

    word: str
    term: str
    relation: str


@dataclass(frozen=True, slots=True)
class Mark:
    """What a stem found in a text means for the query: the word asked for and the kind of match."""

    word: str
    kind: str
    strength: float


@dataclass(frozen=True, slots=True, eq=False)
class Understood:
    """How a query was read; also what highlights and snippets are made from."""

    words: tuple[str, ...] = ()
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    restrictions: tuple[tuple[str, str], ...] = ()
    """Field or facet restrictions typed in the query: ("titel", "wasser"), ("jahr", "2021..2024")."""
    dropped: tuple[str, ...] = ()
    """Filler words that were left out."""
    expansions: tuple[Expansion, ...] = ()
    corrections: tuple[tuple[str, str], ...] = ()
    """Words that occur nowhere, and the word searched for instead."""
    stems: Mapping[str, Mark] = field(default_factory=dict, repr=False)
    """Stem → what it means; whole words and parts of compounds are marked by it."""
    prefixes: tuple[tuple[str, Mark], ...] = field(default=(), repr=False)
    sequences: tuple[tuple[tuple[str, ...], Mark], ...] = field(default=(), repr=False)
    compounds: Mapping[str, Mark] = field(default_factory=dict, repr=False)
    """Stems of parts that count only beside the other parts of the same asked compound."""
    suggested: tuple[tuple[str, str, str], ...] = ()
    """Filters that names in the query suggest, as (facet, value, words): ("place", "01003000", "lübeck")."""
    plan: dict[str, object] = field(default_factory=dict, repr=False)
    """What the highlighter derived from the above: filled when it first works."""


@dataclass(frozen=True, slots=True)
class Results:
    """The answer to a query."""

    total: int
    hits: tuple[Hit, ...]
    facets: dict[str, dict[str, int]]
    understood: Understood
    ranges: dict[str, tuple[float, float]] = field(default_factory=dict)
    corrected: str | None = None
    """The query with words that occur nowhere replaced by the nearest that do."""
    correction_applied: bool = False
    """Whether the hits are those of `corrected` (no document matches what was typed)."""
    relaxed: bool = False
    """Whether no document matches all words, so that those matching some are shown."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something to offer while typing: kind "entry" (with its id) or "term", or a facet name (text = value)."""

    kind: str
    text: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `why` says what a marked one was asked as, where that is not the same word."""

    text: str
    marked: bool = False
    why: Reason | None = None


@dataclass(frozen=True, slots=True)
class Snippet:
    """The best passage of a document: the field it comes from and its pieces in order."""

    field: str
    parts: tuple[Piece, ...]
    starts_inside: bool = False
    ends_inside: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """What an operator wants to know about the index."""

    exists: bool
    schema_version: int | None = None
    analysis_version: str | None = None
    documents: int = 0
    generation: int = 0
    segments: int = 0
    needs_rebuild: bool = True
    reason: str = "missing"
    size: int = 0
