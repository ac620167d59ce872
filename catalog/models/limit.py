"""Counters of the rate limits, in the database so that all processes share them and a restart keeps them."""

from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base


class RateCounter(Base):
    """How often a key was hit in its current window; `expires` in epoch seconds."""

    __tablename__ = "rate_counter"

    key: Mapped[str] = mapped_column(primary_key=True)
    hits: Mapped[int] = mapped_column(default=0)
    expires: Mapped[float] = mapped_column(index=True)
