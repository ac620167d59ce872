"""The evaluator against Whoosh's own search, against counting by hand, and on anything a user may type."""

import random
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from whoosh import query as wq
from whoosh.scoring import WeightingModel
from whoosh.scoring import WeightScorer as _WeightScorer

from index import Document, Query, SearchIndex, postings, schema, weights
from index.analysis import tokenise
from index.evaluator import Evaluator
from index.query import parse
from tests.index.library import PUBLIC, make_index
from tests.index.library import document as entry

VOCABULARY = [
    "wasser",
    "zähler",
    "zählern",
    "straßenbeleuchtung",
    "beleuchtung",
    "wärmepumpe",
    "großwärmepumpe",
    "pumpen",
    "netz",
    "rohrnetz",
    "müll",
    "sensor",
    "abwasser",
    "kanal",
    "kanalnetz",
    "karte",
    "gefahrenkarte",
    "smart",
    "meter",
    "imsys",
    "arnsberg",
    "travemünde",
    "450",
    "mhz",
    "14a",
    "leitung",
    "leitungen",
]


class _Raw(WeightingModel):  # type: ignore[misc]
    """Whoosh scoring that adds up the stored weights."""

    def scorer(self, searcher: object, fieldname: str, text: bytes, qf: int = 1) -> object:  # noqa: ARG002
        return _Plain()


class _Plain(_WeightScorer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__(1.0)


def _documents(count: int, seed: int) -> list[Document]:
    chance = random.Random(seed)  # noqa: S311 - test data
    return [
        Document(
            str(number),
            {
                "title": " ".join(chance.choices(VOCABULARY, k=chance.randint(1, 6))),
                "solution": " ".join(chance.choices(VOCABULARY, k=chance.randint(0, 40))),
                "site": chance.choice(["Arnsberg", "Travemünde", ""]),
            },
            {
                "topic": tuple(chance.sample(["a", "b", "c", "d"], chance.randint(0, 3))),
                "state": (chance.choice(["NW", "SH", "BY"]),),
            },
            {"year_from": chance.randint(2015, 2026), "updated": chance.randint(0, 50)}
            if chance.random() < 0.8
            else {},
            frozenset(chance.sample(["public", "member", "user:1"], chance.randint(0, 2))),
        )
        for number in range(count)
    ]


@pytest.fixture(scope="module")
def documents() -> list[Document]:
    return _documents(300, 1)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory, documents: list[Document]) -> SearchIndex:
    """Several segments, deletions included."""
    index = make_index(tmp_path_factory.mktemp("evaluator"), documents[:200])
    index.update(documents[200:250])
    index.update([*documents[250:], *documents[:10]], ["299x"])
    return index


def test_postings_are_whooshs_postings(index: SearchIndex) -> None:
    """Ids and weights of random one- to three-word queries, term by term, against search(limit=None)."""
    folder = index._store.current()
    whoosh = postings.open_for_writing(folder)
    generation = index._current()
    everyone = frozenset({"public", "member", "user:1"})
    evaluator = Evaluator(generation, index.analyzer, everyone)
    chance = random.Random(2)  # noqa: S311 - test data
    words = [index.analyzer.word(word) for word in VOCABULARY]
    compared = 0
    with whoosh.searcher(weighting=_Raw()) as searcher:
        for _ in range(160):
            terms = [
                chance.choice(
                    [(schema.EXACT, word.text), (schema.STEM, word.stem), (schema.PART, (*word.parts, word.stem)[0])]
                )
                for word in chance.sample(words, chance.randint(1, 3))
            ]
            query = wq.Or([wq.Term(field, term.encode()) for field, term in dict.fromkeys(terms)])
            expected = {}
            for hit in searcher.search(query, limit=None):
                if evaluator.visible[hit.docnum]:
                    expected[hit.docnum] = hit.score
            score = np.zeros(generation.size)
            for field, term in dict.fromkeys(terms):
                found = evaluator.postings(field, term)
                score[found.ids] += found.weights
            assert {int(n): float(score[n]) for n in np.flatnonzero(score)} == pytest.approx(expected, rel=1e-5)
            compared += len(expected)
    assert compared > 1000


