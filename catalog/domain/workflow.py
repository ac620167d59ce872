"""The life of an entry's text: states, the steps between them, and the permission each step needs; one table."""

from dataclasses import dataclass
from enum import StrEnum

from catalog.domain.errors import ConflictError
from catalog.domain.permissions import Permission
from catalog.domain.text import N_, Message


class Status(StrEnum):
    """Where an entry or a revision of it stands (Bearbeitungsstand)."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    CHANGES_REQUESTED = "changes_requested"
    PUBLISHED = "published"
    ARCHIVED = "archived"


STATUS_LABELS = {
    Status.DRAFT: N_("Entwurf"),
    Status.SUBMITTED: N_("eingereicht"),
    Status.CHANGES_REQUESTED: N_("Überarbeitung erbeten"),
    Status.PUBLISHED: N_("veröffentlicht"),
    Status.ARCHIVED: N_("archiviert"),
}

OPEN = frozenset({Status.DRAFT, Status.SUBMITTED, Status.CHANGES_REQUESTED})
EDITABLE = frozenset({Status.DRAFT, Status.CHANGES_REQUESTED})


class Step(StrEnum):
    """What someone can do with a revision (Arbeitsschritt); the audit log uses these names."""

    SUBMIT = "submit"
    WITHDRAW = "withdraw"
    REQUEST_CHANGES = "request_changes"
    PUBLISH = "publish"
    ARCHIVE = "archive"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed step: from which states, to which state, who may, and whether a reason must be given."""

    sources: frozenset[Status]
    target: Status
    permission: Permission
    needs_reason: bool = False


TRANSITIONS: dict[Step, Transition] = {
    Step.SUBMIT: Transition(EDITABLE, Status.SUBMITTED, Permission.SUBMIT),
    Step.WITHDRAW: Transition(frozenset({Status.SUBMITTED}), Status.DRAFT, Permission.SUBMIT),
    Step.REQUEST_CHANGES: Transition(
        frozenset({Status.SUBMITTED}), Status.CHANGES_REQUESTED, Permission.REVIEW, needs_reason=True
    ),
    Step.PUBLISH: Transition(frozenset({Status.SUBMITTED}), Status.PUBLISHED, Permission.PUBLISH),
    Step.ARCHIVE: Transition(frozenset({Status.PUBLISHED}), Status.ARCHIVED, Permission.ARCHIVE, needs_reason=True),
    Step.RESTORE: Transition(frozenset({Status.ARCHIVED}), Status.PUBLISHED, Permission.ARCHIVE),
}


def target_of(step: Step, current: Status) -> Status:
    """The state after the step; raises ConflictError when the table does not allow it from `current`."""
    transition = TRANSITIONS[step]
    if current not in transition.sources:
        raise ConflictError(
            Message(N_("Der Eintrag ist inzwischen in einem anderen Stand. Bitte laden Sie die Seite neu."))
        )
    return transition.target


def steps_from(current: Status) -> tuple[Step, ...]:
    """The steps the table allows from a state, whoever asks."""
    return tuple(step for step, transition in TRANSITIONS.items() if current in transition.sources)
