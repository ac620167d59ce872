"""Controlled terms of the field as enums, and their German labels: the one place for a term's wording.

Values are stored in the database and in exchange files and never change; labels are message texts and may.
"""

from enum import StrEnum

from catalog.domain.text import N_


class OrganisationKind(StrEnum):
    """What an organisation is (Art der Organisation)."""

    UTILITY = "utility"
    NETWORK_OPERATOR = "network_operator"
    WATER_ASSOCIATION = "water_association"
    CITY = "city"
    DISTRICT = "district"
    PARTNER = "partner"


class Membership(StrEnum):
    """How an organisation belongs to the association (Mitgliedschaft)."""

    FULL = "full"
    ASSOCIATED = "associated"
    NONE = "none"


class Division(StrEnum):
    """Lines of business an organisation runs (Sparten)."""

    ELECTRICITY = "electricity"
    GAS = "gas"
    DISTRICT_HEATING = "district_heating"
    WATER = "water"
    WASTE_WATER = "waste_water"
    WASTE = "waste"
    PUBLIC_TRANSPORT = "public_transport"
    PARKING = "parking"
    LIGHTING = "lighting"
    TELECOMMUNICATION = "telecommunication"
    POOLS = "pools"
    HARBOUR = "harbour"


class Network(StrEnum):
    """Networks an organisation operates itself (eigene Netze)."""

    POWER_GRID = "power_grid"
    GAS_GRID = "gas_grid"
    HEAT_GRID = "heat_grid"
    WATER_NETWORK = "water_network"
    SEWER_NETWORK = "sewer_network"
    LORAWAN = "lorawan"
    MHZ_450 = "450mhz"
    FIBRE = "fibre"


class SolutionKind(StrEnum):
    """What an entry describes (Art des Eintrags); open questions are needs, not solutions."""

    SOLUTION = "solution"
    BUILDING_BLOCK = "building_block"


class Visibility(StrEnum):
    """Who may read a published entry (Sichtbarkeit)."""

    PUBLIC = "public"
    MEMBERS = "members"
    GROUP = "group"


class DeploymentStatus(StrEnum):
    """How far a site has come (Stand am Standort)."""

    IDEA = "idea"
    PILOT = "pilot"
    REGULAR_OPERATION = "regular_operation"
    SCALED = "scaled"
    STOPPED = "stopped"


class StopCause(StrEnum):
    """Why a site was stopped or paused (Grund der Beendigung)."""

    FUNDING_ENDED = "funding_ended"
    VENDOR_LEFT = "vendor_left"
    UNIT_COST = "unit_cost"
    HARDWARE_DURABILITY = "hardware_durability"
    NO_OPERATOR = "no_operator"
    ACCEPTANCE = "acceptance"
    LAW = "law"
    TECHNOLOGY = "technology"


class KpiKind(StrEnum):
    """What a figure measures, so that "sensors installed" is not read as effect (Art der Kennzahl).

    Source: types used in comparisons of smart-city indicator sets (input, process, output, outcome, impact).
    """

    INPUT = "input"
    PROCESS = "process"
    OUTPUT = "output"
    OUTCOME = "outcome"
    IMPACT = "impact"


class CostBand(StrEnum):
    """Cost bands in euro, each from its lower bound up to below the next (Kostenrahmen)."""

    BELOW_10K = "below_10k"
    FROM_10K = "10k_50k"
    FROM_50K = "50k_250k"
    FROM_250K = "250k_1m"
    FROM_1M = "1m_5m"
    ABOVE_5M = "above_5m"


class PartnerRole(StrEnum):
    """What a partner did at a site (Rolle)."""

    VENDOR = "vendor"
    OPERATOR = "operator"
    RESEARCH = "research"
    CONSULTING = "consulting"
    FUNDER = "funder"
    MUNICIPALITY = "municipality"
    OTHER = "other"


class ReuseStatus(StrEnum):
    """How far the reuse of another site's solution has come (Stand der Nachnutzung)."""

    PLANNED = "planned"
    RUNNING = "running"
    DONE = "done"
    GIVEN_UP = "given_up"


class AttachmentKind(StrEnum):
    """What an attachment is for (Art des Dokuments)."""

    DOCUMENT = "document"
    CONTRACT = "contract"
    TENDER = "tender"
    COUNCIL_PAPER = "council_paper"
    DATA_PROTECTION = "data_protection"
    IMAGE = "image"


