"""Tells how far two words are apart and how far they may be; which words are candidates is decided elsewhere."""

from typing import Final

_SHORT: Final = 4  # shorter words have too many neighbours
_MIDDLE: Final = 7
_LONG: Final = 14


def allowed(word: str) -> int:
    """Return how many wrong letters a word of this length may have: none below four letters."""
    size = len(word)
    if size < _SHORT:
        return 0
    if size < _MIDDLE:
        return 1
    return 2 if size < _LONG else 3


def distance(one: str, other: str, most: int) -> int:
    """Return the edit distance with transpositions of neighbours counted as one, or `most` + 1 when it is larger."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    if one == other:
        return 0
    start = 0
    while start < len(one) and start < len(other) and one[start] == other[start]:
        start += 1
    one, other = one[start:], other[start:]
    while one and other and one[-1] == other[-1]:
        one, other = one[:-1], other[:-1]
    before: list[int] = []
    previous = list(range(len(other) + 1))
    for row, char in enumerate(one, 1):
        current = [row] + [0] * len(other)
        for column, against in enumerate(other, 1):
            cost = 0 if char == against else 1
            best = min(previous[column] + 1, current[column - 1] + 1, previous[column - 1] + cost)
            if row > 1 and column > 1 and char == other[column - 2] and one[row - 2] == against:
                best = min(best, before[column - 2] + 1)
            current[column] = best
        if min(current) > most:
            return most + 1
        before, previous = previous, current
    return min(previous[-1], most + 1)
