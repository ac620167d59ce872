"""What must still leave the database: index updates and mails, written in the same transaction as their cause."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base, Key, utcnow


class OutboxMessage(Base):
    """One thing to deliver; carries ids, not content, so that order and repetition do not matter."""

    __tablename__ = "outbox_message"
    __table_args__ = (Index(None, "kind", "due_at"),)

    id: Mapped[Key]
    kind: Mapped[str]
    subject_id: Mapped[int | None]
    payload: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    due_at: Mapped[datetime] = mapped_column(default=utcnow)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(default="")
