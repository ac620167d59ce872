"""Between the document and the rows: `write` lays an `Entry` into the tables, `read` takes it out again.

The only mapping of its kind; forms, revisions, import, export and the preview all go through it. No rule of who may
do what stands here, and nothing is published by it.
"""

from collections.abc import Iterable
from secrets import token_hex

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from catalog.domain import entry as documents
from catalog.domain.entry import Entry
from catalog.domain.permissions import audience
from catalog.domain.text import slug
from catalog.domain.vocabulary import cost_band
from catalog.models import deployment as sites
from catalog.models.deployment import Deployment
from catalog.models.solution import FormerSlug, Solution, SolutionAudience, Source
from catalog.services.references import References

# Columns that carry a document field of the same name unchanged.
_PLAIN = (
    "title",
    "title_en",
    "benefit",
    "benefit_en",
    "challenge",
    "language",
    "kind",
    "visibility",
    "critical_infrastructure",
)
_TRANSFER = ("technical", "legal", "organisational", "data", "adaptation", "limits", "lifetime", "licence")
_SITE = (
    "started",
    "ended",
    "status",
    "summary",
    "results",
    "worked",
    "not_worked",
    "would_change",
    "stop_reason",
    "capex_band",
    "capex_eur",
    "opex_band",
    "opex_eur",
    "person_days",
    "months_to_operation",
    "procurement",
)
_KPI = ("indicator", "unit", "before", "after", "kind", "period", "method", "source", "note")
_FUNDING = ("programme", "grantor", "amount_eur")
_REUSE = ("status", "adapted", "outcome", "effort", "recommend", "recommend_reason")
_SOURCE = ("url", "title", "accessed")


def _copy(names: Iterable[str], source: object, target: object) -> None:
    for name in names:
        setattr(target, name, getattr(source, name))


def free_slug(session: Session, title: str, solution_id: int | None = None) -> str:
    """An address for the title that no other entry has or had."""
    wanted = slug(title, "loesung")
    taken = set(
        session.scalars(
            select(Solution.slug).where(
                Solution.slug.startswith(wanted, autoescape=True), Solution.id != (solution_id or 0)
            )
        )
    ) | set(
        session.scalars(
            select(FormerSlug.slug).where(
                FormerSlug.slug.startswith(wanted, autoescape=True), FormerSlug.solution_id != (solution_id or 0)
            )
        )
    )
    if wanted not in taken:
        return wanted
    return next(f"{wanted}-{number}" for number in range(2, len(taken) + 3) if f"{wanted}-{number}" not in taken)


def write(solution: Solution, entry: Entry, refs: References, *, create: bool = False) -> None:
    """Lay the document into the solution's rows; sites are matched by external id and otherwise made anew.

    With `create`, organisations and technologies the catalog does not know are added; without it their names are
    kept as text. The solution need not be in the session: a preview fills one that is thrown away.
    """
    _copy(_PLAIN, entry, solution)
    _copy(_TRANSFER, entry.transfer, solution)
    solution.approach = entry.solution
    solution.is_demo = entry.demo
    solution.contact_name = entry.contact.name
    solution.contact_mailbox = entry.contact.mailbox
    solution.contact_phone = entry.contact.phone
    solution.contact_deputy = entry.contact.deputy
    solution.organisation = refs.organisation(entry.organisation, create=create)
    solution.working_group = refs.working_group(entry.working_group)
    known_topics = {name: refs.topic(name) for name in entry.topics}
    solution.topics = list({topic.slug: topic for topic in known_topics.values() if topic is not None}.values())
    known = {name: refs.technology(name, create=create) for name in entry.technologies}
    solution.technologies = list({tag.slug: tag for tag in known.values() if tag is not None}.values())
    unknown = [name for name, found in (*known_topics.items(), *known.items()) if found is None]
    solution.keywords = list(dict.fromkeys([*entry.keywords, *unknown]))
    solution.sources = [
        Source(position=number, url=source.url, title=source.title, accessed=source.accessed)
        for number, source in enumerate(entry.sources)
    ]
    solution.is_complete = not documents.missing(entry)
    _write_sites(solution, entry, refs, create=create)


def new_site_id() -> str:
    """A public identity for a site, as `models.solution.new_external_id` makes them for entries."""
    return f"s-{token_hex(8)}"


def _write_sites(solution: Solution, entry: Entry, refs: References, *, create: bool) -> None:
    existing = {site.external_id: site for site in solution.deployments}
    written: list[Deployment] = []
    for number, given in enumerate(entry.deployments):
        site = existing.get(given.external_id) or Deployment(external_id=given.external_id or new_site_id())
        site.position = number
        _copy(_SITE, given, site)
        if site.capex_band is None and site.capex_eur is not None:
            site.capex_band = cost_band(site.capex_eur)
        if site.opex_band is None and site.opex_eur is not None:
            site.opex_band = cost_band(site.opex_eur)
        site.organisation = refs.organisation(given.organisation, create=create)
        site.organisation_name = "" if site.organisation else given.organisation
        site.municipality = refs.place(given.place.ags, given.place.name)
        site.place_name = given.place.name
        _write_site_rows(site, given, refs, create=create)
        written.append(site)
    solution.deployments = written


