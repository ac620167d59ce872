"""Marks what a query matched in a text and picks the best passage; plain text in, pieces out, no HTML here."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from index.analysis import Analyzer, Word, forms, normalise, tokenise
from index.document import PART_OF_ASKED, Mark, Piece, Reason, Snippet, Understood

_NEEDLES: Final = 60  # stems looked for, the strongest first
_SURE: Final = 4  # letters of a stem that must stand as they are
_SEQUENCES: Final = 50
# Begins only where a word begins and never steps back: a plain pattern starts anew at every letter, five times slower.
_HYPHENED: Final = re.compile(r"(?<![^\W_])[^\W_]++(?:-[^\W_]++)+")
_LONGEST_TEXT: Final = 200_000
_MARKS_CONSIDERED: Final = 400
_LEAD: Final = 50  # characters shown before the first mark, at most
_DECISIONS_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class _Marked:
    start: int
    end: int
    mark: Mark


@dataclass(slots=True)
class _Plan:
    """What to look for: letters that begin every form of an asked stem, and what was decided about words seen."""

    needles: tuple[str, ...]
    decisions: dict[str, tuple[tuple[int, int, Mark], ...]]


class Highlighter:
    """Marks texts with the same language chain that indexed them. Safe to share between threads."""

    def __init__(self, analyzer: Analyzer) -> None:
        """Use the words of `analyzer`."""
        self._analyzer = analyzer

    def highlight(self, understood: Understood, text: str) -> tuple[Piece, ...]:
        """Return the whole text in pieces; joined they are the text in NFC."""
        whole = normalise(text)
        return _pieces(whole, 0, len(whole), self._marks(understood, whole))

    def snippet(self, understood: Understood, texts: Sequence[tuple[str, str]], width: int) -> Snippet:
        """Return the passage of about `width` characters with most of what was asked; earlier texts win ties."""
        best: tuple[float, str, str, list[_Marked], int] | None = None
        for number, (name, text) in enumerate(texts):
            if not text:
                continue
            whole = normalise(text[:_LONGEST_TEXT])
            marks = self._marks(understood, whole)
            if not marks:
                continue
            value, first = _window(marks, width)
            value *= 1.0 - 0.02 * min(number, 10)
            if best is None or value > best[0]:
                best = (value, name, whole, marks, first)
        if best is None:
            for name, text in texts:
                if text.strip():
                    whole = normalise(text[:_LONGEST_TEXT])
                    end = _end(whole, 0, width)
                    return Snippet(name, (Piece(whole[:end]),), ends_inside=end < len(whole))
            return Snippet(texts[0][0] if texts else "", ())
        _, name, whole, marks, first = best
        start = _start(whole, marks[first].start, marks[first].end, width)
        end = _end(whole, start, width)
        inside = [mark for mark in marks if mark.start >= start and mark.end <= end]
        return Snippet(
            name,
            _pieces(whole, start, end, inside),
            starts_inside=start > 0,
            ends_inside=end < len(whole),
        )

    # --- how it works ----------------------------------------------------------------------------------------------

    def _plan(self, understood: Understood) -> _Plan:
        held = understood.plan.get("plan")
        if isinstance(held, _Plan):
            return held
        wanted = sorted(
            [(mark.strength, stem) for stem, mark in understood.stems.items()]
            + [(mark.strength, stem) for stem, mark in understood.compounds.items()]
            + [(mark.strength, prefix) for prefix, mark in understood.prefixes],
            reverse=True,
        )[:_NEEDLES]
        needles: dict[str, None] = {}
        for _, stem in wanted:
            for form in (stem, *forms.forms_of(stem)):
                flat = forms.bare(form)
                flat = flat[: max(_SURE, len(flat) - 2)]
                needles[flat] = None
                if "ss" in flat:
                    needles[flat.replace("ss", "ß")] = None
        # a needle that begins like another finds nothing more
        kept = [n for n in needles if not any(n != m and n.startswith(m) for m in needles)]
        plan = understood.plan["plan"] = _Plan(tuple(kept), {})
        return plan

    def _marks(self, understood: Understood, text: str) -> list[_Marked]:
        plan = self._plan(understood)
        lower = text.lower()
        if len(lower) != len(text):  # a few capitals have longer small forms
            lower = "".join(low if len(low := char.lower()) == 1 else char for char in text)
        flat = lower.replace("ä", "a").replace("ö", "o").replace("ü", "u")
        found: dict[tuple[int, int], Mark] = {}
        if flat == lower and forms.written_out(lower):
            self._mark_all(understood, plan, text, found)
        else:
            self._mark_found(understood, plan, lower, flat, found)
        for sequence, mark in understood.sequences:
            self._mark_sequence(sequence, mark, text, flat, found)
        if understood.compounds:
            _drop_lonely_parts(understood, lower, found)
        marks = [_Marked(start, end, mark) for (start, end), mark in found.items()]
        marks.sort(key=lambda item: (item.start, -item.end))
        clean: list[_Marked] = []
        for item in marks:
            if not clean or item.start >= clean[-1].end:
                clean.append(item)
        return clean

    def _mark_found(
        self,
        understood: Understood,
        plan: _Plan,
        lower: str,
        flat: str,
        found: dict[tuple[int, int], Mark],
    ) -> None:
        """Look only at words that hold the beginning of an asked stem."""
        seen: set[int] = set()
        for needle in plan.needles:
            at = flat.find(needle)
            while at >= 0:
                start, end = _word_at(flat, at, at + len(needle))
                if start not in seen:
                    seen.add(start)
                    self._mark_word(understood, plan, lower[start:end], start, found)
                at = flat.find(needle, end)
        if "-" in flat:
            for match in _HYPHENED.finditer(lower):
                mark = understood.stems.get(self._analyzer.word(match.group().replace("-", "")).stem)
                if mark is not None:
                    found[match.span()] = mark

    def _mark_word(
        self,
        understood: Understood,
        plan: _Plan,
        word: str,
        start: int,
        found: dict[tuple[int, int], Mark],
    ) -> None:
        decided = plan.decisions.get(word)
        if decided is None:
            if len(plan.decisions) > _DECISIONS_KEPT:
                plan.decisions.clear()
            decided = plan.decisions[word] = self._decide(understood, word)
        for first, last, mark in decided:
            found[(start + first, start + last)] = mark

    def _mark_all(
        self,
        understood: Understood,
        plan: _Plan,
        text: str,
        found: dict[tuple[int, int], Mark],
    ) -> None:
        """Look at every word: for texts that write "ae" for "ä", where letters alone lead nowhere."""
        for token in tokenise(text):
            if len(token.text) == token.end - token.start:
                self._mark_word(understood, plan, token.text, token.start, found)

    def _mark_sequence(
        self,
        sequence: tuple[str, ...],
        mark: Mark,
        text: str,
        flat: str,
        found: dict[tuple[int, int], Mark],
    ) -> None:
        needles = [forms.bare(stem) for stem in sequence]
        needles = [needle[: max(_SURE, len(needle) - 2)] for needle in needles]
        if any(needle.replace("ss", "ß") not in flat and needle not in flat for needle in needles):
            return
        at = 0
        reach = 40 * len(sequence)
        for _ in range(_SEQUENCES):
            at = flat.find(needles[0], at)
            if at < 0:
                return
            start, _ = _word_at(flat, at, at)
            words = [token for token in tokenise(text[start : at + reach]) if not token.alias]
            words = [token for token in words if not self._analyzer.word(token.text).stop][: len(sequence)]
            if tuple(self._analyzer.word(token.text).stem for token in words) == sequence:
                found[(start, start + words[-1].end)] = mark
            at += len(needles[0])

    def _decide(self, understood: Understood, text: str) -> tuple[tuple[int, int, Mark], ...]:
        """Return which stretches of a word are marked, as offsets in the word."""
        word = self._analyzer.word(text)
        if word.stop:
            return ()
        mark = understood.stems.get(word.stem) or understood.compounds.get(word.stem)
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


def _word_at(text: str, start: int, end: int) -> tuple[int, int]:
    """Return the bounds of the word around a stretch of text."""
    while start > 0 and text[start - 1].isalnum():
        start -= 1
    while end < len(text) and text[end].isalnum():
        end += 1
    return start, end


def _unfold(word: Word, offset: int) -> int:
    """Return the place in the word as written of an offset in its folded form ("ß" is two letters there, "ae" one)."""
    if len(word.text) == len(word.folded):
        return offset
    for length in range(len(word.text) + 1):
        if len(forms.fold(word.text[:length])) >= offset:
            return length
    return len(word.text)


def _drop_lonely_parts(understood: Understood, lower: str, found: dict[tuple[int, int], Mark]) -> None:
    """Take back marks on one part of an asked compound where no other part of it is in the text."""
    loose = {mark.word for mark in understood.compounds.values()}
    parts: dict[str, set[str]] = {}
    for (start, _), mark in found.items():
        if mark.kind == PART_OF_ASKED and mark.word in loose:
            parts.setdefault(mark.word, set()).add(lower[start : start + 4])
    for place in [place for place, mark in found.items() if mark.kind == PART_OF_ASKED]:
        if len(parts[found[place].word]) < 2:  # noqa: PLR2004 - one part alone
            del found[place]


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
        kind = "compound" if item.mark.kind == PART_OF_ASKED else item.mark.kind
        why = None if same else Reason(item.mark.word, shown, kind)
        pieces.append(Piece(shown, marked=True, why=why))
        at = item.end
    if at < end:
        pieces.append(Piece(text[at:end]))
    return tuple(pieces)
