"""Who is asking: an immutable value that services get instead of a web session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a person may do across the whole catalog; every signed-in person may at least read."""

    CURATOR = "curator"
    ADMIN = "admin"


class OrganisationRole(StrEnum):
    """What a person may do for one organisation."""

    READER = "reader"
    MEMBER = "member"
    MANAGER = "manager"


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person, or nobody: `user_id` is None for an anonymous reader."""

    user_id: int | None = None
    name: str = ""
    roles: frozenset[Role] = frozenset()
    organisations: Mapping[int, OrganisationRole] = field(default_factory=dict)
    groups: frozenset[int] = frozenset()

    @property
    def signed_in(self) -> bool:
        """Whether this is a known person."""
        return self.user_id is not None

    @property
    def is_curator(self) -> bool:
        """Whether the person reviews entries; admins do too."""
        return bool(self.roles)

    @property
    def is_admin(self) -> bool:
        """Whether the person runs the catalog."""
        return Role.ADMIN in self.roles

    def writes_for(self, organisation_id: int | None) -> bool:
        """Whether the person may write in this organisation's name."""
        return self.organisations.get(organisation_id or 0) in {OrganisationRole.MEMBER, OrganisationRole.MANAGER}

    @property
    def writing_organisations(self) -> tuple[int, ...]:
        """The organisations in whose name the person may write, in ascending order."""
        return tuple(sorted(org for org in self.organisations if self.writes_for(org)))


ANONYMOUS = Actor()
# For the command line and the worker: what an operator with access to the data folder may do anyway.
SYSTEM = Actor(name="System", roles=frozenset({Role.ADMIN, Role.CURATOR}))
