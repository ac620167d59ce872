"""Finds and scores the documents for a parsed query within one generation; reading text and writing belong elsewhere.

Scores are summed in dense arrays over all documents: a posting list costs one vector operation, whatever its length.
Only documents visible to the asking audiences ever enter: their number is the N of every idf, so that hidden documents
change neither counts nor scores.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np

from index import schema, weights
from index.analysis import Analyzer, Word, forms
from index.document import PART_OF_ASKED, Expansion, Mark, Reason, Understood
from index.feedback import Feedback
from index.generation import Generation, Mask
from index.names import Named, Names
from index.postings import NO_POSTINGS, Floats, Ids, Ints, Postings
from index.query import Clause, Parsed
from index.vocabulary import Vocabulary

_POSITION_BITS: Final = 17
_STRONG: Final = 1.0
_WEAK: Final = 0.5
_CORRECTIONS: Final = 3
_LEAST_SIMILAR: Final = 0.55
_LEAST_CONTAINED: Final = 0.75
_MIN_SIMILAR: Final = 5
_TITLED: Final = 2.0  # a suggestion from the title before one from the text
_LIKE_STEMS: Final = 20
_ENOUGH: Final = 25  # documents with the very word: then words merely like it change nothing that is seen
_CONSIDERED: Final = 30  # similar words looked at
_RARE: Final = 2  # a word this rare may be a typo itself; then a much commoner neighbour is offered
_MUCH_COMMONER: Final = 20
_SUGGESTED: Final = 5  # filters; a name of more places than that suggests too much
_FEEDBACKS_KEPT: Final = 16  # audiences; one takes a megabyte


@dataclass(slots=True)
class Evidence:
    """Documents that match a concept in one way: what for, and how much."""

    reason: Reason
    ids: Ids
    scores: Floats


@dataclass(slots=True)
class Concept:
    """One asked thing with all its evidence, as dense arrays."""

    text: str
    score: Floats
    credit: Floats
    """1 where the thing itself is in the document, less where only something near it is."""
    importance: float
    evidence: list[Evidence] = field(default_factory=list)
    position_stem: str | None = None

    def either(self, other: "Concept") -> None:
        """Become "this or the other"."""
        np.maximum(self.score, other.score, out=self.score)
        np.maximum(self.credit, other.credit, out=self.credit)
        self.importance = min(self.importance, other.importance)
        self.evidence.extend(other.evidence)


@dataclass(slots=True)
class Outcome:
    """All matching documents of the visible ones, with scores."""

    mask: Mask
    score: Floats
    relaxed: bool
    understood: Understood
    evidence: list[Evidence]
    offers: tuple[tuple[str, str], ...] = ()
    """Words that hardly occur, and much commoner ones like them."""


class Evaluator:
    """Evaluates queries for one audience in one generation."""

    def __init__(
        self, generation: Generation, analyzer: Analyzer, audiences: frozenset[str], names: Names | None = None
    ) -> None:
        """Take the visible documents of the generation as all there is; `names` are recognised in queries."""
        self._names = names
        self.generation = generation
        self.analyzer = analyzer
        self._audiences = audiences
        self.visible = generation.visible(audiences)
        self.count = int(np.count_nonzero(self.visible))
        held = generation.derived.get(Vocabulary)
        if not isinstance(held, Vocabulary) or held.known is not analyzer.known:
            held = None
        self._vocabulary: Vocabulary | None = held

    @property
    def vocabulary(self) -> Vocabulary:
        """The words of the generation; made when first needed."""
        if self._vocabulary is None:
            self._vocabulary = Vocabulary(self.generation, self.analyzer.known)
            self.generation.derived[Vocabulary] = self._vocabulary
        return self._vocabulary

    @property
    def _feedback(self) -> Feedback:
        """What the best documents are about, counted for one audience and kept for as many as are usual."""
        kept = self.generation.derived.get(Feedback)
        if not isinstance(kept, dict) or len(kept) > _FEEDBACKS_KEPT:
            kept = self.generation.derived[Feedback] = {}
        held = kept.get(self._audiences)
        if not isinstance(held, Feedback):
            held = kept[self._audiences] = Feedback(self.generation, self.visible)
        return held

    # --- terms -----------------------------------------------------------------------------------------------------

    def postings(self, field_name: str, term: str) -> Postings:
        """Return the postings of a term in visible documents."""
        found = self.generation.postings(field_name, term)
        if not len(found.ids):
            return NO_POSTINGS
        keep = self.visible[found.ids]
        if keep.all():
            return found
        return Postings(found.ids[keep], found.weights[keep])

    def frequency(self, field_name: str, term: str) -> int:
        """Return in how many visible documents a term stands."""
        ids = self.generation.postings(field_name, term).ids
        return int(np.count_nonzero(self.visible[ids])) if len(ids) else 0

    def idf(self, frequency: int) -> float:
        """Return the weight of a thing that `frequency` visible documents have."""
        return math.log(1.0 + (self.count - frequency + 0.5) / (frequency + 0.5))

    def _notion(self, stem: str) -> Floats | None:
        """Return the pseudo-frequency of a word, whole or inside compounds, per document; None when nowhere."""
        whole = self.postings(schema.STEM, stem)
        inside = self.postings(schema.PART, stem)
        if not len(whole.ids) and not len(inside.ids):
            return None
        result = np.zeros(self.generation.size, dtype=np.float32)
        result[inside.ids] = inside.weights * np.float32(weights.PART)
        result[whole.ids] += whole.weights
        return result

    @staticmethod
    def saturate(frequency: Floats, factor: float) -> Floats:
        """Return the score of pseudo-frequencies."""
        k1 = np.float32(weights.K1)
        return frequency * np.float32(factor * (weights.K1 + 1.0)) / (k1 + frequency)

    # --- phrases ---------------------------------------------------------------------------------------------------

    def phrase(self, stems: Sequence[str], offsets: Sequence[int]) -> tuple[Ids, Floats]:
        """Return visible documents that have the stems at the given distances, with the least of their weights."""
        lists = [self.generation.postings(schema.STEM, stem) for stem in stems]
        if not lists or any(not len(found.ids) for found in lists):
            return NO_POSTINGS.ids, NO_POSTINGS.weights
        common = min((found.ids for found in lists), key=len)
        common = common[self.visible[common]]
        for found in lists:
            at = np.searchsorted(found.ids, common)
            at[at == len(found.ids)] = 0
            common = common[found.ids[at] == common]
            if not len(common):
                return NO_POSTINGS.ids, NO_POSTINGS.weights
        keys: Ints | None = None
        for found, offset in zip(lists, offsets, strict=True):
            places = _places(found, common) - offset
            keys = places if keys is None else np.intersect1d(keys, places, assume_unique=True)
            if not len(keys):
                return NO_POSTINGS.ids, NO_POSTINGS.weights
        assert keys is not None  # noqa: S101 - lists is not empty
        documents = np.unique(keys >> _POSITION_BITS)
        ids = common[documents]
        least = np.full(len(ids), np.inf, dtype=np.float32)
        for found in lists:
            np.minimum(least, found.weights[np.searchsorted(found.ids, ids)], out=least)
        return ids, least

    # --- whole queries ---------------------------------------------------------------------------------------------

    def run(self, parsed: Parsed) -> Outcome:
        """Return the documents that match a query."""
        size = self.generation.size
        reading = _Reading()
        required: Mask = self.visible.copy()
        concepts = self._concepts(parsed, reading, required)
        for clause in parsed.excluded:
            required[self._literal(clause)] = False
            reading.excluded.append(clause.text)
        score = np.zeros(size, dtype=np.float32)
        if not concepts:
            return Outcome(required, score, relaxed=False, understood=reading.finish(parsed), evidence=[])
        credit = np.zeros(size, dtype=np.float32)
        matched = np.zeros(size, dtype=np.int16)
        total = 0.0
        for concept in concepts:
            score += concept.score
            credit += concept.credit * np.float32(concept.importance)
            matched += concept.credit >= _STRONG
            total += concept.importance
        credit /= np.float32(total)
        credit[~required] = 0.0
        best = float(credit.max(initial=0.0))
        mask = (credit >= best * weights.MIN_SHARE) & (credit > 0.0)
        score *= credit ** np.float32(weights.COORDINATION)
        self._nearness(concepts, score, mask)
        self._feedback.raise_alike(score, mask)
        relaxed = not bool(np.any((matched == len(concepts)) & required))
        evidence = [found for concept in concepts for found in concept.evidence]
        return Outcome(
            mask, score, relaxed and bool(mask.any()), reading.finish(parsed), evidence, tuple(reading.offers)
        )

    def _nearness(self, concepts: list[Concept], score: Floats, mask: Mask) -> None:
        """Raise the best documents in which neighbouring words of the query stand close together."""
        pairs = [
            (one.position_stem, other.position_stem)
            for one, other in pairwise(concepts)
            if one.position_stem is not None and other.position_stem is not None
        ]
        if not pairs:
            return
        documents = np.flatnonzero(mask)
        depth = weights.PROXIMITY_DEPTH
        if len(documents) > depth:
            documents = documents[np.argpartition(-score[documents], depth)[:depth]]
        documents = np.sort(documents).astype(np.uint32)
        bonus = np.zeros(len(documents), dtype=np.float32)
        for one, other in pairs:
            lists = [self.generation.postings(schema.STEM, stem) for stem in (one, other)]
            both = np.ones(len(documents), dtype=np.bool_)
            for found in lists:
                both &= np.isin(documents, found.ids, assume_unique=True)
            at = np.flatnonzero(both)
            if not len(at):
                continue
            first, second = (_places(found, documents[at]) for found in lists)
            if not len(first) or not len(second):
                continue
            # the nearest place of the other word on either side; owners are in the high bits
            right = np.searchsorted(second, first)
            for neighbour in (np.minimum(right, len(second) - 1), np.maximum(right - 1, 0)):
                apart = np.abs(second[neighbour] - first)
                near = (apart > 0) & (apart <= weights.PROXIMITY_WINDOW)
                np.maximum.at(
                    bonus,
                    at[first[near] >> _POSITION_BITS],
                    (weights.PROXIMITY / apart[near]).astype(np.float32),
                )
        score[documents] *= 1.0 + bonus

    def _concepts(self, parsed: Parsed, reading: "_Reading", required: Mask) -> list[Concept]:
        concepts: list[Concept] = []
        grouped: dict[int, Concept] = {}
        words = [clause for clause in parsed.clauses if clause.kind == "word" and clause.field is None]
        analysed = {id(clause): self.analyzer.word(clause.tokens[0].text) for clause in words}
        named = self._named(words, analysed)
        empty = {id(clause) for clause in words if self._says_nothing(analysed[id(clause)])} - named.keys()
        dropped: set[int] = empty if len(empty) < len(parsed.clauses) else set()
        plain = len(words) - len(dropped) > weights.FULL_WORDS
        if plain:
            dropped |= self._commonest([clause for clause in words if id(clause) not in dropped], analysed)
            named, words = {}, []
        run = [clause for clause in words if id(clause) not in dropped and clause.group < 0]
        run = [clause for clause in run if id(clause) not in named]
        meant = self._meant(run, analysed)
        spans = self._spans(run, analysed, meant)
        for clause in parsed.clauses:
            if id(clause) in dropped:
                reading.dropped.append(clause.text)
                continue
            span, name = spans.get(id(clause)), named.get(id(clause))
            if (span is not None and span[0] is not clause) or (name is not None and name[0][0] is not clause):
                continue
            if name is not None:
                concept = self._named_concept(*name, analysed, reading)
            elif span is not None:
                concept = self._span_concept(span, analysed, meant, reading)
            elif id(clause) in analysed:
                take = self._plain_concept if plain else self._word_concept
                concept = take(clause, analysed[id(clause)], reading)
            else:
                concept = self._special_concept(clause, reading, required)
            held = grouped.get(clause.group)
            if held is not None:
                held.either(concept)
                continue
            concepts.append(concept)
            if clause.group >= 0:
                grouped[clause.group] = concept
        return concepts

    def _commonest(self, words: list[Clause], analysed: dict[int, Word]) -> set[int]:
        """Of the words of a long query those to leave out: what is found nowhere, then what is found most often."""
        found = {id(clause): self._occurs_stem(analysed[id(clause)].stem) for clause in words}
        rarest = sorted(words, key=lambda clause: found[id(clause)] or self.generation.size + 1)
        return {id(clause) for clause in rarest[weights.MOST_WORDS :]}

    def _plain_concept(self, clause: Clause, word: Word, reading: "_Reading") -> Concept:
        """One word of a long query: where it stands, in any inflection or inside a compound, and nothing beyond."""
        reading.words.append(clause.text)
        reading.mark(word.stem, clause.text, "form", 1.0)
        zeros = np.zeros(self.generation.size, dtype=np.float32)
        notion = self._notion(word.stem)
        if notion is None:
            return Concept(clause.text, zeros, zeros.copy(), self.idf(0))
        importance = max(self.idf(int(np.count_nonzero(notion))), 0.05)
        concept = Concept(clause.text, self.saturate(notion, importance), (notion > 0).astype(np.float32), importance)
        concept.position_stem = word.stem
        concept.evidence.append(_dense(Reason(clause.text, clause.text, "form"), notion))
        return concept

    def _named(self, words: list[Clause], analysed: dict[int, Word]) -> dict[int, tuple[list[Clause], Named]]:
        """Find names in the plain words of a query: each word of a name → all its words, and what it stands for."""
        found: dict[int, tuple[list[Clause], Named]] = {}
        if self._names is None:
            return found
        listed = [analysed[id(clause)] for clause in words]
        common = {
            at: word.filler
            or word.folded in self.analyzer.lexicon.nouns
            or self.analyzer.everyday(word)
            or self.analyzer.thesaurus.knows((word.stem,))
            for at, word in enumerate(listed)
        }
        for first, end, named in self._names.find(listed, common):
            span = words[first:end]
            if all(clause.group < 0 for clause in span):
                found |= {id(clause): (span, named) for clause in span}
        return found

    def _named_concept(
        self, span: list[Clause], named: Named, analysed: dict[int, Word], reading: "_Reading"
    ) -> Concept:
        """A name: documents of what it stands for, documents that mention it, and less what lies near it."""
        text = " ".join(clause.text for clause in span)
        if len(span) == 1:
            concept = self._scored(
                text, self._notion(analysed[id(span[0])].stem), (analysed[id(span[0])].stem,), reading
            )
            concept.position_stem = analysed[id(span[0])].stem
            reading.words.append(text)
            reading.mark(analysed[id(span[0])].stem, text, "form", 1.0)
        else:
            concept = self._span_concept(span, analysed, {}, reading)
        size = self.generation.size
        exact = np.zeros(size, dtype=np.bool_)
        for facet, value in named.exact:
            here = self.generation.facet(facet).having((value,), size) & self.visible
            if here.any():
                exact |= here
                reading.suggest(facet, value, text)
        near = np.zeros(size, dtype=np.float32)
        for facet, value, weight in named.near:
            np.maximum(near, self.generation.facet(facet).having((value,), size) * np.float32(weight), out=near)
        near[~self.visible] = 0.0
        if exact.any():
            mentioned = (concept.credit >= _STRONG) | exact
            concept.importance = self.idf(int(np.count_nonzero(mentioned)))
        # a site counts as much as one mention in the field of sites, whatever the texts say
        there = self.saturate(np.float32(weights.PLACE) * exact, concept.importance)
        np.maximum(concept.score, there, out=concept.score)
        np.maximum(concept.score, there.max(initial=0.0) * near, out=concept.score)
        np.maximum(concept.credit, np.maximum(exact, near * np.float32(weights.NEAR_PLACE)), out=concept.credit)
        concept.evidence.append(_dense(Reason(text, text, "place"), exact.astype(np.float32)))
        concept.evidence.append(_dense(Reason(text, text, "near"), np.where(exact, 0, near)))
        return concept

    def _says_nothing(self, word: Word) -> bool:
        """Tell whether a word only surrounds what is asked: a filler, or an everyday word that occurs nowhere."""
        return word.filler or (
            self.analyzer.everyday(word)
            and not self.analyzer.thesaurus.knows((word.stem,))
            and not self._occurs_stem(word.stem)
        )

    def _special_concept(self, clause: Clause, reading: "_Reading", required: Mask) -> Concept:
        if clause.field is not None:
            return self._restricted(clause, reading, required)
        if clause.kind == "phrase":
            return self._phrase_concept(clause, reading, required)
        return self._prefix_concept(clause, reading)

    def _meant(self, run: list[Clause], analysed: dict[int, Word]) -> dict[int, Word]:
        """Return what was probably meant by mistyped words, so that a known term is seen with a typo in it."""
        meant: dict[int, Word] = {}
        if len(run) > 1:
            for clause in run:
                word = analysed[id(clause)]
                if word.stop or self._notion(word.stem) is not None or self._understood(word):
                    continue
                for nearness, candidate in self._candidates(word)[:1]:
                    if nearness > _WEAK:
                        meant[id(clause)] = candidate
        return meant

    def _spans(self, run: list[Clause], analysed: dict[int, Word], meant: dict[int, Word]) -> dict[int, list[Clause]]:
        """Find terms of several words that the thesaurus knows; longest first, no overlaps."""
        spans: dict[int, list[Clause]] = {}
        thesaurus = self.analyzer.thesaurus
        at = 0
        while at < len(run):
            taken = 1
            if at + 1 < len(run) and self._torn(analysed[id(run[at])], analysed[id(run[at + 1])]):
                for clause in run[at : at + 2]:
                    spans[id(clause)] = run[at : at + 2]
                at += 2
                continue
            for size in range(min(thesaurus.longest, len(run) - at), 1, -1):
                part = run[at : at + size]
                words = (meant.get(id(clause), analysed[id(clause)]) for clause in part)
                if thesaurus.knows(tuple(word.stem for word in words)):
                    for clause in part:
                        spans[id(clause)] = part
                    taken = size
                    break
            at += taken
        return spans

    def _torn(self, first: Word, second: Word) -> bool:
        """Tell whether two words are one that was written apart: the whole occurs, one of the pieces does not."""
        if not (first.folded.isalpha() and second.folded.isalpha()) or first.stop or second.stop:
            return False
        whole = self.analyzer.word(first.text + second.text)
        if not self._occurs_stem(whole.stem):
            return False
        return not (self._occurs_stem(first.stem) and self._occurs_stem(second.stem))

    # --- kinds of clauses ------------------------------------------------------------------------------------------

    def _word_concept(self, clause: Clause, word: Word, reading: "_Reading") -> Concept:
        reading.words.append(clause.text)
        notion = self._notion(word.stem)
        if notion is None and not self._understood(word):
            corrected = self._corrected(clause, word, reading)
            if corrected is not None:
                return corrected
        for alias in clause.tokens[1:]:
            other = self._notion(self.analyzer.word(alias.text).stem)
            if other is not None:
                notion = other if notion is None else np.maximum(notion, other)
                reading.mark(self.analyzer.word(alias.text).stem, clause.text, "form", 1.0)
        reading.mark(word.stem, clause.text, "form", 1.0)
        concept = self._scored(clause.text, notion, (word.stem,), reading)
        concept.position_stem = word.stem
        if notion is not None:
            for variant in forms.variants(word.text):
                exact = self.postings(schema.EXACT, variant)
                if len(exact.ids):
                    concept.score[exact.ids] += self.saturate(exact.weights, weights.EXACT * concept.importance)
        if word.atoms:
            self._parts(concept, word, reading)
        self._similar(concept, word, notion, reading)
        if notion is not None:
            self._offer(word, notion, reading)
        return concept

    # --- words that do not occur, and words like those asked for ---------------------------------------------------

    def _understood(self, word: Word) -> bool:
        """Tell whether a word that stands nowhere is still no typo: known terms, whole compounds, numbers."""
        if self.analyzer.thesaurus.knows((word.stem,)) or not word.folded.isalpha():
            return True
        if word.folded in self.analyzer.lexicon.nouns or self.analyzer.everyday(word):
            return True
        if self._names is not None and self._names.knows(word.folded):
            return True
        return bool(word.atoms) and all(self._occurs_stem(stem) for _, _, stem in word.atoms)

    def _occurs_stem(self, stem: str) -> int:
        return self.frequency(schema.STEM, stem) or self.frequency(schema.PART, stem)

    def _occurs(self, text: str) -> int:
        word = self.analyzer.word(text)
        return 0 if word.stop else self.frequency(schema.STEM, word.stem)

    def _candidates(self, word: Word) -> list[tuple[float, Word]]:
        """Return words few letters away that lead to visible documents, likeliest first."""
        found: list[tuple[float, Word]] = []
        seen = {word.stem}
        # of several spellings equally near, the one that stands in the index is shown
        near = sorted(
            self.vocabulary.corrections(word.text)[:_CONSIDERED],
            key=lambda item: (-item[1], not self.frequency(schema.EXACT, item[0]), item[0].isascii(), item[0]),
        )
        for text, nearness in near:
            candidate = self.analyzer.word(text)
            if candidate.stem in seen or candidate.stop:
                continue
            frequency = self._occurs_stem(candidate.stem)
            if not frequency and self.analyzer.thesaurus.knows((candidate.stem,)):
                stems = (expansion.stems for expansion in self.analyzer.thesaurus.expand((candidate.stem,)))
                frequency = int(any(len(s) == 1 and self._occurs_stem(s[0]) for s in stems))
            if not frequency:
                continue
            seen.add(candidate.stem)
            found.append((nearness + 0.03 * math.log(frequency), candidate))
        found.sort(key=lambda item: -item[0])
        return found

    def _corrected(self, clause: Clause, word: Word, reading: "_Reading") -> Concept | None:
        """Return a concept of what was probably meant by a word that stands nowhere; None when nothing is near."""
        candidates = self._candidates(word)
        halves = self.vocabulary.halves(word.text, self._occurs) if not candidates or candidates[0][0] < _WEAK else None
        if halves is not None:
            both = [self.analyzer.word(half) for half in halves]
            concept = self._scored(clause.text, None, tuple(half.stem for half in both), reading)
            self._together(concept, [self._word_score(half.stem) for half in both], clause.text, kind="typo")
            for half in both:
                reading.mark(half.stem, clause.text, "typo", 0.9)
            reading.correct(clause.text, " ".join(halves))
            return concept
        result: Concept | None = None
        for nearness, candidate in candidates[:_CORRECTIONS]:
            factor = np.float32(weights.TYPO * min(1.0, nearness))
            concept = self._scored(candidate.text, self._notion(candidate.stem), (candidate.stem,), reading)
            if candidate.atoms:
                self._parts(concept, candidate, reading)
            reading.mark(candidate.stem, clause.text, "typo", 0.9 * min(1.0, nearness))
            reason = Reason(clause.text, candidate.text, "typo")
            for evidence in concept.evidence:
                if evidence.reason.kind == "form":
                    evidence.reason = reason
            concept.text = clause.text
            if result is None:
                reading.correct(clause.text, candidate.text)
                result = concept
                result.score *= factor
            else:
                if nearness < candidates[0][0] - 0.15:
                    break
                np.maximum(result.score, concept.score * factor, out=result.score)
                np.maximum(result.credit, concept.credit * np.float32(0.9), out=result.credit)
                result.evidence.extend(concept.evidence)
        return result

    def _offer(self, word: Word, notion: Floats, reading: "_Reading") -> None:
        """Offer, but do not apply, a correction of a word that occurs hardly anywhere."""
        if np.count_nonzero(notion) > _RARE or not word.folded.isalpha() or self._understood(word):
            return
        for nearness, candidate in self._candidates(word)[:1]:
            if nearness > _WEAK and self._occurs_stem(candidate.stem) >= _MUCH_COMMONER:
                reading.offers.append((word.text, candidate.text))

    def _similar(self, concept: Concept, word: Word, notion: Floats | None, reading: "_Reading") -> None:
        """Add words that share most letter groups: derivations, compounds the lexicon can't split, other spellings."""
        if len(word.folded) < _MIN_SIMILAR or not word.folded.isalpha():
            return
        if notion is not None and np.count_nonzero(notion) >= _ENOUGH:
            return
        frequency: Floats | None = None
        taken = 0
        for like in self.vocabulary.like(word.text)[:_CONSIDERED]:
            if like.likeness < _LEAST_SIMILAR and like.containment < _LEAST_CONTAINED:
                continue
            other = self.analyzer.word(like.word)
            if other.stem == word.stem or word.stem in other.parts:
                continue
            found = self.postings(schema.EXACT, like.word)
            if not len(found.ids):
                continue
            if frequency is None:
                frequency = np.zeros(self.generation.size, dtype=np.float32)
            likeness = max(like.likeness, like.containment * 0.8)
            frequency[found.ids] += found.weights * np.float32(likeness)
            reading.mark(other.stem, concept.text, "similar", 0.4 * likeness)
            taken += 1
            if taken >= weights.MAX_SIMILAR:
                break
        if frequency is None:
            return
        importance = min(concept.importance, self.idf(int(np.count_nonzero(frequency))))
        score = self.saturate(frequency, importance * weights.SIMILAR)
        np.maximum(concept.score, score, out=concept.score)
        np.maximum(concept.credit, np.where(frequency > 0, np.float32(weights.SIMILAR_CREDIT), 0), out=concept.credit)
        concept.evidence.append(_dense(Reason(concept.text, concept.text, "similar"), frequency))

    def _span_concept(
        self, span: list[Clause], analysed: dict[int, Word], meant: dict[int, Word], reading: "_Reading"
    ) -> Concept:
        """A known term of several words: found as a phrase, as its synonyms, or as all its words."""
        known = self.analyzer.thesaurus.knows(tuple(analysed[id(clause)].stem for clause in span))
        words = [analysed[id(clause)] if known else meant.get(id(clause), analysed[id(clause)]) for clause in span]
        text = " ".join(clause.text for clause in span)
        stems = tuple(word.stem for word in words)
        reading.words.extend(clause.text for clause in span)
        for clause, word in zip(span, words, strict=True):
            if word is not analysed[id(clause)]:
                reading.correct(clause.text, word.text)
        notion: Floats | None = None
        ids, least = self.phrase(stems, range(len(stems)))
        if len(ids):
            notion = np.zeros(self.generation.size, dtype=np.float32)
            notion[ids] = least
        joined = self._joined(words)
        if joined is not None:
            notion = joined if notion is None else np.maximum(notion, joined)
        concept = self._scored(text, notion, stems, reading)
        for clause, word in zip(span, words, strict=True):
            reading.mark(word.stem, clause.text, "form" if word is analysed[id(clause)] else "typo", 0.8)
        self._together(concept, [self._word_score(word.stem) for word in words], text)
        return concept

    def _joined(self, words: Iterable[Word]) -> Floats | None:
        """Two or more words written as one: "smart meter" as "Smartmeter"."""
        word = self.analyzer.word("".join(word.text for word in words))
        found = self._notion(word.stem)
        return None if found is None else found * np.float32(weights.JOINED)

    def _scored(self, text: str, notion: Floats | None, stems: tuple[str, ...], reading: "_Reading") -> Concept:
        """Make a concept of a word (or term) and what the thesaurus says means the same or nearly the same."""
        size = self.generation.size
        own = notion
        near: list[tuple[Floats, float, Reason]] = []
        same: list[tuple[Floats, Reason]] = []
        for expansion in self.analyzer.thesaurus.expand(stems)[: weights.MAX_SYNONYMS]:
            found = self._term_frequency(expansion.stems)
            if found is None:
                continue
            kind = "synonym" if expansion.relation == "same" else "related"
            reason = Reason(text, expansion.text, kind)
            reading.expand(text, expansion.text, expansion.relation, expansion.stems, expansion.weight)
            if kind == "synonym":
                same.append((found * np.float32(expansion.weight), reason))
            else:
                near.append((found, expansion.weight, reason))
        whole = own
        for found, _ in same:
            whole = found.copy() if whole is None else np.maximum(whole, found)
        frequency = int(np.count_nonzero(whole)) if whole is not None else 0
        importance = self.idf(frequency)
        concept = Concept(
            text, np.zeros(size, dtype=np.float32), np.zeros(size, dtype=np.float32), max(importance, 0.05)
        )
        if whole is not None:
            concept.score = self.saturate(whole, importance)
            concept.credit = (whole > 0).astype(np.float32)
        if own is not None:
            concept.evidence.append(_dense(Reason(text, text, "form"), own))
        for found, reason in same:
            concept.evidence.append(_dense(reason, found))
        for found, weight, reason in near:
            evidence = self.saturate(found, min(importance, self.idf(int(np.count_nonzero(found)))) * weight)
            np.maximum(concept.score, evidence, out=concept.score)
            np.maximum(
                concept.credit, np.where(found > 0, np.float32(weights.NEAR_CREDIT + weight / 4), 0), out=concept.credit
            )
            concept.evidence.append(_dense(reason, found))
        return concept

    def _term_frequency(self, stems: tuple[str, ...]) -> Floats | None:
        """Return the pseudo-frequency of a term of one or more words."""
        if len(stems) == 1:
            return self._notion(stems[0])
        ids, least = self.phrase(stems, range(len(stems)))
        joined = self._notion("".join(forms.bare(stem) for stem in stems[:-1]) + stems[-1])
        if not len(ids):
            return joined
        result = np.zeros(self.generation.size, dtype=np.float32)
        result[ids] = least
        return result if joined is None else np.maximum(result, joined)

    def _word_score(self, stem: str) -> Floats | None:
        notion = self._notion(stem)
        if notion is None:
            return None
        return self.saturate(notion, self.idf(int(np.count_nonzero(notion))))

    def _part_score(self, stem: str, text: str, reading: "_Reading") -> Floats | None:
        """Return the score of one part of a compound: the part itself, or what means the same."""
        notion = self._notion(stem)
        for expansion in self.analyzer.thesaurus.expand((stem,))[: weights.MAX_PART_SYNONYMS]:
            if expansion.relation != "same":
                break
            found = self._term_frequency(expansion.stems)
            if found is not None:
                found = found * np.float32(weights.PART_SYNONYM * expansion.weight)
                notion = found if notion is None else np.maximum(notion, found)
                if len(expansion.stems) == 1:
                    reading.part(expansion.stems[0], text)
        if notion is None:
            return None
        return self.saturate(notion, self.idf(int(np.count_nonzero(notion))))

    def _parts(self, concept: Concept, word: Word, reading: "_Reading") -> None:
        """Add what speaks for a compound: its parts together, one of them, or a compound inside it."""
        atoms = [stem for _, _, stem in word.atoms]
        for stem in atoms:
            reading.part(stem, concept.text)
        for stem in word.parts[len(dict.fromkeys(atoms)) :]:
            score = self._part_score(stem, concept.text, reading)
            if score is None:
                continue
            reading.mark(stem, concept.text, "compound", 0.7)
            np.maximum(concept.score, score * np.float32(weights.SUBCOMPOUND), out=concept.score)
            np.maximum(concept.credit, np.where(score > 0, np.float32(0.75), 0), out=concept.credit)
            concept.evidence.append(_dense(Reason(concept.text, stem, "compound"), score))
        self._together(concept, [self._part_score(stem, concept.text, reading) for stem in atoms], concept.text)

    def _together(self, concept: Concept, scores: Iterable[Floats | None], text: str, kind: str = "compound") -> None:
        listed = list(scores)
        found = [score for score in listed if score is not None]
        if not found:
            return
        total = np.sum(found, axis=0, dtype=np.float32)
        share = np.sum([score > 0 for score in found], axis=0, dtype=np.float32) / np.float32(len(listed))
        every = share >= 1.0
        # All parts may weigh as much as the rare whole would; one part only as much as its share.
        factor = np.where(every, np.float32(weights.TOGETHER), np.float32(weights.ONE_PART) * share)
        evidence = total * factor / np.float32(math.sqrt(len(listed)))
        np.maximum(concept.score, evidence, out=concept.score)
        credit = np.where(every, np.float32(1.0), np.float32(_WEAK) * share)
        np.maximum(concept.credit, credit * (share > 0), out=concept.credit)
        concept.evidence.append(_dense(Reason(text, text, kind), np.where(every, total, 0)))
        concept.evidence.append(_dense(Reason(text, text, "part"), np.where(every, 0, total)))

    def _phrase_concept(self, clause: Clause, reading: "_Reading", required: Mask) -> Concept:
        plain = [token for token in clause.tokens if not token.alias]
        words = [(self.analyzer.word(token.text), token.position) for token in plain]
        kept = [(word, position) for word, position in words if not word.stop] or words
        stems = [word.stem for word, _ in kept]
        first = kept[0][1]
        ids, least = self.phrase(stems, [position - first for _, position in kept])
        reading.phrases.append(clause.text)
        reading.sequences.append((tuple(stems), Mark(clause.text, "phrase", 1.0)))
        only = np.zeros(self.generation.size, dtype=np.bool_)
        only[ids] = True
        if clause.group < 0:
            required &= only
        notion = np.zeros(self.generation.size, dtype=np.float32)
        notion[ids] = least
        importance = self.idf(len(ids))
        return Concept(
            clause.text,
            self.saturate(notion, importance),
            only.astype(np.float32),
            importance,
            [_dense(Reason(clause.text, clause.text, "phrase"), notion)],
        )

    def _prefix_concept(self, clause: Clause, reading: "_Reading") -> Concept:
        notion = np.zeros(self.generation.size, dtype=np.float32)
        for variant in forms.variants(clause.tokens[0].text):
            for term in self.generation.expand(variant, weights.MAX_EXPANSIONS):
                found = self.postings(schema.EXACT, term)
                notion[found.ids] += found.weights
            reading.prefixes.append((variant, Mark(clause.text + "*", "prefix", 0.8)))
        reading.words.append(clause.text + "*")
        importance = self.idf(int(np.count_nonzero(notion)))
        return Concept(
            clause.text,
            self.saturate(notion, importance * weights.PREFIX),
            (notion > 0).astype(np.float32),
            importance,
            [_dense(Reason(clause.text + "*", clause.text, "prefix"), notion)],
        )

    def _restricted(self, clause: Clause, reading: "_Reading", required: Mask) -> Concept:
        only = np.zeros(self.generation.size, dtype=np.bool_)
        stems = [self.analyzer.word(token.text).stem for token in clause.tokens if not token.alias]
        lists = [self.postings(clause.field or schema.TITLE, stem).ids for stem in stems]
        if lists:
            common = lists[0]
            for ids in lists[1:]:
                common = np.intersect1d(common, ids, assume_unique=True)
            only[common] = True
        if clause.group < 0:
            required &= only
        for stem in stems:
            reading.mark(stem, clause.text, "form", 1.0)
        importance = self.idf(int(np.count_nonzero(only)))
        score = only.astype(np.float32)
        return Concept(
            clause.text,
            score * np.float32(importance),
            score,
            importance,
            [_dense(Reason(clause.text, clause.text, "form"), score)],
        )

    def _literal(self, clause: Clause) -> Ids:
        """Return the documents an exclusion takes out: the word itself in any inflection, not inside compounds."""
        if clause.field is not None or clause.kind == "word":
            word = self.analyzer.word(clause.tokens[0].text)
            return self.postings(clause.field or schema.STEM, word.stem).ids
        if clause.kind == "prefix":
            found = [
                self.postings(schema.EXACT, term).ids
                for term in self.generation.expand(clause.tokens[0].text, weights.MAX_EXPANSIONS)
            ]
            return np.unique(np.concatenate(found)) if found else NO_POSTINGS.ids
        plain = [token for token in clause.tokens if not token.alias]
        stems = [self.analyzer.word(token.text).stem for token in plain]
        ids, _ = self.phrase(stems, [token.position - plain[0].position for token in plain])
        return ids

    # --- other questions -------------------------------------------------------------------------------------------

    def completions(self, words: Sequence[str], limit: int) -> tuple[list[str], list[int]]:
        """Return visible words that begin like the last of `words`, and the documents that have all words."""
        size = self.generation.size
        last = words[-1].lower()
        begun = np.zeros(size, dtype=np.float32)
        titled = np.zeros(size, dtype=np.bool_)
        terms: list[tuple[int, str]] = []
        for variant in forms.variants(last):
            for term in self.generation.expand(variant, weights.MAX_EXPANSIONS // 3):
                found = self.postings(schema.EXACT, term)
                if not len(found.ids):
                    continue
                begun[found.ids] += found.weights
                word = self.analyzer.word(term)
                titled[self.postings(schema.TITLE, word.stem).ids] = True
                if len(term) > len(last) and word.folded.isalpha() and not word.stop:
                    noun = word.atoms or word.folded in self.analyzer.lexicon.nouns
                    terms.append((len(found.ids), term.capitalize() if noun else term))
        score = begun + np.float32(_TITLED) * titled
        score[begun == 0] = 0
        for text in words[:-1]:
            word = self.analyzer.word(text.lower())
            if word.stop:
                continue
            notion = self._notion(word.stem)
            if notion is None:
                return [], []
            score = np.where((notion > 0) & (score > 0), score + notion, np.float32(0))
        before = " ".join(words[:-1])
        terms.sort(key=lambda item: (-item[0], item[1]))
        best = self._best(score.astype(np.float32), limit)
        return [f"{before} {term}".strip() for _, term in dict.fromkeys(terms)][:limit], [number for number, _ in best]

    def like(self, stems: Iterable[str], limit: int) -> list[tuple[int, float]]:
        """Return the visible documents that share most of the telling stems: (document, score), best first."""
        score = np.zeros(self.generation.size, dtype=np.float32)
        weighed: list[tuple[float, Floats]] = []
        for stem in dict.fromkeys(stems):
            notion = self._notion(stem)
            if notion is not None:
                weighed.append((self.idf(int(np.count_nonzero(notion))), notion))
        weighed.sort(key=lambda item: -item[0])
        for importance, notion in weighed[:_LIKE_STEMS]:
            score += self.saturate(notion, importance * importance)
        return self._best(score, limit)

    def _best(self, score: Floats, limit: int) -> list[tuple[int, float]]:
        documents = np.flatnonzero(score)
        order = np.lexsort((self.generation.ranks()[documents], -score[documents]))[:limit]
        return [(int(number), float(score[number])) for number in documents[order]]


class _Reading:
    """Collects how a query is read while it is evaluated."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.phrases: list[str] = []
        self.excluded: list[str] = []
        self.dropped: list[str] = []
        self.expansions: list[Expansion] = []
        self.corrections: list[tuple[str, str]] = []
        self.offers: list[tuple[str, str]] = []
        self.stems: dict[str, Mark] = {}
        self.prefixes: list[tuple[str, Mark]] = []
        self.sequences: list[tuple[tuple[str, ...], Mark]] = []
        self.compounds: dict[str, Mark] = {}
        self.suggested: list[tuple[str, str, str]] = []

    def mark(self, stem: str, word: str, kind: str, strength: float) -> None:
        held = self.stems.get(stem)
        if held is None or held.strength < strength:
            self.stems[stem] = Mark(word, kind, strength)

    def suggest(self, facet: str, value: str, word: str) -> None:
        if len(self.suggested) < _SUGGESTED and (facet, value, word) not in self.suggested:
            self.suggested.append((facet, value, word))

    def correct(self, word: str, correction: str) -> None:
        self.corrections.append((word, correction))

    def part(self, stem: str, word: str) -> None:
        self.compounds.setdefault(stem, Mark(word, PART_OF_ASKED, 0.5))

    def expand(self, word: str, term: str, relation: str, stems: tuple[str, ...], weight: float) -> None:
        self.expansions.append(Expansion(word, term, relation))
        kind = "synonym" if relation == "same" else "related"
        if len(stems) == 1:
            self.mark(stems[0], word, kind, 0.9 * weight)
        else:
            self.sequences.append((stems, Mark(word, kind, 0.9 * weight)))

    def finish(self, parsed: Parsed) -> Understood:
        return Understood(
            tuple(self.words),
            tuple(self.phrases),
            tuple(self.excluded),
            tuple(parsed.restrictions),
            tuple(self.dropped),
            tuple(self.expansions),
            tuple(self.corrections),
            self.stems,
            tuple(self.prefixes),
            tuple(self.sequences),
            self.compounds,
            suggested=tuple(self.suggested),
        )


def _dense(reason: Reason, frequency: Floats) -> Evidence:
    ids = np.flatnonzero(frequency).astype(np.uint32)
    return Evidence(reason, ids, frequency[ids])


def _places(found: Postings, documents: Ids | Ints) -> Ints:
    """Return number-of-document << 17 | position for all positions in the given documents (all of them in `found`)."""
    if found.starts is None or found.positions is None:
        return np.empty(0, dtype=np.int64)
    at = np.searchsorted(found.ids, documents)
    first = found.starts[at]
    lengths = found.starts[at + 1] - first
    owners = np.repeat(np.arange(len(documents), dtype=np.int64), lengths)
    ends = np.cumsum(lengths)
    flat = np.arange(int(ends[-1]) if len(ends) else 0, dtype=np.int64) + np.repeat(first - (ends - lengths), lengths)
    places: Ints = owners << _POSITION_BITS | found.positions[flat].astype(np.int64)
    return places
