"""One committed state of the index, immutable and shared by threads; ranking belongs to the evaluator."""

import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from index import schema
from index.postings import NO_POSTINGS, Cache, Doubles, Ids, Ints, Postings, Segment, TermTable, read_toc

Mask = npt.NDArray[np.bool_]

_AUDIENCES_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Facet:
    """All pairs of document and value of a facet: one entry per pair, documents ascending within a segment."""

    values: tuple[str, ...]
    numbers: Mapping[str, int]
    documents: Ints
    entries: Ints

    def count(self, mask: Mask) -> dict[str, int]:
        """Return how many documents of `mask` have each value, values with none left out."""
        counts = np.bincount(self.entries[mask[self.documents]], minlength=len(self.values))
        return {self.values[number]: int(counts[number]) for number in np.flatnonzero(counts).tolist()}

    def having(self, wanted: Iterable[str], size: int) -> Mask:
        """Return the documents with at least one of the wanted values."""
        chosen = np.zeros(len(self.values), dtype=np.bool_)
        for value in wanted:
            number = self.numbers.get(value)
            if number is not None:
                chosen[number] = True
        mask = np.zeros(size, dtype=np.bool_)
        if chosen.any():
            mask[self.documents[chosen[self.entries]]] = True
        return mask


class OpenSegment:
    """A segment with what is read of it once: keys, facets, audiences, numbers; handed on between generations."""

    def __init__(self, segment: Segment) -> None:
        """Read keys, facets and audiences; numbers and vocabularies follow when first asked for."""
        self.segment = segment
        self.size = segment.size
        table = segment.table(schema.KEY)
        self.ids: list[str] = [""] * self.size
        self.versions: list[str] = [""] * self.size
        for term, first in zip(table.terms, table.first.tolist(), strict=True):
            key, _, version = term.decode("utf-8", "surrogatepass").partition(schema.SEPARATOR)
            self.ids[first] = key
            self.versions[first] = version
        # of an id that came twice within one rebuild, the later is the live one
        self.by_id = {key: number for number, key in enumerate(self.ids)}
        self.facets: dict[str, tuple[list[str], list[Ids]]] = {}
        for term in segment.table(schema.FACET).terms:
            name, _, value = term.decode("utf-8", "surrogatepass").partition(schema.SEPARATOR)
            values, documents = self.facets.setdefault(name, ([], []))
            values.append(value)
            documents.append(segment.postings(schema.FACET, term).ids)
        self.audiences: dict[str, Ids] = {
            term.decode("utf-8", "surrogatepass"): segment.postings(schema.AUDIENCE, term).ids
            for term in segment.table(schema.AUDIENCE).terms
        }
        self._numbers: dict[str, Doubles] = {}
        self._words: TermTable | None = None
        self.stored: dict[int, tuple[str, str, tuple[str, ...]]] = {}
        # room for what other modules derive from this segment (letter groups), by name
        self.derived: dict[object, object] = {}

    def words(self) -> TermTable:
        """Return all exact word forms of the segment, in byte order."""
        if self._words is None:
            self._words = self.segment.table(schema.EXACT)
        return self._words

    def numbers(self, name: str) -> Doubles:
        """Return a number column."""
        held = self._numbers.get(name)
        if held is None:
            held = self._numbers[name] = self.segment.numbers(schema.number_field(name))
        return held


