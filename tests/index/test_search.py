"""What a search finds, in which order, and what it says about it."""

from pathlib import Path

import pytest

from index import IndexUnavailable, Query, SearchIndex
from tests.index.library import PUBLIC, document, make_index, open_index


def found(index: SearchIndex, text: str, **more: object) -> list[str]:
    return [hit.id for hit in index.search(Query(text, PUBLIC, **more)).hits]  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    documents = [
        document(
            "fern",
            "Zählerfernauslesung mit LoRaWAN",
            "Die Wasserzähler melden ihren Stand über 868 MHz.",
            facets={"topic": ("wasser", "wasser-versorgung"), "status": ("regular",)},
            numbers={"year_from": 2021, "year_to": 2023, "updated": 100, "reuses": 3},
        ),
        document(
            "licht",
            "Beleuchtung der Straße nach Bedarf",
            "Die Leuchten dimmen, wenn niemand kommt.",
            facets={"topic": ("energie",), "status": ("stopped",)},
            numbers={"year_from": 2024, "updated": 300},
        ),
        document(
            "umbau",
            "Umrüstung der Straßenbeleuchtung",
            "Alle Leuchten bekommen LED.",
            facets={"topic": ("energie",), "status": ("regular",)},
            numbers={"year_from": 2019, "year_to": 2020, "updated": 200},
        ),
        document(
            "muell", "Füllstände im Müllbehälter", "Sensoren melden volle Behälter.", facets={"topic": ("abfall",)}
        ),
        document("imsys", "Rollout intelligenter Messsysteme", "Einbau in 4.000 Haushalten nach § 14a EnWG."),
        document("gross", "Großwärmepumpen am Fluss", "3,5 MW Leistung."),
        document("geheim", "Beleuchtung im Entwurf", audience=frozenset({"user:7"}), facets={"topic": ("geheim",)}),
    ]
    return make_index(tmp_path_factory.mktemp("search"), documents)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Wasserzählern", {"fern"}),
        ("Beleuchtung", {"licht", "umbau"}),
        ("Strassenbeleuchtung", {"umbau", "licht"}),
        ("Muell", {"muell"}),
        ("Mull", {"muell"}),
        ("zähler fernauslesung", {"fern"}),
        ("lora-wan", {"fern"}),
        ("Smart Meter", {"imsys"}),
        ("iMSys", {"imsys"}),
        ("Wärmepumpe", {"gross"}),
        ("§14a", {"imsys"}),
        ("868 MHz", {"fern"}),
        ("3,5MW", {"gross"}),
        ("zähl*", {"fern"}),
        ("titel:led", set()),
        ("led", {"umbau"}),
        ('"Beleuchtung der Straße"', {"licht"}),
        ('"Straße Beleuchtung"', set()),
        ("Beleuchtung -led", {"licht"}),
        ("Müll OR Wärmepumpe", {"muell", "gross"}),
        ("jahr:2022", {"fern"}),
        ("jahr:2020..2021", {"fern", "umbau"}),
        ("status:gestoppt", {"licht"}),
        ("status:gestoppt LED", set()),
        ("Wie kann ich denn Zähler fernauslesen?", {"fern"}),
        ("Entwurf", set()),
        ("", {"fern", "licht", "umbau", "muell", "imsys", "gross"}),
    ],
)
def test_finds(index: SearchIndex, text: str, expected: set[str]) -> None:
    assert set(found(index, text)) == expected


def test_the_word_itself_before_the_word_in_a_compound_before_its_parts(index: SearchIndex) -> None:
    assert found(index, "Straßenbeleuchtung") == ["umbau", "licht"]


def test_all_words_before_some_words(index: SearchIndex) -> None:
    results = index.search(Query("Leuchten dimmen", PUBLIC))
    assert results.hits[0].id == "licht"
    assert not results.relaxed
    assert index.search(Query("Leuchten Wärmepumpe", PUBLIC)).relaxed


def test_facets_ignore_their_own_filter(index: SearchIndex) -> None:
    query = Query("Leuchten", PUBLIC, filters={"status": ("stopped",)}, facets=("status", "topic", "unknown"))
    results = index.search(query)
    assert [hit.id for hit in results.hits] == ["licht"]
    assert results.facets == {"status": {"stopped": 1, "regular": 1}, "topic": {"energie": 1}, "unknown": {}}


def test_what_is_hidden_leaves_no_trace(index: SearchIndex) -> None:
    results = index.search(Query("Beleuchtung", PUBLIC, facets=("topic",)))
    assert results.total == 2
    assert "geheim" not in results.facets["topic"]
    assert "geheim" not in [suggestion.id for suggestion in index.suggest("Beleuchtung im Ent", PUBLIC)]
    assert index.suggest("Entw", PUBLIC) == ()
    both = index.search(Query("Beleuchtung", PUBLIC | {"user:7"}))
    assert both.total == 3
    assert index.search(Query("Beleuchtung", frozenset())).total == 0


