"""What is stored for a document, as Whoosh fields; how text becomes terms belongs to the analysis."""

import warnings
from collections.abc import Iterator
from typing import Any, Final

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # see index.analysis.forms
    from whoosh import columns, fields, formats

from index import weights

# Raise with every change of the fields below or of what is written into them: older indexes then need a rebuild.
SCHEMA_VERSION: Final = 3

FIELDS: Final = tuple(weights.FIELDS)
# year_from/year_to: the period; cost in euro; evidence 0–1; updated in epoch seconds; latitude/longitude in degrees.
NUMBERS: Final = (
    "year_from",
    "year_to",
    "population",
    "cost",
    "person_days",
    "reuses",
    "evidence",
    "updated",
    "latitude",
    "longitude",
)
SEPARATOR: Final = "\x1f"

# Evidence for ranking, one Whoosh field each; the weight of a posting is the BM25F pseudo-frequency.
EXACT, STEM, PART = "exact", "stem", "part"
# Presence only, for restrictions such as titel:
TITLE, SUBJECT, SITE = "title", "subject", "site"
# id and version of a document in one term; facet name and value; audience label
KEY, FACET, AUDIENCE = "key", "facet", "audience"
STORED = "stored"
# the heaviest stems of a document as a column: so many slots of so many bytes, see `index.feedback`
SIGNATURE = "signature"
SIGNATURE_STEMS: Final = 24
SIGNATURE_SLOT: Final = 8

Posting = tuple[bytes, int, float, bytes]


class Terms(fields.FieldType):
    """A field whose value is the list of its postings, ready made: (term, frequency, weight, value)."""

    def __init__(self, *, values: bool = False) -> None:
        """`values` says that postings carry a value (positions)."""
        self.format = formats.Positions() if values else formats.Existence()
        self.analyzer = None
        self.scorable = False
        self.stored = False
        self.unique = False
        self.vector = None
        self.set_sortable(False)  # type: ignore[no-untyped-call]

    def index(self, value: list[Posting], **_kwargs: Any) -> Iterator[Posting]:
        """Yield the postings as given."""
        return iter(value)


class Number(fields.FieldType):
    """A column of floats, NaN where a document has none; not searchable by term."""

    def __init__(self) -> None:
        """Make an unindexed field that only has a column."""
        self.format = None
        self.analyzer = None
        self.indexed = False
        self.scorable = False
        self.stored = False
        self.unique = False
        self.vector = None
        self.set_sortable(columns.NumericColumn("d", default=float("nan")))  # type: ignore[no-untyped-call]

    def to_column_value(self, value: float) -> float:
        """Return the number itself."""
        return float(value)


class Column(fields.FieldType):
    """A column of byte strings of one length, zeros where a document has none; not searchable by term."""

    def __init__(self, width: int) -> None:
        """Make an unindexed field that only has a column of `width` bytes."""
        self.format = None
        self.analyzer = None
        self.indexed = False
        self.scorable = False
        self.stored = False
        self.unique = False
        self.vector = None
        self.set_sortable(columns.FixedBytesColumn(width, default=b"\0" * width))  # type: ignore[no-untyped-call]

    def to_column_value(self, value: bytes) -> bytes:
        """Return the bytes themselves."""
        return value


def number_field(name: str) -> str:
    """Return the Whoosh field name of a number."""
    return f"n_{name}"


def make_schema() -> Any:  # noqa: ANN401 - Whoosh has no types
    """Return the Whoosh schema."""
    schema = fields.Schema()
    for name in (EXACT, PART, TITLE, SUBJECT, SITE, KEY, FACET, AUDIENCE):
        schema.add(name, Terms())
    schema.add(STEM, Terms(values=True))
    schema.add(STORED, fields.STORED())
    schema.add(SIGNATURE, Column(SIGNATURE_STEMS * SIGNATURE_SLOT))
    for number in NUMBERS:
        schema.add(number_field(number), Number())
    return schema
