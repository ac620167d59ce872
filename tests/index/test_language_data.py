"""The language data as curators edit it: the thesaurus is whole and is understood as meant; no ranking here."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from index.analysis import Analyzer

_DATA = Path(__file__).resolve().parents[2] / "index" / "data"
_LISTS = ("de", "en", "abbr", "broader", "narrower", "related")
_FEWEST_GROUPS = 600


@pytest.fixture(scope="module")
def groups() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = yaml.safe_load((_DATA / "thesaurus.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def _terms(group: dict[str, Any]) -> list[str]:
    return [str(term) for term in (*group["de"], *group["en"])]


def test_groups_are_many_well_formed_and_have_keys_of_their_own(groups: list[dict[str, Any]]) -> None:
    assert len(groups) >= _FEWEST_GROUPS
    assert len({group["id"] for group in groups}) == len(groups)
    for group in groups:
        assert set(group) == {"id", *_LISTS}, group["id"]
        assert all(isinstance(group[name], list) for name in _LISTS), group["id"]
        assert len(_terms(group)) > 1, group["id"]
        for name in ("de", "en"):
            folded = [str(term) for term in group[name]]
            assert len(folded) == len(set(folded)), (group["id"], name)


def test_abbreviations_are_terms_of_their_group(groups: list[dict[str, Any]]) -> None:
    for group in groups:
        assert set(group["abbr"]) <= set(_terms(group)), group["id"]


def test_relations_name_groups_that_exist_and_hold_in_both_directions(groups: list[dict[str, Any]]) -> None:
    by_id = {group["id"]: group for group in groups}
    back = {"broader": "narrower", "narrower": "broader", "related": "related"}
    missing = [
        (group["id"], relation, other)
        for group in groups
        for relation, opposite in back.items()
        for other in group[relation]
        if other not in by_id or group["id"] not in by_id[other][opposite]
    ]
    assert not missing
    assert not [group["id"] for group in groups for relation in back if group["id"] in group[relation]]


def test_no_term_shrinks_to_one_word_that_means_something_else(
    groups: list[dict[str, Any]], analyzer: Analyzer
) -> None:
    """`ohne Strom` is read as `Strom`, since stop words fall out: as a synonym it would turn the meaning around."""
    owners: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for group in groups:
        for term in _terms(group):
            owners[tuple(analyzer.stems(term))].add(group["id"])
    assert () not in owners, owners[()]
    shrunk = {
        term: owners[stems]
        for group in groups
        for term in _terms(group)
        if len(term.split()) > 1 and len(stems := tuple(analyzer.stems(term))) == 1 and len(owners[stems]) > 1
    }
    assert not shrunk


def test_terms_of_several_groups_are_few(groups: list[dict[str, Any]]) -> None:
    owners: dict[str, set[str]] = defaultdict(set)
    for group in groups:
        for term in _terms(group):
            owners[term.lower()].add(group["id"])
    shared = {term for term, ids in owners.items() if len(ids) > 1}
    assert len(shared) < len(owners) / 50, sorted(shared)


@pytest.mark.parametrize("name", ["nouns.txt", "modifiers.txt", "keep.txt", "english.txt"])
def test_word_lists_are_lower_case_and_without_doubles(name: str) -> None:
    lines = (_DATA / "lexicon" / name).read_text(encoding="utf-8").splitlines()
    words = [line.split("\t")[0] for line in lines if line and not line.startswith("#")]
    assert words
    assert len(words) == len(set(words))
    assert [word for word in words if word != word.lower() or word != word.strip()] == []
