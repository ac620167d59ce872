"""Finds known names (of places, say) in a query; what a name stands for is told by whoever opens the index."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from index.analysis import Word, forms

_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST: Final = 5
# Before these, a common word is meant as a name: "in Essen", "Stadtwerke Halle".
_INTRODUCING: Final = frozenset(
    """
    in im bei aus um nahe near stadt gemeinde kreis landkreis region stadtwerke stadtwerken
    """.split()  # noqa: SIM905 - reads like the word lists of the language chain
)


@dataclass(frozen=True, slots=True)
class Named:
    """What a name stands for: documents with one of the facet values are meant, and others are near it (0–1)."""

    exact: tuple[tuple[str, str], ...]
    near: tuple[tuple[str, str, float], ...] = ()


class Names:
    """Names by their words, however umlauts and hyphens are typed."""

    def __init__(self, names: Iterable[tuple[str, Named]]) -> None:
        """Take names with what they stand for; one that comes twice stands for both."""
        self._names: dict[tuple[str, ...], Named] = {}
        for name, named in names:
            key = tuple(_WORD.findall(forms.fold(name)))[: _LONGEST + 1]
            if not key or len(key) > _LONGEST:
                continue
            held = self._names.get(key, Named(()))
            self._names[key] = Named(held.exact + named.exact, held.near + named.near)

    def knows(self, folded: str) -> bool:
        """Tell whether one word is a name by itself."""
        return (folded,) in self._names

    def find(self, words: Sequence[Word], common: Mapping[int, bool]) -> list[tuple[int, int, Named]]:
        """Return (first, end, what it stands for) of the names in `words`, the longest first at each place.

        `common` tells by position which words are ordinary ones, too: alone they are names only behind "in" and such.
        """
        found: list[tuple[int, int, Named]] = []
        at = 0
        while at < len(words):
            size = 1
            for length in range(min(_LONGEST, len(words) - at), 0, -1):
                named = self._names.get(tuple(word.folded for word in words[at : at + length]))
                if named is None:
                    continue
                introduced = at > 0 and words[at - 1].folded in _INTRODUCING
                if length == 1 and common.get(at, False) and not introduced:
                    continue
                found.append((at, at + length, named))
                size = length
                break
            at += size
        return found
