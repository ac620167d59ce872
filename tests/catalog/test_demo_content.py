"""That the demo catalog is whole, refers to what exists and says what its sources say; not how it is imported."""

import csv
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from catalog.domain.entry import Deployment, Entry, missing
from catalog.domain.vocabulary import (
    DeploymentStatus,
    Division,
    Membership,
    Network,
    OrganisationKind,
    ReuseStatus,
    StopCause,
    cost_band,
)

DATA = Path(__file__).parents[2] / "catalog" / "data"
FIRST_LEVEL = [
    "mobilitaet",
    "energie",
    "wasser",
    "abfall",
    "konnektivitaet",
    "datenplattformen",
    "gebaeude-beleuchtung",
    "klimaanpassung",
]


def _yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _gazetteer() -> dict[str, str]:
    with (DATA / "gazetteer.csv").open(encoding="utf-8", newline="") as lines:
        return {row["ags"]: row["name"] for row in csv.DictReader(lines, delimiter=";")}


def _topics(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for node in nodes for found in (node, *_topics(node.get("children", [])))]


FILES = sorted((DATA / "demo" / "entries").glob("*.yaml"))
ENTRIES = {path.stem: Entry.model_validate(_yaml(path)) for path in FILES}
ORGANISATIONS: dict[str, dict[str, Any]] = {row["slug"]: row for row in _yaml(DATA / "demo" / "organisations.yaml")}
TAXONOMY = _yaml(DATA / "taxonomy.yaml")
TOPICS = _topics(TAXONOMY["topics"])
GAZETTEER = _gazetteer()
SITES: dict[str, Deployment] = {site.external_id: site for entry in ENTRIES.values() for site in entry.deployments}

each_entry = pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES.keys())
each_organisation = pytest.mark.parametrize("row", ORGANISATIONS.values(), ids=ORGANISATIONS.keys())


def _words(entry: Entry) -> int:
    texts = [entry.title, entry.benefit, entry.challenge, entry.solution, *entry.transfer.model_dump().values()]
    for site in entry.deployments:
        texts += [site.summary, site.results, site.worked, site.not_worked, site.would_change, site.stop_reason]
        texts += [site.reuse.adapted, site.reuse.outcome] if site.reuse else []
    return len(" ".join(texts).split())


def test_there_is_one_file_for_each_of_the_44_pilots_and_its_name_carries_the_number() -> None:
    assert [entry.external_id for entry in ENTRIES.values()] == [f"demo-{number:02}" for number in range(1, 45)]
    assert [stem[:2] for stem in ENTRIES] == [f"{number:02}" for number in range(1, 45)]
    assert len({entry.title for entry in ENTRIES.values()}) == 44


@each_entry
def test_an_entry_is_complete_and_marked_as_demo(entry: Entry) -> None:
    assert missing(entry) == {}
    assert entry.demo
    assert entry.language == "de"
    assert all((entry.title_en, entry.benefit_en, entry.keywords, entry.technologies))
    assert len(entry.title) <= 90
    assert len(entry.title_en) <= 90
    assert 180 <= _words(entry) <= 400


@each_entry
def test_an_entry_names_its_sources_with_address_and_date(entry: Entry) -> None:
    assert entry.sources
    for source in entry.sources:
        assert source.url.startswith(("https://", "http://"))
        assert source.title
        assert source.accessed == "2026-11-01"


@each_entry
def test_an_entry_names_no_person_only_a_mailbox_of_the_example_domain(entry: Entry) -> None:
    assert entry.contact.model_dump(exclude_defaults=True) == {
        "mailbox": f"ansprechstelle@{entry.organisation}.example.org"
    }


@each_entry
def test_an_entry_refers_only_to_organisations_topics_and_technologies_that_exist(entry: Entry) -> None:
    technologies = {row["slug"] for row in TAXONOMY["technologies"]}
    assert set(entry.topics) <= {row["slug"] for row in TOPICS}
    assert set(entry.technologies) <= technologies
    named = {entry.organisation}
    for site in entry.deployments:
        named.add(site.organisation)
        named |= {partner.organisation for partner in site.partners}
    assert named <= ORGANISATIONS.keys()
    for listed in (entry.topics, entry.technologies, entry.keywords):
        assert len(listed) == len(set(listed))


