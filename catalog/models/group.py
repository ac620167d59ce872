"""Self-organised working groups and who belongs to them."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Key, terms, utcnow


class GroupRole(StrEnum):
    """What a person is in a working group."""

    LEAD = "lead"
    DEPUTY = "deputy"
    MEMBER = "member"


class WorkingGroup(Base):
    """A working group across organisations (Arbeitsgruppe)."""

    __tablename__ = "working_group"

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    aim: Mapped[str] = mapped_column(default="")
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    members: Mapped[list["GroupMembership"]] = relationship(cascade="all, delete-orphan")


class GroupMembership(Base):
    """A person's place in a working group."""

    __tablename__ = "group_membership"

    group_id: Mapped[int] = mapped_column(ForeignKey("working_group.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(
        ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[GroupRole] = mapped_column(terms(GroupRole, "role"), default=GroupRole.MEMBER)
