"""The form in which an entry is written: every field of the document with its label, and the way from form to document.

Parses and checks form only; what an entry needs, and who may save it, is decided in domain and services. Error messages
come back by field path ("deployments.0.not_worked") and are set at the field that holds it, whatever was typed stays.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_babel import gettext, lazy_gettext
from pydantic import ValidationError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import Field, FieldList, FormField, HiddenField
from wtforms.fields.choices import SelectChoice  # type: ignore[attr-defined]  # newer than the stubs

from catalog.domain.actor import Actor
from catalog.domain.entry import Entry
from catalog.domain.text import N_, Message, squeeze
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
from catalog.forms.fields import (
    ChoiceField,
    ChoicesField,
    Form,
    LineField,
    LinkField,
    NumberField,
    Part,
    PartialDateField,
    RadiosField,
    RowsField,
    TermField,
    TermsField,
    TextField,
    Words,
    WordsField,
    YesNoField,
)
from catalog.services import choices as offers
from catalog.services.choices import Choices, PlaceChoice, SiteChoice
from catalog.services.references import References
from catalog.web.locale import say
from catalog.web.wording import name_of

AS_WRITTEN = "-"
ORGANISATIONS = "organisationen"  # the datalist that holds names of organisations
_PLAIN = (
    "title",
    "title_en",
    "benefit",
    "benefit_en",
    "challenge",
    "solution",
    "kind",
    "organisation",
    "working_group",
    "visibility",
    "topics",
)
_TRANSFER = ("technical", "legal", "organisational", "data", "adaptation", "limits", "lifetime", "licence")
_CONTACT = ("name", "mailbox", "phone", "deputy")
_REUSE_TEXTS = ("adapted", "outcome", "effort", "recommend_reason")

# What pydantic says, in words for the person who typed; its own texts are English and speak of types.
_REASONS = {
    "string_too_long": N_("Bitte kürzen Sie den Text auf höchstens %(max_length)s Zeichen."),
    "greater_than_equal": N_("Bitte geben Sie keine negative Zahl an."),
    "less_than_equal": N_("Diese Zahl ist zu groß."),
    "too_long": N_("Das sind zu viele Einträge, möglich sind %(max_length)s."),
}
_OTHERWISE = N_("Diese Angabe ist so nicht möglich. Bitte prüfen Sie sie.")


def _rows(form: type[Part], label: Words, *, most: int, least: int = 0) -> "FieldList[Any]":
    return RowsField(
        FormField(form),
        label,  # type: ignore[arg-type]  # the stubs know no lazy text
        min_entries=least,
        max_entries=most,
    )


class KpiForm(Part):
    """One measured figure."""

    indicator = LineField(lazy_gettext("Kennzahl"), hint=lazy_gettext("zum Beispiel Batteriewechsel je Jahr"))
    unit = LineField(lazy_gettext("Einheit"), hint=lazy_gettext("zum Beispiel Stück, kWh, €"))
    before = NumberField(lazy_gettext("vorher"))
    after = NumberField(lazy_gettext("nachher"))
    kind = TermField(lazy_gettext("Art der Kennzahl"), terms=KpiKind, blank="", default=KpiKind.OUTPUT)
    period = LineField(lazy_gettext("Zeitraum"), hint=lazy_gettext("zum Beispiel 2023 bis 2025"))
    method = LineField(lazy_gettext("Wie gemessen"))
    source = LineField(lazy_gettext("Woher die Zahl stammt"))
    note = LineField(lazy_gettext("Anmerkung"))


class FundingForm(Part):
    """Grant money from one programme."""

    programme = LineField(lazy_gettext("Förderprogramm"))
    grantor = LineField(lazy_gettext("Fördergeber"))
    amount_eur = NumberField(lazy_gettext("Betrag in Euro"), smallest=0)


class PartnerForm(Part):
    """Someone who helped at the site."""

    organisation = LineField(lazy_gettext("Partner"), render_kw={"list": ORGANISATIONS})
    role = TermField(lazy_gettext("Rolle"), terms=PartnerRole, blank="", default=PartnerRole.OTHER)
    product = LineField(lazy_gettext("Produkt oder Leistung"))


class SourceForm(Part):
    """Where something can be read."""

    url = LinkField(lazy_gettext("Adresse"), hint=lazy_gettext("beginnt mit https://"))
    title = LineField(lazy_gettext("Titel der Quelle"))
    accessed = PartialDateField(lazy_gettext("zuletzt angesehen"), hint=lazy_gettext("zum Beispiel 17.05.2026"))


class SiteForm(Part):
    """The solution at one site; `place_choice` and `reuse_choice` ask back where a name is not enough."""

    external_id = HiddenField()
    organisation = LineField(
        lazy_gettext("Organisation am Standort"),
        optional=True,
        render_kw={"list": ORGANISATIONS},
        hint=lazy_gettext("meist Ihre eigene, sonst die Partnerkommune oder das Partnerwerk"),
    )
    place = LineField(
        lazy_gettext("Ort"),
        render_kw={"autocomplete": "off"},
        hint=lazy_gettext("Gemeinde oder Ortsteil, zum Beispiel Travemünde"),
    )
    ags = HiddenField()
    place_choice = RadiosField(lazy_gettext("Welcher Ort ist gemeint?"), validate_choice=False)
    started = PartialDateField(lazy_gettext("Beginn"), hint=lazy_gettext("2021, 05/2021 oder 17.05.2021"))
    ended = PartialDateField(lazy_gettext("Ende"), optional=True, hint=lazy_gettext("nur wenn der Einsatz beendet ist"))
    status = TermField(lazy_gettext("Stand"), terms=DeploymentStatus)
    summary = TextField(lazy_gettext("Was an diesem Standort gemacht wurde"), optional=True)
    results = TextField(
        lazy_gettext("Ergebnisse"), optional=True, hint=lazy_gettext("Was hat sich messbar oder sichtbar verändert?")
    )
    worked = TextField(lazy_gettext("Was gut funktioniert hat"), optional=True)
    not_worked = TextField(
        lazy_gettext("Was nicht funktioniert hat"),
        hint=lazy_gettext("Das hilft anderen am meisten: Fehlversuche, Überraschungen, Mehraufwand."),
    )
    would_change = TextField(lazy_gettext("Was Sie heute anders machen würden"), optional=True)
    stop_causes = TermsField(
        lazy_gettext("Gründe der Beendigung"), terms=StopCause, hint=lazy_gettext("nur wenn der Einsatz beendet ist")
    )
    stop_reason = TextField(lazy_gettext("Wie es zum Ende kam"), rows=3, optional=True)
    kpis = _rows(KpiForm, lazy_gettext("Kennzahlen"), most=100)
    capex_eur = NumberField(lazy_gettext("Einmalige Kosten in Euro"), smallest=0)
    capex_band = TermField(
        lazy_gettext("Einmalige Kosten, Rahmen"),
        terms=CostBand,
        blank=lazy_gettext("keine Angabe"),
        hint=lazy_gettext("wenn die genaue Zahl nicht bekannt ist oder nicht genannt werden soll"),
    )
    opex_eur = NumberField(lazy_gettext("Laufende Kosten je Jahr in Euro"), smallest=0)
    opex_band = TermField(
        lazy_gettext("Laufende Kosten je Jahr, Rahmen"), terms=CostBand, blank=lazy_gettext("keine Angabe")
    )
    person_days = NumberField(lazy_gettext("Eigener Aufwand in Personentagen"), smallest=0)
    months_to_operation = NumberField(lazy_gettext("Monate bis zum Betrieb"), smallest=0)
    procurement = LineField(lazy_gettext("Vergabe"), hint=lazy_gettext("zum Beispiel Direktauftrag, Ausschreibung"))
    funding = _rows(FundingForm, lazy_gettext("Förderung"), most=50)
    partners = _rows(PartnerForm, lazy_gettext("Partner"), most=50)
    reuse_follows = LineField(
        lazy_gettext("Folgt dem Standort"),
        longest=1_000,
        render_kw={"autocomplete": "off"},
        hint=lazy_gettext("Suchworte aus Titel, Ort oder Organisation, oder die Kennung des Standorts"),
    )
    reuse_choice = RadiosField(lazy_gettext("Welcher Standort ist gemeint?"), validate_choice=False)
    reuse_status = TermField(
        lazy_gettext("Stand der Nachnutzung"), terms=ReuseStatus, blank="", default=ReuseStatus.PLANNED
    )
    reuse_adapted = TextField(lazy_gettext("Was angepasst wurde"), rows=3)
    reuse_outcome = TextField(lazy_gettext("Wie es gelaufen ist"), rows=3)
    reuse_effort = LineField(lazy_gettext("Aufwand der Übernahme"))
    reuse_recommend = YesNoField(lazy_gettext("Würden Sie die Übernahme empfehlen?"))
    reuse_recommend_reason = TextField(lazy_gettext("Warum oder warum nicht"), rows=3)

    # What `settle` found out about the place and the followed site, for the page to say.
    found_place: PlaceChoice | None = None
    open_place: bool = False
    found_site: SiteChoice | None = None


class StartForm(Form):
    """What a draft begins with."""

    title = LineField(lazy_gettext("Titel"), optional=True, hint=lazy_gettext("Sie können ihn jederzeit ändern."))
    organisation = ChoiceField(
        lazy_gettext("Für welche Organisation schreiben Sie?"),
        required=lazy_gettext("Bitte wählen Sie Ihre Organisation."),
    )

    def offer(self, choices: Choices) -> None:
        """Fill in the organisations; the only one is chosen at once."""
        own = choices.own_organisations
        self.organisation.choices = (
            [SelectChoice(slug, name) for slug, name in own]
            if len(own) == 1
            else _with_empty(own, lazy_gettext("Bitte wählen"))
        )


class EntryForm(Form):
    """The whole entry on one page."""

    version = HiddenField()
    title = LineField(
        lazy_gettext("Titel"),
        hint=lazy_gettext("Was wurde wo womit erreicht? Kurz und ohne Abkürzungen, die nur Sie kennen."),
    )
    benefit = TextField(lazy_gettext("Nutzen in einem Satz"), rows=2, hint=lazy_gettext("Wer hat was davon?"))
    kind = TermField(
        lazy_gettext("Art des Eintrags"),
        terms=SolutionKind,
        blank="",
        default=SolutionKind.SOLUTION,
        hint=lazy_gettext("Ein Lösungsbaustein ist ein Teil, der in mehreren Lösungen vorkommt."),
    )
    organisation = ChoiceField(lazy_gettext("Ihre Organisation"))
    working_group = ChoiceField(lazy_gettext("Arbeitsgruppe"), optional=True)
    visibility = TermField(
        lazy_gettext("Wer den Eintrag lesen darf"), terms=Visibility, blank="", default=Visibility.PUBLIC
    )
    critical_infrastructure = YesNoField(
        lazy_gettext("Geht es um kritische Infrastruktur?"),
        hint=lazy_gettext("Dann bitte keine genauen Lagen, Leistungen oder Schwachstellen sensibler Anlagen nennen."),
    )
    challenge = TextField(
        lazy_gettext("Herausforderung"), rows=6, hint=lazy_gettext("Welches Problem war zu lösen, und für wen?")
    )
    solution = TextField(
        lazy_gettext("Lösung"),
        rows=10,
        hint=lazy_gettext("Was haben Sie getan, mit welcher Technik, in welchen Schritten?"),
    )
    topics = ChoicesField(
        lazy_gettext("Themen"), hint=lazy_gettext("Mindestens eines; wählen Sie so genau wie möglich.")
    )
    technologies = ChoicesField(lazy_gettext("Technologien"))
    technologies_more = WordsField(
        lazy_gettext("Weitere Technologien"), optional=True, hint=lazy_gettext("durch Komma getrennt")
    )
    keywords = WordsField(
        lazy_gettext("Schlagworte"),
        optional=True,
        hint=lazy_gettext("Worte, unter denen andere suchen würden; durch Komma getrennt"),
    )
    deployments = _rows(SiteForm, lazy_gettext("Standorte"), most=500, least=1)
    transfer_technical = TextField(lazy_gettext("Technische Voraussetzungen"), rows=3)
    transfer_legal = TextField(lazy_gettext("Rechtliche Voraussetzungen"), rows=3)
    transfer_organisational = TextField(lazy_gettext("Organisatorische Voraussetzungen"), rows=3)
    transfer_data = TextField(lazy_gettext("Benötigte Daten"), rows=3)
    transfer_adaptation = TextField(lazy_gettext("Was andere anpassen müssen"), rows=3)
    transfer_limits = TextField(lazy_gettext("Grenzen"), rows=3, hint=lazy_gettext("Wann die Lösung nicht passt"))
    transfer_lifetime = LineField(lazy_gettext("Lebensdauer"))
    transfer_licence = LineField(
        lazy_gettext("Lizenz"), hint=lazy_gettext("für Software, Daten oder Unterlagen, die andere übernehmen")
    )
    contact_name = LineField(lazy_gettext("Ansprechperson"))
    contact_mailbox = LineField(
        lazy_gettext("Funktionspostfach"),
        render_kw={"inputmode": "email"},
        hint=lazy_gettext("bleibt erreichbar, auch wenn die Person wechselt"),
    )
    contact_phone = LineField(lazy_gettext("Telefon"), render_kw={"inputmode": "tel"})
    contact_deputy = LineField(lazy_gettext("Vertretung"))
    sources = _rows(SourceForm, lazy_gettext("Quellen"), most=100)
    title_en = LineField(lazy_gettext("Titel auf Englisch"), render_kw={"lang": "en"})
    benefit_en = TextField(lazy_gettext("Nutzen auf Englisch"), rows=2)

    def offer(self, choices: Choices) -> None:
        """Fill the choices that come from the catalog."""
        self.organisation.choices = _with_empty(choices.own_organisations, lazy_gettext("Bitte wählen"))
        self.working_group.choices = _with_empty(choices.groups, lazy_gettext("keine"))
        self.topics.choices = [SelectChoice(node.slug, name_of(node)) for node in _flat(choices.topics)]
        tags = sorted(choices.technologies, key=lambda tag: name_of(tag).casefold())
        self.technologies.choices = [SelectChoice(tag.slug, name_of(tag)) for tag in tags]

    @property
    def sites(self) -> list[SiteForm]:
        """The forms of the sites, in order."""
        return [row.form for row in self.deployments.entries]

    def settle(self, session: Session, actor: Actor) -> None:
        """Find out which municipality and which followed site each name means; ask back where it is not clear."""
        for site in self.sites:
            _settle_place(session, site)
            _settle_reuse(session, actor, site)

    def parse(self, session: Session, base: Entry) -> Entry | None:
        """The document the form holds, on top of what `base` has beyond the form; None with messages at the fields.

        Call `settle` before. Identities of sites are taken from `base` alone: nobody writes into another entry's site.
        """
        collected = _Collected(self, References(session), {site.external_id for site in base.deployments} - {""})
        beyond = {"external_id", "language", "demo"}
        try:
            entry = Entry.model_validate(base.model_dump(include=beyond) | collected.document())
        except ValidationError as problem:
            for error in problem.errors():
                collected.put(".".join(str(part) for part in error["loc"]), _reason(error))
            return None
        if collected.faulty:
            return None
        return entry

    def tell(self, errors: Mapping[str, Message]) -> None:
        """Set messages that came back by field path at the fields that hold them; the rest stands above the form."""
        collected = _Collected(self, None, set())
        collected.document()
        for path, message in errors.items():
            collected.put(path, message)

    def ask_open_places(self) -> bool:
        """Put an error at each place that still needs an answer; gives whether there was one."""
        still_open = [site for site in self.sites if site.open_place]
        for site in still_open:
            _add(site.place, gettext("Bitte wählen Sie unten, welcher Ort gemeint ist."))
        return bool(still_open)


def _with_empty(rows: Iterable[tuple[str, str]], empty: Any) -> list[SelectChoice]:  # noqa: ANN401
    return [SelectChoice("", empty), *(SelectChoice(value, text) for value, text in rows)]


def _flat(nodes: Iterable[offers.TopicNode]) -> Iterable[offers.TopicNode]:
    for node in nodes:
        yield node
        yield from _flat(node.children)


def _add(field: Field, text: str) -> None:  # a list's own errors and those of its rows share one place
    field.errors = [*field.errors, text]


def _reason(error: Mapping[str, Any]) -> Message:
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        return Message(str(context["error"]))  # raised by the domain with a German text of its own
    params = {"max_length": context["max_length"]} if "max_length" in context else {}
    return Message(_REASONS.get(error["type"], _OTHERWISE), params)


class _Collected:
    """The way from form to document, remembering which field each path came from."""

    def __init__(self, form: EntryForm, references: References | None, known_sites: set[str]) -> None:
        self._form = form
        self._references = references
        self._known_sites = known_sites
        self._fields: dict[str, Field] = {}
        self.faulty = False

    def put(self, path: str, message: Message) -> None:
        """Set the message at the field of this path or of its nearest parent, else above the form."""
        rest = path
        while rest:
            if rest in self._fields:
                if not self._fields[rest].errors:  # the field has said what is wrong before the document was built
                    _add(self._fields[rest], say(message))
                return
            rest = rest.rpartition(".")[0]
        self._form.form_errors.append(say(message))

    def _value(self, path: str, field: Field) -> Any:  # noqa: ANN401 - whatever the field holds
        self._fields[path] = field
        self.faulty = self.faulty or bool(field.errors)
        value = field.data
        return value.strip() if isinstance(value, str) else value

    def _all(self, form: Form | Part, names: Iterable[str], path: str = "", prefix: str = "") -> dict[str, Any]:
        return {name: self._value(f"{path}{name}", form[prefix + name]) for name in names}

    def _organisation(self, path: str, field: Field) -> str:
        name = self._value(path, field) or ""
        known = self._references.organisation(name) if self._references and name else None
        return known.slug if known else name

    def document(self) -> dict[str, Any]:
        """The document's values; empty rows are left out."""
        form = self._form
        technologies = [
            *(self._value("technologies", form.technologies) or ()),
            *(self._value("technologies", form.technologies_more) or ()),
        ]
        return self._all(form, _PLAIN) | {
            "topics": form.topics.data or [],
            "organisation": form.organisation.data or "",
            "working_group": form.working_group.data or "",
            "technologies": list(dict.fromkeys(technologies)),
            "keywords": self._value("keywords", form.keywords) or [],
            "critical_infrastructure": self._value("critical_infrastructure", form.critical_infrastructure),
            "transfer": self._all(form, _TRANSFER, "transfer.", "transfer_"),
            "contact": self._all(form, _CONTACT, "contact.", "contact_"),
            "sources": self._rows(form.sources, "sources", ("url", "title", "accessed")),
            "deployments": self._sites(),
        }

    def _rows(
        self, field: "FieldList[Any]", path: str, names: tuple[str, ...], preset: tuple[str, ...] = ()
    ) -> list[dict[str, Any]]:
        """Collect the rows of a list; a row in which only a preset choice stands counts as empty."""
        self._fields[path] = field
        rows: list[dict[str, Any]] = []
        for entry in field.entries:
            row = self._all(entry.form, names, f"{path}.{len(rows)}.")
            if any(row[name] not in (None, "") or entry.form[name].errors for name in names if name not in preset):
                rows.append(row)
        return rows

    def _sites(self) -> list[dict[str, Any]]:
        self._fields["deployments"] = self._form.deployments
        sites: list[dict[str, Any]] = []
        used: set[str] = set()
        for form in self._form.sites:
            site = self._site(form, f"deployments.{len(sites)}.")
            external_id = form.external_id.data or ""
            if external_id in self._known_sites - used:
                site["external_id"] = external_id
                used.add(external_id)
            sites.append(site)
        return sites

    def _site(self, form: SiteForm, path: str) -> dict[str, Any]:
        self._fields[path.rstrip(".")] = form.place
        site = self._all(
            form,
            (
                "started",
                "ended",
                "summary",
                "results",
                "worked",
                "not_worked",
                "would_change",
                "stop_reason",
                "capex_eur",
                "opex_eur",
                "person_days",
                "months_to_operation",
                "procurement",
            ),
            path,
        )
        for name in ("started", "ended"):
            site[name] = site[name] or ""
        for name in ("status", "capex_band", "opex_band"):
            site[name] = self._value(path + name, form[name]) or None
        self._value(f"{path}place", form.place)
        name = squeeze(form.place.data or "")
        site["place"] = {"ags": form.ags.data or "", "name": form.found_place.name if form.found_place else name}
        site["organisation"] = self._organisation(f"{path}organisation", form.organisation)
        site["stop_causes"] = self._value(f"{path}stop_causes", form.stop_causes) or []
        site["kpis"] = self._rows(
            form.kpis,
            f"{path}kpis",
            ("indicator", "unit", "before", "after", "kind", "period", "method", "source", "note"),
            ("kind",),
        )
        site["funding"] = self._rows(form.funding, f"{path}funding", ("programme", "grantor", "amount_eur"))
        site["partners"] = self._rows(form.partners, f"{path}partners", ("organisation", "role", "product"), ("role",))
        for row in site["partners"]:
            known = self._references.organisation(row["organisation"]) if self._references else None
            row["organisation"] = known.slug if known else row["organisation"]
        site["reuse"] = self._reuse(form, f"{path}reuse.")
        return site

    def _reuse(self, form: SiteForm, path: str) -> dict[str, Any] | None:
        self._fields[path.rstrip(".")] = form.reuse_follows
        reuse = self._all(form, _REUSE_TEXTS, path, "reuse_")
        reuse["recommend"] = self._value(f"{path}recommend", form.reuse_recommend)
        given = self._value(f"{path}follows", form.reuse_follows)
        reuse["follows"] = form.found_site.external_id if form.found_site else given
        if not any(value not in (None, "") for value in reuse.values()):
            return None
        return reuse | {"status": self._value(f"{path}status", form.reuse_status)}


