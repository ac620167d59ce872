"""Raises documents that are about the same as the best ones; which documents match at all is the evaluator's matter.

What the best answers are mainly about says more than the few words typed: "Batteriespeichern" finds three entries, and
those say "Quartier" and "Eigenverbrauch". Every document keeps a signature of its heaviest stems in a column of fixed
width, so that comparing two hundred documents is a few vector operations and reads no posting list.
"""

import zlib
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from index import schema, weights
from index.generation import Generation, Mask, OpenSegment
from index.postings import Floats, Ints
from index.schema import SIGNATURE_STEMS

_SLOT: Final = np.dtype([("stem", "<u4"), ("weight", "<f4")])
_EMPTY: Final = b"\0" * (SIGNATURE_STEMS * _SLOT.itemsize)
# Stems are counted by the low bits of their checksum: two stems that meet there only look a little commoner.
_BUCKETS: Final = 1 << 18
_BIG: Final = 2_000  # documents; counts of smaller segments are not worth keeping

Slots = npt.NDArray[np.void]
Stems = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.int32]


def signature(stems: Mapping[str, float]) -> bytes:
    """Return the heaviest stems of a document as fixed-width bytes, from stem → weight."""
    heaviest = sorted(stems, key=lambda stem: (-stems[stem], stem))[:SIGNATURE_STEMS]
    slots = np.zeros(SIGNATURE_STEMS, dtype=_SLOT)
    slots["stem"][: len(heaviest)] = [zlib.crc32(stem.encode("utf-8", "surrogatepass")) for stem in heaviest]
    slots["weight"][: len(heaviest)] = [stems[stem] for stem in heaviest]
    return slots.tobytes()


class Feedback:
    """The signatures of one generation as one audience sees it."""

    def __init__(self, generation: Generation, visible: Mask) -> None:
        """Count in how many visible documents each stem is telling; hidden documents count nowhere."""
        self._generation = generation
        self._documents = int(np.count_nonzero(visible))
        self._counts = np.zeros(_BUCKETS, dtype=np.int32)
        loose: list[Ints] = []
        for offset, segment in zip(generation.offsets, generation.segments, strict=True):
            shown = visible[offset : offset + segment.size]
            if segment.size < _BIG:
                loose.append(_buckets(_slots(segment)[shown]))
                continue
            self._counts += _counted(segment)
            hidden = _slots(segment)[~shown]
            if len(hidden):
                self._counts -= _count(_buckets(hidden))
        if loose:
            self._counts += _count(np.concatenate(loose))

    def raise_alike(self, score: Floats, mask: Mask) -> None:
        """Add to `score` for the best documents of `mask`, by how much they are like the very best."""
        documents = np.flatnonzero(mask)
        if len(documents) < 3:  # noqa: PLR2004 - of two documents the better one stays the better one
            return
        depth = weights.FEEDBACK_DEPTH
        if len(documents) > depth:
            documents = documents[np.argpartition(-score[documents], depth)[:depth]]
        documents = documents[np.lexsort((self._generation.ranks()[documents], -score[documents]))]
        best = float(score[documents[0]])
        if best <= 0.0:
            return
        slots = self._rows(documents)
        wanted, importance = self._profile(slots, score[documents] / np.float32(best))
        if not len(wanted):
            return
        stems = slots["stem"]
        at = np.minimum(np.searchsorted(wanted, stems), len(wanted) - 1)
        weight = np.where(wanted[at] == stems, slots["weight"], np.float32(0))
        alike = (importance[at] * weight / (np.float32(weights.K1) + weight)).sum(axis=1)
        most = float(alike.max())
        if most > 0.0:
            alike[0] = most  # what matches best by its words stays first
            score[documents] += (alike * (weights.FEEDBACK * best / most)).astype(np.float32)

    def _profile(self, slots: Slots, shares: Floats) -> tuple[Stems, Floats]:
        """Return the stems that tell the best documents from others, ascending, and how much each counts."""
        first = int(np.count_nonzero(shares[: weights.FEEDBACK_DOCUMENTS] >= weights.FEEDBACK_SHARE))
        weight = slots["weight"][:first]
        pull = weight / (np.float32(weights.K1) + weight) * shares[:first, None]
        stems, owner = np.unique(slots["stem"][:first], return_inverse=True)
        pulls = np.bincount(owner.ravel(), weights=pull.ravel())
        frequency = self._counts[stems & np.uint32(_BUCKETS - 1)]
        idf = np.log1p((self._documents - frequency + 0.5).clip(min=0.0) / (frequency + 0.5))
        # a stem of one document only says nothing about any other; checksum 0 is an empty slot
        value = np.where((frequency > 1) & (stems != 0), pulls * idf, 0.0)
        chosen = np.argsort(-value, kind="stable")[: weights.FEEDBACK_STEMS]
        chosen = np.sort(chosen[value[chosen] > 0])
        return stems[chosen], value[chosen].astype(np.float32)

    def _rows(self, documents: Ints) -> Slots:
        rows = np.zeros((len(documents), SIGNATURE_STEMS), dtype=_SLOT)
        for offset, segment in zip(self._generation.offsets, self._generation.segments, strict=True):
            here = np.flatnonzero((documents >= offset) & (documents < offset + segment.size))
            if len(here):
                rows[here] = _slots(segment)[documents[here] - offset]
        return rows


def _slots(segment: OpenSegment) -> Slots:
    held = segment.derived.get(signature)
    if not isinstance(held, np.ndarray):
        content = segment.segment.column(schema.SIGNATURE, _EMPTY)
        held = segment.derived[signature] = np.frombuffer(content, dtype=_SLOT).reshape(segment.size, SIGNATURE_STEMS)
    return held


def _counted(segment: OpenSegment) -> Counts:
    held = segment.derived.get(Feedback)
    if not isinstance(held, np.ndarray):
        held = segment.derived[Feedback] = _count(_buckets(_slots(segment)))
    return held


def _buckets(slots: Slots) -> Ints:
    stems: Stems = slots["stem"].ravel()
    buckets: Ints = (stems[stems != 0] & np.uint32(_BUCKETS - 1)).astype(np.int64)
    return buckets


def _count(buckets: Ints) -> Counts:
    return np.bincount(buckets, minlength=_BUCKETS).astype(np.int32)
