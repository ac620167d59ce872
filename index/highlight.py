"""Marks what a query matched in a text and picks the best passage; plain text in, structured pieces out, no HTML here."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.analysis import Analyzer, Word, forms, normalise, tokenise
from index.document import Mark, Piece, Reason, Snippet, Understood

_TEXTS_KEPT: Final = 600
_LONGEST_TEXT: Final = 200_000
_MARKS_CONSIDERED: Final = 400
_LEAD: Final = 50  # characters shown before the first mark, at most
_DECISIONS_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Marked:
    start: int
    end: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class _Tokens:
    """A text cut once: every word with its places, and all words in order."""

    text: str
    places: dict[str, list[tuple[int, int]]]
    order: tuple[tuple[str, int, int], ...]


class Highlighter:
    """Marks texts with the same language chain that indexed them. Safe to share between threads."""

    def __init__(self, analyzer: Analyzer) -> None:
        """Use the words of `analyzer`."""
        self._analyzer = analyzer
        self._texts: OrderedDict[str, _Tokens] = OrderedDict()
        self._lock = threading.Lock()

    def highlight(self, understood: Understood, text: str) -> tuple[Piece, ...]:
        """Return the whole text in pieces; joined they are the text in NFC."""
        tokens = self._cut(text)
        return _pieces(tokens.text, 0, len(tokens.text), self._marks(understood, tokens))

    def snippet(self, understood: Understood, texts: Sequence[tuple[str, str]], width: int) -> Snippet:
        """Return the passage of about `width` characters with most of what was asked; earlier texts win ties."""
        best: tuple[float, str, _Tokens, list[_Marked], int] | None = None
        for number, (name, text) in enumerate(texts):
            if not text:
                continue
            tokens = self._cut(text)
            marks = self._marks(understood, tokens)
            if not marks:
                continue
            value, first = _window(marks, width)
            value *= 1.0 - 0.02 * min(number, 10)
            if best is None or value > best[0]:
                best = (value, name, tokens, marks, first)
        if best is None:
            for name, text in texts:
                if text.strip():
                    whole = normalise(text[:_LONGEST_TEXT])
                    end = _end(whole, 0, width)
                    return Snippet(name, (Piece(whole[:end]),), ends_inside=end < len(whole))
            return Snippet(texts[0][0] if texts else "", ())
        _, name, tokens, marks, first = best
        start = _start(tokens.text, marks[first].start, marks[first].end, width)
        end = _end(tokens.text, start, width)
        inside = [mark for mark in marks if mark.start >= start and mark.end <= end]
        return Snippet(
            name,
            _pieces(tokens.text, start, end, inside),
            starts_inside=start > 0,
            ends_inside=end < len(tokens.text),
        )

    # --- how it works ----------------------------------------------------------------------------------------------

    def _cut(self, text: str) -> _Tokens:
        with self._lock:
            held = self._texts.get(text)
            if held is not None:
                self._texts.move_to_end(text)
                return held
        whole = normalise(text[:_LONGEST_TEXT])
        places: dict[str, list[tuple[int, int]]] = {}
        order: list[tuple[str, int, int]] = []
        for token in tokenise(whole):
            places.setdefault(token.text, []).append((token.start, token.end))
            if not token.alias:
                order.append((token.text, token.start, token.end))
        cut = _Tokens(whole, places, tuple(order))
        with self._lock:
            self._texts[text] = cut
            if len(self._texts) > _TEXTS_KEPT:
                self._texts.popitem(last=False)
        return cut

    def _marks(self, understood: Understood, tokens: _Tokens) -> list[_Marked]:
        decisions = understood.decisions
        if len(decisions) > _DECISIONS_KEPT:
            decisions.clear()
        found: list[_Marked] = []
        for text, places in tokens.places.items():
            decided = decisions.get(text)
            if decided is None:
                decided = decisions[text] = self._decide(understood, text)
            if decided:
                for start, end in places:
                    length = end - start
                    for first, last, mark in decided:
                        # a word whose place is longer than itself (joined from parts) is marked as a whole
                        if last > length or length != len(text):
                            found.append(_Marked(start, end, mark))
                        else:
                            found.append(_Marked(start + first, start + last, mark))
        if understood.sequences:
            found.extend(self._sequences(understood, tokens))
        found.sort(key=lambda item: (item.start, -item.end, -item.mark.strength))
        clean: list[_Marked] = []
        for item in found:
            if clean and item.start < clean[-1].end:
                continue
            clean.append(item)
        return clean

    def _sequences(self, understood: Understood, tokens: _Tokens) -> list[_Marked]:
        found: list[_Marked] = []
        word = self._analyzer.word
        wanted = {stem for stems, _ in understood.sequences for stem in stems}
        stems = [(word(text).stem, start, end) for text, start, end in tokens.order if not word(text).stop]
        present = {stem for stem, _, _ in stems} & wanted
        for sequence, mark in understood.sequences:
            if not present.issuperset(sequence):
                continue
            size = len(sequence)
            for at in range(len(stems) - size + 1):
                if all(stems[at + offset][0] == stem for offset, stem in enumerate(sequence)):
                    found.append(_Marked(stems[at][1], stems[at + size - 1][2], mark))
        return found

    def _decide(self, understood: Understood, text: str) -> tuple[tuple[int, int, Mark], ...]:
        """Return which stretches of a word are marked, as offsets in the word."""
        word = self._analyzer.word(text)
        if word.stop:
            return ()
        mark = understood.stems.get(word.stem)
        if mark is not None:
            return ((0, len(text), mark),)
        for prefix, prefix_mark in understood.prefixes:
            if text.startswith(prefix):
                return ((0, len(text), prefix_mark),)
        if not word.atoms:
            return ()
        return tuple(self._inside(understood, word))

    @staticmethod
    def _inside(understood: Understood, word: Word) -> list[tuple[int, int, Mark]]:
        """Find the longest asked parts of a compound, left to right."""
        atoms = word.atoms
        found: list[tuple[int, int, Mark]] = []
        at = 0
        while at < len(atoms):
            taken = 1
            for last in range(len(atoms) - 1, at - 1, -1):
                stem = forms.bare(word.folded[atoms[at][0] : atoms[last][0]]) + atoms[last][2]
                mark = understood.stems.get(stem)
                if mark is None and last == at:
                    stem = atoms[at][2]
                    mark = understood.stems.get(stem) or understood.compounds.get(stem)
                if mark is not None:
                    start = _unfold(word, atoms[at][0])
                    end = _unfold(word, atoms[last][1])
                    kind = "part" if mark.kind == "form" else mark.kind
                    found.append((start, end, Mark(mark.word, kind, mark.strength * 0.8)))
                    taken = last - at + 1
                    break
            at += taken
        return found


def _unfold(word: Word, offset: int) -> int:
    """Return the place in the word as written of an offset in its folded form ("ß" is two letters there, "ae" one)."""
    if len(word.text) == len(word.folded):
        return offset
    for length in range(len(word.text) + 1):
        if len(forms.fold(word.text[:length])) >= offset:
            return length
    return len(word.text)


def _window(marks: list[_Marked], width: int) -> tuple[float, int]:
    """Return the value of the best stretch of `width` characters and the number of its first mark."""
    best, best_first = -1.0, 0
    last = 0
    counts: dict[str, float] = {}
    strengths: list[tuple[str, float]] = [(item.mark.word, item.mark.strength) for item in marks[:_MARKS_CONSIDERED]]
    shown = marks[: len(strengths)]
    for first, item in enumerate(shown):
        while last < len(shown) and shown[last].end - item.start <= max(width - _LEAD, item.end - item.start):
            name, strength = strengths[last]
            counts[name] = counts.get(name, 0.0) + strength
            last += 1
        # different words count fully, repetitions hardly
        value = sum(min(total, 1.0) + 0.05 * min(total, 4.0) for total in counts.values())
        if value > best + 1e-9:
            best, best_first = value, first
        name, strength = strengths[first]
        rest = counts.get(name, 0.0) - strength
        if rest <= 1e-9:  # noqa: PLR2004
            counts.pop(name, None)
        else:
            counts[name] = rest
        last = max(last, first + 1)
    return best, best_first


def _start(text: str, mark_start: int, mark_end: int, width: int) -> int:
    """Return where the passage begins: at a sentence shortly before the mark, else at a word."""
    earliest = max(0, mark_start - min(_LEAD, max(0, width - (mark_end - mark_start))))
    if mark_start <= _LEAD * 2 and mark_end <= width:
        return 0
    for sign in (". ", "! ", "? ", "\n"):
        at = text.rfind(sign, max(0, mark_start - width // 2), mark_start)
        if at >= 0 and mark_end - at - len(sign) <= width * 2 // 3:
            return at + len(sign)
    at = text.find(" ", earliest, mark_start)
    return at + 1 if at >= 0 and earliest > 0 else earliest


def _end(text: str, start: int, width: int) -> int:
    end = start + width
    if end >= len(text):
        return len(text)
    at = text.rfind(" ", start + width * 2 // 3, end)
    return at if at > start else end


def _pieces(text: str, start: int, end: int, marks: list[_Marked]) -> tuple[Piece, ...]:
    pieces: list[Piece] = []
    at = start
    for item in marks:
        if item.start < at or item.end > end:
            continue
        if item.start > at:
            pieces.append(Piece(text[at : item.start]))
        shown = text[item.start : item.end]
        same = shown.lower() == item.mark.word.lower()
        why = None if same else Reason(item.mark.word, shown, item.mark.kind)
        pieces.append(Piece(shown, marked=True, why=why))
        at = item.end
    if at < end:
        pieces.append(Piece(text[at:end]))
    return tuple(pieces)