def _write_site_rows(site: Deployment, given: documents.Deployment, refs: References, *, create: bool) -> None:
    site.kpis = []
    for number, row in enumerate(given.kpis):
        kpi = sites.Kpi(position=number)
        _copy(_KPI, row, kpi)
        site.kpis.append(kpi)
    site.funding = []
    for number, grant in enumerate(given.funding):
        funding = sites.Funding(position=number)
        _copy(_FUNDING, grant, funding)
        site.funding.append(funding)
    site.partners = []
    for number, helper in enumerate(given.partners):
        organisation = refs.organisation(helper.organisation, create=create)
        site.partners.append(
            sites.DeploymentPartner(
                position=number,
                organisation=organisation,
                role=helper.role,
                product=helper.product,
                organisation_name="" if organisation else helper.organisation,
            )
        )
    kept = {row.cause: row for row in site.stop_causes}
    site.stop_causes = [
        kept.get(cause) or sites.DeploymentStopCause(cause=cause) for cause in dict.fromkeys(given.stop_causes)
    ]
    if given.reuse is None:
        site.reuse = None
    else:
        reuse = site.reuse or sites.Reuse()
        _copy(_REUSE, given.reuse, reuse)
        reuse.origin_name = given.reuse.follows
        if reuse is not site.reuse:
            site.reuse = reuse


def link_reuses(session: Session, solution: Solution, refs: References) -> None:
    """Point each reuse at the site it names, once all sites of the entry have rows; unknown names stay text."""
    session.flush()  # sites of this very entry must be findable by external id
    own = {site.external_id: site for site in solution.deployments}
    for site in solution.deployments:
        if site.reuse is not None:
            origin = own.get(site.reuse.origin_name) or refs.deployment(site.reuse.origin_name)
            site.reuse.origin = None if origin is site else origin
    for site in solution.deployments:
        # Entries that named this site before it existed.
        waiting = session.scalars(
            select(sites.Reuse).where(
                sites.Reuse.origin_id.is_(None),
                sites.Reuse.origin_name == site.external_id,
                sites.Reuse.deployment_id != site.id,
            )
        )
        for reuse in waiting:
            reuse.origin = site


def stamp_audience(solution: Solution) -> None:
    """Store the read rule's labels beside the entry, for lists in SQL; call after a change of status or visibility."""
    wanted = audience(solution)
    kept = {row.label: row for row in solution.audience_labels}
    solution.audience_labels = [kept.get(label) or SolutionAudience(label=label) for label in sorted(wanted)]


def read(solution: Solution) -> Entry:
    """The document the solution's rows hold; `write(read(x))` changes nothing."""
    return Entry.model_construct(
        external_id=solution.external_id,
        **{name: getattr(solution, name) for name in _PLAIN},
        solution=solution.approach,
        demo=solution.is_demo,
        topics=[topic.slug for topic in solution.topics],
        technologies=[technology.slug for technology in solution.technologies],
        keywords=list(solution.keywords),
        organisation=solution.organisation.slug if solution.organisation else "",
        working_group=solution.working_group.slug if solution.working_group else "",
        transfer=documents.Transfer.model_construct(**{name: getattr(solution, name) for name in _TRANSFER}),
        contact=documents.Contact.model_construct(
            name=solution.contact_name,
            mailbox=solution.contact_mailbox,
            phone=solution.contact_phone,
            deputy=solution.contact_deputy,
        ),
        sources=[
            documents.Source.model_construct(**{name: getattr(row, name) for name in _SOURCE})
            for row in solution.sources
        ],
        deployments=[_read_site(site) for site in solution.deployments],
    )


def _read_site(site: Deployment) -> documents.Deployment:
    reuse = site.reuse
    return documents.Deployment.model_construct(
        external_id=site.external_id,
        organisation=site.organisation.slug if site.organisation else site.organisation_name,
        place=documents.Place.model_construct(
            ags=site.municipality.ags if site.municipality else "", name=site.place_name
        ),
        **{name: getattr(site, name) for name in _SITE},
        stop_causes=[row.cause for row in site.stop_causes],
        kpis=[documents.Kpi.model_construct(**{name: getattr(row, name) for name in _KPI}) for row in site.kpis],
        funding=[
            documents.Funding.model_construct(**{name: getattr(row, name) for name in _FUNDING}) for row in site.funding
        ],
        partners=[
            documents.Partner.model_construct(
                organisation=row.organisation.slug if row.organisation else row.organisation_name,
                role=row.role,
                product=row.product,
            )
            for row in site.partners
        ],
        reuse=None
        if reuse is None
        else documents.Reuse.model_construct(
            follows=reuse.origin.external_id if reuse.origin else reuse.origin_name,
            **{name: getattr(reuse, name) for name in _REUSE},
        ),
    )


def preview(session: Session, solution: Solution, entry: Entry) -> Solution:
    """A solution filled with the document, for a page to show; it belongs to no session and is never stored."""
    shown = Solution(
        id=solution.id,
        external_id=solution.external_id,
        slug=solution.slug,
        status=solution.status,
        created_by_id=solution.created_by_id,
        created_at=solution.created_at,
        updated_at=solution.updated_at,
        published_at=solution.published_at,
        first_published_at=solution.first_published_at,
    )
    refs = References(session)
    with session.no_autoflush:
        write(shown, entry, refs)
        own = {site.external_id: site for site in shown.deployments}
        for site in shown.deployments:
            if site.reuse is not None:
                origin = own.get(site.reuse.origin_name) or refs.deployment(site.reuse.origin_name)
                # Set without the other side hearing of it: the followed site belongs to the session, this one must not.
                set_committed_value(site.reuse, "origin", origin)
    return shown


def count(session: Session) -> int:
    """How many entries there are, in whatever state."""
    return session.scalar(select(func.count()).select_from(Solution)) or 0
