"""One row of an exchange file, in the spellings and shapes people use, as typed values; knows no database.

The fields themselves are those of `domain.entry`; here stand only the other names they may have, how a flat row of a
spreadsheet becomes an entry with a site, and which wrong types are harmless.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from catalog.domain.entry import (
    MAX_LINE,
    Contact,
    Deployment,
    Entry,
    Funding,
    Kpi,
    Line,
    Partner,
    Place,
    Reuse,
    Source,
    Text,
    Transfer,
    WebAddress,
    partial_date,
    web_address,
)
from catalog.domain.text import slug, squeeze
from catalog.domain.vocabulary import (
    LABELS,
    CostBand,
    DeploymentStatus,
    Division,
    Membership,
    Network,
    OrganisationKind,
)
from catalog.domain.workflow import OPEN, Status

FORMAT: Final = 1
_FIRST_YEAR: Final = 1900
_LAST_YEAR: Final = 2999
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row: the field by its path, the reason, and whether the row was refused for it."""

    field: str
    reason: str
    severity: Literal["error", "warning"] = "error"


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Catalog(_Row):
    """The first row of an export: its format, and that it holds every organisation and technology it names."""

    format: int = FORMAT
    complete: bool = False


class Pending(_Row):
    """A changed version of a published entry that nobody has accepted yet."""

    status: Status = Status.DRAFT
    entry: Entry = Field(default_factory=Entry)


def _moment(value: datetime) -> datetime:
    """A moment of these centuries, in UTC where no zone is named; others can't be told in every time zone."""
    if not _FIRST_YEAR <= value.year <= _LAST_YEAR:
        code = "moment"
        raise PydanticCustomError(code, "is no moment between the years 1900 and 2999")
    return value if value.tzinfo is not None else value.replace(tzinfo=UTC)


Moment = Annotated[datetime, AfterValidator(_moment)]


class Record(_Row):
    """What the catalog itself says of an entry: state, addresses, dates; written by exports, not by people."""

    status: Status | None = None
    slug: Annotated[str, StringConstraints(pattern=r"^([a-z0-9]+(-[a-z0-9]+)*)?$", max_length=200)] = ""
    former_slugs: list[Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=200)]] = Field(
        default_factory=list
    )
    created_at: Moment | None = None
    published_at: Moment | None = None
    first_published_at: Moment | None = None
    pending: Pending | None = None


class OrganisationRow(_Row):
    """An organisation, found again by its slug, else by its name."""

    slug: Line = ""
    name: Line = ""
    short_name: Line = ""
    kind: OrganisationKind | None = None
    membership: Membership = Membership.NONE
    place: Place = Field(default_factory=Place)
    website: WebAddress = ""
    mailbox: Line = ""
    population_served: int | None = Field(default=None, ge=0, le=100_000_000)
    has_data_platform: bool | None = None
    divisions: list[Division] = Field(default_factory=list)
    networks: list[Network] = Field(default_factory=list)
    demo: bool = False


class TopicRow(_Row):
    """A topic of the tree; `parent` is the slug of a topic that stands earlier in the file or in the catalog."""

    slug: Line = ""
    name: Line = ""
    name_en: Line = ""
    description: Text = ""
    description_en: Text = ""
    parent: Line = ""
    position: int = Field(default=0, ge=0, le=1_000_000)


class TechnologyRow(_Row):
    """A technology tag."""

    slug: Line = ""
    name: Line = ""
    name_en: Line = ""


class WorkingGroupRow(_Row):
    """A working group; its people are not part of the file."""

    slug: Line = ""
    name: Line = ""
    aim: Text = ""
    topic: Line = ""


NamedRow = OrganisationRow | TopicRow | TechnologyRow | WorkingGroupRow
_KINDS: Final[dict[str, type[_Row]]] = {
    "catalog": Catalog,
    "organisation": OrganisationRow,
    "topic": TopicRow,
    "technology": TechnologyRow,
    "working_group": WorkingGroupRow,
}
TYPES: Final = ("solution", *_KINDS)


