"""Files that belong to an entry; their bytes lie in the file store under their content hash."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from catalog.domain.vocabulary import AttachmentKind, Visibility
from catalog.models.base import Base, Key, terms, utcnow


class Attachment(Base):
    """A document or picture (Anlage) of an entry."""

    __tablename__ = "attachment"
    __table_args__ = (
        CheckConstraint("size >= 0", name="size_not_negative"),
        CheckConstraint("length(sha256) = 64", name="hash_length"),
    )

    id: Mapped[Key]
    solution_id: Mapped[int] = mapped_column(ForeignKey("solution.id", ondelete="CASCADE"), index=True)
    deployment_id: Mapped[int | None] = mapped_column(ForeignKey("deployment.id", ondelete="SET NULL"), index=True)
    kind: Mapped[AttachmentKind] = mapped_column(terms(AttachmentKind, "kind"), default=AttachmentKind.DOCUMENT)
    visibility: Mapped[Visibility] = mapped_column(terms(Visibility, "visibility"), default=Visibility.PUBLIC)
    file_name: Mapped[str]
    title: Mapped[str] = mapped_column(default="")
    alternative_text: Mapped[str] = mapped_column(default="")
    media_type: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(index=True)
    language: Mapped[str] = mapped_column(default="de")
    extracted_text: Mapped[str] = mapped_column(default="")
    uploaded_by_id: Mapped[int | None] = mapped_column(ForeignKey("user_account.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utcnow)
