"""Who may see and do what, as one table; and the read rule's three forms, which must never differ."""

import itertools
from dataclasses import dataclass

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.actor import ANONYMOUS, Actor, OrganisationRole, Role
from catalog.domain.errors import ForbiddenError, NotFoundError
from catalog.domain.permissions import Permission, audience, audiences_of, may, require
from catalog.domain.vocabulary import Visibility
from catalog.domain.workflow import Status
from catalog.models.group import WorkingGroup
from catalog.models.solution import Solution
from catalog.runtime import Runtime
from catalog.services import entries, indexing, outbox
from catalog.services.solutions import visible_among, visible_to
from index import Query
from tests.factories import make_draft, make_organisation, make_user

OWN, OTHER, GROUP = 1, 2, 5
AUTHOR = 7
MEMBER, READER, MANAGER = OrganisationRole.MEMBER, OrganisationRole.READER, OrganisationRole.MANAGER

ROLES = {
    "anonymous": ANONYMOUS,
    "reader": Actor(20, organisations={OWN: READER}),
    "member": Actor(21, organisations={OWN: MEMBER}),
    "manager": Actor(22, organisations={OWN: MANAGER}),
    "stranger": Actor(23, organisations={OTHER: MEMBER}),
    "author": Actor(AUTHOR, organisations={OTHER: MEMBER}),  # wrote it, then moved to another organisation
    "left": Actor(AUTHOR),  # wrote it, and belongs to no organisation any more
    "colleague": Actor(24, groups=frozenset({GROUP})),  # in the entry's working group
    "curator": Actor(25, roles=frozenset({Role.CURATOR})),
    "admin": Actor(26, roles=frozenset({Role.ADMIN})),
}


@dataclass
class Entry:
    """What the rules look at."""

    status: str
    visibility: str = Visibility.PUBLIC
    organisation_id: int | None = OWN
    working_group_id: int | None = GROUP
    created_by_id: int | None = AUTHOR


# Rows: what is asked, of an entry in which state. Columns: who asks. "x" may, "." may not but knows the entry,
# "-" may not know that it exists.
MATRIX = """
                                      anonymous reader member manager stranger author left colleague curator admin
entry:read     draft      public      -         -      x      x       -        x      x    -         -       x
entry:read     submitted  public      -         -      x      x       -        x      x    -         x       x
entry:read     changes    public      -         -      x      x       -        x      x    -         x       x
entry:read     published  public      x         x      x      x       x        x      x    x         x       x
entry:read     published  members     -         x      x      x       x        x      x    x         x       x
entry:read     published  group       -         -      x      x       -        x      x    x         x       x
entry:read     archived   public      -         -      x      x       -        x      x    -         x       x
entry:edit     draft      public      -         -      x      x       -        .      .    -         -       x
entry:edit     submitted  public      -         -      x      x       -        .      .    -         .       x
entry:edit     changes    public      -         -      x      x       -        .      .    -         .       x
entry:edit     published  public      .         .      x      x       .        .      .    .         .       x
entry:edit     published  members     -         .      x      x       .        .      .    .         .       x
entry:edit     published  group       -         -      x      x       -        .      .    .         .       x
entry:edit     archived   public      -         -      x      x       -        .      .    -         .       x
entry:submit   draft      public      -         -      x      x       -        .      .    -         -       x
entry:submit   published  public      .         .      x      x       .        .      .    .         .       x
entry:review   draft      public      -         -      .      .       -        .      .    -         -       x
entry:review   submitted  public      -         -      .      .       -        .      .    -         x       x
entry:review   changes    public      -         -      .      .       -        .      .    -         x       x
entry:review   published  public      .         .      .      .       .        .      .    .         x       x
entry:review   published  group       -         -      .      .       -        .      .    .         x       x
entry:review   archived   public      -         -      .      .       -        .      .    -         x       x
entry:publish  submitted  public      -         -      .      .       -        .      .    -         x       x
entry:publish  published  public      .         .      .      .       .        .      .    .         x       x
entry:archive  published  public      .         .      .      .       .        .      .    .         x       x
entry:archive  archived   public      -         -      .      .       -        .      .    -         x       x
entry:create   any        any         .         .      x      x       x        x      .    .         .       x
desk:open      any        any         .         .      .      .       .        .      .    .         x       x
catalog:administer any    any         .         .      .      .       .        .      .    .         .       x
"""