LABELS: dict[StrEnum, str] = {
    OrganisationKind.UTILITY: N_("Stadtwerk"),
    OrganisationKind.NETWORK_OPERATOR: N_("Netzbetreiber"),
    OrganisationKind.WATER_ASSOCIATION: N_("Wasserverband"),
    OrganisationKind.CITY: N_("Stadt oder Gemeinde"),
    OrganisationKind.DISTRICT: N_("Landkreis"),
    OrganisationKind.PARTNER: N_("Partner"),
    Membership.FULL: N_("Mitglied"),
    Membership.ASSOCIATED: N_("assoziiertes Mitglied"),
    Membership.NONE: N_("kein Mitglied"),
    Division.ELECTRICITY: N_("Strom"),
    Division.GAS: N_("Gas"),
    Division.DISTRICT_HEATING: N_("Fernwärme"),
    Division.WATER: N_("Trinkwasser"),
    Division.WASTE_WATER: N_("Abwasser"),
    Division.WASTE: N_("Abfall"),
    Division.PUBLIC_TRANSPORT: N_("Nahverkehr"),
    Division.PARKING: N_("Parken"),
    Division.LIGHTING: N_("Straßenbeleuchtung"),
    Division.TELECOMMUNICATION: N_("Telekommunikation"),
    Division.POOLS: N_("Bäder"),
    Division.HARBOUR: N_("Hafen"),
    Network.POWER_GRID: N_("Stromnetz"),
    Network.GAS_GRID: N_("Gasnetz"),
    Network.HEAT_GRID: N_("Wärmenetz"),
    Network.WATER_NETWORK: N_("Wassernetz"),
    Network.SEWER_NETWORK: N_("Kanalnetz"),
    Network.LORAWAN: N_("LoRaWAN"),
    Network.MHZ_450: N_("450 MHz"),
    Network.FIBRE: N_("Glasfaser"),
    SolutionKind.SOLUTION: N_("Lösung"),
    SolutionKind.BUILDING_BLOCK: N_("Lösungsbaustein"),
    Visibility.PUBLIC: N_("öffentlich"),
    Visibility.MEMBERS: N_("nur Mitglieder"),
    Visibility.GROUP: N_("nur Arbeitsgruppe"),
    DeploymentStatus.IDEA: N_("Idee"),
    DeploymentStatus.PILOT: N_("Pilot"),
    DeploymentStatus.REGULAR_OPERATION: N_("Regelbetrieb"),
    DeploymentStatus.SCALED: N_("ausgeweitet"),
    DeploymentStatus.STOPPED: N_("beendet"),
    StopCause.FUNDING_ENDED: N_("Förderung ausgelaufen"),
    StopCause.VENDOR_LEFT: N_("Anbieter oder Partner ausgestiegen"),
    StopCause.UNIT_COST: N_("Kosten je Einheit zu hoch"),
    StopCause.HARDWARE_DURABILITY: N_("Geräte nicht haltbar genug"),
    StopCause.NO_OPERATOR: N_("kein Betreiber"),
    StopCause.ACCEPTANCE: N_("zu wenig Akzeptanz oder Nutzung"),
    StopCause.LAW: N_("rechtliche Hürden"),
    StopCause.TECHNOLOGY: N_("Technik nicht reif"),
    KpiKind.INPUT: N_("Aufwand"),
    KpiKind.PROCESS: N_("Ablauf"),
    KpiKind.OUTPUT: N_("Leistung"),
    KpiKind.OUTCOME: N_("Ergebnis"),
    KpiKind.IMPACT: N_("Wirkung"),
    CostBand.BELOW_10K: N_("unter 10.000 €"),
    CostBand.FROM_10K: N_("10.000 bis 50.000 €"),
    CostBand.FROM_50K: N_("50.000 bis 250.000 €"),
    CostBand.FROM_250K: N_("250.000 € bis 1 Mio. €"),
    CostBand.FROM_1M: N_("1 bis 5 Mio. €"),
    CostBand.ABOVE_5M: N_("über 5 Mio. €"),
    PartnerRole.VENDOR: N_("Hersteller oder Lieferant"),
    PartnerRole.OPERATOR: N_("Betreiber"),
    PartnerRole.RESEARCH: N_("Wissenschaft"),
    PartnerRole.CONSULTING: N_("Beratung"),
    PartnerRole.FUNDER: N_("Fördergeber"),
    PartnerRole.MUNICIPALITY: N_("Kommune"),
    PartnerRole.OTHER: N_("weiterer Partner"),
    ReuseStatus.PLANNED: N_("geplant"),
    ReuseStatus.RUNNING: N_("läuft"),
    ReuseStatus.DONE: N_("umgesetzt"),
    ReuseStatus.GIVEN_UP: N_("aufgegeben"),
    AttachmentKind.DOCUMENT: N_("Dokument"),
    AttachmentKind.CONTRACT: N_("Vertragsmuster"),
    AttachmentKind.TENDER: N_("Ausschreibungstext"),
    AttachmentKind.COUNCIL_PAPER: N_("Ratsvorlage"),
    AttachmentKind.DATA_PROTECTION: N_("Datenschutzunterlage"),
    AttachmentKind.IMAGE: N_("Bild"),
}

_BAND_BOUNDS = (
    (10_000, CostBand.BELOW_10K),
    (50_000, CostBand.FROM_10K),
    (250_000, CostBand.FROM_50K),
    (1_000_000, CostBand.FROM_250K),
    (5_000_000, CostBand.FROM_1M),
)


def label(term: StrEnum) -> str:
    """The German label of a term, for translation and display."""
    return LABELS[term]


def cost_band(euro: float) -> CostBand:
    """The band an amount in euro falls into."""
    return next((band for bound, band in _BAND_BOUNDS if euro < bound), CostBand.ABOVE_5M)
