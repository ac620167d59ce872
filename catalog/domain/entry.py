"""An entry as one document: what a form edits, a revision keeps, an import reads and an export writes.

The tables hold the published state in rows; this is the same content as one value, with references by their public keys
(slugs, AGS, external ids) instead of row numbers. Rules of who may do what stand in `permissions` and `workflow`.
"""

import re
from datetime import date
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from catalog.domain.text import N_, Message
from catalog.domain.vocabulary import (
    CostBand,
    DeploymentStatus,
    KpiKind,
    PartnerRole,
    ReuseStatus,
    SolutionKind,
    StopCause,
    Visibility,
)

_PARTIAL_DATE = re.compile(
    r"(?P<year>(?:19|20)\d{2})(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>0[1-9]|[12]\d|3[01]))?)?", re.ASCII
)
_WEB_ADDRESS = re.compile(r"^https?://[^\s/?#<>\"]+\.[^\s<>\"]+$", re.IGNORECASE)
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\ufffe\uffff]")
MAX_LINE = 300
MAX_TEXT = 40_000


def partial_date(value: str) -> str:
    """Check a date of any precision, "2021", "2021-05" or "2021-05-17"; raises ValueError for anything else."""
    if not value:
        return value
    found = _PARTIAL_DATE.fullmatch(value)
    if found is None or (found["day"] and not _exists(value)):
        raise ValueError(N_("Bitte ein Datum als JJJJ, JJJJ-MM oder JJJJ-MM-TT angeben."))
    return value


def _exists(day: str) -> bool:
    try:
        date.fromisoformat(day)
    except ValueError:
        return False
    return True


def web_address(value: str) -> str:
    """Check that a link starts with http:// or https:// and names a host; raises ValueError otherwise."""
    if value and not _WEB_ADDRESS.match(value):
        raise ValueError(N_("Bitte eine vollständige Adresse angeben, die mit https:// beginnt."))
    return value


