"""Turns a document into postings with weights and positions; storing and searching them belongs elsewhere."""

from typing import Any, Final

import numpy as np

from index import schema
from index.analysis import Analyzer, normalise, tokenise
from index.document import Document
from index.feedback import signature
from index.weights import FIELDS, FieldWeight

# Between two fields, so that no phrase or nearness reaches across.
_FIELD_GAP: Final = 50
_MAX_POSITION: Final = 65_000
_MAX_CHARACTERS: Final = 400_000
_TELLING: Final = 24  # heaviest stems kept with a document, to find others like it
_POSITION: Final = np.dtype("<u2")
_RESTRICTED: Final = {"title": schema.TITLE, "subject": schema.SUBJECT, "site": schema.SITE}


class _Collected:
    """The evidence of one document while its fields are read one after the other."""

    def __init__(self, analyzer: Analyzer) -> None:
        self._analyzer = analyzer
        self._base = 0
        self.exact: dict[str, float] = {}
        self.stems: dict[str, float] = {}
        self.parts: dict[str, float] = {}
        self.positions: dict[str, list[int]] = {}

    def read(self, text: str, setting: FieldWeight) -> set[str]:
        """Add the words of a field; return all its stems and parts."""
        tokens = tokenise(normalise(text[:_MAX_CHARACTERS]))
        present: set[str] = set()
        if not tokens:
            return present
        length = tokens[-1].position + 1
        unit = setting.boost / (1.0 - setting.b + setting.b * length / setting.pivot)
        exact, stems, parts, word_of = self.exact, self.stems, self.parts, self._analyzer.word
        for token in tokens:
            word = word_of(token.text)
            if word.stop:
                continue
            exact[word.text] = exact.get(word.text, 0.0) + unit
            stem = word.stem
            stems[stem] = stems.get(stem, 0.0) + unit
            position = self._base + token.position
            if position < _MAX_POSITION:
                self.positions.setdefault(stem, []).append(position)
            elif stem not in self.positions:
                # Every stem has a place: Whoosh leaves out empty values, and all later ones would belong to others.
                self.positions[stem] = [_MAX_POSITION]
            for part in word.parts:
                parts[part] = parts.get(part, 0.0) + unit
            present.add(stem)
            present.update(word.parts)
        self._base += length + _FIELD_GAP
        return present


def fields_of(document: Document, analyzer: Analyzer) -> dict[str, Any]:
    """Return the Whoosh fields of `document`. Raises ValueError for unknown field or number names."""
    unknown = [name for name in document.fields if name not in FIELDS]
    unknown += [name for name in document.numbers if name not in schema.NUMBERS]
    if unknown:
        message = f"unknown fields or numbers: {', '.join(sorted(unknown))}"
        raise ValueError(message)
    collected = _Collected(analyzer)
    result: dict[str, Any] = {}
    for name, setting in FIELDS.items():
        present = collected.read(document.fields.get(name) or "", setting)
        if present and name in _RESTRICTED:
            result[_RESTRICTED[name]] = [(_encode(term), 1, 1.0, b"") for term in sorted(present)]
    stems = collected.stems
    if stems:
        positions = collected.positions
        result[schema.STEM] = [
            (_encode(stem), 1, weight, _positions(positions[stem])) for stem, weight in stems.items()
        ]
        result[schema.EXACT] = [(_encode(term), 1, weight, b"") for term, weight in collected.exact.items()]
    if collected.parts:
        result[schema.PART] = [(_encode(term), 1, weight, b"") for term, weight in collected.parts.items()]
    result[schema.KEY] = _present([f"{document.id}{schema.SEPARATOR}{document.version}"])
    facets = {
        f"{name}{schema.SEPARATOR}{value}" for name, values in document.facets.items() for value in values if value
    }
    if facets:
        result[schema.FACET] = _present(sorted(facets))
    if document.audience:
        result[schema.AUDIENCE] = _present(sorted(document.audience))
    result[schema.SIGNATURE] = signature(stems)
    telling = sorted(stems, key=lambda stem: (-stems[stem], stem))
    result[schema.STORED] = (document.suggest, document.language, tuple(telling[:_TELLING]))
    for name, value in document.numbers.items():
        result[schema.number_field(name)] = float(value)
    return result


def _present(terms: list[str]) -> list[schema.Posting]:
    return [(_encode(term), 1, 1.0, b"") for term in terms]


def _encode(term: str) -> bytes:
    return term.encode("utf-8", "surrogatepass")


def _positions(positions: list[int]) -> bytes:
    if len(positions) > 1:
        return np.unique(np.array(positions, dtype=_POSITION)).tobytes()
    return positions[0].to_bytes(2, "little")
