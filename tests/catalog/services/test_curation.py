"""What curators do, and that no sequence of anyone's steps leads where the table of steps does not."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as some
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from catalog.domain.actor import SYSTEM, Actor, Role
from catalog.domain.entry import Entry
from catalog.domain.errors import ConflictError, DomainError, ForbiddenError, InvalidError, NotFoundError
from catalog.domain.permissions import audience
from catalog.domain.workflow import OPEN, Status
from catalog.models.audit import AuditEvent
from catalog.models.outbox import OutboxMessage
from catalog.models.revision import ReviewNote, Revision
from catalog.runtime import Runtime
from catalog.services import curation, entries, outbox, submission
from tests.factories import actor_for, make_draft, make_organisation, make_published, make_user, publish_change


@pytest.fixture
def author(session: Session) -> Actor:
    return actor_for(make_user(session, make_organisation(session)))


@pytest.fixture
def curator(session: Session) -> Actor:
    return actor_for(make_user(session), Role.CURATOR)


def submitted(session: Session, author: Actor, **given: Any) -> Revision:
    return submission.submit(session, author, make_draft(session, author, **given))


def told(session: Session) -> list[int | None]:
    session.flush()
    return list(session.scalars(select(OutboxMessage.subject_id).where(OutboxMessage.kind == outbox.INDEX)))


def test_the_queue_holds_what_waits_and_nobodys_draft(session: Session, author: Actor, curator: Actor) -> None:
    first, second = submitted(session, author), submitted(session, author)
    make_draft(session, author)
    change = make_published(session, author)
    entry, version = submission.document_to_edit(session, change)
    submission.save(session, author, change, entry, version=version)
    third = submission.submit(session, author, change)
    assert curation.queue(session, curator) == [first, second, third]
    assert curation.queue(session, curator, kind=curation.Kind.CHANGE) == [third]
    assert curation.queue(session, curator, kind=curation.Kind.NEW) == [first, second]
    assert curation.queue(session, curator, Status.DRAFT) == []
    curation.request_changes(session, curator, second, "Bitte kürzen.")
    assert curation.queue(session, curator, Status.CHANGES_REQUESTED) == [second]
    curation.archive(session, curator, make_published(session), "veraltet")
    session.flush()
    assert curation.counts(session, curator) == {Status.SUBMITTED: 2, Status.CHANGES_REQUESTED: 1, Status.ARCHIVED: 1}
    with pytest.raises(ForbiddenError):
        curation.queue(session, author)
    with pytest.raises(ForbiddenError):
        curation.counts(session, author)


def test_a_draft_is_hidden_from_the_desk_even_beside_a_published_entry(
    session: Session, author: Actor, curator: Actor
) -> None:
    solution = make_published(session, author)
    entry, version = submission.document_to_edit(session, solution)
    draft = submission.save(session, author, solution, entry, version=version)
    with pytest.raises(NotFoundError):
        curation.revision(session, curator, draft.id)
    with pytest.raises(NotFoundError):  # never handed in: nobody at the desk had it open
        curation.revision(session, curator, draft.id, withdrawn=True)
    submission.submit(session, author, solution)
    assert curation.revision(session, curator, draft.id) is draft
    submission.withdraw(session, author, solution)
    with pytest.raises(ConflictError, match="zurückgezogen"):
        curation.revision(session, curator, draft.id, withdrawn=True)


@pytest.mark.parametrize(
    "decide",
    [
        curation.publish,
        lambda session, actor, revision: curation.request_changes(session, actor, revision, "Bitte ergänzen."),
    ],
)
def test_the_second_decision_is_refused(
    session: Session, author: Actor, curator: Actor, decide: Callable[[Session, Actor, Revision], None]
) -> None:
    revision = submitted(session, author)
    decide(session, curator, revision)
    after = revision.status
    for second in (
        lambda: curation.publish(session, SYSTEM, revision),
        lambda: curation.request_changes(session, SYSTEM, revision, "Zu spät."),
    ):
        with pytest.raises(ConflictError):
            second()
    assert (revision.status, revision.decided_by_id) == (after, curator.user_id)
    assert "Zu spät." not in session.scalars(select(ReviewNote.text)).all()


def test_a_decision_about_a_version_that_has_changed_is_refused(
    session: Session, author: Actor, curator: Actor
) -> None:
    revision = submitted(session, author)
    session.flush()
    seen = revision.version
    submission.withdraw(session, author, revision.solution)
    entry, _ = submission.document_to_edit(session, revision.solution)
    submission.save(
        session, author, revision.solution, entry.model_copy(update={"benefit": "Nach dem Lesen geändert."})
    )
    submission.submit(session, author, revision.solution)
    session.flush()
    with pytest.raises(ConflictError):
        curation.publish(session, curator, revision, version=seen)
    assert revision.status is Status.SUBMITTED


def test_two_curators_in_the_same_moment(runtime: Runtime) -> None:
    """Both have the revision in their own sessions; the one who commits second is told, whatever they decided."""
    with runtime.unit_of_work() as session:
        author = actor_for(make_user(session, make_organisation(session)))
        revision_id = submitted(session, author).id
    if runtime.engine.dialect.name == "sqlite":
        with runtime.unit_of_work() as session:
            curation.publish(session, SYSTEM, session.get_one(Revision, revision_id))
        with pytest.raises(ConflictError), runtime.unit_of_work() as session:
            curation.request_changes(session, SYSTEM, session.get_one(Revision, revision_id), "Zu spät.")
    else:
        with pytest.raises(ConflictError), runtime.unit_of_work() as slow:  # noqa: PT012 - the race needs all of it inside
            seen = slow.get_one(Revision, revision_id)
            with runtime.unit_of_work() as quick:
                curation.publish(quick, SYSTEM, quick.get_one(Revision, revision_id))
            curation.request_changes(slow, SYSTEM, seen, "Zu spät.")
    with runtime.unit_of_work.reading() as session:
        assert session.get_one(Revision, revision_id).status is Status.PUBLISHED
        assert session.scalar(select(func.count()).select_from(ReviewNote)) == 0


def test_sending_back_and_archiving_need_a_reason(session: Session, author: Actor, curator: Actor) -> None:
    revision = submitted(session, author)
    for empty in ("", "  \n "):
        with pytest.raises(InvalidError):
            curation.request_changes(session, curator, revision, empty)
        with pytest.raises(InvalidError):
            curation.archive(session, curator, make_published(session), empty)
    assert revision.status is Status.SUBMITTED


def test_publishing_archiving_and_restoring_tell_the_index(session: Session, author: Actor, curator: Actor) -> None:
    revision = submitted(session, author)
    solution = revision.solution
    assert told(session) == []
    curation.publish(session, curator, revision, "Danke!")
    assert told(session) == [solution.id]
    curation.archive(session, curator, solution, "veraltet")
    curation.restore(session, curator, solution)
    assert told(session) == [solution.id] * 3
    assert (solution.status, revision.status) == (Status.PUBLISHED, Status.PUBLISHED)
    log = session.execute(
        select(AuditEvent.action, AuditEvent.reason, AuditEvent.actor_id).order_by(AuditEvent.id)
    ).all()
    assert log[-3:] == [
        ("entry.publish", "Danke!", curator.user_id),
        ("entry.archive", "veraltet", curator.user_id),
        ("entry.restore", "", curator.user_id),
    ]


def test_the_version_before_is_what_a_change_is_compared_with(session: Session, author: Actor) -> None:
    solution = make_published(session, author, title="Eins")
    first = submission.live_revision(session, solution)
    assert first is not None
    assert curation.live_document(session, first) is None
    second = publish_change(session, solution, title="Zwei")
    before = curation.live_document(session, second)
    assert before is not None
    assert (before[0].title, before[1]) == ("Eins", 1)


class Life(RuleBasedStateMachine):
    """One entry in the hands of its author, a colleague and two curators, who do anything at any time.

    The model is a dictionary of what should be; after each step the database must agree with it.
    """

    runtime: Runtime  # set by the test: one database for all runs, one entry each

    @initialize()
    def begin(self) -> None:
        """Start with a draft of the author's."""
        self.session = self.runtime.unit_of_work.writing()
        organisation = make_organisation(self.session)
        self.author = actor_for(make_user(self.session, organisation))
        self.curator = actor_for(make_user(self.session), Role.CURATOR)
        self._draft()

    def _draft(self) -> None:
        self.solution = make_draft(self.session, self.author, title="Anfang")
        self.session.flush()
        self.open: Status | None = Status.DRAFT
        self.live: Status | None = None
        self.public = ""
        self.written = "Anfang"
        self.gone = False

    def _step(self, do: Callable[[], object], *, allowed: bool) -> bool:
        before = self._state()
        try:
            do()
        except DomainError as problem:
            refused: DomainError | None = problem
        else:
            refused = None
        if refused is not None:
            assert not allowed, f"{refused} in {before}"
            assert self._state() == before, "a refused step must change nothing"
            return False
        assert allowed, f"allowed from {before}"
        self.session.flush()
        return True

    def _state(self) -> tuple[object, ...]:
        current = submission.open_revision(self.session, self.solution)
        return (
            self.solution.status,
            self.solution.title,
            current.status if current else None,
            current.content if current else None,
        )

    def _newest(self) -> Revision:
        return self.session.scalars(
            select(Revision).where(Revision.solution_id == self.solution.id).order_by(Revision.number.desc())
        ).first()  # type: ignore[return-value]

    @precondition(lambda self: self.gone)
    @rule()
    def begin_anew(self) -> None:
        """After everything was thrown away, start again."""
        self._draft()

    alive = precondition(lambda self: not self.gone)

    @alive
    @rule(title=some.sampled_from(["Pegel", "Zähler", "Pumpe"]))
    def write(self, title: str) -> None:
        """Save a draft, from what the form would start with."""
        entry, version = submission.document_to_edit(self.session, self.solution)
        changed = entry.model_copy(update={"title": title})
        writable = self.open in {None, Status.DRAFT, Status.CHANGES_REQUESTED}
        if self._step(
            lambda: submission.save(self.session, self.author, self.solution, changed, version=version),
            allowed=writable,
        ):
            self.open, self.written = self.open or Status.DRAFT, title

    @alive
    @rule()
    def submit(self) -> None:
        """Hand in."""
        if self._step(
            lambda: submission.submit(self.session, self.author, self.solution),
            allowed=self.open in {Status.DRAFT, Status.CHANGES_REQUESTED},
        ):
            self.open = Status.SUBMITTED

    @alive
    @rule()
    def withdraw(self) -> None:
        """Take back."""
        if self._step(
            lambda: submission.withdraw(self.session, self.author, self.solution), allowed=self.open is Status.SUBMITTED
        ):
            self.open = Status.DRAFT

    @alive
    @rule()
    def discard(self) -> None:
        """Throw the open revision away."""
        if self._step(
            lambda: submission.discard(self.session, self.author, self.solution),
            allowed=self.open in {Status.DRAFT, Status.CHANGES_REQUESTED},
        ):
            self.open = None
            self.gone = self.live is None

    @alive
    @rule(by_author=some.booleans())
    def publish(self, *, by_author: bool) -> None:
        """Accept the newest revision; an author may never."""
        actor = self.author if by_author else self.curator
        if self._step(
            lambda: curation.publish(self.session, actor, self._newest()),
            allowed=not by_author and self.open is Status.SUBMITTED,
        ):
            self.open, self.live, self.public = None, Status.PUBLISHED, self.written

    @alive
    @rule(reason=some.sampled_from(["", "Bitte ergänzen."]))
    def request_changes(self, reason: str) -> None:
        """Send the newest revision back."""
        if self._step(
            lambda: curation.request_changes(self.session, self.curator, self._newest(), reason),
            allowed=self.open is Status.SUBMITTED and bool(reason),
        ):
            self.open = Status.CHANGES_REQUESTED

    @alive
    @rule(reason=some.sampled_from(["", "veraltet"]))
    def archive(self, reason: str) -> None:
        """Take the entry out of the catalog."""
        if self._step(
            lambda: curation.archive(self.session, self.curator, self.solution, reason),
            allowed=self.live is Status.PUBLISHED and bool(reason),
        ):
            self.live = Status.ARCHIVED

    @alive
    @rule()
    def restore(self) -> None:
        """Put the entry back."""
        if self._step(
            lambda: curation.restore(self.session, self.curator, self.solution), allowed=self.live is Status.ARCHIVED
        ):
            self.live = Status.PUBLISHED

    @invariant()
    def the_database_agrees(self) -> None:
        """Compare every row that matters with the model."""
        if not hasattr(self, "session"):
            return
        self.session.flush()
        if self.gone:
            assert (
                self.session.scalar(
                    select(func.count()).select_from(Revision).where(Revision.solution_id == self.solution.id)
                )
                == 0
            )
            return
        open_ones = list(
            self.session.scalars(
                select(Revision).where(Revision.solution_id == self.solution.id, Revision.status.in_(OPEN))
            )
        )
        assert [row.status for row in open_ones] == ([self.open] if self.open else [])
        assert self.solution.status is (self.live or self.open)
        if self.live:
            assert self.solution.title == self.public
            assert entries.read(self.solution).title == self.public
        else:
            assert self.solution.title == self.written
        assert {row.label for row in self.solution.audience_labels} == set(audience(self.solution))
        public = self.session.scalars(
            select(Revision).where(Revision.solution_id == self.solution.id, Revision.status == Status.PUBLISHED)
        ).all()
        assert len(public) == (1 if self.live is Status.PUBLISHED else 0)
        if open_ones:
            assert Entry.model_validate(open_ones[0].content).title == self.written

    def teardown(self) -> None:
        """Leave nothing behind."""
        if hasattr(self, "session"):
            self.session.rollback()
            self.session.close()


def test_no_sequence_of_steps_reaches_a_state_the_table_forbids(runtime: Runtime) -> None:
    Life.runtime = runtime
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=settings(
            max_examples=15,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
        ),
    )