@each_entry
def test_a_site_lies_in_a_municipality_of_the_gazetteer_or_has_no_key(entry: Entry) -> None:
    for site in entry.deployments:
        assert site.external_id.startswith(f"{entry.external_id}-")
        assert site.place.name
        if not site.place.ags:
            continue
        known = GAZETTEER[site.place.ags].split(",")[0].split(" ")[0]
        # A district stands at its seat, and Travemünde is a part of Lübeck; every other name must be the gazetteer's.
        is_district = ORGANISATIONS[site.organisation]["kind"] == "district" and "reis" in site.place.name
        assert is_district or known in site.place.name


@each_entry
def test_a_cost_band_agrees_with_the_exact_figure(entry: Entry) -> None:
    for site in entry.deployments:
        if site.capex_eur is not None:
            assert site.capex_band == cost_band(site.capex_eur)
        if site.opex_eur is not None:
            assert site.opex_band == cost_band(site.opex_eur)


@each_entry
def test_a_figure_has_a_unit_a_value_and_a_source(entry: Entry) -> None:
    for site in entry.deployments:
        for kpi in site.kpis:
            assert all((kpi.indicator, kpi.unit, kpi.source))
            assert (kpi.before, kpi.after) != (None, None)


def test_sites_have_keys_of_their_own() -> None:
    counted = Counter(site.external_id for entry in ENTRIES.values() for site in entry.deployments)
    assert [key for key, number in counted.items() if number > 1] == []


def test_reuse_follows_a_known_site_and_never_runs_in_a_circle() -> None:
    follows = {key: site.reuse.follows for key, site in SITES.items() if site.reuse}
    assert set(follows.values()) <= SITES.keys()
    for start in follows:
        walked = [start]
        while walked[-1] in follows:
            walked.append(follows[walked[-1]])
            assert len(walked) == len(set(walked)), walked


def test_every_reuse_says_what_was_adapted_and_claims_no_recommendation_nobody_gave() -> None:
    for site in SITES.values():
        if site.reuse:
            assert site.reuse.adapted
            assert site.reuse.recommend is None
        if site.reuse and site.reuse.status is ReuseStatus.DONE:
            assert site.reuse.outcome


@pytest.mark.parametrize(
    ("source", "reuser", "status"),
    [
        ("demo-18-herrenberg", "demo-18-ludwigsburg", ReuseStatus.DONE),
        ("demo-18-herrenberg", "demo-18-brandenburg", ReuseStatus.PLANNED),
        ("demo-25-bad-nauheim-sued", "demo-25-roedgen", ReuseStatus.DONE),
        ("demo-27-mannheim", "demo-27-mannheim-2", ReuseStatus.PLANNED),
        ("demo-30-tuebingen", "demo-30-asg", ReuseStatus.DONE),
        ("demo-33-fulda-pilot", "demo-33-fulda", ReuseStatus.DONE),
        ("demo-33-fulda", "demo-33-bergstrasse", ReuseStatus.RUNNING),
        ("demo-42-bad-belzig", "demo-42-detmold", ReuseStatus.DONE),
        ("demo-04-bad-berleburg", "demo-05-menden", ReuseStatus.RUNNING),
        ("demo-44-travemuende", "demo-44-arnsberg", ReuseStatus.PLANNED),
    ],
)
def test_the_known_reuse_chains_are_there(source: str, reuser: str, status: ReuseStatus) -> None:
    reuse = SITES[reuser].reuse
    assert reuse is not None
    assert (reuse.follows, reuse.status) == (source, status)


def test_travemuende_is_found_by_its_name_and_its_made_up_reuse_says_so() -> None:
    entry = next(entry for entry in ENTRIES.values() if entry.external_id == "demo-44")
    assert "Travemünde" in entry.title
    assert "Travemünde" in entry.keywords
    assert "Travemünde" in entry.deployments[0].place.name
    arnsberg = SITES["demo-44-arnsberg"]
    assert arnsberg.status is DeploymentStatus.IDEA
    assert "Beispiel, keine reale Planung" in arnsberg.summary
    assert arnsberg.reuse is not None
    assert "Beispiel, keine reale Planung" in arnsberg.reuse.adapted


