"""The reusable idea, with everything that is said about it independent of a site.

For a published entry these rows hold what readers see; what its authors are still working on is in `revision`.
"""

from datetime import datetime
from secrets import token_hex

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.domain.vocabulary import SolutionKind, Visibility
from catalog.domain.workflow import Status
from catalog.models.base import Base, Key, terms, utcnow
from catalog.models.deployment import Deployment
from catalog.models.group import WorkingGroup
from catalog.models.organisation import Organisation
from catalog.models.topic import Technology, Topic

solution_topic = Table(
    "solution_topic",
    Base.metadata,
    Column("solution_id", ForeignKey("solution.id", ondelete="CASCADE"), primary_key=True),
    Column("topic_id", ForeignKey("topic.id"), primary_key=True, index=True),
)
solution_technology = Table(
    "solution_technology",
    Base.metadata,
    Column("solution_id", ForeignKey("solution.id", ondelete="CASCADE"), primary_key=True),
    Column("technology_id", ForeignKey("technology.id"), primary_key=True, index=True),
)


def new_external_id() -> str:
    """A public identity that says nothing about how many entries there are."""
    return f"l-{token_hex(8)}"


class Solution(Base):
    """A solution (Lösung) that others can reuse; its sites are its `deployments`."""

    __tablename__ = "solution"
    __table_args__ = (
        CheckConstraint("title != ''", name="title_given"),
        CheckConstraint("length(language) = 2", name="language_code"),
        Index(None, "status", "published_at"),
    )

    id: Mapped[Key]
    external_id: Mapped[str] = mapped_column(unique=True, default=new_external_id)
    slug: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[SolutionKind] = mapped_column(terms(SolutionKind, "kind"), default=SolutionKind.SOLUTION)
    language: Mapped[str] = mapped_column(default="de")
    status: Mapped[Status] = mapped_column(terms(Status, "status"), default=Status.DRAFT)
    visibility: Mapped[Visibility] = mapped_column(terms(Visibility, "visibility"), default=Visibility.PUBLIC)
    critical_infrastructure: Mapped[bool | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    is_complete: Mapped[bool] = mapped_column(default=False)

    title: Mapped[str]
    title_en: Mapped[str] = mapped_column(default="")
    benefit: Mapped[str] = mapped_column(default="")
    benefit_en: Mapped[str] = mapped_column(default="")
    challenge: Mapped[str] = mapped_column(default="")
    approach: Mapped[str] = mapped_column(default="")
    keywords: Mapped[list[str]] = mapped_column(default=list)
    technical: Mapped[str] = mapped_column(default="")
    legal: Mapped[str] = mapped_column(default="")
    organisational: Mapped[str] = mapped_column(default="")
    data: Mapped[str] = mapped_column(default="")
    adaptation: Mapped[str] = mapped_column(default="")
    limits: Mapped[str] = mapped_column(default="")
    lifetime: Mapped[str] = mapped_column(default="")
    licence: Mapped[str] = mapped_column(default="")
    contact_name: Mapped[str] = mapped_column(default="")
    contact_mailbox: Mapped[str] = mapped_column(default="")
    contact_phone: Mapped[str] = mapped_column(default="")
    contact_deputy: Mapped[str] = mapped_column(default="")

    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    working_group_id: Mapped[int | None] = mapped_column(ForeignKey("working_group.id"), index=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
    updated_at: Mapped[datetime] = mapped_column(default=utcnow, onupdate=utcnow)
    published_at: Mapped[datetime | None]
    first_published_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    organisation: Mapped[Organisation | None] = relationship()
    working_group: Mapped[WorkingGroup | None] = relationship()
    topics: Mapped[list[Topic]] = relationship(secondary=solution_topic, order_by=Topic.position)
    technologies: Mapped[list[Technology]] = relationship(secondary=solution_technology, order_by=Technology.name)
    sources: Mapped[list["Source"]] = relationship(cascade="all, delete-orphan", order_by="Source.position")
    deployments: Mapped[list[Deployment]] = relationship(
        back_populates="solution", cascade="all, delete-orphan", order_by=Deployment.position
    )
    audience_labels: Mapped[list["SolutionAudience"]] = relationship(cascade="all, delete-orphan")
    former_slugs: Mapped[list["FormerSlug"]] = relationship(cascade="all, delete-orphan")

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy reads this very attribute


class SolutionAudience(Base):
    """A label of those who may read an entry, as `domain.permissions.audience` gives it; written in one place."""

    __tablename__ = "solution_audience"

    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"), primary_key=True)
    label: Mapped[str] = mapped_column(primary_key=True, index=True)


class FormerSlug(Base):
    """An address the entry once had; it keeps leading there."""

    __tablename__ = "former_slug"

    slug: Mapped[str] = mapped_column(primary_key=True)
    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"), index=True)


class Source(Base):
    """Where a fact in the entry can be read (Quelle)."""

    __tablename__ = "source"

    id: Mapped[Key]
    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    url: Mapped[str] = mapped_column(default="")
    title: Mapped[str] = mapped_column(default="")
    accessed: Mapped[str] = mapped_column(default="")
