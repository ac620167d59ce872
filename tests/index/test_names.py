"""Names in queries: what they stand for is favoured and suggested, what lies near less; common words are none."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from index import Document, Named, Query, SearchIndex
from tests.index.library import GROUPS, PUBLIC, lexicon

NAMES = (
    ("Lübeck", Named((("place", "01"),), (("state", "SH", 0.3),))),
    ("Bad Oldesloe", Named((("place", "02"),), (("state", "SH", 0.3),))),
    ("NRW", Named((("state", "NW"),))),
    ("Strom", Named((("place", "03"),))),
    ("Leer", Named((("place", "04"),))),
    ("Neustadt", Named((("place", "05"),))),
    ("Neustadt", Named((("place", "06"),))),
)


def entry(number: str, title: str, place: str, state: str, audience: str = "public") -> Document:
    """Return a document that lies somewhere and does not say so in its text."""
    return Document(
        id=number,
        fields={"title": title},
        facets={"place": (place,), "state": (state,)},
        audience=frozenset((audience,)),
    )


@pytest.fixture
def index(tmp_path: Path) -> SearchIndex:
    """Return an index of entries in several places."""
    found = SearchIndex(tmp_path / "index", lexicon=lexicon(), groups=GROUPS, named=lambda: iter(NAMES))
    found.rebuild(
        (
            entry("lübeck", "Sensor im Kanal", "01", "SH"),
            entry("oldesloe", "Sensor im Kanal", "02", "SH"),
            entry("strom", "Sensor im Kanal", "03", "NW"),
            entry("elsewhere", "Sensor im Kanal", "07", "BY"),
            entry("neustadt", "Pumpe am Rohr", "05", "RP"),
            *(entry(f"other{n}", f"Pumpe {chr(97 + n) * 5}", "07", "BY") for n in range(9)),
            entry("secret", "Sensor im Kanal", "04", "NI", audience="curators"),
        )
    )
    return found


def ids(index: SearchIndex, text: str) -> list[str]:
    """Return the ids found, best first."""
    return [hit.id for hit in index.search(Query(text, audiences=PUBLIC)).hits]


def suggested(index: SearchIndex, text: str) -> list[tuple[str, str, str]]:
    """Return the filters a query suggests."""
    return list(index.search(Query(text, audiences=PUBLIC)).understood.suggested)


@pytest.mark.parametrize("typed", ["Lübeck", "lübeck", "Luebeck", "LÜBECK"])
def test_there_before_nearby_before_elsewhere(index: SearchIndex, typed: str) -> None:
    assert ids(index, f"Sensor {typed}")[:2] == ["lübeck", "oldesloe"]
    assert suggested(index, f"Sensor {typed}") == [("place", "01", typed.lower())]


def test_names_of_several_words(index: SearchIndex) -> None:
    assert ids(index, "Sensor bad oldesloe")[0] == "oldesloe"
    assert suggested(index, "Sensor Bad-Oldesloe") == [("place", "02", "bad oldesloe")]


def test_reasons_tell_place_and_nearness(index: SearchIndex) -> None:
    hits = {hit.id: hit for hit in index.search(Query("Sensor Lübeck", audiences=PUBLIC)).hits}
    assert "place" in {reason.kind for reason in hits["lübeck"].reasons}
    assert "near" in {reason.kind for reason in hits["oldesloe"].reasons}
    assert {reason.kind for reason in hits["elsewhere"].reasons} == {"form"}


def test_a_state_by_its_abbreviation(index: SearchIndex) -> None:
    assert ids(index, "Sensor in NRW")[0] == "strom"
    assert suggested(index, "Sensor in NRW") == [("state", "NW", "nrw")]


def test_a_common_word_is_a_name_only_behind_in(index: SearchIndex) -> None:
    assert suggested(index, "Strom Sensor") == []
    assert suggested(index, "Sensor in Strom") == [("place", "03", "strom")]


def test_a_name_of_two_places_stands_for_both_where_there_are_entries(index: SearchIndex) -> None:
    assert suggested(index, "Pumpe Neustadt") == [("place", "05", "neustadt")]


def test_a_place_of_hidden_entries_only_is_not_suggested(index: SearchIndex) -> None:
    assert suggested(index, "Sensor in Leer") == []
    both = index.search(Query("Sensor in Leer", audiences=PUBLIC | {"curators"}))
    assert both.understood.suggested == (("place", "04", "leer"),)


def test_names_are_no_typos(index: SearchIndex) -> None:
    assert index.search(Query("Sensor Neustadt", audiences=PUBLIC)).corrected is None


@pytest.mark.parametrize("text", ["-Lübeck Sensor", "Lübeck OR Strom", "ort:Lübeck", "Lübeck*"])
def test_what_is_marked_in_the_query_language_is_no_name(index: SearchIndex, text: str) -> None:
    assert suggested(index, text) == []


def test_names_are_read_once_and_late(tmp_path: Path) -> None:
    asked = []

    def named() -> Iterator[tuple[str, Named]]:
        asked.append(1)
        yield from NAMES

    index = SearchIndex(tmp_path / "index", lexicon=lexicon(), groups=GROUPS, named=named)
    index.rebuild((entry("lübeck", "Sensor", "01", "SH"),))
    assert not asked
    ids(index, "Sensor Lübeck")
    ids(index, "Lübeck")
    assert asked == [1]
