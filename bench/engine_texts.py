"""Texts and questions of the engine benchmark: rows of `bench.generate` with a wide vocabulary; nothing is measured.

The generator writes with some two thousand words, which flatters every engine. Each row therefore gets one more
sentence of compounds coined from the nouns of the lexicon, drawn unevenly as words are in real texts.
"""

import csv
import itertools
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from bench.generate import entries

FACETS: Final = ("topic", "state", "status", "technology")
_ROOT: Final = Path(__file__).resolve().parent.parent
_DATA: Final = _ROOT / "catalog" / "data"
_LANGUAGE: Final = _ROOT / "index" / "data"
_WORD: Final = re.compile(r"[^\W\d_]+")
_LONG: Final = 5
_COINED: Final = 12  # compounds a row
_BEGINNINGS: Final = ("unter", "über", "vor", "haupt", "neben", "zwischen", "nach", "gegen")
_UNEVEN: Final = 3.0  # the power that makes some nouns a hundred times as common as others

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Text:
    """One document, the same for every engine: its texts by field, in the order of their weight, and its facets."""

    id: str
    fields: dict[str, str]
    facets: dict[str, tuple[str, ...]]
    number: float
    """What it is sorted by when nothing was asked."""

    @property
    def title(self) -> str:
        """The title."""
        return self.fields["title"]

    @property
    def body(self) -> str:
        """All texts but the title."""
        return "\n".join(text for name, text in self.fields.items() if name != "title" and text)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, and of which kind it is."""

    kind: str
    text: str


def write(file: Path, count: int, seed: int = 7) -> None:
    """Write `count` documents as JSON Lines, so that the process that searches holds none of them in memory."""
    nouns = _nouns()
    names, states = _names()
    chance = random.Random(seed)
    chance.shuffle(nouns)
    with file.open("w", encoding="utf-8") as lines:
        for number, row in enumerate(entries(count, seed), 1):
            text = _text(str(number), row, _coined(chance, nouns), names, states)
            lines.write(json.dumps([text.id, text.fields, text.facets, text.number], ensure_ascii=False) + "\n")


def read(file: Path) -> Iterator[Text]:
    """The documents written."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            key, fields, facets, number = json.loads(line)
            yield Text(key, fields, {name: tuple(values) for name, values in facets.items()}, number)


def _nouns() -> list[str]:
    lines = (_LANGUAGE / "lexicon" / "nouns.txt").read_text(encoding="utf-8").splitlines()
    return [line.partition("\t")[0] for line in lines if line and not line.startswith("#")]


def _names() -> tuple[dict[str, str], dict[str, str]]:
    """Names of topics and technologies by slug, and of states by code."""
    taxonomy = yaml.safe_load((_DATA / "taxonomy.yaml").read_text(encoding="utf-8"))
    found: dict[str, str] = {}

    def walk(value: object) -> None:
        if isinstance(value, dict):
            if "slug" in value:
                found[str(value["slug"])] = f"{value.get('name', '')}\n{value.get('name_en', '')}".strip()
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    walk(taxonomy)
    with (_DATA / "states.csv").open(encoding="utf-8", newline="") as lines:
        states = {row["code"]: row["name"] for row in csv.DictReader(lines, delimiter=";")}
    return found, states


def place_names() -> Iterator[str]:
    """Names of places, which the application never takes apart."""
    for file in ("gazetteer.csv", "places.csv"):
        with (_DATA / file).open(encoding="utf-8", newline="") as lines:
            yield from (row["name"] for row in csv.DictReader(lines, delimiter=";"))


def _coined(chance: random.Random, nouns: Sequence[str]) -> str:
    def noun() -> str:
        return nouns[int(len(nouns) * chance.random() ** _UNEVEN)]

    words = [(chance.choice(_BEGINNINGS) if chance.random() < 0.25 else noun()) + noun() for _ in range(_COINED)]
    return f"Betroffen waren auch {', '.join(word.capitalize() for word in words)}."


def _text(key: str, row: Row, coined: str, names: dict[str, str], states: dict[str, str]) -> Text:
    sites = row["deployments"]
    codes = sorted({site["place"]["ags"][:2] for site in sites})
    slugs = [*row["topics"], *row["technologies"]]
    years = [float(site["started"][:4]) for site in sites]
    return Text(
        key,
        {
            "title": row["title"],
            "benefit": row["benefit"],
            "subject": _lines(*(names.get(slug, slug) for slug in slugs), *row["keywords"]),
            "challenge": row["challenge"],
            "solution": _lines(
                row["solution"], *row["transfer"].values(), *(site["summary"] for site in sites), coined
            ),
            "results": _lines(
                *(
                    _lines(
                        site["results"], site["worked"], *(f"{kpi['indicator']} {kpi['unit']}" for kpi in site["kpis"])
                    )
                    for site in sites
                )
            ),
            "not_worked": _lines(*(_lines(site["not_worked"], site.get("stop_reason", "")) for site in sites)),
            "site": _lines(
                *(
                    _lines(
                        site["organisation"],
                        site["place"]["name"],
                        *(partner["organisation"] for partner in site.get("partners", [])),
                    )
                    for site in sites
                ),
                *(states[code] for code in codes),
            ),
        },
        {
            "topic": tuple(row["topics"]),
            "state": tuple(codes),
            "status": tuple(sorted({site["status"] for site in sites})),
            "technology": tuple(row["technologies"]),
        },
        max(years),
    )


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


