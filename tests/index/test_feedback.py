"""Documents like the best ones rise: what is shared lifts, the best by its words stays first, hidden ones count not."""

from pathlib import Path

import numpy as np
import pytest

from index import Document, Query, SearchIndex, weights
from index.feedback import signature
from index.schema import SIGNATURE_SLOT, SIGNATURE_STEMS
from tests.index.library import PUBLIC, document, make_index

# All mention the pump once; only the first three are about the same thing otherwise.
FILLER = [document(f"x{n}", f"Vorgang {chr(97 + n) * 6}", f"Bericht {chr(97 + n) * 7}") for n in range(12)]
PUMPS = [
    document("best", "Pumpe im Kanal", "Pumpe Abwasser Überwachung Behälter"),
    document("alike", "Abwasser Überwachung", "Behälter Kanal, dazu eine Pumpe"),
    document("other", "Verkehr Ampel", "Steuerung Tarif, dazu eine Pumpe"),
]


def ids(index: SearchIndex, text: str) -> list[str]:
    """Return the ids found, best first."""
    return [hit.id for hit in index.search(Query(text, audiences=PUBLIC)).hits]


def test_what_is_like_the_best_comes_before_what_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index(tmp_path, [*PUMPS, *FILLER])
    scores = {hit.id: hit.score for hit in index.search(Query("Pumpe", audiences=PUBLIC)).hits}
    monkeypatch.setattr(weights, "FEEDBACK", 0.0)
    index.reload_thesaurus()
    plain = {hit.id: hit.score for hit in index.search(Query("Pumpe", audiences=PUBLIC)).hits}
    assert set(scores) == set(plain) == {"best", "alike", "other"}  # nothing is found that does not match
    assert scores["alike"] - plain["alike"] > scores["other"] - plain["other"] >= 0.0


def test_the_best_by_its_words_stays_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = make_index(tmp_path, [*PUMPS, *FILLER])
    monkeypatch.setattr(weights, "FEEDBACK", 50.0)
    assert ids(index, "Pumpe")[0] == "best"


def test_segments_and_deleted_documents_change_nothing(tmp_path: Path) -> None:
    whole = make_index(tmp_path / "whole", [*PUMPS, *FILLER])
    pieces = make_index(tmp_path / "pieces", [PUMPS[0], document("gone", "Ampel Pumpe Steuerung Tarif")])
    for piece in (*PUMPS[1:], *FILLER):
        pieces.update([piece])
    pieces.update([], ["gone"])
    query = Query("Pumpe", audiences=PUBLIC)
    assert [(h.id, h.score) for h in whole.search(query).hits] == [(h.id, h.score) for h in pieces.search(query).hits]


def test_hidden_documents_do_not_count(tmp_path: Path) -> None:
    hidden = [
        Document(id=f"h{n}", fields={"title": "Abwasser Überwachung Behälter"}, audience=frozenset({"curators"}))
        for n in range(9)
    ]
    without = make_index(tmp_path / "without", [*PUMPS, *FILLER])
    with_them = make_index(tmp_path / "with", [*PUMPS, *FILLER, *hidden])
    query = Query("Pumpe", audiences=PUBLIC)
    assert without.search(query).hits == with_them.search(query).hits


def test_signatures_have_one_width_and_the_heaviest_stems_first() -> None:
    stems = {f"stamm{number}": float(number) for number in range(100)}
    made = np.frombuffer(signature(stems), dtype=[("stem", "<u4"), ("weight", "<f4")])
    assert len(made) == SIGNATURE_STEMS
    assert made["weight"].tolist() == [float(number) for number in range(99, 99 - SIGNATURE_STEMS, -1)]
    assert len(signature({})) == len(signature(stems)) == SIGNATURE_STEMS * SIGNATURE_SLOT
    assert not any(signature({}))