_HEAD, *_ROWS = [line.split() for line in MATRIX.strip().splitlines()]
CASES = [
    (Permission(permission), status, visibility, who, expected)
    for permission, status, visibility, *cells in _ROWS
    for who, expected in zip(_HEAD, cells, strict=True)
]


@pytest.mark.parametrize(("permission", "status", "visibility", "who", "expected"), CASES)
def test_the_matrix(permission: Permission, status: str, visibility: str, who: str, expected: str) -> None:
    full = {"changes": Status.CHANGES_REQUESTED}.get(status, status)
    entry = None if status == "any" else Entry(full, visibility)
    actor = ROLES[who]
    assert may(actor, permission, entry) is (expected == "x")
    if expected == "x":
        require(actor, permission, entry)
    else:
        with pytest.raises(NotFoundError if expected == "-" else ForbiddenError):
            require(actor, permission, entry)


def test_the_matrix_asks_every_permission_and_every_role() -> None:
    assert {case[0] for case in CASES} == set(Permission)
    assert set(_HEAD) == set(ROLES)
    assert {case[1] for case in CASES if case[0] is Permission.READ} == {
        "draft",
        "submitted",
        "changes",
        "published",
        "archived",
    }


def test_an_entry_without_organisation_or_author_is_nobodys() -> None:
    entry = Entry(Status.DRAFT, organisation_id=None, created_by_id=None, working_group_id=None)
    readers = {name for name, actor in ROLES.items() if may(actor, Permission.READ, entry)}
    assert readers == {"admin"}
    # A missing working group must not be a label that some other missing one shares.
    group = Entry(Status.PUBLISHED, Visibility.GROUP, working_group_id=None)
    assert "group:0" not in audiences_of(Actor(1, groups=frozenset()))
    assert not may(ROLES["colleague"], Permission.READ, group)


def test_the_read_rule_in_python_in_sql_and_in_the_index_agrees(runtime: Runtime) -> None:
    """Every status × visibility × role: the check, the filters of lists and of the search, and the second check."""
    runtime.index.rebuild([])
    with runtime.unit_of_work() as session:
        own, other = make_organisation(session), make_organisation(session)
        group = WorkingGroup(slug="ag", name="AG")
        session.add(group)
        author = make_user(session, own)
        session.flush()
        writer = Actor(author.id, organisations={own.id: MEMBER})
        cases = list(itertools.product(Status, Visibility))
        for number, (status, visibility) in enumerate(cases):
            solution = make_draft(
                session, writer, title=f"Zählerfall {number}", visibility=visibility, working_group="ag"
            )
            solution.status = status
            entries.stamp_audience(solution)
            outbox.enqueue(session, outbox.INDEX, solution.id)
        group_id = group.id
    roles = {
        "anonymous": ANONYMOUS,
        "reader": Actor(90, organisations={own.id: READER}),
        "member": Actor(91, organisations={own.id: MEMBER}),
        "manager": Actor(92, organisations={own.id: MANAGER}),
        "stranger": Actor(93, organisations={other.id: MEMBER}),
        "author": Actor(author.id, organisations={other.id: MEMBER}),
        "left": Actor(author.id),
        "colleague": Actor(94, groups=frozenset({group_id})),
        "curator": ROLES["curator"],
        "admin": ROLES["admin"],
    }
    assert set(roles) == set(ROLES)
    with runtime.unit_of_work.reading() as session:
        rows = list(session.scalars(select(Solution)))
        assert len(rows) == len(cases)
        for name, actor in roles.items():
            by_rule = {row.id for row in rows if may(actor, Permission.READ, row)}
            assert by_rule == {row.id for row in rows if audience(row) & audiences_of(actor)}, name
            assert by_rule == set(session.scalars(select(Solution.id).where(visible_to(actor)))), name
            assert by_rule == set(visible_among(session, actor, [row.id for row in rows])), name
            published = {row.id for row in rows if row.status is Status.PUBLISHED}
            answer = runtime.index.search(Query(text="Zählerfall", audiences=audiences_of(actor), limit=100))
            assert {int(hit.id) for hit in answer.hits} == by_rule & published, name
            assert answer.total == len(by_rule & published), name


def test_the_index_is_told_the_same_audience(session: Session) -> None:
    solution = make_draft(session, Actor(make_user(session).id, roles=frozenset({Role.ADMIN})))
    document = indexing.document_for(solution, indexing.topic_paths(session))
    assert document.audience == audience(solution)
