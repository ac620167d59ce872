"""Every number the ranking depends on, each with its reason; no ranking code belongs here.

Index-time numbers (FIELDS) change what is stored: raise `index.schema.SCHEMA_VERSION` with them.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class FieldWeight:
    """How much a word in a field counts, how far length is levelled out, and the length that counts as normal."""

    boost: float
    b: float
    pivot: float


# BM25F, computed when a document is written: w = Σ boost · tf / (1 - b + b · length / pivot).
# Pivots are round typical lengths in words, fixed, so that one document's weights never depend on another's.
FIELDS: Final[dict[str, FieldWeight]] = {
    "title": FieldWeight(3.0, 0.3, 9),  # authors put the subject there; titles hardly differ in length
    "subject": FieldWeight(
        2.8, 0.3, 12
    ),  # topics, technologies, keywords: chosen by hand from lists, so nearly a title
    "benefit": FieldWeight(1.8, 0.4, 25),  # one sentence that says what it is good for
    "solution": FieldWeight(1.0, 0.6, 100),  # what was done; long, and half of it about how the work went
    "challenge": FieldWeight(1.0, 0.6, 80),  # why: words of the problem, as people ask
    "results": FieldWeight(0.9, 0.6, 60),  # numbers and outcomes
    "not_worked": FieldWeight(0.7, 0.6, 60),  # lessons: often about side issues
    "site": FieldWeight(1.2, 0.2, 8),  # organisation, place, state: short, decisive when asked for
    "translation": FieldWeight(0.8, 0.7, 200),  # the same again in the other language: must not count double
    "attachments": FieldWeight(0.4, 0.8, 1500),  # long and noisy
}

# Saturation of term frequency: score = idf · w · (K1 + 1) / (K1 + w). Higher lets repeated words count longer;
# w of a word in title and text is about 4, so K1 is above the usual 1.2 (tuned: 2 to 3.5 differ by 0.003 nDCG@10).
K1: Final = 3.5

# How strongly each kind of evidence counts, relative to the same word in any inflection (= 1).
STEM: Final = 1.0  # the word, in any inflection
EXACT: Final = 0.1  # extra: exactly as typed (parts Masse/Maße, Zahlen/zählen in rank, not in recall)
PART: Final = 0.7  # the word inside a compound: Beleuchtung in Straßenbeleuchtung
TOGETHER: Final = 0.65  # the asked compound's parts, all of them in the document: Beleuchtung der Straße
ONE_PART: Final = 0.35  # only some of the parts, times the share found
SUBCOMPOUND: Final = 0.7  # a compound inside the asked one: Wärmepumpe of Großwärmepumpe
PART_SYNONYM: Final = 0.5  # what means the same as a part: Fahrradzählung for Radverkehrsmessung
JOINED: Final = 0.9  # two asked words written as one: smart meter → Smartmeter
PLACE: Final = (
    2.0  # lies where a name in the query says: like the name in the field of sites, a little above one mention
)
NEAR_PLACE: Final = 0.5  # times nearness: how far the same district or state counts as a match
PREFIX: Final = 0.8  # word*
TYPO: Final = 0.75  # times likeness: a word that occurs instead of one that does not
SIMILAR: Final = 0.35  # times likeness: words sharing most of their letters groups
SIMILAR_CREDIT: Final = 0.4  # how far a similar word counts as a match of the asked one

# How near a term of another thesaurus group is; terms of the same group are as good as the word itself.
NARROWER: Final = 0.6  # a kind of what was asked for
BROADER: Final = 0.3  # what it is a kind of: often too general
RELATED: Final = 0.35  # something beside it
NEAR_CREDIT: Final = 0.5  # how far such a term counts as a match, plus a quarter of its nearness
AMBIGUOUS: Final = 1.4  # a term of several groups: each reading counts by so much less

# Two words asked for side by side and found side by side; times 1/distance, of the score of the pair.
PROXIMITY: Final = 0.15
PROXIMITY_WINDOW: Final = 12
PROXIMITY_DEPTH: Final = 60  # only the best so many documents are looked at

# A document with a share s of the asked words (by idf) keeps score · s^COORDINATION: all words before some words.
COORDINATION: Final = 1.4
# Documents with less than this share of the best document's matched words are not hits at all. Low, because what shares
# one telling word of three is often what was meant: 0.45 lost 0.037 nDCG@10 and 6 points of Recall@20 on the dev half.
MIN_SHARE: Final = 0.2

# Documents like the best ones rise (index.feedback): by at most FEEDBACK times the best score, so that the best by its
# words stays first. Measured on the dev half: +0.035 nDCG@10, much the same from 0.4 to 0.8 and from 10 to 30 stems.
FEEDBACK: Final = 0.5
FEEDBACK_DOCUMENTS: Final = 5  # the best, as examples; 3 and 8 are as good
FEEDBACK_SHARE: Final = 0.3  # an example has at least this share of the best score
FEEDBACK_STEMS: Final = 12  # that the examples share and others lack
FEEDBACK_DEPTH: Final = 200  # documents that can rise

# Priors multiply the score by at most 1 + the sum of these: they order equals and never bury a better text.
PRIOR_EVIDENCE: Final = 0.03  # measured results with sources (0–1)
PRIOR_REUSE: Final = 0.03  # others did it too; full at eight reuses
PRIOR_FRESH: Final = 0.02  # halved every four years
FRESH_HALF_LIFE: Final = 4 * 365.25 * 86400.0

# Bounds of work: no query may cost more than these allow.
MAX_QUERY_CHARACTERS: Final = 2000
MAX_TERMS: Final = 64
FULL_WORDS: Final = 12  # a longer query says enough itself: its words are taken as they stand, no synonyms, no typos
MOST_WORDS: Final = 24  # of a longer query the rarest count; its common words would read the whole index for nothing
MAX_WILDCARDS: Final = 3
MIN_PREFIX: Final = 3
MAX_EXPANSIONS: Final = 300  # commonest words of a prefix
MAX_SYNONYMS: Final = 24
MAX_PART_SYNONYMS: Final = 6
MAX_SIMILAR: Final = 12
