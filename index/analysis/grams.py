"""Finds the words of a list that share letter groups with a given word; ranking documents belongs elsewhere."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from index.analysis import forms

_SIZE: Final = 3
_EDGE: Final = "\x01"
# Length stays the same, so that a whole list is changed as one text (`replace` is faster than `translate`).
_LETTERS: Final = (("ä", "a"), ("ö", "o"), ("ü", "u"), ("ß", "s"))
_BITS: Final = 21  # a code point


def shape(word: str) -> str:
    """Return the letters a word is compared by: lower case, without umlauts, written-out ones undone."""
    return forms.bare(forms.fold(word))


def _codes(text: str) -> npt.NDArray[np.int64]:
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.int64)
    return points[:-2] << 2 * _BITS | points[1:-1] << _BITS | points[2:]


class GramTable:
    """The trigrams of a list of words, sorted: a word is looked up in as many steps as it has trigrams."""

    def __init__(self, words: Sequence[str]) -> None:
        """Index `words` (lower case); takes about 0.1 s for 100,000."""
        self.words = words
        if not words:
            self._grams = np.empty(0, dtype=np.int64)
            self._owners = np.empty(0, dtype=np.int32)
            self._counts = np.empty(0, dtype=np.int32)
            return
        text = _EDGE + _EDGE.join(words) + _EDGE
        for letter, plain in _LETTERS:
            text = text.replace(letter, plain)
        # positions: the gram that starts at an edge sign belongs to the word after it
        lengths = np.fromiter((len(word) + 1 for word in words), dtype=np.int64, count=len(words))
        codes = _codes(text)
        owners = np.repeat(np.arange(len(words), dtype=np.int32), lengths)[: len(codes)]
        # a gram with an edge in its middle reaches from one word into the next
        edge = ord(_EDGE)
        inner = (codes >> _BITS & (1 << _BITS) - 1) != edge
        codes, owners = codes[inner], owners[inner]
        order = np.argsort(codes)
        self._grams = codes[order]
        self._owners = owners[order]
        self._counts = np.bincount(owners, minlength=len(words)).astype(np.int32)

    def like(self, word: str, limit: int, least: float) -> list[tuple[str, float, float]]:
        """Return (word, likeness, containment) of the words most like `word`, best first.

        Likeness is the Dice coefficient of the trigrams, containment the share of the trigrams of `word` (its edges
        left out) found; words with neither above `least` are left out.
        """
        text = _EDGE + shape(word) + _EDGE
        if len(text) < _SIZE or not len(self._grams):
            return []
        grams = np.unique(_codes(text))
        edge = ord(_EDGE)
        inner = ((grams >> 2 * _BITS) != edge) & ((grams & (1 << _BITS) - 1) != edge)
        low = np.searchsorted(self._grams, grams, side="left")
        high = np.searchsorted(self._grams, grams, side="right")
        common = np.zeros(len(self.words), dtype=np.int32)
        contained = np.zeros(len(self.words), dtype=np.int32)
        for start, end, within in zip(low.tolist(), high.tolist(), inner.tolist(), strict=True):
            if start == end:
                continue
            owners = self._owners[start:end]
            common[owners] += 1  # a word with the gram twice counts once
            if within:
                contained[owners] += 1
        candidates = np.flatnonzero(common)
        if not len(candidates):
            return []
        likeness = 2.0 * common[candidates] / (len(grams) + self._counts[candidates])
        containment = contained[candidates] / max(1, int(inner.sum()))
        best = np.maximum(likeness, containment)
        kept = np.flatnonzero(best >= least)
        kept = kept[np.argsort(-(likeness[kept] + 0.5 * containment[kept]), kind="stable")[:limit]]
        return [
            (self.words[int(candidates[number])], float(likeness[number]), float(containment[number]))
            for number in kept
        ]
