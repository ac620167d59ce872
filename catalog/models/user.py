"""People who sign in, their catalog-wide roles and their roles in organisations.

The columns that login needs are those Flask-Security's mixin asks for; whoever signs in is turned into a plain
`domain.actor.Actor` at the edge, so that services never see this class as "who is asking".
"""

from datetime import datetime

from flask_security import AsaList, RoleMixin, UserMixin
from sqlalchemy import Column, ForeignKey, Table
from sqlalchemy.ext.mutable import MutableList
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.domain.actor import OrganisationRole
from catalog.models.base import Base, Key, terms, utcnow
from catalog.models.organisation import Organisation

user_role = Table(
    "user_role",
    Base.metadata,
    Column("user_id", ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True),
    Column("role_id", ForeignKey("role.id", ondelete="CASCADE"), primary_key=True),
)


class Role(Base, RoleMixin):
    """A catalog-wide role, named as in `domain.actor.Role`."""

    __tablename__ = "role"

    id: Mapped[Key]
    name: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    permissions: Mapped[list[str] | None] = mapped_column(MutableList.as_mutable(AsaList()), nullable=True)


class User(Base, UserMixin):
    """A person with an account (Konto)."""

    __tablename__ = "user_account"

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(default="")
    password: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)
    fs_uniquifier: Mapped[str] = mapped_column(unique=True)
    confirmed_at: Mapped[datetime | None]
    language: Mapped[str] = mapped_column(default="de")
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=utcnow)

    roles: Mapped[list[Role]] = relationship(secondary=user_role)  # type: ignore[assignment]  # the mixin says list[RoleMixin]
    memberships: Mapped[list["OrganisationMembership"]] = relationship(
        back_populates="user", cascade="all, delete-orphan"
    )


class SignIn(Base):
    """One browser in which a person is signed in (Anmeldung); its row gone, the browser's cookie is worth nothing.

    Only a fingerprint of what the cookie carries is kept, so that a copy of the database opens no session.
    """

    __tablename__ = "sign_in"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), index=True)
    started_at: Mapped[datetime] = mapped_column(default=utcnow, index=True)
    device: Mapped[str] = mapped_column(default="")


class OrganisationMembership(Base):
    """What a person may do for an organisation (Rolle in der Organisation)."""

    __tablename__ = "organisation_membership"

    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id", ondelete="CASCADE"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    role: Mapped[OrganisationRole] = mapped_column(terms(OrganisationRole, "role"))

    user: Mapped[User] = relationship(back_populates="memberships")
    organisation: Mapped[Organisation] = relationship(lazy="joined", innerjoin=True)
