"""What is asked: a mixture of what people type, drawn from the very texts; seedable, no measuring here."""

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_LONG = 5


@dataclass(frozen=True, slots=True)
class Question:
    """Words and, in every third, a topic as filter."""

    text: str
    topic: str = ""


def questions(entries: Sequence[dict[str, Any]], count: int, seed: int = 3) -> list[Question]:
    """One to four words of one entry, places, topics alone, nothing at all; some with a filter."""
    chance = random.Random(seed)
    asked: list[Question] = []
    while len(asked) < count:
        entry = chance.choice(entries)
        words = [word for word in re.findall(r"\w+", f"{entry['title']} {entry['solution']}") if len(word) >= _LONG]
        topic = chance.choice(entry.get("topics") or [""]) if len(asked) % 3 == 0 else ""
        size = chance.choice((1, 1, 1, 2, 2, 3, 4, 0))
        asked.append(Question(" ".join(chance.sample(words, min(size, len(words)))), topic))
    return asked