@dataclass(slots=True)
class SolutionRow:
    """An entry as the file gives it, with what only the catalog can resolve: tags, states that tell places apart."""

    entry: Entry
    record: Record
    tags: list[str] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)


Parsed = SolutionRow | OrganisationRow | TopicRow | TechnologyRow | WorkingGroupRow | Catalog

# --- names ----------------------------------------------------------------------------------------------------------

# Field to its other names, all folded as `_key` folds them. Convenience fields, which are no fields of the entry,
# stand in the second table.
ENTRY_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "external_id": ("id", "uid", "identifier", "kennung"),
    "kind": ("art",),
    "language": ("lang", "sprache"),
    "title": ("titel", "name"),
    "benefit": ("summary", "nutzen", "kurzbeschreibung", "zusammenfassung", "abstract"),
    "challenge": ("problem", "herausforderung", "ausgangslage"),
    "solution": ("loesung", "approach", "loesungsansatz"),
    "topics": ("topic", "thema", "themen", "category", "categories", "kategorie", "kategorien"),
    "technologies": ("technology", "technologie", "technologien"),
    "keywords": ("keyword", "schlagwort", "schlagworte", "schlagwoerter", "stichworte"),
    "organisation": ("organization", "org", "betreiber", "stadtwerk", "utility"),
    "working_group": ("arbeitsgruppe",),
    "visibility": ("sichtbarkeit",),
    "critical_infrastructure": ("kritis",),
    "transfer": ("transferability", "uebertragbarkeit"),
    "contact": ("kontakt", "ansprechperson"),
    "sources": ("source", "url", "urls", "link", "links", "quelle", "quellen"),
    "deployments": ("deployment", "sites", "standorte"),
}
SITE_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "place": ("municipality", "city", "ort", "gemeinde", "stadt", "kommune", "location", "standort", "town"),
    "started": ("start", "start_date", "started_at", "beginn", "seit", "since", "year", "jahr"),
    "ended": ("end", "end_date", "ended_at", "ende", "bis"),
    "status": ("stand",),
    "results": ("result", "ergebnis", "ergebnisse"),
    "worked": ("what_worked", "was_funktioniert_hat", "erfolge"),
    "not_worked": (
        "what_did_not_work",
        "did_not_work",
        "lessons",
        "lessons_learned",
        "lesson",
        "was_nicht_funktioniert_hat",
        "misserfolge",
    ),
    "kpis": ("kpi", "indicators", "kennzahlen"),
    "capex_eur": ("capex", "investition"),
    "opex_eur": ("opex", "annual_cost", "annual_costs", "betriebskosten"),
    "person_days": ("personentage",),
    "procurement": ("vergabe",),
    "funding": ("foerderung",),
    "partners": ("partner",),
    "reuse": ("nachnutzung",),
}
CONVENIENCE: Final[Mapping[str, tuple[str, ...]]] = {
    "ags": ("gemeindeschluessel",),
    "state": ("bundesland", "federal_state"),
    "period": ("zeitraum", "laufzeit"),
    "costs": ("cost", "kosten", "budget"),
    "follows": ("folgt",),
    "site_summary": ("deployment_summary", "standort_beschreibung"),
    "tags": ("tag",),
    "contact_name": (),
    "contact_mailbox": ("contact_email", "email", "e_mail", "mail"),
    "description": ("beschreibung",),
}
_SITE_CONVENIENCE: Final = ("ags", "state", "period", "costs", "follows", "site_summary")
# Fields that an entry and a site both have belong to the entry when a row is flat.
_FLAT_SITE: Final = frozenset(Deployment.model_fields) - frozenset(Entry.model_fields) - {"summary"}
# What a bare text means where an object with several fields stands.
_FROM_TEXT: Final[Mapping[type[BaseModel], str]] = {
    Place: "name",
    Partner: "organisation",
    Source: "url",
    Funding: "programme",
    Reuse: "follows",
    Kpi: "indicator",
    Transfer: "adaptation",
    Contact: "name",
}
_SYNONYMS: Final[Mapping[StrEnum, tuple[str, ...]]] = {
    DeploymentStatus.IDEA: ("konzept", "geplant", "planned", "concept", "in planung"),
    DeploymentStatus.PILOT: ("pilotprojekt", "pilotbetrieb", "pilotiert", "pilot project", "test", "testbetrieb"),
    DeploymentStatus.REGULAR_OPERATION: (
        "in betrieb",
        "betrieb",
        "operation",
        "operational",
        "in operation",
        "live",
        "produktiv",
    ),
    DeploymentStatus.SCALED: ("skaliert", "rollout", "roll-out", "ausgerollt"),
    DeploymentStatus.STOPPED: (
        "gestoppt",
        "eingestellt",
        "abgebrochen",
        "pausiert",
        "cancelled",
        "discontinued",
        "paused",
        "ended",
    ),
}


