"""The one mapping from an entry's rows to what the search index knows of it."""

from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.domain.permissions import audience
from catalog.domain.vocabulary import LABELS
from catalog.domain.workflow import Status
from catalog.models.deployment import Deployment, Reuse
from catalog.models.organisation import Organisation
from catalog.models.solution import Solution
from catalog.models.topic import Topic
from catalog.services.solutions import known_reuses
from index import Document

_SITE = selectinload(Solution.deployments)
_LOAD = (
    joinedload(Solution.organisation).joinedload(Organisation.municipality),
    selectinload(Solution.topics),
    selectinload(Solution.technologies),
    _SITE.joinedload(Deployment.organisation),
    _SITE.joinedload(Deployment.municipality),
    _SITE.selectinload(Deployment.kpis),
    _SITE.selectinload(Deployment.stop_causes),
    _SITE.selectinload(Deployment.partners),
    _SITE.selectinload(Deployment.funding),
    _SITE.joinedload(Deployment.reuse),
    _SITE.selectinload(Deployment.reused_by).joinedload(Reuse.deployment).joinedload(Deployment.solution),
)
_CHUNK = 300
# Every facet `document_for` may fill; the search box takes them as prefixes, whether or not an entry has one.
FACETS = ("topic", "state", "district", "place", "organisation", "kind", "status", "technology", "year", "cause")


def documents(session: Session, ids: Iterable[int]) -> list[Document]:
    """Documents of those entries among `ids` that belong in the index: the published ones."""
    ancestors = topic_paths(session)
    wanted = sorted(ids)
    found: list[Document] = []
    for start in range(0, len(wanted), _CHUNK):
        rows = session.scalars(
            select(Solution)
            .where(Solution.id.in_(wanted[start : start + _CHUNK]), Solution.status == Status.PUBLISHED)
            .options(*_LOAD)
        ).unique()
        found += [document_for(solution, ancestors) for solution in rows]
    return found


def all_documents(session: Session) -> Iterator[Document]:
    """Documents of all published entries, in chunks so that memory stays flat; for a rebuild."""
    ancestors = topic_paths(session)
    last = 0
    while True:
        rows = list(
            session.scalars(
                select(Solution)
                .where(Solution.status == Status.PUBLISHED, Solution.id > last)
                .order_by(Solution.id)
                .limit(_CHUNK)
                .options(*_LOAD)
            ).unique()
        )
        if not rows:
            return
        for solution in rows:
            yield document_for(solution, ancestors)
        last = rows[-1].id
        session.expunge_all()


def versions(session: Session) -> dict[str, str]:
    """What the index should hold: id to fingerprint of every published entry, for `index check`."""
    rows = session.execute(select(Solution.id, Solution.version).where(Solution.status == Status.PUBLISHED))
    return {str(row.id): str(row.version) for row in rows}


def topic_paths(session: Session) -> dict[int, tuple[Topic, ...]]:
    """Each topic with its ancestors, from the first level down."""
    topics = {topic.id: topic for topic in session.scalars(select(Topic))}
    paths: dict[int, tuple[Topic, ...]] = {}
    for topic in topics.values():
        path: list[Topic] = []
        current: Topic | None = topic
        while current is not None and current not in path:
            path.insert(0, current)
            current = topics.get(current.parent_id) if current.parent_id else None
        paths[topic.id] = tuple(path)
    return paths


def _years(sites: list[Deployment]) -> list[int]:
    return sorted(int(date[:4]) for site in sites for date in (site.started, site.ended) if date)


def document_for(solution: Solution, ancestors: dict[int, tuple[Topic, ...]]) -> Document:
    """What the index is told about an entry; the texts people search, the facets, the numbers, and who may read it."""
    sites = solution.deployments
    topics = {topic.slug: topic for own in solution.topics for topic in ancestors[own.id]}
    organisations = {site.organisation.id: site.organisation for site in sites if site.organisation}
    if solution.organisation:
        organisations[solution.organisation.id] = solution.organisation
    municipalities = {site.municipality.ags: site.municipality for site in sites if site.municipality}
    years = _years(sites)
    costs = [site.capex_eur for site in sites if site.capex_eur is not None]
    numbers = {
        "updated": (solution.published_at or solution.updated_at).timestamp(),
        "reuses": float(len(known_reuses(solution))),
    }
    if years:
        numbers |= {"year_from": float(years[0]), "year_to": float(years[-1])}
    if costs:
        numbers["cost"] = max(costs)
    populations = [place.population for place in municipalities.values() if place.population]
    if populations:
        numbers["population"] = float(max(populations))
    return Document(
        id=str(solution.id),
        version=str(solution.version),
        language=solution.language,
        suggest=solution.title,
        fields={
            "title": solution.title,
            "benefit": solution.benefit,
            "subject": _lines(
                *(f"{topic.name}\n{topic.name_en}" for topic in topics.values()),
                *(f"{tag.name}\n{tag.name_en}" for tag in solution.technologies),
                *solution.keywords,
            ),
            "challenge": solution.challenge,
            "solution": _lines(
                solution.approach,
                solution.technical,
                solution.legal,
                solution.organisational,
                solution.data,
                solution.adaptation,
                *(site.summary for site in sites),
            ),
            "results": _lines(
                *(
                    _lines(site.results, site.worked, *(f"{kpi.indicator} {kpi.unit} {kpi.note}" for kpi in site.kpis))
                    for site in sites
                )
            ),
            "not_worked": _lines(
                solution.limits,
                *(
                    _lines(
                        site.not_worked,
                        site.would_change,
                        site.stop_reason,
                        *(LABELS[row.cause] for row in site.stop_causes),
                    )
                    for site in sites
                ),
            ),
            "site": _lines(
                *(f"{organisation.name}\n{organisation.short_name}" for organisation in organisations.values()),
                *(
                    _lines(
                        site.organisation_name,
                        site.place_name,
                        *(
                            f"{p.organisation.name if p.organisation else p.organisation_name} {p.product}"
                            for p in site.partners
                        ),
                    )
                    for site in sites
                ),
                *(f"{place.name}\n{place.district}\n{place.state.name}" for place in municipalities.values()),
            ),
            "translation": _lines(solution.title_en, solution.benefit_en),
        },
        facets={
            "topic": tuple(topics),
            "state": tuple(sorted({place.state_code for place in municipalities.values()})),
            "district": tuple(sorted({ags[:5] for ags in municipalities})),
            "place": tuple(municipalities),
            "organisation": tuple(sorted(organisation.slug for organisation in organisations.values())),
            "kind": tuple(sorted({organisation.kind.value for organisation in organisations.values()})),
            "status": tuple(sorted({site.status.value for site in sites if site.status})),
            "technology": tuple(sorted(tag.slug for tag in solution.technologies)),
            "year": tuple(str(year) for year in range(years[0], years[-1] + 1)) if years else (),
            "cause": tuple(sorted({row.cause.value for site in sites for row in site.stop_causes})),
        },
        numbers=numbers,
        audience=audience(solution),
    )


def _lines(*parts: str) -> str:
    return "\n".join(part for part in parts if part)