def _settle_place(session: Session, site: SiteForm) -> None:
    text = squeeze(site.place.data or "")
    site.found_place, site.open_place = None, False
    if not text:
        site.ags.data = ""
        return
    meant = offers.places_named(session, text)
    wanted = {site.place_choice.data, site.ags.data} - {None, ""}
    picked = [one for one in meant or offers.places_like(session, text) if one.ags in wanted]
    picked = [one for one in picked if one.ags == site.place_choice.data] or picked
    if len(picked) == 1 or len(meant) == 1:
        site.found_place = picked[0] if len(picked) == 1 else meant[0]
        site.ags.data, site.place.data = site.found_place.ags, site.found_place.name
        site.place_choice.data = None
        return
    site.ags.data = ""
    site.place_choice.choices = [
        *(SelectChoice(one.ags, one.label) for one in meant or offers.places_like(session, text)),
        SelectChoice(AS_WRITTEN, lazy_gettext("keiner davon: so übernehmen, wie geschrieben")),
    ]
    site.open_place = site.place_choice.data != AS_WRITTEN


def _settle_reuse(session: Session, actor: Actor, site: SiteForm) -> None:
    site.found_site = None
    text = squeeze(site.reuse_follows.data or "")
    if site.reuse_choice.data and site.reuse_choice.data != AS_WRITTEN:
        text = site.reuse_choice.data
    if not text:
        return
    site.found_site = offers.site_named(session, actor, text)
    if site.found_site is not None:
        site.reuse_follows.data, site.reuse_choice.data = site.found_site.label, None
        return
    found = offers.sites_like(session, actor, text)
    if found and site.reuse_choice.data != AS_WRITTEN:
        site.reuse_choice.choices = [
            *(SelectChoice(one.external_id, one.label) for one in found),
            SelectChoice(AS_WRITTEN, lazy_gettext("keiner davon: so übernehmen, wie geschrieben")),
        ]