def _key(name: str) -> str:
    folded = squeeze(name).lower()
    for umlaut, written in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        folded = folded.replace(umlaut, written)
    return re.sub(r"[\s\-/]+", "_", folded)


def _inverse(*tables: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {name: key for table in tables for key, names in table.items() for name in (key, *names)}


_ENTRY_KEYS = (
    _inverse(ENTRY_NAMES, SITE_NAMES, CONVENIENCE)
    | {name: name for name in Entry.model_fields}
    | {name: name for name in _FLAT_SITE}
)
_SITE_KEYS = (
    _inverse(SITE_NAMES, CONVENIENCE)
    | {"organization": "organisation"}
    | {name: name for name in Deployment.model_fields}
)

# --- values ---------------------------------------------------------------------------------------------------------

_SURROGATES = re.compile("[\ud800-\udfff]")
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)")
_DATE_FORMS = (
    (re.compile(r"^((?:19|20)\d{2})-(\d{1,2})-(\d{1,2})(?:[T ].*)?$"), (1, 2, 3)),
    (re.compile(r"^(\d{1,2})\.(\d{1,2})\.((?:19|20)\d{2})$"), (3, 2, 1)),
    (re.compile(r"^((?:19|20)\d{2})[-/](\d{1,2})$"), (1, 2)),
    (re.compile(r"^(\d{1,2})[./-]((?:19|20)\d{2})$"), (2, 1)),
    (re.compile(r"^((?:19|20)\d{2})(?:\.0+)?$"), (1,)),
)
_GERMAN_NUMBER = re.compile(r"^[+-]?\d{1,3}(?:\.\d{3})+(?:,\d+)?$|^[+-]?\d+,\d+$")
_NUMBER_WORDS = re.compile(r"(?:^(?:ca\.?|rund|etwa|circa|about|approx\.?)\s*)|(?:€|\beuro?s?\b)", re.IGNORECASE)
_FACTORS = (
    (re.compile(r"\s*(?:mio\.?|millionen|million|m)$", re.IGNORECASE), 1e6),
    (re.compile(r"\s*(?:tsd\.?|tausend|k|t)$", re.IGNORECASE), 1e3),
)
_TRUE, _FALSE = {"ja", "yes", "true", "wahr", "1", "x"}, {"nein", "no", "false", "falsch", "0"}
_SEPARATORS = re.compile(r"\s*[;\n]\s*|\s*,\s*(?!\d)")


class _UnfitError(ValueError):
    """A value that can't be taken; its text is the reason."""


def date_of(value: object) -> str:
    """A date of any precision in one of the ways people write it, as ISO; raises ValueError with the reason."""
    text = squeeze(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value))
    text = re.sub(r"^(?:seit|ab|since|from)\s+", "", text, flags=re.IGNORECASE)
    for form, order in _DATE_FORMS:
        found = form.match(text)
        if found:
            parts = [found.group(number) for number in order]
            iso = "-".join([parts[0], *(part.zfill(2) for part in parts[1:])])
            try:
                return partial_date(iso)
            except ValueError:
                break
    msg = f"{text[:40]!r} is not a date such as 2021, 2021-05, 2021-05-17 or 17.05.2021"
    raise _UnfitError(msg)


