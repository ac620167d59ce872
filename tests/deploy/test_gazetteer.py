"""Whether the committed place data are whole and agree with each other, and the rules that derived them."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

DATA = Path(__file__).resolve().parents[2] / "catalog" / "data"

# Places of the pilots that the demo catalog describes, as their sources write them.
PILOT_PLACES = """
Aachen, Aasee, Ahaus, Arnsberg, Aschaffenburg, Augsburg, Bad Belzig, Bad Berleburg, Bad Hersfeld, Bad Nauheim, Berlin,
Bielefeld, Delbrück, Detmold, Duisburg, Düsseldorf, Eibelstadt, Frankfurt, Freiburg, Fulda, Gelsenkirchen, Gießen,
Heilbronn, Herrenberg, Hirschau, Kaiserslautern, Kalübbe, Köln, Krefeld, Langerfeld, Leverkusen, Ludwigsburg, Lübeck,
Mannheim, Menden, Monheim, Mönchengladbach, Münster, NeckarPark, Nordenham, Nörvenich, Olpe, Ostfildern, Pforzheim,
Reutlingen, Rosenheim, Rödgen, Schwandorf, Soest, Stuttgart, Tamm, Travemünde, Trier, Tübingen, Wölfersheim, Wuppertal,
Würzburg
"""
PILOT_DISTRICTS = {
    "Kreis Plön",
    "Landkreis Fulda",
    "Landkreis Bergstraße",
    "Eifelkreis Bitburg-Prüm",
    "Kreis Ostholstein",
}

Table = list[dict[str, str]]


def table(name: str) -> Table:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


@pytest.fixture(scope="module")
def municipalities() -> Table:
    return table("gazetteer.csv")


@pytest.fixture(scope="module")
def districts() -> Table:
    return table("districts.csv")


@pytest.fixture(scope="module")
def places() -> Table:
    return table("places.csv")


def test_every_pilot_place_is_found_by_its_name(municipalities: Table, places: Table) -> None:
    known = {row["name"] for row in [*municipalities, *places]}
    wanted = {name.strip() for name in PILOT_PLACES.split(",")}
    assert len(wanted) > 50
    assert wanted - known == set()


def test_a_part_of_a_town_leads_to_that_town(municipalities: Table, places: Table) -> None:
    names = {row["ags"]: row["name"] for row in municipalities}
    towns = {(row["name"], names[row["ags"]]) for row in places}
    assert {
        ("Travemünde", "Lübeck"),
        ("Langerfeld", "Wuppertal"),
        ("Hirschau", "Tübingen"),
        ("NeckarPark", "Stuttgart"),
        ("Rödgen", "Bad Nauheim"),
        ("Menden", "Menden (Sauerland)"),
    } <= towns


def test_every_pilot_district_is_found_by_its_label(districts: Table) -> None:
    assert {row["label"] for row in districts} >= PILOT_DISTRICTS


def test_keys_are_unique_and_lead_upwards(municipalities: Table, districts: Table) -> None:
    states = {row["code"] for row in table("states.csv")}
    labels = {row["key"]: row["label"] for row in districts}
    assert len(states) == 16
    assert 10_500 < len(municipalities) < 11_500
    assert 395 <= len(districts) <= 405
    assert [key for key, count in Counter(row["ags"] for row in municipalities).items() if count > 1] == []
    assert [label for label, count in Counter(labels.values()).items() if count > 1] == []
    for row in municipalities:
        assert re.fullmatch(r"\d{8}", row["ags"])
        assert row["state"] == row["ags"][:2]
        assert row["state"] in states
        assert row["district"] == labels[row["ags"][:5]]
    assert {row["ags"][:5] for row in municipalities} == set(labels)


def test_parts_and_regions_name_known_keys(municipalities: Table, districts: Table, places: Table) -> None:
    keys = {row["ags"] for row in municipalities}
    assert [row for row in places if row["ags"] not in keys] == []
    assert {row["kind"] for row in places} == {"Ortsteil", "Kurzform"}
    regions = {row["name"]: row["districts"].split() for row in table("regions.csv")}
    assert {key for found in regions.values() for key in found} <= {row["key"] for row in districts}
    assert all(regions.values())
    wanted = {"Sauerland", "Ruhrgebiet", "Eifel", "Münsterland", "Rheinland", "Ostholstein", "Bergisches Land", "Harz"}
    assert wanted | {"Schwarzwald", "Allgäu", "Lausitz"} <= set(regions)
    assert {"05958", "05962", "05966", "05974"} == set(regions["Sauerland"])


def test_places_lie_in_germany_and_parts_near_their_town(
    gazetteer: ModuleType, municipalities: Table, places: Table
) -> None:
    centres = {row["ags"]: (float(row["lon"]), float(row["lat"])) for row in municipalities}
    for longitude, latitude in centres.values():
        assert 5.8 < longitude < 15.1
        assert 47.2 < latitude < 55.1
    far = [
        row for row in places if gazetteer.distance_km(centres[row["ags"]], (float(row["lon"]), float(row["lat"]))) > 25
    ]
    assert far == []


def test_population_and_type_agree(gazetteer: ModuleType, municipalities: Table) -> None:
    for row in municipalities:
        population = int(row["population"]) if row["population"] else None
        expected = gazetteer.bbsr_type(population)
        assert row["bbsr_type"] == ("" if expected is None else str(expected)), row
    assert sum(int(row["population"] or 0) for row in municipalities) > 77_000_000
    largest = sorted(municipalities, key=lambda row: -int(row["population"] or 0))[:4]
    assert [row["name"] for row in largest] == ["Berlin", "Hamburg", "München", "Köln"]


@pytest.mark.parametrize(
    ("population", "code"),
    [
        (None, None),
        (0, 50),
        (4_999, 50),
        (5_000, 40),
        (10_000, 30),
        (20_000, 22),
        (50_000, 21),
        (99_999, 21),
        (100_000, 12),
        (499_999, 12),
        (500_000, 11),
    ],
)
def test_type_limits(gazetteer: ModuleType, population: int | None, code: int | None) -> None:
    assert gazetteer.bbsr_type(population) == code


@pytest.mark.parametrize(
    ("official", "spelled"),
    [
        ("Neuburg a.d. Donau", "Neuburg an der Donau"),
        ("Muhr a. See", "Muhr am See"),
        ("Grafing b. München", "Grafing bei München"),
        ("Neumarkt i.d. OPf.", "Neumarkt in der Oberpfalz"),
        ("Königsberg i. Bay.", "Königsberg in Bayern"),
        ("Prien a. Chiemsee", "Prien am Chiemsee"),
        ("Höchst i. Odw.", "Höchst im Odenwald"),
        ("Hude (Oldb)", "Hude (Oldenburg)"),
        ("St. Blasien", "St. Blasien"),
        ("Bad Nauheim", "Bad Nauheim"),
    ],
)
def test_names_are_spelled_out(gazetteer: ModuleType, official: str, spelled: str) -> None:
    assert gazetteer.spell_out(official) == spelled


@pytest.mark.parametrize(
    ("name", "kind", "label"),
    [
        ("Fulda", "Landkreis", "Landkreis Fulda"),
        ("Krefeld", "Kreisfreie Stadt", "Krefeld"),
        ("Stuttgart", "Stadtkreis", "Stuttgart"),
        ("Wetteraukreis", "Landkreis", "Wetteraukreis"),
        ("Rhein-Sieg-Kreis", "Kreis", "Rhein-Sieg-Kreis"),
        ("Region Hannover", "Landkreis", "Region Hannover"),
    ],
)
def test_district_labels(gazetteer: ModuleType, name: str, kind: str, label: str) -> None:
    assert gazetteer.district_label(name, kind) == label


def test_a_renumbered_municipality_keeps_its_name_and_loses_its_old_key(municipalities: Table) -> None:
    by_name = {row["name"]: row for row in municipalities if row["name"] in {"Göttingen", "Eisenach", "Duderstadt"}}
    assert by_name["Göttingen"]["ags"] == "03159016"
    assert by_name["Eisenach"]["district"] == "Wartburgkreis"
    assert [row for row in municipalities if row["ags"][:5] in {"03152", "03156", "16056"}] == []


def test_simplifying_keeps_the_ends_and_what_stands_out(gazetteer: ModuleType) -> None:
    line = [(0.0, 0.0), (1.0, 0.01), (2.0, 0.0), (3.0, 1.0), (4.0, 0.0)]
    assert gazetteer.simplify(line, 0.1) == [(0.0, 0.0), (2.0, 0.0), (3.0, 1.0), (4.0, 0.0)]


def test_a_large_town_lies_inside_the_outline_of_its_state(municipalities: Table) -> None:
    """The projection written into the file is the one the outlines are drawn in, and no outline is torn."""
    outline = json.loads((DATA / "states_outline.json").read_text("utf-8"))
    plane = outline["projection"]
    polygons = {code: parse(state["path"]) for code, state in outline["states"].items()}
    assert len(polygons) == 16
    towns = [row for row in municipalities if int(row["population"] or 0) > 100_000]
    assert len(towns) > 70
    for row in towns:
        x = (float(row["lon"]) * plane["lon_factor"] - plane["west"]) * plane["scale"]
        y = (-float(row["lat"]) - plane["north"]) * plane["scale"]
        assert [code for code, rings in polygons.items() if inside(x, y, rings)] == [row["state"]], row["name"]


def parse(path: str) -> list[list[tuple[int, int]]]:
    """Return the rings of a path of the form M…l…z in absolute units."""
    rings = []
    for piece in path.split("z")[:-1]:
        numbers = [int(number) for number in re.findall(r"-?\d+", piece)]
        ring = [(numbers[0], numbers[1])]
        for dx, dy in zip(numbers[2::2], numbers[3::2], strict=True):
            ring.append((ring[-1][0] + dx, ring[-1][1] + dy))
        rings.append(ring)
    return rings


def inside(x: float, y: float, rings: list[list[tuple[int, int]]]) -> bool:
    """Tell by the even-odd rule whether a point lies in a surface with holes."""
    odd = False
    for ring in rings:
        for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
            if (ay > y) != (by > y) and x < ax + (y - ay) * (bx - ax) / (by - ay):
                odd = not odd
    return odd


def test_the_data_stay_small_and_say_where_they_come_from() -> None:
    own = [path for path in DATA.iterdir() if path.suffix in {".csv", ".json"}]
    assert sum(path.stat().st_size for path in own) < 1_500_000
    assert (DATA / "states_outline.json").stat().st_size < 60_000
    sources = (DATA / "SOURCES.md").read_text("utf-8")
    for path in own:
        assert f"`{path.name}`" in sources, path.name
    assert "Daten verändert" in sources
    assert "CC BY 4.0" in sources
