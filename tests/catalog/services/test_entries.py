"""Between document and rows: what is written is read back, and a preview leaves no trace."""

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.domain.actor import SYSTEM
from catalog.domain.entry import Contact, Deployment, Entry, Funding, Kpi, Partner, Place, Reuse, Source, Transfer, dump
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
from catalog.models.base import Base
from catalog.models.group import WorkingGroup
from catalog.models.solution import Solution
from catalog.models.topic import Technology
from catalog.services import entries, submission
from catalog.services.references import References
from tests.factories import make_draft, make_entry, make_municipality, make_organisation, make_published, make_topic


def whole_entry(session: Session) -> Entry:
    """A document in which every field says something other than its default."""
    make_municipality(session)
    session.add_all([Technology(slug="lorawan", name="LoRaWAN"), WorkingGroup(slug="ag-wasser", name="AG Wasser")])
    origin = make_published(session).deployments[0].external_id
    organisation, partner = make_organisation(session).slug, make_organisation(session).slug
    session.flush()
    return Entry(
        external_id="l-ganz",
        kind=SolutionKind.BUILDING_BLOCK,
        language="de",
        title="Ganz",
        title_en="Whole",
        benefit="Nutzen.",
        benefit_en="Benefit.",
        challenge="Not.",
        solution="Rat.",
        topics=[make_topic(session).slug],
        technologies=["lorawan"],
        keywords=["Pegel", "Funk"],
        organisation=organisation,
        working_group="ag-wasser",
        visibility=Visibility.MEMBERS,
        critical_infrastructure=False,
        demo=True,
        transfer=Transfer(
            technical="a",
            legal="b",
            organisational="c",
            data="d",
            adaptation="e",
            limits="f",
            lifetime="g",
            licence="h",
        ),
        contact=Contact(name="Person", mailbox="netz@example.org", phone="0451 1", deputy="Vertretung"),
        sources=[Source(url="https://example.org/1", title="Bericht", accessed="2026-11"), Source(title="Ratsvorlage")],
        deployments=[
            Deployment(
                external_id="s-ganz-1",
                organisation=organisation,
                place=Place(ags="01003000", name="Travemünde"),
                started="2020-02",
                ended="2023",
                status=DeploymentStatus.STOPPED,
                summary="i",
                results="j",
                worked="k",
                not_worked="l",
                would_change="m",
                stop_causes=[StopCause.ACCEPTANCE, StopCause.LAW],
                stop_reason="n",
                kpis=[
                    Kpi(
                        indicator="Batterien",
                        unit="Stück",
                        before=12.5,
                        after=0,
                        kind=KpiKind.OUTCOME,
                        period="2022",
                        method="gezählt",
                        source="Bericht",
                        note="etwa",
                    ),
                    Kpi(indicator="Zweite"),
                ],
                capex_band=CostBand.FROM_10K,
                capex_eur=12_345.67,
                opex_band=CostBand.BELOW_10K,
                opex_eur=0,
                person_days=3.5,
                months_to_operation=6,
                procurement="Direktauftrag",
                funding=[Funding(programme="Programm", grantor="Land", amount_eur=5_000)],
                partners=[
                    Partner(organisation=partner, role=PartnerRole.VENDOR, product="Sensor"),
                    Partner(organisation="Freier Name", role=PartnerRole.RESEARCH),
                ],
                reuse=Reuse(
                    follows=origin,
                    status=ReuseStatus.DONE,
                    adapted="o",
                    outcome="p",
                    effort="q",
                    recommend=False,
                    recommend_reason="r",
                ),
            ),
            Deployment(
                external_id="s-ganz-2",
                organisation="Unbekannt",
                place=Place(name="Nirgends"),
                reuse=Reuse(follows="noch nicht da", recommend=True),
            ),
        ],
    )


def test_a_whole_document_is_read_back_as_it_was_written(session: Session) -> None:
    entry = whole_entry(session)
    for part in (
        entry,
        entry.transfer,
        entry.contact,
        entry.deployments[0],
        entry.deployments[0].kpis[0],
        entry.deployments[0].reuse,
    ):
        assert part is not None
        same = [
            name
            for name, info in type(part).model_fields.items()
            if getattr(part, name) == info.get_default(call_default_factory=True) and name != "language"
        ]
        assert same == [], "this test must know every field"
    solution = submission.start(session, SYSTEM, entry).solution
    session.flush()
    session.expire_all()
    assert dump(entries.read(solution)) == dump(entry)


def test_writing_what_was_read_changes_no_row(session: Session) -> None:
    solution = submission.start(session, SYSTEM, whole_entry(session)).solution
    session.flush()
    before = {site.external_id: site.id for site in solution.deployments}
    entry = entries.read(solution)
    entries.write(solution, entries.read(solution), References(session))
    session.flush()
    assert {site.external_id: site.id for site in solution.deployments} == before
    session.expire_all()
    assert dump(entries.read(solution)) == dump(entry)


def test_a_preview_leaves_no_trace(session: Session) -> None:
    entry = whole_entry(session)
    solution = make_draft(session, SYSTEM, title="Bleibt")
    session.flush()

    def rows() -> dict[str, int | None]:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) for table in Base.metadata.sorted_tables
        }

    before = rows()
    shown = entries.preview(session, solution, entry)
    assert (shown.title, shown.deployments[0].reuse is not None) == ("Ganz", True)
    assert shown not in session
    session.flush()
    assert rows() == before
    assert session.get_one(Solution, solution.id).title == "Bleibt"


def test_a_preview_names_the_site_of_another_entry_that_is_followed(session: Session) -> None:
    origin = make_published(session, title="Ursprung").deployments[0]
    entry = make_entry(session)
    entry.deployments[0].reuse = Reuse(follows=origin.external_id)
    solution = make_draft(session, SYSTEM)
    shown = entries.preview(session, solution, entry)
    reuse = shown.deployments[0].reuse
    assert reuse is not None
    assert reuse.origin is origin
    session.flush()
    session.expire(origin)
    assert origin.reused_by == []


def test_names_the_catalog_does_not_know_are_kept_as_words(session: Session) -> None:
    entry = make_entry(session, technologies=["Ganz neue Technik"], topics=["kein-thema"])
    solution = submission.start(session, SYSTEM, entry.model_copy(update={"organisation": ""})).solution
    assert solution.technologies == []
    assert solution.topics == []
    assert set(solution.keywords) == {"Ganz neue Technik", "kein-thema"}


def test_two_entries_of_one_title_have_two_addresses(session: Session) -> None:
    first, second = make_published(session, title="Straßenlicht"), make_published(session, title="Straßenlicht")
    assert first.slug == "strassenlicht"
    assert second.slug not in {first.slug, ""}
