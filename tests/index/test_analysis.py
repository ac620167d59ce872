"""The language chain by a table of cases, and what must hold for any text at all."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.analysis import Analyzer, forms, normalise, spelling, tokenise
from index.analysis.grams import GramTable
from index.analysis.stopwords import FILLERS, STOPWORDS
from index.analysis.thesaurus import Group, Thesaurus, parse_groups
from tests.index.library import GROUPS, lexicon

_CASES = Path(__file__).parent / "cases"


def _cases(column: int) -> list[tuple[str, str]]:
    cases: list[tuple[str, str]] = []
    for path in sorted(_CASES.glob("*.tsv")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                query, *columns = line.split("\t")
                texts = columns[column] if len(columns) > column else ""
                cases.extend((query, text) for text in texts.split(";") if text)
    return cases


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    """The chain with the curated lexicon and without synonyms: these cases are about forms."""
    return Analyzer(groups=(), names=("Arnsberg", "Travemünde", "Lüneburg"))


def _terms(analyzer: Analyzer, text: str) -> set[str]:
    terms: set[str] = set()
    for token in tokenise(normalise(text)):
        word = analyzer.word(token.text)
        terms |= {word.stem, *word.parts}
    return terms


def _matches(analyzer: Analyzer, query: str, text: str) -> bool:
    """Every word of the query stands in the text: whole, joined, as all its parts, or inside a compound."""
    terms = _terms(analyzer, text)
    tokens = tokenise(normalise(query))
    whole = [token for token in tokens if token.start == 0 and token.end == len(normalise(query))]
    if any(analyzer.word(token.text).stem in terms for token in whole):
        return True
    for token in tokens:
        word = analyzer.word(token.text)
        if token.alias or word.stop or word.filler:
            continue
        atoms = [stem for _, _, stem in word.atoms]
        if word.stem not in terms and not (atoms and set(atoms) <= terms):
            return False
    return any(not token.alias for token in tokens)


def test_there_are_enough_cases() -> None:
    assert len(_cases(0)) + len(_cases(1)) >= 400


@pytest.mark.parametrize(("query", "text"), _cases(0))
def test_matches(analyzer: Analyzer, query: str, text: str) -> None:
    assert _matches(analyzer, query, text)


@pytest.mark.parametrize(("query", "text"), _cases(1))
def test_does_not_match(analyzer: Analyzer, query: str, text: str) -> None:
    assert not _matches(analyzer, query, text)


def test_compounds_of_the_field(analyzer: Analyzer) -> None:
    """The curated list of splits: nearly all exactly as a person would split them, and hardly a whole word cut."""
    path = Path(__file__).parents[2] / "bench" / "relevance" / "compounds.tsv"
    if not path.is_file():
        pytest.skip("the list of compounds is not here")
    right = total = cut = whole = 0
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        text, expected = line.split("\t")[:2]
        atoms = analyzer.word(text.lower()).atoms
        boundaries = [
            len(forms.fold("".join(expected.lower().split("|")[:n]))) for n in range(1, expected.count("|") + 1)
        ]
        if "|" in expected:
            total += 1
            right += [end for _, end, _ in atoms[:-1]] == boundaries
        else:
            whole += 1
            cut += bool(atoms)
    assert total >= 400
    assert right / total >= 0.97
    assert cut / max(1, whole) <= 0.05


_ANY = st.text(max_size=300) | st.text(alphabet="aäeouüßAEsSnr-./*:§0123456789, \u0301\u00ad'", max_size=300)


@settings(max_examples=600, deadline=None)
@given(text=_ANY)
def test_tokens_lie_in_the_text_in_order(text: str) -> None:
    whole = normalise(text)
    tokens = tokenise(whole)
    assert normalise(whole) == whole
    assert tokens == tokenise(whole)
    position = -1
    for token in tokens:
        assert 0 <= token.start < token.end <= len(whole)
        assert token.text
        if not token.alias:
            assert token.position == position + 1 or token.text[:1] == "§"
            position = token.position


@settings(max_examples=600, deadline=None)
@given(text=_ANY)
def test_any_text_is_analysed_the_same_way_twice(text: str) -> None:
    one, other = Analyzer(lexicon(), GROUPS), Analyzer(lexicon(), GROUPS)
    assert one.stems(text) == other.stems(text)
    for token in tokenise(normalise(text)):
        word = one.word(token.text)
        assert word == other.word(token.text)
        assert word.folded == forms.fold(word.folded)
        for start, end, _ in word.atoms:
            assert 0 <= start < end <= len(word.folded)


def test_time_is_linear_in_the_text() -> None:
    analyzer = Analyzer(lexicon(), GROUPS)
    text = "Straßenbeleuchtung mit 3,5 kW (z.B. LoRa-WAN/§ 14a), Bürger*innen " * 50

    def seconds(times: int) -> float:
        best = 9.0
        for _ in range(3):
            started = time.process_time()
            for token in tokenise(normalise(text * times)):
                analyzer.word(token.text)
            best = min(best, time.process_time() - started)
        return best

    seconds(1)
    assert seconds(40) < 40 * 4 * max(seconds(4) / 4, 0.0005)


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "-" * 200_000, "a-" * 100_000, "§" * 100_000, "1." * 100_000, "ä" * 200_000]
)
def test_no_text_is_slow(text: str) -> None:
    analyzer = Analyzer(lexicon(), GROUPS)
    started = time.process_time()
    for token in tokenise(normalise(text)):
        analyzer.word(token.text)
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Smart-Meter-Rollout", ["smart", "meter", "rollout", "smartmeterrollout*"]),
        ("§14a", ["§14a", "14a*"]),
        ("3,5 MW", ["3.5", "mw", "3.5mw*"]),
        ("450MHz", ["450", "450mhz*", "mhz"]),
        ("1.234,5 kWh", ["1234.5", "kwh", "1234.5kwh*"]),
        ("am 23.11.2026", ["am", "23", "11", "2026"]),
        ("z.B. e.V.", ["zb", "ev"]),
        ("Bürger*innen", ["bürger"]),
        ("Wasser- und Abwasser", ["wasser", "und", "abwasser"]),
        ("Ende.Anfang", ["ende", "anfang"]),
        ("", []),
        ("!?…", []),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    assert [token.text + "*" * token.alias for token in tokenise(text)] == expected


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("abc", "abc", 0), ("abc", "acb", 1), ("abc", "ab", 1), ("kitten", "sitting", 3), ("", "ab", 2), ("ab", "ba", 1)],
)
def test_distance(one: str, other: str, expected: int) -> None:
    assert spelling.distance(one, other, 3) == expected
    assert spelling.distance(other, one, 3) == expected


@given(one=st.text("abc", max_size=8), other=st.text("abc", max_size=8), most=st.integers(0, 3))
def test_distance_is_capped_and_symmetric(one: str, other: str, most: int) -> None:
    found = spelling.distance(one, other, most)
    assert found == spelling.distance(other, one, most)
    assert found <= most + 1
    assert (found == 0) == (one == other)


def test_gram_tables_count_exactly() -> None:
    words = ["straßenbeleuchtung", "beleuchtung", "wärmepumpe", "großwärmepumpe", "x"]
    table = GramTable(words)
    assert table.like("beleuchtung", 5, 0.3)[0] == ("beleuchtung", 1.0, 1.0)
    contained = {word: containment for word, _, containment in table.like("beleuchtung", 5, 0.3)}
    assert contained["straßenbeleuchtung"] == 1.0
    assert "wärmepumpe" not in contained
    assert [word for word, _, _ in table.like("Waermepumpe", 1, 0.3)] == ["wärmepumpe"]
    assert GramTable([]).like("abc", 5, 0.1) == []


def test_thesaurus_relations() -> None:
    analyzer = Analyzer(lexicon(), GROUPS)
    expand = lambda text: {e.text: (e.relation, e.weight) for e in analyzer.thesaurus.expand(analyzer.stems(text))}  # noqa: E731
    assert expand("Smart Meter")["intelligentes Messsystem"] == ("same", 1.0)
    assert expand("iMSys")["SMGW"][0] == "related"
    assert expand("intelligente Messsysteme")["iMSys"][0] == "same"
    assert expand("PV")["renewables"][0] == "broader"
    weights = {
        relation: expand(text)[term][1]
        for text, term, relation in [
            ("PV", "Solarstrom", "same"),
            ("PV", "renewables", "broader"),
            ("iMSys", "SMGW", "related"),
        ]
    }
    assert weights["same"] > weights["related"] > weights["broader"]
    assert expand("Unbekanntes") == {}


def test_a_broken_thesaurus_is_read_as_far_as_it_goes() -> None:
    groups = parse_groups(
        [{"id": "a", "de": ["Eins", None, 2]}, "kein Eintrag", {"de": ["ohne id"]}, {"id": "b", "en": "one"}]
    )
    assert [(group.id, group.terms) for group in groups] == [("a", ("Eins", "2")), ("b", ("one",))]
    assert parse_groups(None) == []
    assert Thesaurus([Group("x", ("a",), narrower=("missing",))], lambda text: (text,)).expand(("a",)) == ()


def test_word_lists_are_folded() -> None:
    for word in STOPWORDS | FILLERS:
        assert word == forms.fold(word), word


def test_the_lexicon_is_part_of_the_version_and_the_thesaurus_is_not() -> None:
    base = Analyzer(lexicon(), GROUPS)
    more = lexicon()
    more.add_nouns(["drohne"])
    assert Analyzer(lexicon(), ()).version == base.version
    assert Analyzer(more, GROUPS).version != base.version
