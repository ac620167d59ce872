"""Words: marking texts for translation, messages with parameters, address slugs; nothing that knows an entry."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_TRANSLITERATION = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "a"})
_SLUG_LENGTH = 80


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "mark for extraction, translate later"
    """Mark a German text for the message catalogue and give it back unchanged."""
    return text


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence for a person: the German source text with %(name)s places and the values for them."""

    text: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        """The German sentence, for logs and the command line."""
        return self.text % self.params if self.params else self.text


def slug(text: str, fallback: str = "eintrag") -> str:
    """The address form of a title: lower case, ä to ae, everything else to hyphens, at most 80 characters.

    Returns `fallback` when nothing usable is left.
    """
    folded = unicodedata.normalize("NFC", text).lower().translate(_TRANSLITERATION)
    ascii_only = unicodedata.normalize("NFKD", folded).encode("ascii", "ignore").decode()
    words = re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")
    if len(words) > _SLUG_LENGTH:
        words = words[:_SLUG_LENGTH].rsplit("-", 1)[0]
    return words or fallback


def squeeze(text: str) -> str:
    """One line of text: white space runs become one space, ends are stripped."""
    return " ".join(text.split())


def excerpt(text: str, length: int = 200) -> str:
    """The beginning of a text, cut at a word and marked with an ellipsis when something was left out."""
    line = squeeze(text)
    if len(line) <= length:
        return line
    return line[:length].rsplit(" ", 1)[0].rstrip(",;:.–-") + " …"
