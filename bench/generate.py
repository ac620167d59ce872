"""Make entries of realistic German text as JSON Lines for `catalog import`: seedable, streaming, any number.

`python bench/generate.py 10000 --seed 7 > entries.jsonl`. Places and topics are real, the rest is
invented.
"""

import argparse
import csv
import json
import random
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_DATA = Path(__file__).resolve().parent.parent / "catalog" / "data"
_LATEST_YEAR = 2026
_SMALLEST_TOWN = 3_000


@dataclass(frozen=True, slots=True)
class Field:
    """A line of business: its topics and technologies (slugs of the taxonomy), and the words its texts are made of."""

    topics: tuple[str, ...]
    technologies: tuple[str, ...]
    things: tuple[str, ...]
    devices: tuple[str, ...]
    goals: tuple[str, ...]
    troubles: tuple[str, ...]
    places: tuple[str, ...]
    figures: tuple[tuple[str, str, int, int], ...]


_FIELDS = (
    Field(
        ("grundwasser", "trinkwasser", "wasser"),
        ("lorawan", "pegelsonde", "dashboard", "wasserqualitaetssonde"),
        (
            "Grundwassermessstellen",
            "Brunnen",
            "Hochbehälter",
            "Trinkwassernetz",
            "Rohrnetz",
            "Wasserwerk",
            "Quellfassungen",
        ),
        ("Drucksonden", "Pegelsonden", "Ultraschallzähler", "Leitfähigkeitssensoren", "Trübungssonden", "Datenlogger"),
        (
            "Wasserverluste früher erkennen",
            "Entnahmerechte einhalten",
            "Trockenperioden vorausschauend bewältigen",
            "Ablesefahrten einsparen",
            "den Spitzenbedarf an Hitzetagen decken",
        ),
        ("Rohrbrüche", "sinkende Grundwasserstände", "unbemerkte Leckagen", "lange Anfahrten", "fehlende Messreihen"),
        ("im Wasserschutzgebiet", "an den Tiefbrunnen", "in der Druckzone Nord", "entlang der Fernleitung"),
        (("Messstellen", "Stück", 4, 220), ("Wasserverlust", "%", 3, 18), ("Ablesefahrten je Jahr", "Fahrten", 2, 400)),
    ),
    Field(
        ("abwasser", "kanalnetz", "wasser"),
        ("radarsensor", "scada", "hydraulisches-modell", "niederschlagsmesser"),
        ("Kanalnetz", "Regenüberlaufbecken", "Pumpwerke", "Kläranlage", "Faulturm", "Rechengut", "Belebungsbecken"),
        (
            "Radarsensoren",
            "Füllstandssonden",
            "Niederschlagsmesser",
            "Durchflussmesser",
            "Ammoniumsonden",
            "Drosselschieber",
        ),
        (
            "Entlastungen in den Fluss verringern",
            "den Stromverbrauch der Belüftung senken",
            "Starkregen rechtzeitig erkennen",
            "Verstopfungen der Pumpen vermeiden",
            "die Kapazität der Becken ausnutzen",
        ),
        ("Starkregen", "Fremdwasser", "verzopfte Pumpen", "überlaufende Schächte", "hohe Stromkosten"),
        ("im Mischsystem", "am Hauptsammler", "im Einzugsgebiet des Bachs", "in der Altstadt"),
        (
            ("Entlastungsereignisse", "je Jahr", 1, 60),
            ("Stromverbrauch", "MWh", 120, 9000),
            ("Pumpenstörungen", "je Jahr", 0, 90),
        ),
    ),
    Field(
        ("waermeversorgung", "energie"),
        ("grosswaermepumpe", "prognosemodell", "waermemengenzaehler", "kraft-waerme-kopplung"),
        (
            "Fernwärmenetz",
            "Wärmespeicher",
            "Heizzentrale",
            "Nahwärmenetz",
            "Hausübergabestationen",
            "Blockheizkraftwerk",
        ),
        ("Großwärmepumpen", "Wärmemengenzähler", "Rücklauftemperaturfühler", "Regelventile", "Elektrodenkessel"),
        (
            "die Vorlauftemperatur absenken",
            "Abwärme nutzbar machen",
            "Spitzenlast ohne Gaskessel decken",
            "den Anteil erneuerbarer Wärme erhöhen",
            "hydraulische Engpässe beheben",
        ),
        ("hohe Rücklauftemperaturen", "steigende Gaspreise", "fehlende Messdaten", "alte Übergabestationen"),
        ("im Neubaugebiet", "am Klärwerk", "im Quartier am Bahnhof", "in der Großwohnsiedlung"),
        (("Wärmeleistung", "MW", 1, 40), ("Rücklauftemperatur", "°C", 38, 68), ("CO2-Einsparung", "t/a", 80, 12000)),
    ),
    Field(
        ("ladeinfrastruktur", "mobilitaet"),
        ("ladepunkt", "lademanagement", "bordsteinlader", "smart-meter"),
        ("Ladesäulen", "Tiefgarage", "Betriebshof", "Ortsnetzstation", "Parkhaus", "Carsharing-Stellplätze"),
        ("Bordsteinlader", "Lastmanagement-Einheiten", "Zwischenzähler", "Schnellladepunkte", "Wallboxen"),
        (
            "Netzausbau vermeiden",
            "Laden ohne eigenen Stellplatz ermöglichen",
            "Ladevorgänge in die Nacht verschieben",
            "die Auslastung der Ladepunkte erhöhen",
            "eichrechtskonform abrechnen",
        ),
        ("belegte Ladeplätze", "Engpässe im Ortsnetz", "Vandalismus", "lange Genehmigungen", "ausgefallene Terminals"),
        ("in der Innenstadt", "am Mobilitätspunkt", "in der Anliegerstraße", "auf dem Quartiersparkplatz"),
        (("Ladepunkte", "Stück", 2, 180), ("Ladevorgänge je Tag", "Anzahl", 1, 400), ("Spitzenlast", "kW", 40, 900)),
    ),
    Field(
        ("on-demand-verkehr", "nahverkehr", "mobilitaet"),
        ("bedarfsverkehr-software", "app", "automatisiertes-shuttle"),
        ("Rufbus", "Linienverkehr", "Shuttleflotte", "Haltestellen", "Leitstelle", "Fahrgastinformation"),
        ("Kleinbusse", "Fahrgastzähler", "Buchungsterminals", "Bordrechner", "Anzeigetafeln"),
        (
            "Randzeiten bedienen",
            "leere Linienfahrten ersetzen",
            "Pendelnde vom Auto holen",
            "Ortsteile anbinden",
            "Anschlüsse sichern",
        ),
        (
            "hohe Kosten je Fahrgast",
            "Fahrermangel",
            "niedrige Nachfrage",
            "lange Wartezeiten",
            "fehlende Barrierefreiheit",
        ),
        ("in den Ortsteilen", "zwischen Bahnhof und Gewerbegebiet", "am Wochenende", "in den Abendstunden"),
        (("Fahrgäste je Tag", "Personen", 20, 1900), ("Kosten je Fahrt", "€", 6, 48), ("Wartezeit", "min", 5, 40)),
    ),
    Field(
        ("abfall",),
        ("fuellstandssensor", "gis", "ki", "kamera-bilderkennung"),
        ("Altglascontainer", "Unterflurbehälter", "Wertstoffhof", "Biotonnen", "Sperrmüllabfuhr", "Papierkörbe"),
        ("Füllstandssensoren", "Wiegesysteme", "Kameras mit Bilderkennung", "RFID-Transponder", "Bordcomputer"),
        (
            "Touren nach Bedarf planen",
            "Fehlwürfe verringern",
            "überfüllte Behälter vermeiden",
            "Leerfahrten einsparen",
            "die Gebühren verursachergerecht abrechnen",
        ),
        (
            "Störstoffe im Bioabfall",
            "überquellende Container",
            "wilde Ablagerungen",
            "ungenaue Sensorwerte",
            "Batteriewechsel",
        ),
        ("in der Fußgängerzone", "an den Sammelplätzen", "im Außenbezirk", "rund um den Markt"),
        (("Behälter", "Stück", 12, 1500), ("Leerungen je Woche", "Anzahl", 8, 900), ("Störstoffanteil", "%", 1, 9)),
    ),
    Field(
        ("gebaeude-beleuchtung", "gebaeudeenergie"),
        ("led", "lichtsteuerung", "raumklimasensor", "bewegungsmelder"),
        ("Straßenbeleuchtung", "Schulgebäude", "Sporthalle", "Verwaltungsgebäude", "Radweg", "Rathaus"),
        ("LED-Leuchten", "Bewegungsmelder", "Raumklimasensoren", "Heizkörperventile", "CO2-Ampeln", "Schaltschränke"),
        (
            "Strom sparen",
            "Licht nur bei Bedarf geben",
            "Insekten schonen",
            "die Raumluft verbessern",
            "Heizzeiten an die Belegung anpassen",
        ),
        (
            "veraltete Leuchten",
            "hohe Wartungskosten",
            "Beschwerden über Dunkelheit",
            "Funklöcher im Keller",
            "fehlende Zähler",
        ),
        ("im Schulzentrum", "am Flussradweg", "im Wohngebiet", "an der Ortsdurchfahrt"),
        (
            ("Leuchten", "Stück", 20, 6000),
            ("Stromverbrauch", "MWh/a", 10, 2400),
            ("CO2-Wert im Raum", "ppm", 600, 1800),
        ),
    ),
    Field(
        ("datenplattformen", "iot-anwendungen", "konnektivitaet"),
        ("datenplattform", "open-data", "lorawan", "offene-schnittstellen"),
        ("Datenplattform", "Funknetz", "Gateways", "Messwerte", "Leitwarte", "Fachverfahren", "Glasfasernetz"),
        ("LoRaWAN-Gateways", "Netzwerkserver", "Umweltsensoren", "Zähler mit Funkmodul", "Schnittstellenadapter"),
        (
            "Daten aus allen Sparten zusammenführen",
            "Silos auflösen",
            "Werte offen bereitstellen",
            "neue Anwendungen ohne neues Netz ermöglichen",
            "Störungen früher sehen",
        ),
        ("uneinheitliche Formate", "unklare Zuständigkeiten", "Datenschutzfragen", "Abhängigkeit von einem Anbieter"),
        ("im ganzen Stadtgebiet", "im Versorgungsgebiet", "bei allen Beteiligten", "auf den Dächern eigener Gebäude"),
        (("Sensoren", "Stück", 10, 4000), ("Datenpunkte je Tag", "Tsd.", 1, 900), ("Verfügbarkeit", "%", 88, 99)),
    ),
    Field(
        ("klimaanpassung",),
        ("bodenfeuchtesensor", "wetterstation", "digitaler-zwilling", "niederschlagsmesser"),
        ("Stadtbäume", "Grünflächen", "Zisternen", "Pegel am Bach", "Rigolen", "Schulhöfe"),
        ("Bodenfeuchtesensoren", "Wetterstationen", "Pegelmesser", "Bewässerungsventile", "Warnleuchten"),
        (
            "gezielt bewässern",
            "Hitzeinseln finden",
            "vor Hochwasser warnen",
            "Regenwasser zurückhalten",
            "Jungbäume erhalten",
        ),
        ("vertrocknete Jungbäume", "Sturzfluten", "knappes Personal", "gestohlene Sensoren", "ungenaue Vorhersagen"),
        ("im Stadtpark", "an den Ausfallstraßen", "im Bachtal", "auf versiegelten Plätzen"),
        (("überwachte Bäume", "Stück", 20, 3500), ("Gießwasser", "m³/a", 50, 9000), ("Vorwarnzeit", "min", 10, 240)),
    ),
)
_SUBJECTS = (
    "Das Team",
    "Der Netzbetrieb",
    "Die Leitstelle",
    "Die Abteilung Technik",
    "Der Meisterbereich",
    "Das Projekt",
    "Die Werkleitung",
    "Der Bauhof",
    "Eine kleine Arbeitsgruppe",
    "Der Betriebshof",
)
_TITLES = (
    "{thing} mit {device} überwachen: {town}",
    "{device} für {thing} in {town}",
    "{goal}: {thing} in {town}",
    "{town}: {goal} mit {device}",
    "Vorausschauender Betrieb – {thing} {place} in {town}",
)
_CHALLENGES = (
    "{thing} wurden bisher von Hand kontrolliert, meist einmal im Monat.",
    "{trouble} und {trouble2} fielen oft erst auf, wenn Kundinnen und Kunden anriefen.",
    "Für {thing} {place} lagen keine belastbaren Werte vor, um zu entscheiden.",
    "Ziel war es, {goal_zu}; die vorhandene Technik gab das nicht her.",
    "Mit dem vorhandenen Personal war der Aufwand nicht mehr zu leisten, zumal {trouble} zunahmen.",
    "Der Gemeinderat verlangte einen Nachweis, dass sich die Investition in {thing} lohnt.",
)
_SOLUTIONS = (
    "{subject} rüstete {thing} mit {count} {device} aus.",
    "Die Werte gehen alle {minutes} Minuten verschlüsselt an die Leitwarte.",
    "Ein einfaches Regelwerk meldet Abweichungen per E-Mail, außerhalb der Dienstzeit an die Rufbereitschaft.",
    "{device2} ergänzen die Messung {place}, weil dort der Empfang schwach ist.",
    "Die Daten liegen in der eigenen Datenplattform und werden über offene Schnittstellen weitergegeben.",
    "Nach einer Erprobung von {months} Monaten wurde der Ausbau in drei Bauabschnitten vergeben.",
    "Die Montage übernahmen eigene Fachkräfte; je Einbauort dauerte sie rund {minutes} Minuten.",
    "So gelingt es, {goal_zu}, ohne zusätzliche Fahrten.",
)
_RESULTS = (
    "Seit der Umstellung lassen sich {trouble} meist innerhalb eines Tages eingrenzen.",
    "{subject} spart im Jahr etwa {count} Arbeitsstunden.",
    "Die Messwerte bestätigen, dass es möglich ist, {goal_zu}.",
    "Nach {months} Monaten sank die Zahl der Störungen um {percent} Prozent.",
    "Die Ergebnisse wurden mit zwei Nachbarkommunen besprochen, die das Vorgehen übernehmen wollen.",
)
_LESSONS = (
    "Die Batterien der {device} hielten nur {months} statt der versprochenen {longer} Monate.",
    "{trouble_cap} blieben {place} ein Problem, weil der Empfang dort nicht ausreicht.",
    "Der Hersteller der {device2} stellte die Baureihe ein; Ersatz musste neu ausgeschrieben werden.",
    "Die Abstimmung mit dem Datenschutz begann zu spät und kostete {months} Monate.",
    "Die Schwellenwerte lösten anfangs zu viele Alarme aus, sodass Meldungen übergangen wurden.",
    "Ohne feste Ansprechperson im Betrieb blieben Auffälligkeiten tagelang liegen.",
    "Die Kosten für Tiefbau lagen {percent} Prozent über der Schätzung.",
)
_WORKED = (
    "Die frühe Beteiligung der Meister hat sich bewährt.",
    "Die Funkabdeckung war besser als erwartet.",
    "Der schrittweise Ausbau erlaubte es, {device} nach jedem Abschnitt zu vergleichen.",
    "Ein gemeinsamer Rahmenvertrag mit {count} Gemeinden senkte den Stückpreis.",
)
_STATUSES = ("pilot", "pilot", "pilot", "regular_operation", "regular_operation", "scaled", "idea", "stopped")
_CAUSES = (
    "funding_ended",
    "vendor_left",
    "unit_cost",
    "hardware_durability",
    "no_operator",
    "acceptance",
    "law",
    "technology",
)
_SEPARABLE = ("ein", "aus", "ab", "an", "auf", "bereit", "zusammen", "zurück")
_PARTNERS = (
    "Funkwerk Systeme GmbH",
    "Hochschule für Technik",
    "Institut für Wasserforschung",
    "Ingenieurbüro Nordlicht",
    "Regio-IT Verbund",
    "Messtechnik Süd",
    "Planungsbüro Talblick",
)
_PROGRAMMES = (
    "Modellprojekte Smart Cities",
    "Nationale Klimaschutzinitiative",
    "Digitale Modellregionen",
    "Städtebauförderung",
)


