"""Marks and passages: right places, nothing lost, nothing outside the text."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index import Piece, Query, SearchIndex, Snippet, Understood
from index.analysis import normalise
from tests.index.library import PUBLIC, document, make_index

TEXT = (
    "Die Straßenbeleuchtung, Wasserzähler und Müllbehälter melden sich über LoRa-WAN; Smart Meter und Leckortung auch."
)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    return make_index(
        tmp_path_factory.mktemp("highlight"),
        [
            document(1, "Straßenbeleuchtung", TEXT),
            document(2, "Intelligente Messsysteme", "Leckortung am Rohr, Rohrbruch, Wärmepumpe im Quartier."),
        ],
    )


def understood(index: SearchIndex, text: str) -> Understood:
    return index.search(Query(text, PUBLIC)).understood


def shown(pieces: tuple[Piece, ...]) -> str:
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in pieces)


@pytest.mark.parametrize(
    ("query", "text", "expected"),
    [
        ("Beleuchtung", "Die Straßenbeleuchtung brennt", "Die Straßen[beleuchtung] brennt"),
        ("Beleuchtung", "STRASSENBELEUCHTUNGEN", "STRASSEN[BELEUCHTUNGEN]"),
        ("Strassenbeleuchtung", "die Straßenbeleuchtungen", "die [Straßenbeleuchtungen]"),
        ("Straßenbeleuchtung", "Beleuchtung der Straße", "[Beleuchtung] der [Straße]"),
        ("Mull", "Müll im Müllbehälter", "[Müll] im [Müll]behälter"),
        ("Müll", "Muell im Muellbehaelter", "[Muell] im [Muell]behaelter"),
        ("Zähler", "Wasserzählern und Zahlen", "Wasser[zählern] und Zahlen"),
        ("lorawan", "über LoRa-WAN gefunkt", "über [LoRa-WAN] gefunkt"),
        ("Smart Meter", "das intelligente Messsystem", "das [intelligente Messsystem]"),
        ("leak detection", "die Leckortung am Rohr", "die [Leckortung] am Rohr"),
        ("Beleuchtng", "die Beleuchtung", "die [Beleuchtung]"),
        ("Rohrbruch", "das Rohr ist gebrochen", "das [Rohr] ist [gebrochen]"),
        ("Großwärmepumpe", "eine Wärmepumpe", "eine [Wärmepumpe]"),
        ("wass*", "Wasserzähler am Wasser", "[Wasserzähler] am [Wasser]"),
        (
            '"Leckortung am Rohr"',
            "Leckortung am Rohr, Rohr und Leckortung",
            "[Leckortung am Rohr], Rohr und Leckortung",
        ),
        ("Rohrbruch", "das Rohr ist neu", "das Rohr ist neu"),
        ("Nichts davon", "steht hier", "steht hier"),
        ("Beleuchtung", "", ""),
    ],
)
def test_marks(index: SearchIndex, query: str, text: str, expected: str) -> None:
    assert shown(index.highlight(understood(index, query), text)) == expected


def test_marks_say_why(index: SearchIndex) -> None:
    pieces = index.highlight(understood(index, "Smart Meter"), "intelligentes Messsystem")
    reason = next(piece.why for piece in pieces if piece.marked)
    assert reason is not None
    assert (reason.word, reason.found, reason.kind) == ("smart meter", "intelligentes Messsystem", "synonym")
    pieces = index.highlight(understood(index, "Beleuchtung"), "Straßenbeleuchtungen")
    assert [piece.why.kind for piece in pieces if piece.why is not None] == ["part"]
    assert [piece.why for piece in index.highlight(understood(index, "Müll"), "Müll")] == [None]


def test_the_best_passage_not_the_first(index: SearchIndex) -> None:
    long = "Der Zähler wurde bestellt. " + "Ein Satz ohne alles. " * 60 + "Am Ende melden Zähler ihr Leck dem Quartier."
    query = understood(index, "Zähler Quartier")
    snippet = index.snippet(query, [("challenge", "Nichts."), ("solution", long)], 120)
    assert snippet.field == "solution"
    assert "[Zähler]" in shown(snippet.parts)
    assert "[Quartier]" in shown(snippet.parts)
    assert snippet.starts_inside
    assert len("".join(piece.text for piece in snippet.parts)) <= 120


def test_without_a_match_the_beginning_is_shown(index: SearchIndex) -> None:
    query = understood(index, "Zähler")
    snippet = index.snippet(query, [("a", ""), ("b", "Erster Satz. " * 50)], 60)
    assert (snippet.field, snippet.starts_inside, snippet.ends_inside) == ("b", False, True)
    assert index.snippet(query, []) == Snippet("", ())
    assert index.snippet(query, [("a", "")]).parts == ()


_WORDS = ["Straßenbeleuchtung", "Zähler", "Wasserzählern", "Müll", "Muell", "LoRa-WAN", "Smart Meter", "iMSys", "und"]
_TEXTS = st.lists(st.sampled_from([*_WORDS, ".", " ", "\n", "İ", "ß", "e\u0301", "😀", "\0"]), max_size=60).map(
    " ".join
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.lists(st.sampled_from(_WORDS), max_size=3).map(" ".join),
    text=_TEXTS | st.text(),
    width=st.integers(20, 300),
)
def test_pieces_are_the_text(index: SearchIndex, query: str, text: str, width: int) -> None:
    asked = understood(index, query)
    pieces = index.highlight(asked, text)
    assert "".join(piece.text for piece in pieces) == normalise(text)
    assert all(piece.text for piece in pieces)
    snippet = index.snippet(asked, [("f", text)], width)
    passage = "".join(piece.text for piece in snippet.parts)
    assert passage in normalise(text)
    assert len(passage) <= width + 1 or any(len(piece.text) > width for piece in snippet.parts if piece.marked)


def test_highlighting_is_fast(index: SearchIndex, tmp_path: Path) -> None:
    import time

    assert tmp_path
    asked = understood(index, "Straßenbeleuchtung Zähler Müll")
    texts = [(f"f{number}", TEXT * 20) for number in range(20)]
    index.snippet(asked, texts)
    started = time.process_time()
    for text in texts:
        index.snippet(asked, [text])
    assert time.process_time() - started < 0.1
