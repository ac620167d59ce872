"""Knows which terms of the field mean the same or nearly the same; how they are searched for belongs elsewhere.

The file is data a curator edits: it is read at query time only, so a change needs no rebuild of the index.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from index import weights

_LOG = logging.getLogger(__name__)

_MAX_TERM_WORDS: Final = 6
_LANGUAGES: Final = ("de", "en", "abbr")


@dataclass(frozen=True, slots=True)
class Group:
    """Terms that mean the same, and the ids of groups near it."""

    id: str
    terms: tuple[str, ...]
    broader: tuple[str, ...] = ()
    narrower: tuple[str, ...] = ()
    related: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expansion:
    """A term that may stand for the one asked for: its text, its stems in order, and how near it is (0–1)."""

    text: str
    stems: tuple[str, ...]
    relation: str
    weight: float


def _strings(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return (value,)
    if isinstance(value, Iterable):
        return tuple(str(item).strip() for item in value if item is not None and str(item).strip())
    return ()


def parse_groups(data: object) -> list[Group]:
    """Return the groups in loaded YAML; entries that are no groups are skipped with a log line, never an error."""
    groups: list[Group] = []
    if not isinstance(data, list):
        return groups
    for number, entry in enumerate(data):
        if not isinstance(entry, Mapping) or not entry.get("id"):
            _LOG.warning("thesaurus: entry %d is not a group and is left out", number)
            continue
        terms = tuple(dict.fromkeys(term for key in _LANGUAGES for term in _strings(entry.get(key))))
        groups.append(
            Group(
                str(entry["id"]),
                terms,
                _strings(entry.get("broader")),
                _strings(entry.get("narrower")),
                _strings(entry.get("related")),
            ),
        )
    return groups


def load(path: Path) -> list[Group]:
    """Return the groups of a thesaurus file; a missing or broken file gives none and a log line."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        with path.open(encoding="utf-8") as file:
            return parse_groups(yaml.load(file, Loader=loader))  # noqa: S506 - a safe loader, the C one where it exists
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        _LOG.warning("thesaurus %s can't be read: %s", path, error)
        return []


class Thesaurus:
    """Groups made searchable: sequences of stems → the terms that may stand for them."""

    def __init__(self, groups: Iterable[Group], stems_of: Callable[[str], tuple[str, ...]]) -> None:
        """Reduce every term with `stems_of` (the analyzer's chain), so that inflected queries find their group."""
        self._groups = {group.id: group for group in groups}
        self._terms: dict[str, list[tuple[str, tuple[str, ...]]]] = {}
        self._by_stems: dict[tuple[str, ...], list[str]] = {}
        self._parents: dict[str, list[str]] = {}
        self.longest = 1
        for group in self._groups.values():
            for child in group.narrower:
                self._parents.setdefault(child, []).append(group.id)
        for group in self._groups.values():
            listed: list[tuple[str, tuple[str, ...]]] = []
            for term in group.terms:
                stems = stems_of(term)
                if not stems or len(stems) > _MAX_TERM_WORDS:
                    continue
                if all(stems != other for _, other in listed):
                    listed.append((term, stems))
                ids = self._by_stems.setdefault(stems, [])
                if group.id not in ids:
                    ids.append(group.id)
                self.longest = max(self.longest, len(stems))
            self._terms[group.id] = listed
        self._cache: dict[tuple[str, ...], tuple[Expansion, ...]] = {}

    def __len__(self) -> int:
        """Return the number of groups."""
        return len(self._groups)

    def words(self) -> set[str]:
        """Return the terms of one word."""
        return {term for group in self._groups.values() for term in group.terms if term.isalpha()}

    def knows(self, stems: tuple[str, ...]) -> bool:
        """Tell whether a sequence of stems is a term."""
        return stems in self._by_stems

    def expand(self, stems: tuple[str, ...]) -> tuple[Expansion, ...]:
        """Return the other terms for `stems`, nearest first, each sequence of stems once; none when unknown."""
        known = self._cache.get(stems)
        if known is not None:
            return known
        best: dict[tuple[str, ...], Expansion] = {}
        nearness = {
            "same": 1.0,
            "narrower": weights.NARROWER,
            "broader": weights.BROADER,
            "related": weights.RELATED,
        }
        ids = self._by_stems.get(stems, ())
        for group_id in ids:
            group = self._groups[group_id]
            near = [(group_id, "same")]
            near += [(other, "narrower") for other in group.narrower]
            near += [(other, "broader") for other in (*group.broader, *self._parents.get(group_id, ()))]
            near += [(other, "related") for other in group.related]
            for other, relation in near:
                # a term of several groups is ambiguous: each reading counts less
                weight = nearness[relation] / (1.0 if len(ids) == 1 else weights.AMBIGUOUS)
                for text, sequence in self._terms.get(other, ()):
                    if sequence == stems:
                        continue
                    held = best.get(sequence)
                    if held is None or held.weight < weight:
                        best[sequence] = Expansion(text, sequence, relation, weight)
        result = tuple(sorted(best.values(), key=lambda item: (-item.weight, item.stems)))
        self._cache[stems] = result
        return result