def towns() -> list[tuple[str, str, int]]:
    """AGS, name and population of towns large enough to run a utility."""
    with (_DATA / "gazetteer.csv").open(encoding="utf-8", newline="") as lines:
        rows = csv.DictReader(lines, delimiter=";")
        return [
            (row["ags"], row["name"], int(row["population"]))
            for row in rows
            if row["population"] and int(row["population"]) >= _SMALLEST_TOWN
        ]


class _Writer:
    """Writes the texts of one entry; every choice comes from the one random source."""

    def __init__(self, chance: random.Random, field: Field, town: str) -> None:
        self.chance = chance
        self.field = field
        self.town = town

    def sentence(self, template: str) -> str:
        """One sentence with its places filled."""
        chance, field = self.chance, self.field
        device, device2 = chance.sample(field.devices, 2)
        trouble, trouble2 = chance.sample(field.troubles, 2)
        goal = chance.choice(field.goals)
        months = chance.randint(3, 30)
        text = template.format(
            thing=chance.choice(field.things),
            device=device,
            device2=device2,
            trouble=trouble,
            trouble2=trouble2,
            trouble_cap=trouble[:1].upper() + trouble[1:],
            goal=goal[:1].upper() + goal[1:],
            goal_zu=_with_zu(goal),
            goal_plain=goal,
            place=chance.choice(field.places),
            town=self.town,
            subject=chance.choice(_SUBJECTS),
            count=chance.randint(6, 480),
            minutes=chance.choice((5, 10, 15, 20, 30, 60)),
            months=months,
            longer=months + chance.randint(6, 60),
            percent=chance.randint(4, 45),
        )
        return text[:1].upper() + text[1:]

    def text(self, templates: tuple[str, ...], at_least: int, at_most: int) -> str:
        """A paragraph of different sentences."""
        number = min(self.chance.randint(at_least, at_most), len(templates))
        return " ".join(self.sentence(template) for template in self.chance.sample(templates, number))


