"""The language chain: text in, index terms out, the same for documents and queries; it neither stores nor ranks."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from index.analysis import forms, stopwords, thesaurus
from index.analysis.compounds import Lexicon, Splitter
from index.analysis.grams import GramTable
from index.analysis.thesaurus import Group, Thesaurus
from index.analysis.tokens import Token, normalise, tokenise
from index.analysis.versions import ANALYSIS_VERSION

__all__ = [
    "ANALYSIS_VERSION",
    "Analyzer",
    "Lexicon",
    "Thesaurus",
    "Token",
    "Word",
    "load_lexicon",
    "normalise",
    "tokenise",
]

DATA: Final = Path(__file__).resolve().parent.parent / "data"
_CACHE_LIMIT: Final = 150_000


@dataclass(frozen=True, slots=True)
class Word:
    """What the chain knows of one lower-case word.

    `parts` are the stems of all its true sub-words, the single ones first; `atoms` the spans (start, end, stem) of the
    single ones in the folded form; `stop` says that a document does not index it, `filler` that a query drops it.
    """

    text: str
    folded: str
    stem: str
    parts: tuple[str, ...] = ()
    atoms: tuple[tuple[int, int, str], ...] = ()
    stop: bool = False
    filler: bool = False


def load_lexicon(folder: Path | None = None) -> Lexicon:
    """Return the lexicon in `folder` (default: the one that comes with the package); missing files are empty ones."""
    folder = folder or DATA / "lexicon"
    lexicon = Lexicon()

    def lines(name: str) -> list[str]:
        path = folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.is_file() else []

    lexicon.add_nouns(lines("nouns.txt"))
    for name in ("modifiers.txt", "verbs.txt"):
        lexicon.add_nouns(lines(name), default="m")
    lexicon.add_keep(lines("keep.txt"))
    lexicon.english.update(
        word.strip().lower() for word in lines("english.txt") if word.strip() and not word.startswith("#")
    )
    return lexicon


class Analyzer:
    """The whole chain with its caches: deterministic, linear in the text, any Unicode in and no exception out."""

    def __init__(
        self,
        lexicon: Lexicon | None = None,
        groups: Iterable[Group] | None = None,
        names: Iterable[str] = (),
    ) -> None:
        """Build the chain from a lexicon, thesaurus groups and names that are never split (default: the package's)."""
        self.lexicon = load_lexicon() if lexicon is None else lexicon
        self._fingerprint = _fingerprint(self.lexicon)
        kept = Lexicon(self.lexicon.nouns, self.lexicon.links, set(self.lexicon.keep), self.lexicon.english)
        # A place called like a common noun (Essen, Halle) stays a noun: only words the splitter would cut matter here.
        kept.add_keep(names)
        self._splitter = Splitter(kept)
        self._words: dict[str, Word] = {}
        self._known: GramTable | None = None
        self._everyday = frozenset(self.word(word).stem for word in stopwords.EVERYDAY)
        self.thesaurus = Thesaurus(
            thesaurus.load(DATA / "thesaurus.yaml") if groups is None else groups,
            self.stems,
        )

    @property
    def known(self) -> GramTable:
        """The words of lexicon and thesaurus by letter groups: what a typo may have meant; made when first needed."""
        held = self._known
        if held is None:
            words = {term.lower() for term in self.thesaurus.words()} | set(self.lexicon.nouns)
            held = self._known = GramTable(sorted(word for word in words if len(word) > 3))  # noqa: PLR2004
        return held

    @property
    def version(self) -> str:
        """The version that an index records: rules and lexicon, not the thesaurus (that is read at query time)."""
        return f"{ANALYSIS_VERSION}-{self._fingerprint}"

    def replace_thesaurus(self, groups: Iterable[Group]) -> None:
        """Take other groups from now on; the index stays as it is."""
        self.thesaurus = Thesaurus(groups, self.stems)
        self._known = None

    def word(self, text: str) -> Word:
        """Return what is known of one lower-case token."""
        known = self._words.get(text)
        if known is None:
            if len(self._words) >= _CACHE_LIMIT:
                self._words.clear()
            known = self._words[text] = self._analyse(text)
        return known

    def everyday(self, word: Word) -> bool:
        """Tell whether a word is one of everyday language: not mistyped where it occurs nowhere, just not telling."""
        return word.stem in self._everyday

    def stems(self, text: str) -> tuple[str, ...]:
        """Return the stems of the words of `text` in order, without stop words and aliases."""
        found = (self.word(token.text) for token in tokenise(normalise(text)) if not token.alias)
        return tuple(word.stem for word in found if not word.stop)

    def _analyse(self, text: str) -> Word:
        folded = forms.fold(text)
        stop = folded in stopwords.STOPWORDS
        if stop or not folded.isalpha():
            return Word(text, folded, folded if stop else forms.stem(folded), stop=stop, filler=stop)
        filler = folded in stopwords.FILLERS
        parts = self._splitter.split(folded)
        if not parts:
            return Word(text, folded, forms.stem(folded), filler=filler)
        atoms = tuple((part.start, part.end, forms.stem(part.noun)) for part in parts)
        spans: list[str] = [stem for _, _, stem in atoms]
        count = len(parts)
        for size in range(2, count):
            for first in range(count - size + 1):
                last = first + size - 1
                head = forms.bare(folded[parts[first].start : parts[last].start])
                spans.append(head + atoms[last][2])
        stem = forms.irregular(folded) or forms.bare(folded[: parts[-1].start]) + atoms[-1][2]
        return Word(text, folded, stem, tuple(dict.fromkeys(spans)), atoms, filler=filler)


def _fingerprint(lexicon: Lexicon) -> str:
    digest = hashlib.sha256()
    for table in (lexicon.nouns, dict.fromkeys(lexicon.keep, ""), dict.fromkeys(lexicon.english, "")):
        _feed(digest, table)
    _feed(digest, {noun: ",".join(sorted(links)) for noun, links in lexicon.links.items()})
    return digest.hexdigest()[:12]


def _feed(digest: "hashlib._Hash", table: Mapping[str, str]) -> None:
    for key in sorted(table):
        digest.update(f"{key}\t{table[key]}\n".encode())
    digest.update(b"\0")
