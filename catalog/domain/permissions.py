"""Who may see and do what: the one table, asked by services, pages, interface and search alike.

Reading is defined by labels: an entry carries an audience, a person carries audiences, and who shares one may read.
From this one definition come the check in Python, the filter in SQL and the filter in the search index.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from catalog.domain.actor import Actor
from catalog.domain.errors import ForbiddenError, NotFoundError
from catalog.domain.vocabulary import Visibility

PUBLIC = "public"
MEMBERS = "members"
CURATORS = "curators"
ADMINS = "admins"


class Permission(StrEnum):
    """Everything that needs asking, as thing:action; the comment says what it covers."""

    READ = "entry:read"  # see an entry and whatever belongs to it
    CREATE = "entry:create"  # start a new entry
    EDIT = "entry:edit"  # change an entry's open revision, or start one
    SUBMIT = "entry:submit"  # hand an entry in for review, or take it back
    REVIEW = "entry:review"  # read the queue, comment, ask for changes
    PUBLISH = "entry:publish"  # make a submitted revision the public one
    ARCHIVE = "entry:archive"  # take an entry out of the catalog, or put it back
    DESK = "desk:open"  # see the curators' pages
    ADMINISTER = "catalog:administer"  # accounts, organisations, settings, audit log


class Readable(Protocol):
    """What the read rule looks at; a `Solution` row has all of it."""

    @property
    def organisation_id(self) -> int | None:
        """The organisation the entry belongs to."""

    @property
    def working_group_id(self) -> int | None:
        """The working group the entry belongs to."""

    @property
    def created_by_id(self) -> int | None:
        """Who started the entry."""

    @property
    def status(self) -> str:
        """A `workflow.Status` value."""

    @property
    def visibility(self) -> str:
        """A `vocabulary.Visibility` value."""


def audience(entry: Readable) -> frozenset[str]:
    """The labels of those who may read the entry.

    Published: everyone, all members, or the working group. Otherwise its own people; curators from submission on.
    """
    own = {ADMINS}
    if entry.organisation_id is not None:
        own.add(f"writers:{entry.organisation_id}")
    if entry.created_by_id is not None:
        own.add(f"user:{entry.created_by_id}")
    match entry.status:
        case "published":
            match entry.visibility:
                case Visibility.PUBLIC:
                    return frozenset({PUBLIC})
                case Visibility.MEMBERS:
                    return frozenset({MEMBERS, *own, CURATORS})
                case _:
                    return frozenset({f"group:{entry.working_group_id or 0}", *own, CURATORS})
        case "draft":
            return frozenset(own)
        case _:
            return frozenset({*own, CURATORS})


def audiences_of(actor: Actor) -> frozenset[str]:
    """The labels a person carries; everyone carries "public"."""
    labels = {PUBLIC}
    if actor.user_id is not None:
        labels |= {MEMBERS, f"user:{actor.user_id}"}
    labels |= {f"writers:{organisation}" for organisation in actor.writing_organisations}
    labels |= {f"group:{group}" for group in actor.groups}
    if actor.is_curator:
        labels.add(CURATORS)
    if actor.is_admin:
        labels.add(ADMINS)
    return frozenset(labels)


def _reads(actor: Actor, entry: Readable | None) -> bool:
    return entry is not None and not audience(entry).isdisjoint(audiences_of(actor))


def _writes(actor: Actor, entry: Readable | None) -> bool:
    if entry is None or not _reads(actor, entry):
        return False
    if entry.organisation_id is None:
        # Nobody's yet: whoever began it goes on, as long as they may write for anyone at all.
        own = actor.user_id is not None and entry.created_by_id == actor.user_id and bool(actor.writing_organisations)
        return own or actor.is_admin
    # An entry is its organisation's, not its author's: who has moved on may read what they wrote, no more.
    return actor.writes_for(entry.organisation_id) or actor.is_admin


def _curates(actor: Actor, entry: Readable | None) -> bool:
    return actor.is_curator and (entry is None or _reads(actor, entry))


_RULES: dict[Permission, Callable[[Actor, Readable | None], bool]] = {
    Permission.READ: _reads,
    Permission.CREATE: lambda actor, _: bool(actor.writing_organisations) or actor.is_admin,
    Permission.EDIT: _writes,
    Permission.SUBMIT: _writes,
    Permission.REVIEW: _curates,
    Permission.PUBLISH: _curates,
    Permission.ARCHIVE: _curates,
    Permission.DESK: lambda actor, _: actor.is_curator,
    Permission.ADMINISTER: lambda actor, _: actor.is_admin,
}


def may(actor: Actor, permission: Permission, entry: Readable | None = None) -> bool:
    """Whether the actor may do this, with this entry where the permission is about one."""
    return _RULES[permission](actor, entry)


def require(actor: Actor, permission: Permission, entry: Readable | None = None) -> None:
    """Pass in silence or raise: NotFoundError for an entry the actor may not know of, else ForbiddenError."""
    if entry is not None and not may(actor, Permission.READ, entry):
        raise NotFoundError
    if not may(actor, permission, entry):
        raise ForbiddenError
