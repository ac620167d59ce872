"""Whatever is typed gets an answer, and soon: random strings of all that means something to the query language."""

import math
import random
import time
from pathlib import Path

import pytest

from index import Query, SearchIndex
from tests.index.library import NOUNS, PUBLIC, document, make_index

_SLOWEST = 0.2  # seconds of CPU time
_PIECES = (
    *NOUNS,
    *("und", "wie", "in", "the", "smart meter", "§14a", "450 MHz", "3,5 MW", "z. B.", "LoRa-WAN", "Müll", "Muell", "ß"),
    *('"', "-", "+", "!", "*", "?", "(", ")", "[", "]", ":", "..", "~", "^", "\\", "/", "&&", "||", "'", "„", "“", "–"),
    *("titel:", "ort:", "jahr:", "jahr:2021..2024", "jahr:..", "status:gestoppt", "status:", "thema:", "xyz:", "a:b:c"),
    *("OR", "ODER", "AND", "UND", "NOT", "NICHT"),
    *(
        "\x00",
        "\x1f",
        "\n",
        "\t",
        "\u00ad",
        "\u200b",
        "\u202e",
        "\ufeff",
        "\ud800",
        "\U0001f600",
        "a\u0308",
        "ﬁ",
        "İ",
        "٣",
    ),
    *("漢字", "жук", "שלום", "0", "1e309", "-1", "9" * 40, "straßenbeleuchtung" * 5, "a" * 300, "ab*", "str*", "w*w*"),
)


def typed(chance: random.Random) -> str:
    """Return something nobody would type."""
    pieces = [chance.choice(_PIECES) for _ in range(chance.randint(1, 9))]
    if chance.random() < 0.3:
        word = chance.choice(pieces)
        pieces.append(word[: chance.randint(0, len(word))])
    if chance.random() < 0.2:
        pieces.append("".join(chr(chance.randrange(0x2FFF)) for _ in range(chance.randint(1, 12))))
    return chance.choice(("", " ")).join(pieces)


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> SearchIndex:
    """Return an index of some hundred documents over the test's nouns."""
    folder: Path = tmp_path_factory.mktemp("fuzz")
    chance = random.Random(11)  # noqa: S311 - no secret
    documents = [
        document(number, " ".join(chance.sample(NOUNS, 3)), " ".join(chance.choices(NOUNS, k=40)))
        for number in range(300)
    ]
    return make_index(folder, documents)


def ask(index: SearchIndex, count: int, seed: int) -> None:
    """Ask so many things, and look at the answer, its marks and its time."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    for number in range(count):
        text = typed(chance)
        started = time.process_time()
        results = index.search(Query(text, audiences=PUBLIC, limit=5))
        passage = index.snippet(results.understood, (("solution", "Die Beleuchtung der Straße, gestört."),))
        spent = time.process_time() - started
        if spent > _SLOWEST:  # once may be the machine's doing: twice is the query's
            started = time.process_time()
            index.search(Query(text + " ", audiences=PUBLIC, limit=5))
            spent = time.process_time() - started
        assert spent <= _SLOWEST, (seed, number, text)
        assert results.total >= len(results.hits), (seed, number, text)
        assert all(math.isfinite(hit.score) for hit in results.hits), (seed, number, text)
        assert "".join(part.text for part in passage.parts) in "Die Beleuchtung der Straße, gestört.", (seed, number)


def test_nothing_typed_is_an_error_or_slow(index: SearchIndex) -> None:
    ask(index, 5_000, seed=1)


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 12))
def test_nothing_typed_is_an_error_or_slow_at_length(index: SearchIndex, seed: int) -> None:
    ask(index, 10_000, seed)