def test_positions_are_where_the_words_are(index: SearchIndex, documents: list[Document]) -> None:
    """Every phrase of two words found is in a text, and every one in a text is found."""
    evaluator = Evaluator(index._current(), index.analyzer, frozenset({"public", "member", "user:1"}))
    stem = {word: index.analyzer.word(word).stem for word in VOCABULARY}
    for one in VOCABULARY[:8]:
        for other in VOCABULARY[:8]:
            ids, _ = evaluator.phrase([stem[one], stem[other]], [0, 1])
            found = {index._current().id(int(number)) for number in ids}
            expected = set()
            for document in documents:
                if not document.audience:
                    continue
                for text in document.fields.values():
                    stems = [index.analyzer.word(token.text).stem for token in tokenise(text) if not token.alias]
                    if any(pair == (stem[one], stem[other]) for pair in pairwise(stems)):
                        expected.add(document.id)
            assert found == expected, (one, other)


def _matches(document: Document, query: Query, *, without: str = "") -> bool:
    if not document.audience & query.audiences:
        return False
    for name, values in query.filters.items():
        if name != without and not set(values) & set(document.facets.get(name, ())):
            return False
    for name, (low, high) in query.ranges.items():
        value = document.numbers.get(name)
        if value is None or (low is not None and value < low) or (high is not None and value > high):
            return False
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    audiences=st.frozensets(st.sampled_from(["public", "member", "user:1", "nobody"])),
    topics=st.lists(st.sampled_from(["a", "b", "c", "d", "none"]), max_size=3),
    states=st.lists(st.sampled_from(["NW", "SH", "BY"]), max_size=2),
    low=st.none() | st.integers(2014, 2027),
    high=st.none() | st.integers(2014, 2027),
    text=st.sampled_from(["", "wasser", "beleuchtung netz", '"smart meter"', "zähl*", "wasser -kanal"]),
)
def test_counts_are_exact_and_nothing_hidden_counts(  # noqa: PLR0913, PLR0917 - one argument per thing varied
    index: SearchIndex,
    documents: list[Document],
    audiences: frozenset[str],
    topics: list[str],
    states: list[str],
    low: int | None,
    high: int | None,
    text: str,
) -> None:
    filters = {name: tuple(v) for name, v in (("topic", topics), ("state", states)) if v}
    ranges = {"year_from": (low, high)} if low is not None or high is not None else {}
    query = Query(text, audiences, filters, ranges, ("topic", "state"), limit=1000)
    results = index.search(query)
    # what the words match is taken from a search without any filter; the rest is counted by hand
    matching = {hit.id for hit in index.search(Query(text, audiences, limit=1000)).hits}
    by_hand = [document for document in documents if document.id in matching]
    assert all(document.audience & audiences for document in by_hand)
    assert {hit.id for hit in results.hits} == {d.id for d in by_hand if _matches(d, query)}
    assert results.total == len(results.hits)
    for facet in ("topic", "state"):
        counts: dict[str, int] = {}
        for document in by_hand:
            if _matches(document, query, without=facet):
                for value in set(document.facets.get(facet, ())):
                    counts[value] = counts.get(value, 0) + 1
        assert results.facets[facet] == counts


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.lists(st.sampled_from(VOCABULARY), min_size=1, max_size=4).map(" ".join),
    size=st.integers(1, 7),
    sort=st.sampled_from(["relevance", "-updated", "year_from", "nonsense"]),
)
def test_pages_together_are_the_whole(index: SearchIndex, text: str, size: int, sort: str) -> None:
    whole = [hit.id for hit in index.search(Query(text, PUBLIC, sort=sort, limit=1000)).hits]
    paged: list[str] = []
    while True:
        page = index.search(Query(text, PUBLIC, sort=sort, offset=len(paged), limit=size)).hits
        if not page:
            break
        paged.extend(hit.id for hit in page)
    assert paged == whole


def test_order_does_not_depend_on_segments(tmp_path: Path, documents: list[Document]) -> None:
    one = make_index(tmp_path / "one", documents)
    many = make_index(tmp_path / "many", documents[200:])
    many.update(documents[100:200])
    many.update(documents[:100])
    for text in (*VOCABULARY, "wasser netz kanal", '"smart meter"', "Stadt an der Müll"):
        query = Query(text, PUBLIC, limit=1000)
        first, second = one.search(query), many.search(query)
        assert [hit.id for hit in first.hits] == [hit.id for hit in second.hits], text
        assert first.hits == pytest.approx(first.hits)
        assert [hit.reasons for hit in first.hits] == [hit.reasons for hit in second.hits]