@pytest.mark.parametrize(
    ("site", "status", "causes", "ended"),
    [
        ("demo-12-muenster", "stopped", {StopCause.VENDOR_LEFT, StopCause.FUNDING_ENDED}, "2024-08"),
        ("demo-13-aschaffenburg", "stopped", {StopCause.UNIT_COST, StopCause.ACCEPTANCE}, "2023-10"),
        ("demo-14-leverkusen", "stopped", {StopCause.FUNDING_ENDED}, "2024-12"),
        ("demo-15-koeln", "stopped", {StopCause.UNIT_COST, StopCause.ACCEPTANCE}, "2024-12"),
        ("demo-16-monheim", "stopped", {StopCause.VENDOR_LEFT}, "2025-09-28"),
        ("demo-17-weitere", "stopped", {StopCause.VENDOR_LEFT, StopCause.HARDWARE_DURABILITY}, ""),
        ("demo-37-duesseldorf", "pilot", {StopCause.TECHNOLOGY}, "2021-06"),
    ],
)
def test_stopped_and_limited_pilots_name_their_causes(
    site: str, status: str, causes: set[StopCause], ended: str
) -> None:
    found = SITES[site]
    assert found.status == status
    assert set(found.stop_causes) == causes
    assert found.stop_reason
    assert found.ended == ended


@pytest.mark.parametrize(
    ("site", "indicator", "before", "after"),
    [
        ("demo-01-krefeld", "Grundwassermessstellen mit Fernübertragung", None, 450),
        ("demo-01-krefeld", "Fernwärmezähler im Netz", None, 1000),
        ("demo-02-ostholstein", "LoRaWAN-Gateways", None, 3),
        ("demo-03-delbrueck", "Anwendungsfälle", None, 25),
        ("demo-05-menden", "LoRaWAN-Gateways", None, 12),
        ("demo-06-luebeck", "Antennen für das Stadtgebiet", None, 5),
        ("demo-07-luebeck", "Halte je Tag mit Messung", None, 50),
        ("demo-09-langerfeld", "Leckagen je Jahr vor dem Versuch", 400, None),
        ("demo-12-muenster", "Fahrgäste", None, 450_000),
        ("demo-13-aschaffenburg", "Kosten je Fahrgast", None, 66.6),
        ("demo-14-leverkusen", "Fahrgäste je Fahrerstunde", None, 2.6),
        ("demo-15-koeln", "Zuschuss je Fahrt", None, 26.35),
        ("demo-18-herrenberg", "Einwohnerinnen und Einwohner der Stadt", None, 33_000),
        ("demo-19-augsburg", "Einführungspreis großes Paket", None, 109),
        ("demo-20-koeln", "Ladevorgänge", None, 2800),
        ("demo-20-koeln", "Zufriedenheit der Nutzenden", None, 4.38),
        ("demo-21-tamm", "Gleichzeitigkeitsfaktor", None, 0.22),
        ("demo-21-tamm", "höchste Zahl gleichzeitiger Ladevorgänge", None, 13),
        ("demo-22-tuebingen", "Leuchten im ersten Abschnitt", None, 120),
        ("demo-23-eibelstadt", "gedimmte Betriebsstunden je Jahr", None, 3200),
        ("demo-24-bad-hersfeld", "gesteuerte Leuchten im Versuch", None, 154),
        ("demo-25-bad-nauheim-sued", "Kollektorfläche", None, 22_000),
        ("demo-25-bad-nauheim-sued", "Anteil Zufriedener im Gebiet", None, 97),
        ("demo-25-roedgen", "versorgte Häuser", None, 38),
        ("demo-26-rosenheim", "Wärmeleistung", None, 4.5),
        ("demo-27-mannheim", "Wärmeleistung", None, 20),
        ("demo-27-mannheim-2", "geplante Wärmeleistung", None, 165),
        ("demo-28-neckarpark", "Entzugsleistung", None, 2.1),
        ("demo-28-neckarpark", "Minderung der CO2-Emissionen", None, 22),
        ("demo-29-trier", "Stromverbrauch des Klärwerks", 4_000_000, 3_000_000),
        ("demo-30-tuebingen", "eingebundene Hochbehälter", None, 15),
        ("demo-30-tuebingen", "Senkung der Energiekosten der Pumpen", None, 30),
        ("demo-31-nordenham", "angestrebte Menge an Betriebswasser", None, 1_000_000),
        ("demo-33-fulda", "Sensoren im Landkreis", 61, 200),
        ("demo-33-fulda", "angeschlossene Städte und Gemeinden", 4, 23),
        ("demo-34-eifelkreis", "Messstellen", None, 32),
        ("demo-35-gelsenkirchen", "Vorwarnzeit", None, 60),
        ("demo-37-duesseldorf", "Genauigkeit der Füllstandsmessung", None, 94),
        ("demo-37-duesseldorf", "mittlerer Füllstand bei Leerung", None, 60),
        ("demo-38-reutlingen", "Anteil beanstandeter Biotonnen", 21, 3),
        ("demo-38-heilbronn", "kontrollierte Biotonnen", None, 200_000),
        ("demo-40-moenchengladbach", "Baumstandorte mit Sensoren", None, 8),
        ("demo-41-moenchengladbach", "weitere beteiligte Städte und Stadtwerke", None, 15),
        ("demo-42-bad-belzig", "Downloads aller Apps", None, 250_000),
        ("demo-43-wuppertal", "Brennstoffzellenbusse", None, 10),
    ],
)
def test_figures_are_those_of_the_sources(site: str, indicator: str, before: float | None, after: float | None) -> None:
    assert [(kpi.before, kpi.after) for kpi in SITES[site].kpis if kpi.indicator == indicator] == [(before, after)]