def number_of(value: object) -> float:
    """A number, also as Germans write it ("1.234,5", "3 Mio. €"); raises ValueError with the reason."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            msg = "is too large a number"
            raise _UnfitError(msg) from None
    if isinstance(value, str):
        text = _NUMBER_WORDS.sub("", value.replace("\u00a0", " ").strip()).strip()
        factor = 1.0
        for form, times in _FACTORS:
            shorter, found = form.subn("", text)
            if found:
                text, factor = shorter.strip(), times
                break
        if _GERMAN_NUMBER.match(text):
            text = text.replace(".", "").replace(",", ".")
        if re.match(r"^[+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?$", text, re.IGNORECASE):
            return float(text) * factor
    msg = f"{str(value)[:40]!r} is not a number such as 1234.5 or 1.234,5"
    raise _UnfitError(msg)


_LOOKUPS: dict[type[StrEnum], dict[str, StrEnum]] = {}


def term_of(enum: type[StrEnum], value: object) -> StrEnum:
    """The term a value names, by value, German label or a common other word; raises ValueError with the choices."""
    if enum not in _LOOKUPS:
        table: dict[str, StrEnum] = {}
        for member in enum:
            names = (*_SYNONYMS.get(member, ()), LABELS.get(member, ""), member.value.replace("_", " "), member.value)
            table |= {name.casefold(): member for name in names if name}
        _LOOKUPS[enum] = table
    found = _LOOKUPS[enum].get(squeeze(str(value)).casefold())
    if found is None:
        msg = f"{str(value)[:40]!r} is none of {', '.join(member.value for member in enum)}"
        raise _UnfitError(msg)
    return found


class _Shaper:
    """Walks along the fields of a model and makes of each raw value what the field can hold; collects what it can't."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def warn(self, path: str, reason: str) -> None:
        self.problems.append(Problem(path, reason, "warning"))

    def refuse(self, path: str, reason: str) -> None:
        self.problems.append(Problem(path, reason))

    @property
    def refused(self) -> bool:
        return any(problem.severity == "error" for problem in self.problems)

    def model(self, model: type[BaseModel], raw: object, path: str) -> dict[str, Any] | None:
        if isinstance(raw, str) and model in _FROM_TEXT:
            name = "mailbox" if model is Contact and "@" in raw else _FROM_TEXT[model]
            name = "ags" if model is Place and re.fullmatch(r"\s*\d{8}\s*", raw) else name
            raw = {name: raw}
        if not isinstance(raw, dict):
            self.refuse(path, f"must be an object, not {_kind(raw)}")
            return None
        prefix = f"{path}." if path else ""
        shaped: dict[str, Any] = {}
        for given, value in raw.items():
            name = given if given in model.model_fields else _key(given)
            if name not in model.model_fields:
                self.warn(f"{prefix}{given[:60]}", "unknown field, left out")
            elif value is not None:
                info = model.model_fields[name]
                taken = self.value(info.annotation, info.metadata, value, f"{prefix}{name}")
                if taken is not None:
                    shaped[name] = taken
        return shaped

    def value(self, annotation: Any, metadata: Iterable[Any], value: object, path: str) -> Any:  # noqa: ANN401, PLR0911 - one return per kind of field
        origin = get_origin(annotation)
        if origin is Annotated:
            inner, *further = get_args(annotation)
            return self.value(inner, further, value, path)
        if origin in {Union, UnionType}:
            inner = next(part for part in get_args(annotation) if part is not type(None))
            return None if value == "" else self.value(inner, (), value, path)
        if origin is list:
            return self.items(get_args(annotation)[0], value, path)
        try:
            if isinstance(annotation, type) and issubclass(annotation, BaseModel):
                return self.model(annotation, value, path)
            if isinstance(annotation, type) and issubclass(annotation, StrEnum):
                return None if value == "" else term_of(annotation, value)
            if annotation is str:
                return self.text(list(metadata), value, path)
            if annotation in {int, float}:
                return self.number(annotation, value)
            if annotation is bool:
                return self.boolean(value)
        except _UnfitError as unfit:
            self.refuse(path, str(unfit))
            return None
        return value  # dates and other types that pydantic reads itself

    def items(self, annotation: Any, value: object, path: str) -> list[Any]:  # noqa: ANN401 - an annotation is anything
        compound = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        if isinstance(value, str):
            # Links hold commas and partners' names do; only lists of plain terms are split.
            value = [
                part
                for part in (re.split(r"\s*\n\s*", value) if compound else _SEPARATORS.split(value))
                if part.strip()
            ]
        elif not isinstance(value, list):
            value = [value]
        taken = [
            self.value(annotation, (), item, f"{path}.{number}")
            for number, item in enumerate(value)
            if item is not None
        ]
        return [item for item in taken if item is not None and item != ""]

    def text(self, metadata: list[Any], value: object, path: str) -> str:
        if isinstance(value, list) and all(isinstance(item, str | int | float) for item in value):
            value = "\n".join(str(item) for item in value)
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            msg = f"must be text, not {_kind(value)}"
            raise _UnfitError(msg)
        checks = {getattr(check, "func", None) for check in metadata}
        if partial_date in checks:
            return date_of(value) if str(value).strip() else ""
        text = self.clean(str(int(value)) if isinstance(value, float) and value.is_integer() else str(value), path)
        if web_address in checks and re.match(r"^www\.[^\s]+$", text.strip()):
            return f"https://{text.strip()}"
        one_line = any(getattr(check, "max_length", None) == MAX_LINE for check in metadata)
        return squeeze(text) if one_line else text

    def clean(self, text: str, path: str) -> str:
        if "\x00" in text:
            self.warn(path, "held NUL characters, taken out")
            text = text.replace("\x00", "")
        if _SURROGATES.search(text):
            self.warn(path, "held broken characters, replaced")
            text = _SURROGATES.sub("\ufffd", text)
        return text

    @staticmethod
    def number(kind: type[int] | type[float], value: object) -> float | int:
        number = number_of(value)
        if kind is int:
            if not number.is_integer():
                msg = f"{str(value)[:40]!r} is not a whole number"
                raise _UnfitError(msg)
            return int(number)
        return number

    @staticmethod
    def boolean(value: object) -> bool:
        word = squeeze(str(value)).casefold()
        if word not in _TRUE | _FALSE:
            msg = f"{str(value)[:40]!r} is neither true nor false"
            raise _UnfitError(msg)
        return word in _TRUE


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    return names.get(type(value), "nothing") if value is not None else "nothing"


