"""Splits German compounds over a lexicon of nouns; reducing the parts to stems belongs to the analyzer."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from index.analysis import forms

_LINKS: Final = ("s", "n", "en", "es", "er", "e", "ens", "nen", "ern")
_MIN_WORD: Final = 7
_MIN_PART: Final = 3
_MAX_PART: Final = 24
_MAX_WORD: Final = 60
_UNREACHED: Final = 1e9
_HEADS_KEPT: Final = 100_000
# Costs: few and long parts win. A linking letter, a dropped -e and a very short part each make a reading less likely.
_PART_COST: Final = 10.0
_LINK_COST: Final = 1.0
_ELISION_COST: Final = 2.5
_SHORT_COST: Final = {3: 5.0, 4: 1.5}
_LENGTH_GAIN: Final = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a compound: where it stands in the folded word, and the base noun it is a form of."""

    start: int
    end: int
    noun: str


@dataclass(slots=True)
class Lexicon:
    """Nouns that may be parts of compounds, and words that are never split; all folded."""

    nouns: dict[str, str] = field(default_factory=dict)  # noun -> flags: "m" modifier only, "h" head only
    links: dict[str, frozenset[str]] = field(default_factory=dict)  # noun -> allowed linking letters, where known
    keep: set[str] = field(default_factory=set)
    english: set[str] = field(default_factory=set)

    def add_nouns(self, lines: Iterable[str], *, default: str = "") -> None:
        """Add nouns from lines `noun[<TAB>flags]`; empty lines and lines starting with # are skipped."""
        for line in lines:
            text = line.strip()
            if not text or text.startswith("#"):
                continue
            noun, *rest = text.split("\t")
            flags = default
            folded = forms.fold(noun.strip())
            for flag in " ".join(rest).split():
                if flag in ("m", "h"):
                    flags = flag
                elif flag.startswith("l="):
                    self.links[folded] = frozenset(flag[2:].split(","))
            if len(folded) >= _MIN_PART:
                # A word known as a full noun stays one, whatever a later, narrower list says.
                self.nouns[folded] = "" if self.nouns.get(folded) == "" else flags

    def add_keep(self, words: Iterable[str]) -> None:
        """Add words that must stay whole: names, and words that only look like compounds."""
        for line in words:
            text = line.split("\t")[0].strip()
            if text and not text.startswith("#"):
                for word in text.replace("-", " ").split():
                    self.keep.add(forms.fold(word))


class Splitter:
    """Finds the likeliest parts of a word by dynamic programming; deterministic, at most quadratic in a short word."""

    def __init__(self, lexicon: Lexicon) -> None:
        """Prepare the tables: nouns as heads by stem (so that plurals are found), and as modifiers by spelling."""
        self._keep = lexicon.keep
        self._english = lexicon.english
        self._modifiers = {noun for noun, flag in lexicon.nouns.items() if flag != "h"}
        self._links = lexicon.links
        heads = sorted(noun for noun, flag in lexicon.nouns.items() if flag != "m")
        self._heads = set(heads)
        self._head_stems: dict[str, str] = {}
        for noun in heads:
            self._head_stems.setdefault(forms.stem(noun), noun)
        self._head_cache: dict[str, tuple[str, float] | None] = {}
        self._shapes = self._modifier_forms()

    def split(self, folded: str) -> tuple[Part, ...]:
        """Return the parts of a folded word, or nothing when it is whole, a name, or unknown."""
        size = len(folded)
        if size < _MIN_WORD or size > _MAX_WORD or not folded.isalpha():
            return ()
        if folded in self._keep or folded in self._english:
            return ()
        known = forms.irregular(folded)
        if known is not None and folded in self._heads and size < 9:  # noqa: PLR2004 - short known words are whole
            return ()
        steps = self._steps(folded)
        parts: list[Part] = []
        at = size
        while at:
            step = steps[at]
            if step is None:
                return ()
            parts.append(step)
            at = step.start
        parts.reverse()
        return tuple(parts)

    def _steps(self, folded: str) -> list[Part | None]:
        """Return for every place of a word the part that ends there in the cheapest reading up to it."""
        size = len(folded)
        shapes = self._shapes
        costs: list[float] = [0.0] + [_UNREACHED] * size
        steps: list[Part | None] = [None] * (size + 1)
        for start in range(size - _MIN_PART + 1):
            if costs[start] >= _UNREACHED:
                continue
            for end in range(start + _MIN_PART, min(size, start + _MAX_PART) + 1):
                if (start == 0 and end == size) or 0 < size - end < _MIN_PART:
                    continue
                text = folded[start:end]
                found = self._head(text) if end == size else shapes.get(text)
                if found is not None and costs[start] + found[1] < costs[end]:
                    costs[end] = costs[start] + found[1]
                    steps[end] = Part(start, end, found[0])
        return steps

    def _cost(self, length: int) -> float:
        return _PART_COST + _SHORT_COST.get(length, 0.0) - _LENGTH_GAIN * length

    def _modifier_forms(self) -> dict[str, tuple[str, float]]:
        """Return every shape a modifier may have inside a compound, with its noun and cost; looked up, not searched."""
        forms_of: dict[str, tuple[str, float]] = {}

        def offer(text: str, noun: str, cost: float) -> None:
            held = forms_of.get(text)
            if held is None or cost < held[1]:
                forms_of[text] = (noun, cost)

        for noun in sorted(self._modifiers):
            allowed = self._links.get(noun)
            # a noun known to need a linking letter is unlikely without it
            bare_cost = _LINK_COST if allowed is not None and "" not in allowed else 0.0
            offer(noun, noun, self._cost(len(noun)) + bare_cost)
            for link in _LINKS:
                if (allowed is not None and link not in allowed) or (
                    allowed is None and len(noun) == _MIN_PART and link not in ("s", "es", "en")
                ):
                    continue
                offer(noun + link, noun, self._cost(len(noun)) + _LINK_COST)
        for noun in sorted(self._modifiers):
            if noun.endswith("e") and len(noun) > 4 and noun[:-1] not in forms_of:  # noqa: PLR2004
                forms_of[noun[:-1]] = (noun, self._cost(len(noun) - 1) + _ELISION_COST)
        return forms_of

    def _head(self, text: str) -> tuple[str, float] | None:
        if text in self._heads:
            return text, self._cost(len(text))
        if len(text) < 4:  # noqa: PLR2004 - a three-letter head stands only as it is
            return None
        if text in self._head_cache:
            return self._head_cache[text]
        noun = self._head_stems.get(forms.stem(text))
        found = None
        if noun is not None and abs(len(noun) - len(text)) <= 3:  # noqa: PLR2004
            found = (noun, self._cost(len(text)) + _LINK_COST)
        if len(self._head_cache) > _HEADS_KEPT:
            self._head_cache.clear()
        self._head_cache[text] = found
        return found
