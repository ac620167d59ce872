"""The table of steps: what it allows, and that every permission in it is one that somebody can have."""

import itertools

import pytest

from catalog.domain.errors import ConflictError
from catalog.domain.permissions import Permission
from catalog.domain.workflow import EDITABLE, OPEN, STATUS_LABELS, TRANSITIONS, Status, Step, steps_from, target_of

# Spelled out once more and independently, so that a slip in the table is seen: state, step, state after it.
ALLOWED = {
    (Status.DRAFT, Step.SUBMIT, Status.SUBMITTED),
    (Status.CHANGES_REQUESTED, Step.SUBMIT, Status.SUBMITTED),
    (Status.SUBMITTED, Step.WITHDRAW, Status.DRAFT),
    (Status.SUBMITTED, Step.REQUEST_CHANGES, Status.CHANGES_REQUESTED),
    (Status.SUBMITTED, Step.PUBLISH, Status.PUBLISHED),
    (Status.PUBLISHED, Step.ARCHIVE, Status.ARCHIVED),
    (Status.ARCHIVED, Step.RESTORE, Status.PUBLISHED),
}


@pytest.mark.parametrize(("status", "step"), list(itertools.product(Status, Step)))
def test_every_step_from_every_state(status: Status, step: Step) -> None:
    expected = next((target for source, way, target in ALLOWED if (source, way) == (status, step)), None)
    assert (step in steps_from(status)) is (expected is not None)
    if expected is None:
        with pytest.raises(ConflictError):
            target_of(step, status)
    else:
        assert target_of(step, status) is expected


def test_decisions_are_curators_and_the_rest_is_the_authors() -> None:
    assert {step for step in Step if TRANSITIONS[step].permission is Permission.SUBMIT} == {Step.SUBMIT, Step.WITHDRAW}
    assert {step for step in Step if TRANSITIONS[step].needs_reason} == {Step.REQUEST_CHANGES, Step.ARCHIVE}


def test_states_under_work_and_their_names() -> None:
    assert {Status.SUBMITTED} == OPEN - EDITABLE
    assert {Status.PUBLISHED, Status.ARCHIVED}.isdisjoint(OPEN)
    assert set(STATUS_LABELS) == set(Status)


def test_nothing_is_published_without_having_been_submitted() -> None:
    """Walk the table: from a draft, every way to the public leads through a review."""
    ways = [[Status.DRAFT]]
    reached = []
    while ways:
        way = ways.pop()
        for step in steps_from(way[-1]):
            target = target_of(step, way[-1])
            if target is Status.PUBLISHED:
                reached.append(way)
            elif target not in way:
                ways.append([*way, target])
    assert reached
    assert all(way[-1] is Status.SUBMITTED for way in reached)