# --- questions -------------------------------------------------------------------------------------------------------


def questions(texts: Iterable[Text], count: int, seed: int) -> list[Question]:
    """`count` questions, as many of each kind, drawn from the texts by how often words stand in them."""
    chance = random.Random(seed)
    frequency: Counter[str] = Counter()
    sample: list[Text] = []
    total = 0
    for total, text in enumerate(texts, 1):
        frequency.update({word for word in _WORD.findall(f"{text.title}\n{text.body}") if len(word) >= _LONG})
        if len(sample) < 500 or chance.random() < 500 / total:
            sample.append(text)
    by_share = {
        "common": [word for word, found in frequency.items() if found > total / 20],
        "mid": [word for word, found in frequency.items() if total / 500 < found <= total / 20],
        "rare": [word for word, found in frequency.items() if found <= max(2, total / 500)],
    }
    for words in by_share.values():
        words.sort()
    kinds = _Draw(chance, sample, by_share, {word.lower() for word in frequency}).kinds()
    asked: dict[Question, None] = {}
    for kind in itertools.islice(itertools.cycle(kinds), 20 * count):  # small collections soon run out of new ones
        asked[Question(kind, kinds[kind]())] = None
        if len(asked) == count:
            break
    return list(asked)


class _Draw:
    """Draws one question of a kind; every choice comes from the one random source."""

    def __init__(
        self, chance: random.Random, sample: Sequence[Text], words: dict[str, list[str]], known: set[str]
    ) -> None:
        self._chance, self._sample, self._words, self._known = chance, sample, words, known
        groups = yaml.load((_LANGUAGE / "thesaurus.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        # Terms that no text has, of groups with a term that some text has: only who knows the meaning finds anything.
        self._meant = sorted(
            {
                term
                for group in groups
                if any(term.lower() in known for term in group.get("de", []))
                for term in [*group.get("de", []), *group.get("en", [])]
                if term.lower() not in known and not any(char in term for char in "()/")
            }
        )
        self._compounds = sorted(word for word in words["mid"] if len(word) >= 12)

    def kinds(self) -> dict[str, Any]:
        """Kind of question to what draws one."""
        chance = self._chance
        return {
            **{kind: lambda words=words: chance.choice(words) for kind, words in self._words.items()},
            "two words": lambda: self._of_one_text(2),
            "three words": lambda: self._of_one_text(3),
            "compound": lambda: chance.choice(self._compounds),
            "synonym": lambda: chance.choice(self._meant),
            "prefix": self._prefix,
            "phrase": self._phrase,
            "typo": self._typo,
        }

    def _tokens(self) -> list[str]:
        text = self._chance.choice(self._sample)
        return [word for word in _WORD.findall(f"{text.title}\n{text.fields['solution']}") if len(word) >= _LONG]

    def _of_one_text(self, count: int) -> str:
        return " ".join(self._chance.sample(self._tokens(), count))

    def _prefix(self) -> str:
        word = self._chance.choice(self._tokens())
        return f"{word[: self._chance.randint(4, 6)]}*"

    def _phrase(self) -> str:
        words = _WORD.findall(self._chance.choice(self._sample).fields["solution"])
        first = self._chance.randrange(len(words) - 3)
        return f'"{" ".join(words[first : first + self._chance.choice((2, 3))])}"'

    def _typo(self) -> str:
        word = self._chance.choice([word for word in self._tokens() if len(word) >= 8] or ["Beleuchtung"])
        at = self._chance.randrange(2, len(word) - 2)
        return self._chance.choice(
            (
                word[:at] + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
                word[:at] + "x" + word[at:],
            )
        )


def hostile(texts: Iterable[Text], seed: int = 5) -> list[Question]:
    """Questions made to hurt: many words, many beginnings, long phrases, nonsense, quotes in quotes."""
    chance = random.Random(seed)
    sample = [text for _, text in zip(range(400), texts, strict=False)]
    words = [word for text in sample for word in _WORD.findall(text.body) if len(word) >= _LONG]
    common = [word for word, _ in Counter(words).most_common(64)]
    different = sorted(set(words))
    long = " ".join(word for text in sample for word in _WORD.findall(text.body))
    spoiled = [f"{word[:3]}x{word[3:]}" for word in chance.sample(different, 64)]
    return [
        Question("unter*", "unter*"),
        Question("three beginnings of three letters", "unt* ver* ein*"),
        Question("phrase of 400 words", f'"{" ".join(long.split()[:400])}"'),
        Question("phrase of the commonest words", f'"{" ".join(common[:12])}"'),
        Question("64 commonest words", " ".join(common)),
        Question("64 different words", " ".join(chance.sample(different, 64))),
        Question("64 words mistyped", " ".join(spoiled)),
        Question("64 words joined by OR", " OR ".join(common)),
        Question("32 words and 32 excluded", " ".join(common[:32]) + " -" + " -".join(common[32:])),
        Question("nested quotes", '"' * 300 + 'a "b "c "d" e" f" g"' + "„“«»" * 50),
        Question("one word of 2,000 letters", "".join(chance.sample(different, 200))[:2_000]),
        Question("2,000 signs", '*-!()[]{}:^~\\/+"' * 125),
        Question(
            "60 phrases", " ".join(f'"{one} {other}"' for one, other in zip(words[::2], words[1:120:2], strict=False))
        ),
        Question("100,000 characters", long[:100_000]),
    ]
