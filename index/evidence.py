"""Turns a document into postings: words, stems, compound parts and positions with their weights; storing is elsewhere."""

from typing import Any, Final

import numpy as np

from index import schema
from index.analysis import Analyzer, normalise, tokenise
from index.document import Document
from index.weights import FIELDS

# Between two fields, so that no phrase or nearness reaches across.
_FIELD_GAP: Final = 50
_MAX_POSITION: Final = 65_000
_MAX_CHARACTERS: Final = 400_000
_TELLING: Final = 40  # heaviest stems kept with a document, to find others like it
_POSITION: Final = np.dtype("<u2")
_RESTRICTED: Final = {"title": schema.TITLE, "subject": schema.SUBJECT, "site": schema.SITE}


def fields_of(document: Document, analyzer: Analyzer) -> dict[str, Any]:
    """Return the Whoosh fields of `document`. Raises ValueError for unknown field or number names."""
    unknown = [name for name in document.fields if name not in FIELDS]
    unknown += [name for name in document.numbers if name not in schema.NUMBERS]
    if unknown:
        message = f"unknown fields or numbers: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    exact: dict[str, float] = {}
    stems: dict[str, float] = {}
    parts: dict[str, float] = {}
    positions: dict[str, list[int]] = {}
    result: dict[str, Any] = {}
    base = 0
    for name, setting in FIELDS.items():
        text = document.fields.get(name)
        if not text:
            continue
        tokens = tokenise(normalise(text[:_MAX_CHARACTERS]))
        if not tokens:
            continue
        length = tokens[-1].position + 1
        unit = setting.boost / (1.0 - setting.b + setting.b * length / setting.pivot)
        present: set[str] = set()
        for token in tokens:
            word = analyzer.word(token.text)
            if word.stop:
                continue
            exact[word.text] = exact.get(word.text, 0.0) + unit
            stem = word.stem
            stems[stem] = stems.get(stem, 0.0) + unit
            position = base + token.position
            if position < _MAX_POSITION:
                positions.setdefault(stem, []).append(position)
            for part in word.parts:
                parts[part] = parts.get(part, 0.0) + unit
            if name in _RESTRICTED:
                present.add(stem)
                present.update(word.parts)
        if present:
            result[_RESTRICTED[name]] = [(_encode(term), 1, 1.0, b"") for term in sorted(present)]
        base += length + _FIELD_GAP
    # A document holds a stem at most once per position, whatever aliases say.
    if stems:
        result[schema.STEM] = [
            (_encode(stem), 1, weight, _positions(positions.get(stem, ()))) for stem, weight in stems.items()
        ]
    if exact:
        result[schema.EXACT] = [(_encode(term), 1, weight, b"") for term, weight in exact.items()]
    if parts:
        result[schema.PART] = [(_encode(term), 1, weight, b"") for term, weight in parts.items()]
    key = f"{document.id}{schema.SEPARATOR}{document.version}"
    result[schema.KEY] = [(key.encode("utf-8", "surrogatepass"), 1, 1.0, b"")]
    facets = sorted({(name, value) for name, values in document.facets.items() for value in values if value})
    if facets:
        result[schema.FACET] = [
            (f"{name}{schema.SEPARATOR}{value}".encode("utf-8", "surrogatepass"), 1, 1.0, b"") for name, value in facets
        ]
    if document.audience:
        result[schema.AUDIENCE] = [
            (label.encode("utf-8", "surrogatepass"), 1, 1.0, b"") for label in sorted(document.audience)
        ]
    telling = sorted(stems, key=lambda stem: (-stems[stem], stem))
    result[schema.STORED] = (document.suggest, document.language, tuple(telling[:_TELLING]))
    for name, value in document.numbers.items():
        result[schema.number_field(name)] = float(value)
    return result


def _encode(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def _positions(positions: "list[int] | tuple[()]") -> bytes:
    return (
        np.unique(np.array(positions, dtype=_POSITION)).tobytes()
        if len(positions) > 1
        else (positions[0].to_bytes(2, "little") if positions else b"")
    )