def test_corrections_come_only_from_what_may_be_seen(tmp_path: Path) -> None:
    hidden = Document("1", {"title": "Quartierspeicher Geheimprojekt"}, audience=frozenset({"user:1"}))
    shown = Document("2", {"title": "Wasserzähler"}, audience=PUBLIC)
    index = make_index(tmp_path, [hidden, shown])
    results = index.search(Query("Geheimprojetk", PUBLIC))
    assert results.corrected is None
    assert results.total == 0
    assert index.search(Query("Geheimprojetk", frozenset({"user:1"}))).corrected == "geheimprojekt"
    found = index.search(Query("Waserzähler", PUBLIC))
    assert (found.corrected, found.correction_applied) == ("wasserzähler", True)
    assert [hit.id for hit in found.hits] == ["2"]


@pytest.mark.parametrize(
    ("typed", "corrected"),
    [
        ("Beleuchtng", "beleuchtung"),
        ("Belecuhtung", "beleuchtung"),
        ("Wärmepmpe", "wärmepumpe"),
        ("Waremepumpe", "wärmepumpe"),
        ("Strassenbeleuchtug", "straßenbeleuchtung"),
        ("rohrnetzkarte", None),
        ("beleuchtung", None),
        ("Travemuende", None),
        ("kanl netz", "kanal netz"),
        ("smartmeter", None),
    ],
)
def test_corrections(index: SearchIndex, typed: str, corrected: str | None) -> None:
    results = index.search(Query(typed, PUBLIC))
    assert results.corrected == corrected
    assert results.total


def test_words_torn_apart_are_put_together(index: SearchIndex) -> None:
    whole = index.search(Query("Travemünde", PUBLIC))
    torn = index.search(Query("Trave münde", PUBLIC))
    assert whole.total
    assert {hit.id for hit in torn.hits} == {hit.id for hit in whole.hits}


_ODD = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(
            [
                *VOCABULARY,
                '"',
                "-",
                "*",
                ":",
                "OR",
                "AND",
                "NOT",
                "titel:",
                "jahr:",
                "jahr:2021..",
                "status:x",
                "(",
                ")",
                "\0",
                "😀",
                "🏳️‍🌈",
                "a*",
                "unt*",
                '""',
                "§",
                "..",
                "--",
                "- -",
                '"a',
                "e\u0301",
                "ﬁ",
                "\ud800",
                "İ",
                "ß",
            ]
        ),
        max_size=20,
    ).map(" ".join),
    st.lists(st.sampled_from(['"', "-", "*", ":", "a", "ä", " ", "OR", "1", ".", "\n"]), max_size=40).map("".join),
)


@settings(max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=_ODD)
def test_nothing_a_user_types_is_an_error(index: SearchIndex, text: str) -> None:
    results = index.search(Query(text, PUBLIC, facets=("topic",)))
    assert results.total >= len(results.hits)
    pieces = index.highlight(results.understood, text)
    assert all(piece.text for piece in pieces)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 10_000,
        "wasser " * 5_000,
        "wass* " * 2_000,
        '"' * 10_000,
        "-" * 10_000,
        "wasser OR " * 1_000,
        " ".join(f"w{number}" for number in range(3_000)),
        '"' + "wasser " * 500 + '"',
        "straßenbeleuchtungswärmepumpennetz" * 50,
        "e\u0301" * 3_000,
    ],
)
def test_no_query_costs_much(index: SearchIndex, text: str) -> None:
    started = time.process_time()
    index.search(Query(text, PUBLIC))
    assert time.process_time() - started < 0.3


def test_caps_on_clauses() -> None:
    parsed = parse("wort " * 200 + "eins* zwei* drei* vier*")
    assert len(parsed.clauses) == 64
    assert sum(clause.kind == "prefix" for clause in parse("eins* zwei* drei* vier*").clauses) == 3
    assert [clause.kind for clause in parse("ab*").clauses] == ["word"]


def test_a_pasted_paragraph_is_taken_as_it_stands_and_its_rarest_words_count(tmp_path: Path) -> None:
    rare = [f"sonderwort{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    common = [entry(f"c{number}", solution="Wasser Netz Pumpe Zähler") for number in range(30)]
    index = make_index(tmp_path, [*common, entry("wanted", solution=" ".join(rare))])
    found = index.search(Query("Wasser Netz Pumpe Zähler " + " ".join(rare), audiences=PUBLIC))
    assert found.hits[0].id == "wanted"
    assert len(found.understood.words) == weights.MOST_WORDS
    assert not found.understood.expansions
    assert {"wasser", "netz", "pumpe", "zähler"} <= set(found.understood.dropped)