def test_scores_do_not_depend_on_hidden_documents(tmp_path: Path) -> None:
    visible = [document("licht", "Beleuchtung", "hell"), document("andere", "Wasser")]
    hidden = [document(f"h{n}", "Beleuchtung", audience=frozenset({"x"})) for n in range(20)]
    without = make_index(tmp_path / "a", visible).search(Query("Beleuchtung", PUBLIC)).hits
    with_hidden = make_index(tmp_path / "b", [*hidden, *visible]).search(Query("Beleuchtung", PUBLIC)).hits
    assert without == with_hidden


def test_sorting_and_paging(index: SearchIndex) -> None:
    assert found(index, "", sort="-updated")[:3] == ["licht", "umbau", "fern"]
    assert found(index, "", sort="year_from")[:3] == ["umbau", "fern", "licht"]
    every = found(index, "", limit=100)
    assert [found(index, "", offset=n, limit=1)[0] for n in range(len(every))] == every
    assert found(index, "", offset=100) == []


def test_ranges(index: SearchIndex) -> None:
    query = Query("", PUBLIC, ranges={"year_from": (2020, None)}, numbers=("year_from", "population"))
    results = index.search(query)
    assert {hit.id for hit in results.hits} == {"fern", "licht"}
    assert results.ranges == {"year_from": (2021, 2024)}


def test_reasons(index: SearchIndex) -> None:
    hit = index.search(Query("Smart Meter", PUBLIC)).hits[0]
    assert ("smart meter", "intelligentes Messsystem", "synonym") in [(r.word, r.found, r.kind) for r in hit.reasons]


def test_updates_are_seen_at_once_and_ids_stay_unique(tmp_path: Path) -> None:
    index = make_index(tmp_path, [document(1, "Alt"), document(2, "Bleibt")])
    assert found(index, "Alt") == ["1"]
    index.update([document(1, "Zuerst"), document(1, "Zuletzt"), document(3, "Frisch")], ["2"])
    assert found(index, "Alt") == []
    assert found(index, "Zuerst") == []
    assert found(index, "Zuletzt") == ["1"]
    assert index.ids() == {"1", "3"}
    assert index.status().documents == 2


def test_versions(tmp_path: Path) -> None:
    index = make_index(tmp_path, [document(1, "Eins", version="a1"), document(2, "Zwei")])
    assert index.versions() == {"1": "a1", "2": ""}


def test_merging_changes_nothing_but_the_number_of_segments(tmp_path: Path) -> None:
    index = make_index(tmp_path, [document(0, "Wasser null", facets={"topic": ("wasser",)}, numbers={"updated": 0})])
    for number in range(1, 12):
        index.update([document(number, f"Wasser {number}", facets={"topic": ("wasser",)}, numbers={"updated": number})])
    query = Query('"Wasser"', PUBLIC, facets=("topic",), sort="-updated", limit=50)
    before = index.search(query)
    assert index.status().segments == 12
    assert index.merge()
    after = index.search(query)
    assert index.status().segments == 1
    assert (before.total, before.hits, before.facets) == (after.total, after.hits, after.facets)
    assert found(index, '"Wasser 7"') == ["7"]
    assert not index.merge()


def test_a_missing_index_says_so(tmp_path: Path) -> None:
    index = open_index(tmp_path)
    assert not index.status().exists
    with pytest.raises(IndexUnavailable) as caught:
        index.search(Query("x", PUBLIC))
    assert caught.value.reason == "missing"
    with pytest.raises(IndexUnavailable):
        index.update([document(1, "x")])
    assert index.rebuild([]) == 0
    assert index.search(Query("x", PUBLIC)).total == 0


def test_suggestions(index: SearchIndex) -> None:
    entries = [s.text for s in index.suggest("zähl", PUBLIC) if s.kind == "entry"]
    assert entries == ["Zählerfernauslesung mit LoRaWAN"]
    assert [s.text for s in index.suggest("Straßenb", PUBLIC) if s.kind == "term"] == ["Straßenbeleuchtung"]
    assert [s.id for s in index.suggest("umrüstung strassenbel", PUBLIC) if s.kind == "entry"] == ["umbau"]
    assert index.suggest("x", PUBLIC) == ()
    assert index.suggest("", PUBLIC) == ()
    assert index.suggest("unauffindbar bele", PUBLIC) == ()
    assert index.suggest("zähl", frozenset()) == ()


def test_similar_documents(index: SearchIndex) -> None:
    assert index.similar("licht", PUBLIC)[0].id == "umbau"
    assert "licht" not in [hit.id for hit in index.similar("licht", PUBLIC)]
    assert index.similar("geheim", PUBLIC) == ()
    assert "geheim" not in [hit.id for hit in index.similar("licht", PUBLIC)]
    assert index.similar("Leuchten an der Straße", PUBLIC, text=True)[0].id in ("licht", "umbau")
    assert index.similar("unbekannt", PUBLIC) == ()


def test_unknown_fields_are_refused(tmp_path: Path) -> None:
    index = make_index(tmp_path, [])
    with pytest.raises(ValueError, match="colour"):
        index.update([document(1, "x", numbers={"colour": 1.0})])
    assert index.update([document(1, "x")]) == 1
