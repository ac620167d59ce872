"""What entries are about: the curated tree of topics and the flat list of technologies."""

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Key


class Topic(Base):
    """A node of the topic tree (Thema)."""

    __tablename__ = "topic"
    __table_args__ = (CheckConstraint("parent_id != id", name="not_its_own_parent"),)

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
    description: Mapped[str] = mapped_column(default="")
    description_en: Mapped[str] = mapped_column(default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)

    parent: Mapped["Topic | None"] = relationship(back_populates="children", remote_side="Topic.id")
    children: Mapped[list["Topic"]] = relationship(back_populates="parent", order_by="Topic.position")


class Technology(Base):
    """A technology tag (Technologie)."""

    __tablename__ = "technology"

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    name_en: Mapped[str] = mapped_column(default="")