def _with_zu(goal: str) -> str:
    """The goal as an infinitive with "zu", which separable verbs take inside."""
    *rest, verb = goal.split(" ")
    prefix = next((prefix for prefix in _SEPARABLE if verb.startswith(prefix)), None)
    return " ".join([*rest, f"{prefix}zu{verb.removeprefix(prefix)}"] if prefix else [*rest, "zu", verb])


def entries(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Rows for `catalog import`, one after the other; the same seed gives the same rows."""
    chance = random.Random(seed)
    places = towns()
    weights = [population**0.5 for _, _, population in places]
    sites: list[str] = []
    for number in range(1, count + 1):
        field = chance.choice(_FIELDS)
        chosen = chance.choices(places, weights, k=chance.choices((1, 2, 3), (80, 15, 5))[0])
        writer = _Writer(chance, field, chosen[0][1])
        identity = f"gen-{seed}-{number}"
        deployments = [
            _site(writer, f"{identity}-{position}", place, sites) for position, place in enumerate(chosen, start=1)
        ]
        sites.extend(site["external_id"] for site in deployments)
        yield {
            "external_id": identity,
            "title": writer.sentence(chance.choice(_TITLES))[:200],
            "benefit": writer.sentence("{subject} kann {goal_plain} und braucht dafür weniger Fahrten."),
            "challenge": writer.text(_CHALLENGES, 2, 4),
            "solution": writer.text(_SOLUTIONS, 3, 6),
            "topics": list(dict.fromkeys(chance.sample(field.topics, chance.randint(1, min(2, len(field.topics)))))),
            "technologies": chance.sample(field.technologies, chance.randint(1, 3)),
            "keywords": [chance.choice(field.things), chance.choice(field.devices), chosen[0][1]],
            "organisation": deployments[0]["organisation"],
            "transfer": {
                "technical": writer.sentence("Voraussetzung sind {device} und Empfang {place}."),
                "adaptation": writer.sentence(
                    "Andere Orte müssen vor allem die Schwellenwerte für {trouble} anpassen."
                ),
                "limits": writer.sentence("Für {thing} ohne Stromanschluss ist der Aufwand höher."),
            },
            "sources": [{"url": f"https://www.example.org/bericht/{identity}", "title": "Projektbericht"}],
            "deployments": deployments,
        }


def _site(writer: _Writer, identity: str, place: tuple[str, str, int], sites: list[str]) -> dict[str, Any]:
    chance = writer.chance
    ags, town, population = place
    started = chance.randint(2014, _LATEST_YEAR - 1)
    status = chance.choice(_STATUSES)
    site: dict[str, Any] = {
        "external_id": identity,
        "organisation": f"{'Stadtwerke' if population > 2 * _SMALLEST_TOWN else 'Gemeindewerke'} {town}",
        "place": {"ags": ags, "name": town},
        "started": f"{started}-{chance.randint(1, 12):02}" if chance.random() < 0.6 else str(started),
        "status": status,
        "summary": writer.sentence("{subject} betreibt {count} {device} {place}."),
        "results": writer.text(_RESULTS, 1, 3),
        "worked": writer.text(_WORKED, 1, 2),
        "not_worked": writer.text(_LESSONS, 1, 3),
        "kpis": [_figure(chance, row) for row in chance.sample(writer.field.figures, chance.randint(1, 3))],
        "capex_eur": chance.choice((8, 15, 40, 90, 180, 400, 900, 2_500)) * 1_000 + chance.randint(0, 999),
        "person_days": chance.randint(5, 400),
    }
    if status == "stopped":
        site["ended"] = str(min(started + chance.randint(1, 4), _LATEST_YEAR))
        site["stop_causes"] = chance.sample(_CAUSES, chance.randint(1, 2))
        site["stop_reason"] = writer.sentence(chance.choice(_LESSONS))
    if chance.random() < 0.4:
        site["partners"] = [
            {"organisation": chance.choice(_PARTNERS), "role": chance.choice(("vendor", "research", "consulting"))}
        ]
    if chance.random() < 0.3:
        site["funding"] = [{"programme": chance.choice(_PROGRAMMES), "amount_eur": chance.randint(10, 900) * 1_000}]
    if sites and chance.random() < 0.15:
        site["reuse"] = {
            "follows": sites[int(len(sites) * chance.random() ** 2)],
            "status": chance.choice(("planned", "running", "done")),
            "adapted": writer.sentence("Angepasst wurden {device} und die Schwellenwerte {place}."),
        }
    return site


def _figure(chance: random.Random, row: tuple[str, str, int, int]) -> dict[str, Any]:
    indicator, unit, low, high = row
    return {
        "indicator": indicator,
        "unit": unit,
        "before": chance.randint(low, high),
        "after": chance.randint(low, high),
        "kind": chance.choice(("output", "outcome", "impact")),
        "source": "eigene Messung",
    }


def main() -> None:
    """Write the rows to standard output."""
    parser = argparse.ArgumentParser(description="Generate entries for `catalog import`.")
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for row in entries(given.count, given.seed):
        sys.stdout.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