# --- rows -----------------------------------------------------------------------------------------------------------


def parse(raw: object) -> tuple[Parsed | None, list[Problem]]:
    """The row as typed values, and what is wrong with it; no row where any of the problems is an error."""
    reader = _Shaper()
    if not isinstance(raw, dict):
        return None, [Problem("", f"a row must be an object in braces, not {_kind(raw)}")]
    kind = str(raw.get("type", "solution") or "solution").strip().lower().replace("organization", "organisation")
    if kind not in TYPES:
        return None, [Problem("type", f"{kind[:40]!r} is none of {', '.join(TYPES)}")]
    content = {str(name): value for name, value in raw.items() if name != "type"}
    row = _solution(reader, content) if kind == "solution" else _named(reader, _KINDS[kind], content)
    return (None if reader.refused else row), reader.problems


def _validate(reader: _Shaper, model: type[_Model], shaped: dict[str, Any], prefix: str = "") -> _Model | None:
    try:
        return model.model_validate(shaped)
    except ValidationError as invalid:
        for problem in invalid.errors(include_url=False):
            path = ".".join(str(part) for part in problem["loc"])
            reader.refuse(
                f"{prefix}{path}", _reason(problem["type"], problem.get("ctx", {}), problem["input"], problem["msg"])
            )
        return None


def _reason(  # noqa: PLR0911 - a table of cases
    kind: str, context: Mapping[str, Any], value: object, message: str
) -> str:
    match kind:
        case "string_too_long":
            return f"is longer than {context['max_length']:,} characters ({len(str(value)):,})"
        case "too_long":
            return f"has more than {context['max_length']} items ({context['actual_length']})"
        case "greater_than_equal":
            return f"must be at least {context['ge']:g}"
        case "less_than_equal":
            return f"must be at most {context['le']:g}"
        case "string_pattern_mismatch":
            return f"{str(value)[:40]!r} does not have the form {context['pattern']}"
        case "value_error" if isinstance(value, str):
            return f"{value[:60]!r} is not a full web address that starts with https://"
        case "value_error":
            return "the end is before the start"
        case _:
            return message[0].lower() + message[1:]


