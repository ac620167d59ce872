"""The words that occur in a generation, looked up by likeness: corrections and similar words; scoring is elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from index.analysis import spelling
from index.analysis.grams import GramTable, shape
from index.generation import Generation, OpenSegment

_CANDIDATES: Final = 80
_LEAST_LIKENESS: Final = 0.34
_LEAST_WORD: Final = 3
_LONGEST_WORD: Final = 48
_KEPT: Final = 4000
_MIN_HALF: Final = 3
_LONG_ENOUGH: Final = 9


@dataclass(frozen=True, slots=True)
class Like:
    """A word of the vocabulary like the one asked for."""

    word: str
    likeness: float
    containment: float


class Vocabulary:
    """Words of all segments, their letter groups indexed once per segment, answers kept per generation."""

    def __init__(self, generation: Generation, known: GramTable) -> None:
        """`known` are words of the language data: offered as corrections too, where something is found for them."""
        self._tables = [_table(segment) for segment in generation.segments]
        self.known = known
        self._like: dict[str, tuple[Like, ...]] = {}

    def like(self, word: str) -> tuple[Like, ...]:
        """Return words that share letter groups with `word`, the likest first, whoever may see them."""
        held = self._like.get(word)
        if held is None:
            best: dict[str, Like] = {}
            if _LEAST_WORD < len(word) <= _LONGEST_WORD:
                for table in (*self._tables, self.known):
                    for found, likeness, containment in table.like(word, _CANDIDATES, _LEAST_LIKENESS):
                        best[found] = Like(found, likeness, containment)
            held = tuple(sorted(best.values(), key=lambda item: (-item.likeness, item.word)))
            if len(self._like) >= _KEPT:
                self._like.clear()
            self._like[word] = held
        return held

    def corrections(self, word: str) -> list[tuple[str, float]]:
        """Return words few letters away, (word, nearness 0–1), nearest first, whoever may see them."""
        typed = shape(word)
        most = spelling.allowed(typed)
        found: list[tuple[str, float]] = []
        if not most:
            return found
        for like in self.like(word):
            apart = spelling.distance(typed, shape(like.word), most)
            if apart > 1 and len(typed) < _LONG_ENOUGH and not shape(like.word).startswith(typed[:2]):
                continue  # two letters of eight, and the beginning too: another word rather than a typo
            if apart <= most:
                # people rarely miss the first letter
                first = 0.1 if typed[:1] != shape(like.word)[:1] else 0.0
                found.append((like.word, max(0.1, 1.0 - apart / (len(typed) * 0.6) - first)))
        found.sort(key=lambda item: (-item[1], item[0]))
        return found

    @staticmethod
    def halves(word: str, occurs: Callable[[str], int]) -> tuple[str, str] | None:
        """Return two words that were run together, both occurring, or None; `occurs` gives a word's frequency."""
        best: tuple[float, str, str] | None = None
        for at in range(_MIN_HALF, len(word) - _MIN_HALF + 1):
            left, right = word[:at], word[at:]
            first = occurs(left)
            if not first:
                continue
            second = occurs(right)
            if second:
                value = min(first, second) * min(len(left), len(right))
                if best is None or value > best[0]:
                    best = (value, left, right)
        return (best[1], best[2]) if best is not None else None


def _table(segment: OpenSegment) -> GramTable:
    held = segment.derived.get(GramTable)
    if not isinstance(held, GramTable):
        words = [term.decode("utf-8", "surrogatepass") for term in segment.words().terms]
        held = GramTable([w for w in words if _LEAST_WORD < len(w) <= _LONGEST_WORD and not w[0].isdigit()])
        segment.derived[GramTable] = held
    return held
