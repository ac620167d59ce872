"""What the last import said of an entry, so that a repeated import can tell changed rows from unchanged ones."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from catalog.models.base import Base


class ImportMark(Base):
    """Digests of the row an entry was last imported from and of the document that was made of it.

    A table of its own, because `solution.version` must not move when nothing changed that readers or the index see.
    """

    __tablename__ = "import_mark"

    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str]
    content: Mapped[str]