@pytest.mark.parametrize(
    ("site", "capex", "opex", "grants"),
    [
        ("demo-12-muenster", None, None, [5_000_000, 3_000_000]),
        ("demo-13-aschaffenburg", None, 180_000, []),
        ("demo-27-mannheim", 15_000_000, None, [6_000_000]),
        ("demo-27-mannheim-2", 200_000_000, None, []),
        ("demo-29-trier", 3_800_000, None, [None]),
        ("demo-33-fulda", None, None, [828_000]),
        ("demo-33-bergstrasse", None, None, [657_000]),
        ("demo-35-gelsenkirchen", None, None, [1_550_000]),
        ("demo-36-aasee", 34_000 + 4_300, 9_000, []),
        ("demo-40-schwandorf", 3_000, None, []),
        ("demo-43-wuppertal", 12_000_000, None, [6_500_000]),
    ],
)
def test_sums_of_money_are_those_of_the_sources(
    site: str, capex: float | None, opex: float | None, grants: list[float | None]
) -> None:
    found = SITES[site]
    assert (found.capex_eur, found.opex_eur) == (capex, opex)
    assert [funding.amount_eur for funding in found.funding] == grants


def test_the_topic_tree_is_curated_in_both_languages_and_in_the_agreed_order() -> None:
    assert [node["slug"] for node in TAXONOMY["topics"]] == FIRST_LEVEL
    water = next(node for node in TAXONOMY["topics"] if node["slug"] == "wasser")
    assert {"trinkwasser", "abwasser"} <= {node["slug"] for node in water["children"]}
    for rows in (TOPICS, TAXONOMY["technologies"]):
        slugs = [row["slug"] for row in rows]
        assert len(slugs) == len(set(slugs))
        assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)
        assert all(row["name"] and row["name_en"] for row in rows)
    assert all(node["description"].endswith(".") and node["description_en"].endswith(".") for node in TOPICS)


@pytest.mark.parametrize("rows", [TOPICS, TAXONOMY["technologies"]], ids=["topics", "technologies"])
def test_a_name_in_either_language_means_one_term_only(rows: list[dict[str, Any]]) -> None:
    # An import may name a term by slug or by its name in either language.
    meant = Counter(name for row in rows for name in {row[key].lower() for key in ("slug", "name", "name_en")})
    assert [name for name, number in meant.items() if number > 1] == []


def test_organisations_have_slugs_and_names_of_their_own() -> None:
    rows = _yaml(DATA / "demo" / "organisations.yaml")
    assert len(rows) == len({row["slug"] for row in rows}) == len({row["name"] for row in rows})
    short_names = [row["short_name"] for row in rows if row["short_name"]]
    assert len(short_names) == len(set(short_names))


def test_every_branch_of_the_topic_tree_leads_to_an_entry() -> None:
    used = {topic for entry in ENTRIES.values() for topic in entry.topics}
    for branch in TAXONOMY["topics"]:
        assert used & {node["slug"] for node in _topics([branch])}, branch["slug"]


@each_organisation
def test_an_organisation_uses_known_terms_and_lies_where_its_key_says(row: dict[str, Any]) -> None:
    kind = OrganisationKind(row["kind"])
    membership = {
        OrganisationKind.CITY: Membership.ASSOCIATED,
        OrganisationKind.DISTRICT: Membership.ASSOCIATED,
        OrganisationKind.PARTNER: Membership.NONE,
    }
    assert Membership(row["membership"]) is membership.get(kind, Membership.FULL)
    assert set(row.get("divisions", [])) <= set(Division)
    assert set(row["networks"]) <= set(Network)
    if row["ags"]:
        assert GAZETTEER[row["ags"]].split(",")[0] == row["place"]
    else:
        assert kind in {OrganisationKind.DISTRICT, OrganisationKind.PARTNER, OrganisationKind.WATER_ASSOCIATION}
