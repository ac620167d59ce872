"""Who did what, when and why; rows are only ever added, triggers in the database refuse the rest."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, Key, utcnow


class AuditEvent(Base):
    """One step someone took (Protokolleintrag); keeps no reference that could be deleted under it."""

    __tablename__ = "audit_event"
    __table_args__ = (Index(None, "subject_type", "subject_id"),)

    id: Mapped[Key]
    at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    actor_id: Mapped[int | None]
    actor_name: Mapped[str] = mapped_column(default="")
    action: Mapped[str]
    subject_type: Mapped[str]
    subject_id: Mapped[int | None]
    reason: Mapped[str] = mapped_column(default="")
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