def values(entry: Entry, choices: Choices) -> dict[str, Any]:
    """What the form shows for a document: slugs of organisations as names, nested parts flat."""
    given = entry.model_dump(mode="json")
    offered = {tag.slug for tag in choices.technologies}
    return {name: given[name] for name in (*_PLAIN, "sources")} | {
        "critical_infrastructure": entry.critical_infrastructure,
        "technologies": [slug for slug in entry.technologies if slug in offered],
        "technologies_more": [name for name in entry.technologies if name not in offered],
        "keywords": entry.keywords,
        **{f"transfer_{name}": text for name, text in given["transfer"].items()},
        **{f"contact_{name}": text for name, text in given["contact"].items()},
        "deployments": [_site_values(site, choices.names) for site in given["deployments"]],
    }


def _site_values(site: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    place, reuse = site.pop("place"), site.pop("reuse")
    shown = site | {
        "place": place["name"] or place["ags"],
        "ags": place["ags"],
        "organisation": names.get(site["organisation"], site["organisation"]),
        "partners": [
            partner | {"organisation": names.get(partner["organisation"], partner["organisation"])}
            for partner in site["partners"]
        ],
    }
    if reuse is not None:
        shown |= {f"reuse_{name}": value for name, value in reuse.items()}
    return shown


def without_row(sent: MultiDict[str, str], row: str) -> MultiDict[str, str]:
    """What was sent, less everything that belongs to this row; WTForms closes the gap in the numbering."""
    return MultiDict((name, value) for name, value in sent.items(multi=True) if not name.startswith(f"{row}-"))


def add_row(form: EntryForm, name: str, *, organisation: str = "") -> str | None:
    """Append an empty row to the list of this name ("deployments-0-kpis"); gives its name, None for an unknown list.

    A new site starts with the author's own organisation.
    """
    found = next((field for field in _lists(form) if field.name == name), None)
    if found is None or (found.max_entries and len(found.entries) >= found.max_entries):
        return None
    row = found.append_entry()
    if isinstance(row.form, SiteForm):
        row.form.organisation.data = organisation
    return str(row.name)


def _lists(form: Form | Part) -> "Iterable[FieldList[Any]]":
    for field in form:
        if isinstance(field, FieldList):
            yield field
            for entry in field.entries:
                yield from _lists(entry.form)
