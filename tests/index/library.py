"""A small index for tests: its own lexicon and thesaurus, so that curated data never change what a test proves."""

from collections.abc import Iterable
from pathlib import Path

from index import Document, SearchIndex
from index.analysis import Lexicon
from index.analysis.thesaurus import Group

PUBLIC = frozenset({"public"})

NOUNS = [
    "straße",
    "beleuchtung",
    "zähler",
    "wasser",
    "wärme",
    "pumpe",
    "netz",
    "anlage",
    "versorgung",
    "auslesung",
    "leuchte",
    "rohr",
    "bruch",
    "karte",
    "regen",
    "gefahr",
    "speicher",
    "säule",
    "quartier",
    "daten",
    "plattform",
    "kanal",
    "reinigung",
    "müll",
    "gebühr",
    "strom",
    "tarif",
    "station",
    "meter",
    "rollout",
    "sensor",
    "abwasser",
    "behälter",
    "füllstand",
    "überwachung",
    "abfall",
    "verkehr",
    "ampel",
    "steuerung",
    "glas",
    "faser",
    "ausbau",
    "park",
    "raum",
    "bewirtschaftung",
    "stadt",
    "klima",
]
MODIFIERS = ["groß", "fern", "trink", "lade", "klär", "smart", "stark", "hoch"]
GROUPS = (
    Group("imsys", ("intelligentes Messsystem", "Smart Meter", "iMSys"), related=("smgw",)),
    Group("smgw", ("Smart-Meter-Gateway", "SMGW")),
    Group("leck", ("Leckortung", "Lecksuche", "leak detection")),
    Group("pv", ("Photovoltaik", "PV", "Solarstrom"), broader=("ee",)),
    Group("ee", ("erneuerbare Energie", "renewables")),
)


def lexicon() -> Lexicon:
    """Return a lexicon of some nouns of the field."""
    result = Lexicon()
    result.add_nouns(NOUNS)
    result.add_nouns(MODIFIERS, default="m")
    result.add_keep(["wirtschaft"])
    return result


def open_index(path: Path) -> SearchIndex:
    """Return an index object with the test data."""
    return SearchIndex(
        path / "index",
        lexicon=lexicon(),
        groups=GROUPS,
        names=("Arnsberg", "Travemünde"),
        facet_values={"status": {"gestoppt": "stopped"}},
    )


def make_index(path: Path, documents: Iterable[Document]) -> SearchIndex:
    """Return an index built from documents."""
    index = open_index(path)
    index.rebuild(documents)
    return index


def document(number: int | str, title: str = "", solution: str = "", **more: object) -> Document:
    """Return a document; keyword arguments are those of Document."""
    fields = {"title": title, "solution": solution}
    settings: dict[str, object] = {"audience": PUBLIC, "suggest": title, **more}
    return Document(id=str(number), fields={k: v for k, v in fields.items() if v}, **settings)  # type: ignore[arg-type]