class Generation:
    """One committed state. Safe to share between threads: what is computed later is only ever replaced by an equal."""

    def __init__(self, folder: Path, number: int, cache: Cache, previous: "Generation | None" = None) -> None:
        """Open generation `number` in `folder`; segments it shares with `previous` are not read again.

        Raises FileNotFoundError when a commit took the files away meanwhile, else anything in `READ_ERRORS`.
        """
        self.folder = folder
        self.number = number
        whoosh_schema, segments = read_toc(folder, number)
        known = {s.segment.id: s for s in previous.segments} if previous is not None else {}
        self.segments: list[OpenSegment] = []
        self.offsets: list[int] = []
        deleted: list[int] = []
        base = 0
        for info in segments:
            opened = known.get(str(info.segment_id()))
            if opened is None:
                opened = OpenSegment(Segment(folder, whoosh_schema, info, cache))
            self.segments.append(opened)
            self.offsets.append(base)
            deleted.extend(base + number for number in info.deleted_docs())
            base += opened.size
        self.size = base
        self.live: Mask = np.ones(base, dtype=np.bool_)
        if deleted:
            self.live[deleted] = False
        self.documents = base - len(deleted)
        self._bounds = np.array([*self.offsets, base], dtype=np.int64)
        self._facets: dict[str, Facet] = {}
        self._numbers: dict[str, Doubles] = {}
        self._visible: dict[frozenset[str], Mask] = {}
        self._ranks: Ints | None = None
        self._lock = threading.Lock()
        self.facet_names = frozenset(name for s in self.segments for name in s.facets)
        # room for what other modules derive from this generation (vocabularies), by name
        self.derived: dict[object, object] = {}

    # --- documents -------------------------------------------------------------------------------------------------

    def id(self, document: int) -> str:
        """Return the id of a document."""
        number, local = self._place(document)
        return self.segments[number].ids[local]

    def stored(self, document: int) -> tuple[str, str, tuple[str, ...]]:
        """Return (suggestion text, language, heaviest stems) of a document."""
        number, local = self._place(document)
        segment = self.segments[number]
        held = segment.stored.get(local)
        if held is None:
            held = segment.stored[local] = segment.segment.stored(local)
        return held

    def _place(self, document: int) -> tuple[int, int]:
        number = int(np.searchsorted(self._bounds, document, side="right")) - 1
        return number, document - self.offsets[number]

    def versions(self) -> dict[str, str]:
        """Return id → version of every live document."""
        result: dict[str, str] = {}
        for offset, segment in zip(self.offsets, self.segments, strict=True):
            live = self.live[offset : offset + segment.size]
            for number in np.flatnonzero(live).tolist():
                result[segment.ids[number]] = segment.versions[number]
        return result

    def numbers_of(self, ids: Iterable[str]) -> list[int]:
        """Return the document numbers of live documents with the given ids."""
        found: list[int] = []
        for key in ids:
            for offset, segment in zip(self.offsets, self.segments, strict=True):
                number = segment.by_id.get(key)
                if number is not None and self.live[offset + number]:
                    found.append(offset + number)
        return found

    def ranks(self) -> Ints:
        """Return the place of each document in the order of ids: the last resort of every sorting."""
        ranks = self._ranks
        if ranks is None:
            ids = [key for segment in self.segments for key in segment.ids]
            ranks = np.empty(self.size, dtype=np.int64)
            ranks[sorted(range(self.size), key=ids.__getitem__)] = np.arange(self.size)
            self._ranks = ranks
        return ranks

    # --- what may be seen ------------------------------------------------------------------------------------------

    def visible(self, audiences: frozenset[str]) -> Mask:
        """Return the live documents that share a label with `audiences`."""
        held = self._visible.get(audiences)
        if held is None:
            held = np.zeros(self.size, dtype=np.bool_)
            for offset, segment in zip(self.offsets, self.segments, strict=True):
                for label in audiences:
                    documents = segment.audiences.get(label)
                    if documents is not None:
                        held[documents + offset] = True
            held &= self.live
            held.setflags(write=False)
            with self._lock:
                if len(self._visible) >= _AUDIENCES_KEPT:
                    self._visible.clear()
                self._visible[audiences] = held
        return held

    # --- terms -----------------------------------------------------------------------------------------------------

    def postings(self, field: str, term: str) -> Postings:
        """Return the postings of a term over all segments; deleted documents are still among them."""
        encoded = term.encode("utf-8", "surrogatepass")
        found: list[tuple[int, Postings]] = []
        for offset, segment in zip(self.offsets, self.segments, strict=True):
            postings = segment.segment.postings(field, encoded)
            if len(postings.ids):
                found.append((offset, postings))
        if not found:
            return NO_POSTINGS
        if len(found) == 1 and found[0][0] == 0:
            return found[0][1]
        ids = np.concatenate([p.ids + np.uint32(offset) for offset, p in found])
        weights_ = np.concatenate([p.weights for _, p in found])
        starts = positions = None
        with_positions = [(p.starts, p.positions) for _, p in found]
        if all(s is not None for s, _ in with_positions):
            pieces: list[Ints] = [np.zeros(1, dtype=np.int64)]
            total = 0
            for held, flat in with_positions:
                if held is not None and flat is not None:
                    pieces.append(held[1:] + total)
                    total += len(flat)
            starts = np.concatenate(pieces)
            positions = np.concatenate([flat for _, flat in with_positions if flat is not None])
        return Postings(ids, weights_, starts, positions)

    def expand(self, prefix: str, limit: int) -> list[str]:
        """Return the commonest words (exact forms) that start with `prefix`, hidden documents counted too."""
        encoded = prefix.encode("utf-8", "surrogatepass")
        totals: dict[bytes, int] = {}
        for segment in self.segments:
            table = segment.words()
            first = bisect_left(table.terms, encoded)
            last = bisect_left(table.terms, encoded + b"\xff", lo=first)
            frequency = table.frequency[first:last]
            chosen = np.argsort(-frequency, kind="stable")[: limit * 2]
            for number in chosen.tolist():
                term = table.terms[first + number]
                totals[term] = totals.get(term, 0) + int(frequency[number])
        best = sorted(totals.items(), key=lambda item: (-item[1], item[0]))[:limit]
        return [term.decode("utf-8", "surrogatepass") for term, _ in best]

    # --- facets and numbers ----------------------------------------------------------------------------------------

    def facet(self, name: str) -> Facet:
        """Return a facet over all segments."""
        held = self._facets.get(name)
        if held is None:
            numbers: dict[str, int] = {}
            documents: list[Ints] = []
            entries: list[Ints] = []
            for offset, segment in zip(self.offsets, self.segments, strict=True):
                values, lists = segment.facets.get(name, ((), ()))
                for value, ids in zip(values, lists, strict=True):
                    number = numbers.setdefault(value, len(numbers))
                    documents.append(ids.astype(np.int64) + offset)
                    entries.append(np.full(len(ids), number, dtype=np.int64))
            empty = np.empty(0, dtype=np.int64)
            held = Facet(
                tuple(numbers),
                numbers,
                np.concatenate(documents) if documents else empty,
                np.concatenate(entries) if entries else empty,
            )
            self._facets[name] = held
        return held

    def numbers(self, name: str) -> Doubles:
        """Return a number of every document, NaN where it has none; an unknown name has none anywhere."""
        held = self._numbers.get(name)
        if held is None:
            if name in schema.NUMBERS and self.segments:
                held = np.concatenate([segment.numbers(name) for segment in self.segments])
            else:
                held = np.full(self.size, np.nan)
            self._numbers[name] = held
        return held
