"""Utilities, network operators, associations, cities, districts and partners."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.domain.vocabulary import Division, Membership, Network, OrganisationKind
from catalog.models.base import Base, Key, terms, utcnow
from catalog.models.place import Municipality


class Organisation(Base):
    """An organisation (Organisation) that runs, reuses or supplies solutions."""

    __tablename__ = "organisation"

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    short_name: Mapped[str] = mapped_column(default="")
    kind: Mapped[OrganisationKind] = mapped_column(terms(OrganisationKind, "kind"), index=True)
    membership: Mapped[Membership] = mapped_column(terms(Membership, "membership"), default=Membership.NONE)
    ags: Mapped[str | None] = mapped_column(ForeignKey("municipality.ags"), index=True)
    place_name: Mapped[str] = mapped_column(default="")
    website: Mapped[str] = mapped_column(default="")
    mailbox: Mapped[str] = mapped_column(default="")
    population_served: Mapped[int | None]
    has_data_platform: Mapped[bool | None]
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    municipality: Mapped[Municipality | None] = relationship(lazy="joined")
    divisions: Mapped[list["OrganisationDivision"]] = relationship(
        cascade="all, delete-orphan", order_by="OrganisationDivision.division"
    )
    networks: Mapped[list["OrganisationNetwork"]] = relationship(
        cascade="all, delete-orphan", order_by="OrganisationNetwork.network"
    )


class OrganisationDivision(Base):
    """A line of business (Sparte) that an organisation runs."""

    __tablename__ = "organisation_division"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True)
    division: Mapped[Division] = mapped_column(terms(Division, "division"), primary_key=True)


class OrganisationNetwork(Base):
    """A network (Netz) that an organisation operates itself."""

    __tablename__ = "organisation_network"

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True)
    network: Mapped[Network] = mapped_column(terms(Network, "network"), primary_key=True)
