"""What authors are writing and what was once accepted: whole entries as JSON, and the notes of their review."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.domain.workflow import Status
from catalog.models.base import Base, Key, terms, utcnow
from catalog.models.solution import Solution
from catalog.models.user import User

_OPEN = "status IN ('draft', 'submitted', 'changes_requested')"


class Revision(Base):
    """A version of an entry (Fassung); at most one per entry is open, the database sees to that."""

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("solution_id", "number"),
        Index(
            "uq_revision_one_open", "solution_id", unique=True, sqlite_where=text(_OPEN), postgresql_where=text(_OPEN)
        ),
        Index(None, "status", "submitted_at"),
    )

    id: Mapped[Key]
    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"))
    number: Mapped[int]
    status: Mapped[Status] = mapped_column(terms(Status, "status"), default=Status.DRAFT)
    content: Mapped[dict[str, Any]]
    base_number: Mapped[int | None]
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"), index=True)
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)
    submitted_at: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    solution: Mapped[Solution] = relationship()
    author: Mapped[User | None] = relationship(foreign_keys=[author_id])
    decided_by: Mapped[User | None] = relationship(foreign_keys=[decided_by_id])
    notes: Mapped[list["ReviewNote"]] = relationship(
        back_populates="revision", cascade="all, delete-orphan", order_by="ReviewNote.created_at, ReviewNote.id"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads this very attribute


class ReviewNote(Base):
    """What a curator or author said about a revision (Hinweis), for one field or the whole."""

    __tablename__ = "review_note"

    id: Mapped[Key]
    revision_id: Mapped[int] = mapped_column(ForeignKey("revision.id", ondelete="CASCADE"), index=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    field: Mapped[str] = mapped_column(default="")
    text: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    revision: Mapped[Revision] = relationship(back_populates="notes")
    author: Mapped[User | None] = relationship()