def _named(reader: _Shaper, model: type[_Row], content: dict[str, Any]) -> Parsed | None:
    if model is OrganisationRow:
        # The short form of lists kept by hand: the key beside the name.
        place = content.get("place", "")
        place = dict(place) if isinstance(place, dict) else {"name": place}
        if content.get("ags"):
            place["ags"] = content["ags"]
        content = {name: value for name, value in content.items() if name != "ags"} | {"place": place}
    row = _validate(reader, model, reader.model(model, content, "") or {})
    if isinstance(row, Catalog):
        if row.format > FORMAT:
            reader.refuse("format", f"the file has format {row.format}, this program reads up to {FORMAT}")
        return row
    if isinstance(row, OrganisationRow | TopicRow | TechnologyRow | WorkingGroupRow):
        if not row.name and not row.slug:
            reader.refuse("name", "is missing")
        if row.slug and slug(row.slug) != row.slug:
            reader.refuse("slug", f"{row.slug[:40]!r} may hold only small letters, digits and hyphens")
        return row
    return None


def _solution(reader: _Shaper, content: dict[str, Any]) -> SolutionRow | None:
    record_raw = content.pop("record", None)
    record = (
        _validate(reader, Record, reader.model(Record, record_raw, "record") or {}, "record.")
        if record_raw
        else Record()
    )
    flat = _canonical(reader, content, _ENTRY_KEYS, "")
    _settle_description(flat)
    _settle_contact(reader, flat)
    tags = reader.items(Line, flat.pop("tags", []), "tags")
    sites, states = _sites(reader, flat)
    if sites:
        flat["deployments"] = sites
    shaped = reader.model(Entry, flat, "") or {}
    entry = _validate(reader, Entry, shaped)
    if entry is None or record is None:
        return None
    # Only a draft may lack them, and only an export knows that a row is one.
    if record.status not in OPEN:
        told = {problem.field for problem in reader.problems if problem.severity == "error"}
        for name in ("title", "solution"):
            if not getattr(entry, name) and name not in told:
                reader.refuse(name, "is missing")
    return SolutionRow(entry=entry, record=record, tags=tags, states=states)


def _canonical(reader: _Shaper, content: Mapping[str, Any], keys: Mapping[str, str], prefix: str) -> dict[str, Any]:
    """The fields under their own names; where two names of one field are given, the proper or the first one counts."""
    found: dict[str, Any] = {}
    exact = {name for name in content if name in keys and keys[name] == name and content[name] not in (None, "", [])}
    for given, value in content.items():
        name = keys.get(_key(given), given)
        if value in (None, "", []):
            continue
        if name in found or (name in exact and given != name):
            reader.warn(f"{prefix}{given}", f"left out, because {name!r} is given too")
            continue
        found[name] = value
    return found


def _settle_description(flat: dict[str, Any]) -> None:
    description = flat.pop("description", None)
    if description is not None:
        target = "solution" if "solution" not in flat else "benefit" if "benefit" not in flat else "challenge"
        flat.setdefault(target, description)


def _settle_contact(reader: _Shaper, flat: dict[str, Any]) -> None:
    given = {name: flat.pop(f"contact_{name}") for name in ("name", "mailbox") if f"contact_{name}" in flat}
    if given:
        contact = reader.model(Contact, flat.get("contact", {}), "contact") or {}
        flat["contact"] = given | contact


