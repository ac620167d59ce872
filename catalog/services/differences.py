"""What differs between two versions of an entry: field by field, and in texts word by word.

Knows documents only: no rows, no labels, no markup. Whoever shows a change names the field and dresses the values.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any, Literal

from pydantic import BaseModel

from catalog.domain.entry import Entry

Mark = Literal["same", "removed", "added"]

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_LINES = re.compile(r"[^\n]*\n|[^\n]+")
# Comparing words costs the product of both lengths; a block this long was rewritten, single words would not help.
_LONGEST_BLOCK = 1_500
_ALIKE = 0.3

# By which field rows of a list are recognised as the same row when their order changed.
_KEYS: dict[str, str] = {
    "deployments": "external_id",
    "kpis": "indicator",
    "funding": "programme",
    "partners": "organisation",
    "sources": "url",
}
# Identities are not content: nobody reviews them.
_SILENT = frozenset({"external_id"})


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text that both versions have, or only one."""

    mark: Mark
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs; `path` counts rows as the newer version does, for removed rows as the older did.

    `before` and `after` are the plain values, None where a version lacks the field; `pieces` is filled for texts.
    """

    path: str
    before: Any
    after: Any
    pieces: tuple[Piece, ...] = ()

    @property
    def kind(self) -> Literal["added", "removed", "changed"]:
        """Whether the field was filled, emptied or rewritten."""
        if _blank(self.before):
            return "added"
        return "removed" if _blank(self.after) else "changed"


def compare(before: Entry, after: Entry) -> list[Change]:
    """Every field in which the two documents differ, in the order of the document."""
    return list(_parts(before, after, ""))


def _blank(value: object) -> bool:
    return value is None or value in ("", [], ())


def _parts(before: BaseModel | None, after: BaseModel | None, prefix: str) -> Iterator[Change]:
    model = after if after is not None else before
    if model is None:
        return
    for name in type(model).model_fields:
        if name in _SILENT:
            continue
        old = getattr(before, name) if before is not None else None
        new = getattr(after, name) if after is not None else None
        yield from _values(old, new, f"{prefix}{name}", name)


def _values(old: Any, new: Any, path: str, name: str) -> Iterator[Change]:  # noqa: ANN401 - any field's value
    if isinstance(old, BaseModel) or isinstance(new, BaseModel):
        yield from _parts(old, new, f"{path}.")
    elif name in _KEYS:
        yield from _rows(old or [], new or [], path, _KEYS[name])
    elif _blank(old) and _blank(new):
        return
    elif isinstance(old, list) or isinstance(new, list):
        if set(old or ()) != set(new or ()):
            yield Change(path, old or [], new or [])
    elif old != new:
        both_texts = type(old or "") is str and type(new or "") is str
        yield Change(path, old, new, words(old or "", new or "") if both_texts else ())


def _rows(old: Sequence[BaseModel], new: Sequence[BaseModel], path: str, key: str) -> Iterator[Change]:
    partners = _paired(old, new, lambda row: getattr(row, key))
    for number, row in enumerate(new):
        twin = partners.get(number)
        yield from _parts(old[twin] if twin is not None else None, row, f"{path}.{number}.")
    kept = set(partners.values())
    for number, row in enumerate(old):
        if number not in kept:
            yield from _parts(row, None, f"{path}.{number}.")


def _paired(old: Sequence[BaseModel], new: Sequence[BaseModel], key: Callable[[BaseModel], str]) -> dict[int, int]:
    """Which old row each new row continues: the one with the same key, else the one at the same place."""
    free = set(range(len(old)))
    pairs: dict[int, int] = {}
    for number, row in enumerate(new):
        wanted = key(row)
        twin = next((index for index in sorted(free) if wanted and key(old[index]) == wanted), None)
        if twin is not None:
            pairs[number] = twin
            free.discard(twin)
    new_keys = {key(row) for row in new}
    for number, row in enumerate(new):
        # A renamed row keeps its place; a row whose key lives on elsewhere, or that has an identity, was not renamed.
        if number not in pairs and number in free and key(old[number]) not in new_keys - {""}:
            renamed = "external_id" not in type(row).model_fields or not key(row) or not key(old[number])
            if renamed:
                pairs[number] = number
                free.discard(number)
    return pairs


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Both texts as one, with what was taken out and put in marked: by lines first, by words inside changed lines."""
    pieces: list[Piece] = []
    old_lines, new_lines = _LINES.findall(before), _LINES.findall(after)
    for tag, a, b, c, d in SequenceMatcher(None, old_lines, new_lines, autojunk=False).get_opcodes():
        old, new = "".join(old_lines[a:b]), "".join(new_lines[c:d])
        if tag == "equal":
            pieces.append(Piece("same", old))
        else:
            pieces += _words_of_block(old, new)
    return tuple(_merged(pieces))


def _words_of_block(old: str, new: str) -> list[Piece]:
    old_words, new_words = _WORDS.findall(old), _WORDS.findall(new)
    whole = [Piece("removed", old), Piece("added", new)]
    if max(len(old_words), len(new_words)) > _LONGEST_BLOCK:
        return whole
    matcher = SequenceMatcher(None, old_words, new_words, autojunk=False)
    steps = matcher.get_opcodes()
    kept = sum(word.isalnum() for tag, a, b, _, _ in steps if tag == "equal" for word in old_words[a:b])
    if 2 * kept < _ALIKE * sum(word.isalnum() for word in (*old_words, *new_words)):
        return whole  # chance matches of "der" and "die" would only make it hard to read
    pieces: list[Piece] = []
    for number, (tag, a, b, c, d) in enumerate(steps):
        text = "".join(old_words[a:b])
        # "ein Jahr" to "neun Monate" is one change, not two around a blank that stayed.
        between = text.isspace() and 0 < number < len(steps) - 1
        if tag == "equal" and not between:
            pieces.append(Piece("same", text))
        else:
            pieces += [Piece("removed", text), Piece("added", "".join(new_words[c:d]))]
    return pieces


def _merged(pieces: Sequence[Piece]) -> Iterator[Piece]:
    """Neighbours of one kind as one piece, empty ones left out; the texts of each side stay complete and in order."""
    given = (piece for piece in pieces if piece.text)
    for same, run in groupby(given, key=lambda piece: piece.mark == "same"):
        texts: dict[Mark, str] = {}
        for piece in run:
            texts[piece.mark] = texts.get(piece.mark, "") + piece.text
        marks: tuple[Mark, ...] = ("same",) if same else ("removed", "added")
        for mark in marks:
            if mark in texts:
                yield Piece(mark, texts[mark])
