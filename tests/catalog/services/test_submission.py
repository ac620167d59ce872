"""What authors do: drafts with gaps, two at the same text, pending changes, taking back and throwing away."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.domain.actor import SYSTEM, Actor, OrganisationRole
from catalog.domain.entry import Deployment, Entry, Kpi, Place, Reuse
from catalog.domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from catalog.domain.vocabulary import Visibility
from catalog.domain.workflow import Status
from catalog.models.audit import AuditEvent
from catalog.models.outbox import OutboxMessage
from catalog.models.revision import Revision
from catalog.models.solution import Solution
from catalog.runtime import Runtime
from catalog.services import curation, entries, submission
from tests.factories import (
    actor_for,
    make_draft,
    make_entry,
    make_organisation,
    make_published,
    make_user,
    publish_change,
)


@pytest.fixture
def author(session: Session) -> Actor:
    return actor_for(make_user(session, make_organisation(session)))


def actions(session: Session) -> list[str]:
    return list(
        session.scalars(select(AuditEvent.action).where(AuditEvent.subject_type == "solution").order_by(AuditEvent.id))
    )


def edited(session: Session, solution: Solution, **changed: object) -> tuple[Entry, int]:
    entry, version = submission.document_to_edit(session, solution)
    return entry.model_copy(update=changed), version


def test_a_draft_may_lack_everything_but_its_organisation(session: Session, author: Actor) -> None:
    own = make_draft(session, author).organisation
    assert own is not None
    revision = submission.start(session, author, Entry(organisation=own.slug))
    assert revision.solution.title == submission.UNTITLED
    assert submission.document_to_edit(session, revision.solution)[0].title == ""
    with pytest.raises(InvalidError) as refused:
        submission.start(session, author, Entry(title="Ohne Organisation"))
    assert set(refused.value.errors) == {"organisation"}


def test_nobody_starts_an_entry_for_strangers(session: Session, author: Actor) -> None:
    stranger = make_organisation(session)
    with pytest.raises(ForbiddenError):
        submission.start(session, author, Entry(title="T", organisation=stranger.slug))
    reader = actor_for(make_user(session, stranger, OrganisationRole.READER))
    with pytest.raises(ForbiddenError):
        submission.start(session, reader, Entry(title="T", organisation=stranger.slug))


def test_an_own_draft_is_not_moved_to_strangers(session: Session, author: Actor) -> None:
    solution = make_draft(session, author)
    entry, version = edited(session, solution, organisation=make_organisation(session).slug)
    with pytest.raises(ForbiddenError):
        submission.save(session, author, solution, entry, version=version)


def test_a_change_does_not_give_a_published_entry_to_strangers(session: Session, author: Actor) -> None:
    solution = make_published(session, author)
    entry, version = edited(session, solution, organisation=make_organisation(session).slug)
    with pytest.raises(ForbiddenError):
        submission.save(session, author, solution, entry, version=version)


def test_handing_in_names_every_gap(session: Session, author: Actor) -> None:
    solution = make_draft(session, author, challenge="", visibility=Visibility.GROUP, deployments=[Deployment()])
    with pytest.raises(InvalidError) as refused:
        submission.submit(session, author, solution)
    assert set(refused.value.errors) == {
        "challenge",
        "working_group",
        "deployments.0.place",
        "deployments.0.started",
        "deployments.0.status",
        "deployments.0.not_worked",
    }
    assert solution.status is Status.DRAFT


def test_who_saves_second_is_told(session: Session, author: Actor) -> None:
    solution = make_draft(session, author)
    mine, version = edited(session, solution, benefit="Mein Satz.")
    theirs, _ = edited(session, solution, benefit="Ihr Satz.")
    submission.save(session, author, solution, theirs, version=version)
    with pytest.raises(ConflictError, match="Jemand anderes"):
        submission.save(session, author, solution, mine, version=version)
    assert submission.document_to_edit(session, solution)[0].benefit == "Ihr Satz."


def test_two_who_begin_to_change_a_published_entry(session: Session, author: Actor) -> None:
    solution = make_published(session, author)
    mine, version = edited(session, solution, benefit="Mein Satz.")
    submission.save(session, author, solution, mine.model_copy(update={"benefit": "Ihr Satz."}), version=version)
    with pytest.raises(ConflictError, match="Jemand anderes"):
        submission.save(session, author, solution, mine, version=version)


def test_a_change_begun_before_another_was_published_does_not_undo_it(session: Session, author: Actor) -> None:
    solution = make_published(session, author)
    mine, version = edited(session, solution, benefit="Auf dem alten Stand geschrieben.")
    publish_change(session, solution, challenge="Inzwischen veröffentlicht.")
    with pytest.raises(ConflictError, match="entschieden"):
        submission.save(session, author, solution, mine, version=version)
    assert solution.challenge == "Inzwischen veröffentlicht."


def test_nothing_is_written_while_it_is_reviewed(session: Session, author: Actor) -> None:
    solution = make_draft(session, author)
    submission.submit(session, author, solution)
    entry, version = edited(session, solution, title="Anders")
    with pytest.raises(ConflictError, match="geprüft"):
        submission.save(session, author, solution, entry, version=version)
    with pytest.raises(ConflictError):
        submission.discard(session, author, solution)
    submission.withdraw(session, author, solution)
    assert solution.status is Status.DRAFT
    submission.save(session, author, solution, entry)
    assert actions(session) == ["entry.create", "entry.submit", "entry.withdraw"]


def test_readers_keep_the_published_text_until_the_change_is_accepted(session: Session, author: Actor) -> None:
    solution = make_published(session, author, title="Pegel messen")
    entry, version = edited(session, solution, title="Pegel und Durchfluss messen")
    pending = submission.save(session, author, solution, entry, version=version)
    assert (solution.title, solution.status, pending.status) == ("Pegel messen", Status.PUBLISHED, Status.DRAFT)
    submission.submit(session, author, solution)
    assert (solution.title, solution.status) == ("Pegel messen", Status.PUBLISHED)
    curation.publish(session, SYSTEM, pending)
    assert solution.title == "Pegel und Durchfluss messen"
    assert [row.slug for row in solution.former_slugs] == ["pegel-messen"]


def test_saving_and_discarding_tell_the_index_nothing(session: Session, author: Actor) -> None:
    solution = make_published(session, author)
    session.flush()
    before = session.scalar(select(func.count()).select_from(OutboxMessage))
    entry, version = edited(session, solution, title="Noch nicht öffentlich")
    submission.save(session, author, solution, entry, version=version)
    submission.discard(session, author, solution)
    session.flush()
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == before
    assert submission.open_revision(session, solution) is None


def test_a_discarded_first_draft_is_gone_but_logged(session: Session, author: Actor) -> None:
    solution = make_draft(session, author, title="Verworfen")
    submission.discard(session, author, solution)
    session.flush()
    assert session.scalar(select(func.count()).select_from(Solution)) == 0
    assert session.scalar(select(func.count()).select_from(Revision)) == 0
    last = session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert last is not None
    assert (last.action, last.details["title"]) == ("entry.discard", "Verworfen")


def test_sites_keep_their_identity_through_every_save(session: Session, author: Actor) -> None:
    solution = make_draft(session, author)
    first = solution.deployments[0]
    key, row = first.external_id, first.id
    assert submission.document_to_edit(session, solution)[0].deployments[0].external_id == key
    entry, _ = edited(session, solution)
    entry.deployments.insert(0, Deployment(place=Place(name="Lübeck"), kpis=[Kpi(indicator="Pegel", after=1)]))
    submission.save(session, author, solution, entry)
    submission.save(session, author, solution, submission.document_to_edit(session, solution)[0])
    assert [(site.external_id == key, site.id == row) for site in solution.deployments] == [
        (False, False),
        (True, True),
    ]


def test_nobody_takes_over_a_site_of_another_entry(session: Session, author: Actor) -> None:
    foreign = make_published(session, SYSTEM).deployments[0]
    solution = make_draft(session, author)
    entry, _ = edited(session, solution)
    entry.deployments.append(Deployment(external_id=foreign.external_id))
    with pytest.raises(InvalidError) as refused:
        submission.save(session, author, solution, entry)
    assert set(refused.value.errors) == {"deployments.1.external_id"}
    own = entry.deployments[0].external_id
    twice = entry.model_copy(update={"deployments": [entry.deployments[0], Deployment(external_id=own)]})
    with pytest.raises(InvalidError):
        submission.save(session, author, solution, twice)


def test_one_may_follow_a_site_of_another_entry(session: Session, author: Actor) -> None:
    origin = make_published(session, SYSTEM).deployments[0]
    entry = make_entry(
        session, organisation=session.get_one(Solution, make_draft(session, author).id).organisation.slug
    )
    entry.deployments[0].reuse = Reuse(follows=origin.external_id, adapted="Andere Sensoren.")
    solution = submission.start(session, author, entry).solution
    assert solution.deployments[0].reuse is not None
    assert solution.deployments[0].reuse.origin is origin


def test_hidden_entries_do_not_exist_for_strangers(session: Session, author: Actor) -> None:
    solution = make_draft(session, author)
    stranger = actor_for(make_user(session, make_organisation(session)))
    for step in (submission.submit, submission.withdraw, submission.discard):
        with pytest.raises(NotFoundError):
            step(session, stranger, solution)
    with pytest.raises(NotFoundError):
        submission.save(session, stranger, solution, Entry())


def test_the_list_of_ones_own_entries(session: Session, author: Actor) -> None:
    colleague = Actor(actor_for(make_user(session)).user_id, organisations=author.organisations)
    draft = make_draft(session, author)
    theirs = make_draft(session, colleague)
    published = make_published(session, author)
    make_published(session, actor_for(make_user(session, make_organisation(session))))
    rows = {solution.id: revision for solution, revision in submission.of_actor(session, author)}
    assert set(rows) == {draft.id, theirs.id, published.id}
    assert rows[published.id] is None
    assert rows[draft.id] is not None


def test_two_sessions_writing_at_once_lose_nothing(runtime: Runtime) -> None:
    """Both have read the same version in their own transactions; the database decides, and one of them is told."""
    with runtime.unit_of_work() as session:
        author = actor_for(make_user(session, make_organisation(session)))
        solution_id = make_published(session, author).id
    with runtime.unit_of_work.reading() as session:
        entry, version = submission.document_to_edit(session, session.get_one(Solution, solution_id))
    outcomes = []
    for text in ("Erste.", "Zweite."):
        try:
            with runtime.unit_of_work() as session:
                changed = entry.model_copy(update={"benefit": text})
                submission.save(session, author, session.get_one(Solution, solution_id), changed, version=version)
            outcomes.append("saved")
        except ConflictError:
            outcomes.append("told")
    assert outcomes == ["saved", "told"]
    with runtime.unit_of_work.reading() as session:
        solution = session.get_one(Solution, solution_id)
        assert submission.document_to_edit(session, solution)[0].benefit == "Erste."
        assert entries.read(solution).benefit != "Erste."
