"""Writing the audit log: one call per step, in the transaction of the step itself."""

from typing import Any

from sqlalchemy.orm import Session

from catalog.domain.actor import Actor
from catalog.models.audit import AuditEvent


def record(  # noqa: PLR0913 - who, what, on what, why: each is a column of its own
    session: Session,
    actor: Actor,
    action: str,
    subject_type: str,
    subject_id: int | None,
    *,
    reason: str = "",
    details: dict[str, Any] | None = None,
) -> None:
    """Add one audit event; it is stored when the caller's transaction is."""
    session.add(
        AuditEvent(
            actor_id=actor.user_id,
            actor_name=actor.name,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            reason=reason,
            details=details or {},
        )
    )