def plain_text(value: str) -> str:
    """Unify line ends and drop what nobody sees: control characters, which databases, XML and terminals don't bear.

    With them go the signs that turn the direction of writing round: a title with one of them would make the words
    after it, which are not its author's, read backwards.
    """
    return _UNSEEN.sub("", value.replace("\r\n", "\n").replace("\r", "\n")).strip()


Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_LINE), AfterValidator(plain_text)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=MAX_TEXT), AfterValidator(plain_text)]
PartialDate = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(partial_date)]
WebAddress = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=2_000),
    AfterValidator(plain_text),
    AfterValidator(web_address),
]
Amount = Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)]
Positive = Annotated[float, Field(allow_inf_nan=False, ge=0, le=1e15)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Kpi(_Part):
    """One measured figure (Kennzahl): what, in which unit, before and after, and who says so."""

    indicator: Line = ""
    unit: Line = ""
    before: Amount | None = None
    after: Amount | None = None
    kind: KpiKind = KpiKind.OUTPUT
    period: Line = ""
    method: Line = ""
    source: Line = ""
    note: Line = ""


class Partner(_Part):
    """Who helped at a site (Partner), by organisation slug or plain name, with role and product."""

    organisation: Line = ""
    role: PartnerRole = PartnerRole.OTHER
    product: Line = ""


class Funding(_Part):
    """Where grant money came from (Förderung); amount in euro."""

    programme: Line = ""
    grantor: Line = ""
    amount_eur: Positive | None = None


class Place(_Part):
    """A municipality by its AGS, or as free text where the gazetteer does not know it."""

    ags: Annotated[str, StringConstraints(pattern=r"^(\d{8})?$")] = ""
    name: Line = ""


class Reuse(_Part):
    """Which other site this one follows (Nachnutzung) and how that went."""

    follows: Line = ""
    status: ReuseStatus = ReuseStatus.PLANNED
    adapted: Text = ""
    outcome: Text = ""
    effort: Line = ""
    recommend: bool | None = None
    recommend_reason: Text = ""


class Deployment(_Part):
    """The solution at one site (Standort): who, where, when, how far, with what result."""

    external_id: Line = ""
    organisation: Line = ""
    place: Place = Field(default_factory=Place)
    started: PartialDate = ""
    ended: PartialDate = ""
    status: DeploymentStatus | None = None
    summary: Text = ""
    results: Text = ""
    worked: Text = ""
    not_worked: Text = ""
    would_change: Text = ""
    stop_causes: list[StopCause] = Field(default_factory=list)
    stop_reason: Text = ""
    kpis: list[Kpi] = Field(default_factory=list, max_length=100)
    capex_band: CostBand | None = None
    capex_eur: Positive | None = None
    opex_band: CostBand | None = None
    opex_eur: Positive | None = None
    person_days: Positive | None = None
    months_to_operation: Positive | None = None
    procurement: Line = ""
    funding: list[Funding] = Field(default_factory=list, max_length=50)
    partners: list[Partner] = Field(default_factory=list, max_length=50)
    reuse: Reuse | None = None

    @model_validator(mode="after")
    def _dates_in_order(self) -> Self:
        if self.started and self.ended and self.ended < self.started[: len(self.ended)]:
            raise ValueError(N_("Das Ende liegt vor dem Beginn."))
        return self


class Source(_Part):
    """Where a fact can be read (Quelle), and when it was last looked at."""

    url: WebAddress = ""
    title: Line = ""
    accessed: PartialDate = ""


class Contact(_Part):
    """Whom to ask (Ansprechperson), a deputy, and a mailbox that outlives both."""

    name: Line = ""
    mailbox: Line = ""
    phone: Line = ""
    deputy: Line = ""


class Transfer(_Part):
    """What another utility must know before it reuses the solution (Übertragbarkeit)."""

    technical: Text = ""
    legal: Text = ""
    organisational: Text = ""
    data: Text = ""
    adaptation: Text = ""
    limits: Text = ""
    lifetime: Line = ""
    licence: Line = ""


class Entry(_Part):
    """A solution with its sites (Lösung mit Standorten), the unit that is written, reviewed, imported and exported."""

    external_id: Line = ""
    kind: SolutionKind = SolutionKind.SOLUTION
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")] = "de"
    title: Line = ""
    title_en: Line = ""
    benefit: Text = ""
    benefit_en: Text = ""
    challenge: Text = ""
    solution: Text = ""
    topics: list[Line] = Field(default_factory=list, max_length=30)
    technologies: list[Line] = Field(default_factory=list, max_length=50)
    keywords: list[Line] = Field(default_factory=list, max_length=50)
    organisation: Line = ""
    working_group: Line = ""
    visibility: Visibility = Visibility.PUBLIC
    critical_infrastructure: bool | None = None
    demo: bool = False
    transfer: Transfer = Field(default_factory=Transfer)
    contact: Contact = Field(default_factory=Contact)
    sources: list[Source] = Field(default_factory=list, max_length=100)
    deployments: list[Deployment] = Field(default_factory=list, max_length=500)


def dump(entry: Entry) -> dict[str, Any]:
    """The entry as plain JSON values, without what was left at its default: the form revisions and exports keep."""
    return entry.model_dump(mode="json", exclude_defaults=True)


# What a full entry needs before it may be published, by field path; the first site stands for "who, where, when".
_REQUIRED = {
    "title": N_("Bitte geben Sie einen Titel an."),
    "benefit": N_("Bitte nennen Sie den Nutzen in einem Satz."),
    "challenge": N_("Bitte beschreiben Sie die Herausforderung."),
    "solution": N_("Bitte beschreiben Sie die Lösung."),
    "topics": N_("Bitte wählen Sie mindestens ein Thema."),
}
_REQUIRED_OF_A_SITE = {
    "place": N_("Bitte geben Sie an, wo die Lösung eingesetzt wird."),
    "started": N_("Bitte geben Sie an, seit wann."),
    "status": N_("Bitte wählen Sie den Stand."),
    "not_worked": N_("Bitte schreiben Sie, was nicht funktioniert hat; das hilft anderen am meisten."),
}


def missing(entry: Entry) -> dict[str, Message]:
    """What the entry lacks to count as complete: field path to the message for its author; empty when complete."""
    gaps = {name: Message(text) for name, text in _REQUIRED.items() if not getattr(entry, name)}
    for number, site in enumerate(entry.deployments or [Deployment()]):
        for name, text in _REQUIRED_OF_A_SITE.items():
            value = getattr(site, name)
            if name == "place":
                value = value.ags or value.name
            # An idea has no beginning and no lesson yet; asking for them would invite invention.
            waived = site.status is DeploymentStatus.IDEA and name in {"started", "not_worked"}
            if not value and not waived:
                gaps[f"deployments.{number}.{name}"] = Message(text)
        if site.status is DeploymentStatus.STOPPED and not (site.stop_causes or site.stop_reason):
            gaps[f"deployments.{number}.stop_causes"] = Message(
                N_("Bitte geben Sie an, warum der Einsatz beendet wurde.")
            )
    return gaps
