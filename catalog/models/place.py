"""Where things are: states, municipalities and well-known parts of them, loaded from the gazetteer files."""

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Key


class State(Base):
    """A federal state (Bundesland); `code` is the first two digits of the AGS."""

    __tablename__ = "state"

    code: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    abbreviation: Mapped[str] = mapped_column(unique=True)


class Municipality(Base):
    """A municipality (Gemeinde) with its official key, the AGS; the position is its centre, never a plant's."""

    __tablename__ = "municipality"
    __table_args__ = (CheckConstraint("length(ags) = 8", name="ags_length"), Index(None, "search_name"))

    ags: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    search_name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="")
    district: Mapped[str] = mapped_column(default="")
    state_code: Mapped[str] = mapped_column(ForeignKey("state.code"), index=True)
    population: Mapped[int | None]
    latitude: Mapped[float | None]
    longitude: Mapped[float | None]
    town_type: Mapped[str] = mapped_column(default="")

    # Not an inner join: nested in an outer one it has SQLite walk through all municipalities for each query.
    state: Mapped[State] = relationship(lazy="joined", innerjoin=False)


class PlaceAlias(Base):
    """Another name by which a municipality is known: a part of town (Ortsteil) or an old name."""

    __tablename__ = "place_alias"

    id: Mapped[Key]
    name: Mapped[str]
    search_name: Mapped[str] = mapped_column(index=True)
    ags: Mapped[str] = mapped_column(ForeignKey("municipality.ags", ondelete="CASCADE"), index=True)

    municipality: Mapped[Municipality] = relationship()
