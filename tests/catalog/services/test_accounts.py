"""Accounts and passwords on both databases."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.actor import ANONYMOUS, SYSTEM, Actor, OrganisationRole, Role
from catalog.domain.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from catalog.models.audit import AuditEvent
from catalog.models.group import GroupMembership, WorkingGroup
from catalog.models.user import SignIn, User
from catalog.services import accounts
from tests import factories


def test_an_account_has_roles_and_organisations(session: Session) -> None:
    organisation = factories.make_organisation(session)
    user = accounts.add(
        session, SYSTEM, "  Ada.Lovelace@Example.ORG ", " Ada \n Lovelace ", "hash",
        roles=[Role.CURATOR, Role.CURATOR], organisations={organisation.slug: OrganisationRole.MANAGER},
    )  # fmt: skip
    group = WorkingGroup(slug="lora", name="LoRaWAN")
    session.add(group)
    session.flush()
    session.add(GroupMembership(group_id=group.id, user_id=user.id))
    session.flush()
    assert (user.email, user.name) == ("ada.lovelace@example.org", "Ada Lovelace")
    assert accounts.actor_of(session, user) == Actor(
        user_id=user.id, name="Ada Lovelace", roles=frozenset({Role.CURATOR}),
        organisations={organisation.id: OrganisationRole.MANAGER}, groups=frozenset({group.id}),
    )  # fmt: skip
    actions = session.scalars(select(AuditEvent.action).where(AuditEvent.subject_type == "user")).all()
    assert set(actions) == {"account.add", "account.organisation"}


def test_an_address_has_one_account(session: Session) -> None:
    accounts.add(session, SYSTEM, "ada@example.org", "Ada", None)
    with pytest.raises(ConflictError):
        accounts.add(session, SYSTEM, "ADA@example.org", "Ada", None)


@pytest.mark.parametrize(
    "email",
    ["", "x", "a@b", "a b@example.org", "a@example.org\nBcc: b@example.org", "a\x00@example.org", "@", "ä@example.org"],
)
def test_what_is_no_address_is_refused(session: Session, email: str) -> None:
    with pytest.raises(InvalidError):
        accounts.add(session, SYSTEM, email, "Ada", None)


def test_only_administrators_change_accounts(session: Session) -> None:
    user = factories.make_user(session)
    curator = Actor(user_id=user.id, name="x", roles=frozenset({Role.CURATOR}))
    for actor in (ANONYMOUS, curator):
        with pytest.raises(ForbiddenError):
            accounts.add(session, actor, "neu@example.org", "Neu", None)
        with pytest.raises(ForbiddenError):
            accounts.set_roles(session, actor, user, [Role.ADMIN])
        with pytest.raises(ForbiddenError):
            accounts.set_active(session, actor, user, active=False)
        with pytest.raises(ForbiddenError):
            accounts.set_organisation(session, actor, user, "x", OrganisationRole.MANAGER)


def test_organisations_are_changed_and_left(session: Session) -> None:
    organisation = factories.make_organisation(session)
    user = factories.make_user(session, organisation)
    accounts.set_organisation(session, SYSTEM, user, organisation.slug, OrganisationRole.READER)
    assert [row.role for row in user.memberships] == [OrganisationRole.READER]
    accounts.set_organisation(session, SYSTEM, user, organisation.slug, None)
    assert user.memberships == []
    with pytest.raises(NotFoundError):
        accounts.set_organisation(session, SYSTEM, user, "gibt-es-nicht", OrganisationRole.READER)
    with pytest.raises(NotFoundError):
        accounts.get(session, "gibt-es-nicht@example.org")


def test_a_sign_in_belongs_to_one_token_and_one_identity(session: Session) -> None:
    user, other = factories.make_user(session), factories.make_user(session)
    token = accounts.start_sign_in(session, user.id)
    foreign = accounts.start_sign_in(session, other.id)
    session.flush()
    found = accounts.signed_in(session, token, user.fs_uniquifier)
    assert found is not None
    assert found.actor.user_id == user.id
    assert accounts.signed_in(session, token, other.fs_uniquifier) is None
    assert accounts.signed_in(session, "", user.fs_uniquifier) is None
    accounts.end_sign_ins(session, user.id)
    assert accounts.signed_in(session, token, user.fs_uniquifier) is None
    assert accounts.signed_in(session, foreign, other.fs_uniquifier) is not None


def test_old_sign_ins_are_forgotten(session: Session) -> None:
    user = factories.make_user(session)
    accounts.start_sign_in(session, user.id)
    session.flush()
    session.scalars(select(SignIn)).one().started_at -= accounts.SIGN_IN_LIFE
    session.flush()
    accounts.start_sign_in(session, user.id)
    session.flush()
    accounts.forget_old_sign_ins(session)
    assert len(session.scalars(select(SignIn)).all()) == 1


@pytest.mark.parametrize(
    "password",
    ["drei rote Boote", "x7#kQ9!p", "Aa345678x_Lampe", "🦊🦝🐻🐼🐨🐯🦁🐮", "ünïcödé wörter", "k" * 30 + "lampe"],
)
def test_good_passwords_are_taken_whatever_they_are_made_of(password: str) -> None:
    assert accounts.check_password(password, ("Ada Lovelace", "ada@example.org")) is None
    hashed = accounts.hash_password(password)
    assert hashed.startswith("$argon2id$v=19$m=65536,")
    assert accounts.PASSWORDS.verify(accounts.normal_password(password), hashed)
    assert not accounts.PASSWORDS.verify(accounts.normal_password(password + "x"), hashed)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "kurz",
        "x" * 129,
        "aaaaaaaaaaaa",
        "12345678",
        "qwertzui",
        "Passwort2026!",
        "katalog-2026",
        "Lovelace1815",
        "adalovelace",
        "abcdefgh",
        "hgfedcba",
    ],
)
def test_what_is_guessed_first_is_refused(password: str) -> None:
    assert accounts.check_password(password, ("Ada Lovelace", "ada@example.org")) is not None


def test_nothing_stored_and_nonsense_stored_open_nothing() -> None:
    for stored in (None, "", "x", "$argon2id$", "plaintext"):
        assert not accounts.PASSWORDS.verify("", stored)
        assert not accounts.PASSWORDS.verify("x", stored)


def test_no_more_than_two_hashes_are_computed_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading
    from multiprocessing.pool import ThreadPool

    passwords, running, most = accounts.Passwords(at_once=2), 0, 0
    guard = threading.Lock()
    pause = threading.Event()

    def slow(_password: str) -> str:
        nonlocal running, most
        with guard:
            running += 1
            most = max(most, running)
        pause.wait(0.02)
        with guard:
            running -= 1
        return "x"

    monkeypatch.setattr(passwords, "_hasher", type("Slow", (), {"hash": staticmethod(slow)})())
    with ThreadPool(8) as pool:
        pool.map(passwords.hash, ["x"] * 24)
    assert most == 2


def test_generated_passwords_differ_and_pass() -> None:
    made = {accounts.generate_password() for _ in range(50)}
    assert len(made) == 50
    assert all(accounts.check_password(password) is None for password in made)


def test_closing_an_account_ends_its_identity(session: Session) -> None:
    user = factories.make_user(session)
    before = user.fs_uniquifier
    accounts.set_active(session, SYSTEM, user, active=False)
    assert (user.active, user.fs_uniquifier != before) == (False, True)
    accounts.set_active(session, SYSTEM, user, active=True)
    assert session.get_one(User, user.id).active