def _sites(reader: _Shaper, flat: dict[str, Any]) -> tuple[list[Any], dict[int, str]]:
    """The sites of a row: the nested ones, the first of them completed by what the row says flat."""
    own = {name: flat.pop(name) for name in [*flat] if name in _FLAT_SITE or name in _SITE_CONVENIENCE}
    nested = flat.pop("deployments", [])
    nested = nested if isinstance(nested, list) else [nested]
    if own and not nested and "organisation" in flat:
        own["organisation"] = flat["organisation"]
    states: dict[int, str] = {}
    sites: list[Any] = []
    for number, raw in enumerate([own] if own and not nested else nested):
        path = f"deployments.{number}"
        if not isinstance(raw, dict):
            sites.append(raw)  # the reader says what is wrong with it
            continue
        site = _canonical(reader, raw, _SITE_KEYS, "" if raw is own else f"{path}.")
        if number == 0 and nested:
            for name in own:
                if name in site:
                    reader.warn(name, "left out, because the first site says it already")
            site = own | site
        state = _settle_site(reader, site, "" if raw is own else f"{path}.")
        if state:
            states[number] = state
        sites.append(site)
    return sites, states


def _settle_site(reader: _Shaper, site: dict[str, Any], prefix: str) -> str:
    """Turn the convenience fields of a site into its own; gives the state it names. What can't be read is left out."""
    if "site_summary" in site:
        site.setdefault("summary", site.pop("site_summary"))
    ags = site.pop("ags", None)
    if ags is not None:
        place = site.get("place", {})
        place = dict(place) if isinstance(place, dict) else {"name": place}
        site["place"] = {"ags": str(ags).zfill(8) if isinstance(ags, int) else ags} | place
    state = site.pop("state", "")
    state = squeeze(state) if isinstance(state, str) else ""
    follows = site.pop("follows", None)
    if follows is not None:
        site.setdefault("reuse", {"follows": follows})
    if "period" in site:
        _settle_period(reader, site, prefix)
    if isinstance(site.get("started"), str):
        _settle_started(reader, site, prefix)
    if "costs" in site:
        _settle_costs(reader, site, prefix)
    if state and not site.get("place"):
        site["place"] = {"name": state}
    return state


def _settle_period(reader: _Shaper, site: dict[str, Any], prefix: str) -> None:
    value = site.pop("period")
    if isinstance(value, dict):
        bounds = [
            value.get("from", value.get("start", value.get("von"))),
            value.get("to", value.get("end", value.get("bis"))),
        ]
    elif isinstance(value, list):
        bounds = [*value, None, None][:2]
    else:
        parts = re.split(r"\s*(?:–|—|\bbis\b|\bto\b|\s-\s)\s*", str(value))
        if len(parts) == 1:
            parts = re.split(r"(?<=\d{4})-(?=(?:19|20)\d{2})", parts[0])
        bounds = [*parts, None, None][:2]
    for name, bound in zip(("started", "ended"), bounds, strict=True):
        if bound in (None, "", "heute", "today", "laufend"):
            continue
        try:
            date = date_of(bound)
        except ValueError as unfit:
            reader.warn(f"{prefix}period", f"{unfit}; left out")
        else:
            site.setdefault(name, date)


def _settle_started(reader: _Shaper, site: dict[str, Any], prefix: str) -> None:
    """Take "2019–2022" and "ca. 2021" where a start is asked for; anything else is left to the strict reading."""
    text = squeeze(site["started"])
    try:
        date_of(text)
    except ValueError:
        years = _YEAR.findall(text)
        # Only words around a year, or two years, show what was meant; "2021-13" is a slip to be mended by its author.
        if not years or (len(years) == 1 and re.fullmatch(r"[\d./\s-]+", text)):
            return
        site["started"] = years[0]
        if len(years) > 1 and "ended" not in site:
            site["ended"] = years[-1]
        reader.warn(f"{prefix}started", f"{text[:40]!r} was read as {'–'.join(dict.fromkeys([years[0], years[-1]]))}")


def _settle_costs(reader: _Shaper, site: dict[str, Any], prefix: str) -> None:
    value = site.pop("costs")
    if isinstance(value, dict):
        for name in ("capex_eur", "capex_band", "opex_eur", "opex_band", "person_days"):
            if name in value:
                site.setdefault(name, value[name])
        return
    try:
        site.setdefault("capex_band", term_of(CostBand, value))
    except ValueError:
        try:
            site.setdefault("capex_eur", number_of(value))
        except ValueError as unfit:
            reader.warn(f"{prefix}costs", f"{unfit}; left out")
