"""A solution at one site: who, where, when, how far, at what cost, with what result; and which site it follows."""

from typing import TYPE_CHECKING

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.domain.vocabulary import CostBand, DeploymentStatus, KpiKind, PartnerRole, ReuseStatus, StopCause
from catalog.models.base import Base, Key, terms
from catalog.models.organisation import Organisation
from catalog.models.place import Municipality

if TYPE_CHECKING:
    from catalog.models.solution import Solution


class Deployment(Base):
    """A site of a solution (Standort)."""

    __tablename__ = "deployment"
    __table_args__ = (
        CheckConstraint(
            "ended = '' OR started = '' OR ended >= substr(started, 1, length(ended))", name="dates_in_order"
        ),
        CheckConstraint("capex_eur >= 0", name="capex_not_negative"),
        CheckConstraint("opex_eur >= 0", name="opex_not_negative"),
        CheckConstraint("person_days >= 0", name="person_days_not_negative"),
        CheckConstraint("months_to_operation >= 0", name="months_not_negative"),
    )

    id: Mapped[Key]
    external_id: Mapped[str] = mapped_column(unique=True)
    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    organisation_name: Mapped[str] = mapped_column(default="")
    ags: Mapped[str | None] = mapped_column(ForeignKey("municipality.ags"), index=True)
    place_name: Mapped[str] = mapped_column(default="")
    started: Mapped[str] = mapped_column(default="")
    ended: Mapped[str] = mapped_column(default="")
    status: Mapped[DeploymentStatus | None] = mapped_column(terms(DeploymentStatus, "status"))
    summary: Mapped[str] = mapped_column(default="")
    results: Mapped[str] = mapped_column(default="")
    worked: Mapped[str] = mapped_column(default="")
    not_worked: Mapped[str] = mapped_column(default="")
    would_change: Mapped[str] = mapped_column(default="")
    stop_reason: Mapped[str] = mapped_column(default="")
    capex_band: Mapped[CostBand | None] = mapped_column(terms(CostBand, "capex_band"))
    capex_eur: Mapped[float | None]
    opex_band: Mapped[CostBand | None] = mapped_column(terms(CostBand, "opex_band"))
    opex_eur: Mapped[float | None]
    person_days: Mapped[float | None]
    months_to_operation: Mapped[float | None]
    procurement: Mapped[str] = mapped_column(default="")

    solution: Mapped["Solution"] = relationship(back_populates="deployments")
    organisation: Mapped[Organisation | None] = relationship()
    municipality: Mapped[Municipality | None] = relationship()
    kpis: Mapped[list["Kpi"]] = relationship(cascade="all, delete-orphan", order_by="Kpi.position")
    stop_causes: Mapped[list["DeploymentStopCause"]] = relationship(
        cascade="all, delete-orphan", order_by="DeploymentStopCause.cause"
    )
    funding: Mapped[list["Funding"]] = relationship(cascade="all, delete-orphan", order_by="Funding.position")
    partners: Mapped[list["DeploymentPartner"]] = relationship(
        cascade="all, delete-orphan", order_by="DeploymentPartner.position"
    )
    reuse: Mapped["Reuse | None"] = relationship(
        back_populates="deployment", cascade="all, delete-orphan", foreign_keys="Reuse.deployment_id"
    )
    reused_by: Mapped[list["Reuse"]] = relationship(back_populates="origin", foreign_keys="Reuse.origin_id")


class DeploymentStopCause(Base):
    """One reason why a site was stopped (Grund der Beendigung)."""

    __tablename__ = "deployment_stop_cause"

    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True)
    cause: Mapped[StopCause] = mapped_column(terms(StopCause, "cause"), primary_key=True)


class Kpi(Base):
    """A measured figure at a site (Kennzahl)."""

    __tablename__ = "kpi"

    id: Mapped[Key]
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    indicator: Mapped[str] = mapped_column(default="")
    unit: Mapped[str] = mapped_column(default="")
    before: Mapped[float | None]
    after: Mapped[float | None]
    kind: Mapped[KpiKind] = mapped_column(terms(KpiKind, "kind"), default=KpiKind.OUTPUT)
    period: Mapped[str] = mapped_column(default="")
    method: Mapped[str] = mapped_column(default="")
    source: Mapped[str] = mapped_column(default="")
    note: Mapped[str] = mapped_column(default="")


class Funding(Base):
    """Grant money a site received (Förderung), in euro."""

    __tablename__ = "funding"
    __table_args__ = (CheckConstraint("amount_eur >= 0", name="amount_not_negative"),)

    id: Mapped[Key]
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    programme: Mapped[str] = mapped_column(default="")
    grantor: Mapped[str] = mapped_column(default="")
    amount_eur: Mapped[float | None]


class DeploymentPartner(Base):
    """Who helped at a site and in which role (Partner)."""

    __tablename__ = "deployment_partner"

    id: Mapped[Key]
    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), index=True)
    organisation_name: Mapped[str] = mapped_column(default="")
    role: Mapped[PartnerRole] = mapped_column(terms(PartnerRole, "role"), default=PartnerRole.OTHER)
    product: Mapped[str] = mapped_column(default="")

    organisation: Mapped[Organisation | None] = relationship()


class Reuse(Base):
    """That a site follows another one (Nachnutzung), with what was adapted and how it went.

    `origin_name` keeps what was given where the origin is not in the catalog (yet).
    """

    __tablename__ = "reuse"
    __table_args__ = (CheckConstraint("origin_id != deployment_id", name="not_itself"),)

    deployment_id: Mapped[int] = mapped_column(ForeignKey("deployment.id", ondelete="CASCADE"), primary_key=True)
    origin_id: Mapped[int | None] = mapped_column(ForeignKey("deployment.id", ondelete="SET NULL"), index=True)
    origin_name: Mapped[str] = mapped_column(default="")
    status: Mapped[ReuseStatus] = mapped_column(terms(ReuseStatus, "status"), default=ReuseStatus.PLANNED)
    adapted: Mapped[str] = mapped_column(default="")
    outcome: Mapped[str] = mapped_column(default="")
    effort: Mapped[str] = mapped_column(default="")
    recommend: Mapped[bool | None]
    recommend_reason: Mapped[str] = mapped_column(default="")

    deployment: Mapped[Deployment] = relationship(back_populates="reuse", foreign_keys=[deployment_id])
    origin: Mapped[Deployment | None] = relationship(back_populates="reused_by", foreign_keys=[origin_id])
