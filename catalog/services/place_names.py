"""What people call places in a query, and which entries they then mean; finding them is the index's matter.

Read from the gazetteer files, so that a place is known before any entry names it.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from index import Named

# How near an entry is that lies in the same district or state as the place asked for.
_SAME_DISTRICT: Final = 0.4
_SAME_STATE: Final = 0.15
# What people write besides the official name. Two letters only are left out: too many of them mean something else.
_OTHER_NAMES: Final = {
    "NRW": "05",
    "North Rhine-Westphalia": "05",
    "RLP": "07",
    "Rhineland-Palatinate": "07",
    "BaWü": "08",
    "Bavaria": "09",
    "Lower Saxony": "03",
    "Hesse": "06",
    "MeckPomm": "13",
    "Meck-Pomm": "13",
    "Saxony": "14",
    "Saxony-Anhalt": "15",
    "Thuringia": "16",
}
_STATE, _DISTRICT = 2, 5  # digits of a municipality key


def place_names(data: Path) -> Iterator[tuple[str, Named]]:
    """Yield names of states, regions, districts, municipalities and their parts with the facet values they stand for.

    Raises OSError when a gazetteer file is missing.
    """
    for row in _rows(data / "states.csv"):
        yield row["name"], Named((("state", row["code"]),))
    for name, code in _OTHER_NAMES.items():
        yield name, Named((("state", code),))
    for row in _rows(data / "regions.csv"):
        yield row["name"], Named(tuple(("district", key) for key in row["districts"].split()))
    for row in _rows(data / "districts.csv"):
        # a city that is a district of its own comes with the municipalities
        if not row["kind"].startswith(("Kreisfreie", "Stadtkreis")):
            for name in dict.fromkeys((row["name"], row["label"])):
                yield name, Named((("district", row["key"]),), (("state", row["state"], _SAME_STATE),))
    for row in _rows(data / "gazetteer.csv"):
        yield row["name"].partition("(")[0], _municipality(row["ags"])
    for row in _rows(data / "places.csv"):
        yield row["name"], _municipality(row["ags"])


def _municipality(ags: str) -> Named:
    near = (("district", ags[:_DISTRICT], _SAME_DISTRICT), ("state", ags[:_STATE], _SAME_STATE))
    return Named((("place", ags),), near)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file, delimiter=";")
