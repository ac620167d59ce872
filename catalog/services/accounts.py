"""Accounts: making them, their passwords and roles, and where people are signed in; no cookies, forms or mails."""

import hashlib
import secrets
import threading
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from email_validator import EmailNotValidError, validate_email
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import Text, cast, delete, literal, select, union_all
from sqlalchemy.orm import Session, joinedload, selectinload

from catalog.domain.actor import Actor, OrganisationRole
from catalog.domain.actor import Role as RoleName
from catalog.domain.errors import ConflictError, InvalidError, NotFoundError
from catalog.domain.permissions import Permission, require
from catalog.domain.text import N_, Message, squeeze
from catalog.models.base import utcnow
from catalog.models.group import GroupMembership
from catalog.models.organisation import Organisation
from catalog.models.user import OrganisationMembership, Role, SignIn, User
from catalog.services import audit, outbox

SHORTEST_PASSWORD: Final = 8
LONGEST_PASSWORD: Final = 128
LONGEST_NAME: Final = 200
# A sign-in ends after eight idle hours, which the cookie sees to, and after this long in any case.
SIGN_IN_LIFE: Final = timedelta(days=7)
RESET_LIFE: Final = timedelta(hours=1)
RESET_SALT: Final = "password-reset"
LANGUAGES: Final = ("de", "en")

_HASHES_AT_ONCE: Final = 2
_GENERATED_BYTES: Final = 12
# Words an attacker tries first against this very catalog; a password that is little more than one of them is refused.
_OUR_WORDS: Final = (
    "loesungskatalog",
    "katalog",
    "stadtwerke",
    "passwort",
    "password",
    "kennwort",
    "willkommen",
    "qwertz",
    "qwerty",
)
_ROWS: Final = "abcdefghijklmnopqrstuvwxyz 01234567890 qwertzuiopasdfghjklyxcvbnm qwertyuiopasdfghjklzxcvbnm"
_FEW_LETTERS: Final = 4
_SHORTEST_WORD: Final = 3


class Passwords:
    """Argon2id hashes; each costs 64 MiB, so no more than two are computed at once in a process.

    Has the methods of a passlib context that Flask-Security calls.
    """

    def __init__(self, at_once: int = _HASHES_AT_ONCE) -> None:
        """Use the parameters RFC 9106 recommends where memory is scarce: 64 MiB, three passes."""
        self._hasher = PasswordHasher()
        self._turn = threading.BoundedSemaphore(at_once)

    def hash(self, password: str | bytes) -> str:
        """The hash to store for a password."""
        with self._turn:
            return self._hasher.hash(password)

    def verify(self, password: str | bytes, stored: str | None) -> bool:
        """Whether the password belongs to the stored hash; an account without one has no password."""
        with self._turn:
            try:
                return self._hasher.verify(stored or "", password)
            except (VerificationError, InvalidHashError):
                return False

    def needs_update(self, stored: str) -> bool:
        """Whether the hash was made with weaker parameters than today's."""
        return self._hasher.check_needs_rehash(stored)

    @staticmethod
    def identify(stored: str) -> str | None:
        """The scheme of a hash; there is but one."""
        return "argon2" if stored.startswith("$argon2") else None


PASSWORDS: Final = Passwords()


def normal_password(password: str) -> str:
    """The form that is hashed: the same characters typed on another keyboard give the same password."""
    return unicodedata.normalize("NFKD", password)


def hash_password(password: str) -> str:
    """What is stored for a password."""
    return PASSWORDS.hash(normal_password(password))


def check_password(password: str, about: Iterable[str] = ()) -> Message | None:
    """What is wrong with a new password, None when nothing is: its length, and whether it is guessed at first try.

    `about` are words that belong to the person: name and address. There are no rules of composition.
    """
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        return Message(
            N_("Das Passwort muss %(least)d bis %(most)d Zeichen lang sein."),
            {"least": SHORTEST_PASSWORD, "most": LONGEST_PASSWORD},
        )
    plain = password.casefold()
    words = {part for text in about for part in text.casefold().replace("@", " ").replace(".", " ").split()}
    rest = plain
    for word in sorted(
        {word for word in words if len(word) >= _SHORTEST_WORD} | set(_OUR_WORDS), key=len, reverse=True
    ):
        rest = rest.replace(word, "")
    rest = rest.strip("0123456789!?.,-_#@ ")
    too_simple = len(rest) < _FEW_LETTERS and rest != plain
    if too_simple or len(set(plain)) < _FEW_LETTERS or plain in _ROWS or plain in _ROWS[::-1]:
        return Message(
            N_("Dieses Passwort ist zu leicht zu erraten. Nehmen Sie zum Beispiel drei oder vier zufällige Wörter.")
        )
    return None


def generate_password() -> str:
    """A random password to be shown once and changed soon."""
    return secrets.token_urlsafe(_GENERATED_BYTES)


def normal_email(text: str) -> str:
    """The address as accounts keep it, in lower case; raises InvalidError for one that is none. Asks no name server."""
    try:
        return validate_email(text.strip(), check_deliverability=False, allow_smtputf8=False).normalized.lower()
    except EmailNotValidError:
        raise InvalidError(
            {"email": Message(N_("Bitte geben Sie eine E-Mail-Adresse an, zum Beispiel name@stadtwerke.de."))}
        ) from None


def by_email(session: Session, email: str) -> User | None:
    """The account with this address, whatever case it is written in; accounts keep theirs in lower case."""
    return session.scalar(select(User).where(User.email == email.strip().lower()).options(joinedload(User.roles)))


def get(session: Session, email: str) -> User:
    """The account with this address; raises NotFoundError where there is none."""
    found = by_email(session, email)
    if found is None:
        raise NotFoundError(Message(N_("Es gibt kein Konto mit der Adresse %(email)s."), {"email": email}))
    return found


def free_email(session: Session, text: str) -> str:
    """The address as accounts keep it; raises InvalidError for one that is none, ConflictError for one in use."""
    email = normal_email(text)
    if by_email(session, email) is not None:
        raise ConflictError(Message(N_("Es gibt schon ein Konto mit der Adresse %(email)s."), {"email": email}))
    return email


def of_actor(session: Session, actor: Actor) -> User:
    """The account of the person who asks, with roles and organisations; raises NotFoundError for nobody."""
    found = session.scalar(
        select(User).where(User.id == actor.user_id).options(joinedload(User.roles), selectinload(User.memberships))
    )
    if found is None:
        raise NotFoundError
    return found


def demo_accounts(session: Session) -> list[User]:
    """The open accounts that came with the demo catalog, in the order they were made."""
    return list(session.scalars(select(User).where(User.is_demo, User.active).order_by(User.id)))


def accounts(session: Session) -> list[User]:
    """All accounts by address, with roles and organisations."""
    return list(
        session.scalars(
            select(User).options(joinedload(User.roles), selectinload(User.memberships)).order_by(User.email)
        ).unique()
    )


def role(session: Session, name: RoleName) -> Role:
    """The row of a catalog-wide role, made when it is first given to someone."""
    found = session.scalar(select(Role).where(Role.name == name.value))
    if found is None:
        found = Role(name=name.value)
        session.add(found)
    return found


def add(  # noqa: PLR0913 - an account is that much
    session: Session,
    actor: Actor,
    email: str,
    name: str,
    password_hash: str | None,
    *,
    roles: Iterable[RoleName] = (),
    organisations: Mapping[str, OrganisationRole] | None = None,
    language: str = "de",
    is_demo: bool = False,
) -> User:
    """Make an account; `organisations` maps slugs to roles. Without a hash only a reset link opens it.

    Raises InvalidError for a bad address or name, ConflictError when the address has an account, NotFoundError for an
    unknown organisation.
    """
    require(actor, Permission.ADMINISTER)
    email = free_email(session, email)
    user = User(
        email=email,
        name=_normal_name(name),
        password=password_hash,
        fs_uniquifier=secrets.token_hex(16),
        language=language,
        is_demo=is_demo,
        confirmed_at=utcnow(),
    )
    session.add(user)
    session.flush()
    user.roles = [role(session, given) for given in dict.fromkeys(roles)]
    for slug, given in (organisations or {}).items():
        set_organisation(session, actor, user, slug, given)
    audit.record(session, actor, "account.add", "user", user.id, details={"roles": sorted(r.value for r in roles)})
    return user


def _normal_name(name: str) -> str:
    name = squeeze("".join(char if char.isprintable() else " " for char in name))
    if not name or len(name) > LONGEST_NAME:
        raise InvalidError(
            {
                "name": Message(
                    N_("Bitte geben Sie einen Namen mit höchstens %(most)d Zeichen an."), {"most": LONGEST_NAME}
                )
            }
        )
    return name


def set_organisation(session: Session, actor: Actor, user: User, slug: str, given: OrganisationRole | None) -> None:
    """Give the person a role in an organisation, or take it with None; raises NotFoundError for an unknown slug."""
    require(actor, Permission.ADMINISTER)
    organisation = session.scalar(select(Organisation).where(Organisation.slug == slug))
    if organisation is None:
        raise NotFoundError(Message(N_("Es gibt keine Organisation %(slug)s."), {"slug": slug}))
    existing = session.get(OrganisationMembership, (user.id, organisation.id))
    if existing is not None and given is None:
        session.delete(existing)
    elif existing is not None and given is not None:
        existing.role = given
    elif given is not None:
        session.add(OrganisationMembership(user_id=user.id, organisation_id=organisation.id, role=given))
    session.flush()
    session.expire(user, ["memberships"])
    audit.record(session, actor, "account.organisation", "user", user.id, details={"organisation": slug, "role": given})


def set_roles(session: Session, actor: Actor, user: User, roles: Iterable[RoleName]) -> None:
    """Give the person exactly these catalog-wide roles; sign-ins end, so that new roles begin with a new one."""
    require(actor, Permission.ADMINISTER)
    wanted = sorted(set(roles))
    user.roles = [role(session, name) for name in wanted]
    end_sign_ins(session, user.id)
    audit.record(session, actor, "account.roles", "user", user.id, details={"roles": [name.value for name in wanted]})


def set_password(session: Session, actor: Actor, user: User, password_hash: str) -> None:
    """Store a new password hash; every sign-in and reset link ends, and the person is told by mail."""
    user.password = password_hash
    user.fs_uniquifier = secrets.token_hex(16)
    end_sign_ins(session, user.id)
    audit.record(session, actor, "account.password", "user", user.id)
    outbox.enqueue(session, outbox.EMAIL, user.id, {"template": "password_changed"})


def set_active(session: Session, actor: Actor, user: User, *, active: bool) -> None:
    """Open or close an account; closing ends every sign-in and reset link at once, what the person wrote stays."""
    require(actor, Permission.ADMINISTER)
    user.active = active
    if not active:
        user.fs_uniquifier = secrets.token_hex(16)
        end_sign_ins(session, user.id)
    audit.record(session, actor, "account.enable" if active else "account.disable", "user", user.id)


def set_details(session: Session, actor: Actor, *, name: str, language: str) -> None:
    """Change what persons may of their own account; raises InvalidError for bad values, NotFoundError for nobody."""
    user = session.get(User, actor.user_id) if actor.user_id is not None else None
    if user is None:
        raise NotFoundError
    if language not in LANGUAGES:
        raise InvalidError({"language": Message(N_("Bitte wählen Sie eine der Sprachen."))})
    user.name = _normal_name(name)
    user.language = language
    audit.record(session, actor, "account.details", "user", user.id)


# --- who is signed in where ---


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person in a browser: the row for the login library, and the plain actor for everything else."""

    user: User
    actor: Actor


def _fingerprint(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def start_sign_in(session: Session, user_id: int, device: str = "") -> str:
    """Note that the person signed in with a browser; gives the token its cookie has to carry."""
    token = secrets.token_urlsafe(32)
    session.add(SignIn(fingerprint=_fingerprint(token), user_id=user_id, device=device))
    return token


def end_sign_in(session: Session, token: str) -> None:
    """Sign one browser out; whatever copies of its cookie exist are worth nothing from now on."""
    session.execute(delete(SignIn).where(SignIn.fingerprint == _fingerprint(token)))


def end_sign_ins(session: Session, user_id: int, *, but: str = "") -> None:
    """Sign a person out everywhere, except in the browser that carries the token `but`."""
    session.execute(delete(SignIn).where(SignIn.user_id == user_id, SignIn.fingerprint != _fingerprint(but)))


def end_other_sign_ins(session: Session, actor: Actor, token: str) -> None:
    """Sign the person out in every browser but the one that asks."""
    if actor.user_id is not None:
        end_sign_ins(session, actor.user_id, but=token)
        audit.record(session, actor, "account.sign_out_elsewhere", "user", actor.user_id)


def sign_ins(session: Session, actor: Actor, token: str) -> list[tuple[SignIn, bool]]:
    """Where the person is signed in, newest first, each with whether it is the browser that asks."""
    rows = session.scalars(
        select(SignIn)
        .where(SignIn.user_id == actor.user_id, SignIn.started_at > utcnow() - SIGN_IN_LIFE)
        .order_by(SignIn.started_at.desc(), SignIn.fingerprint)
    )
    return [(row, row.fingerprint == _fingerprint(token)) for row in rows]


def forget_old_sign_ins(session: Session, now: datetime | None = None) -> None:
    """Remove the rows of sign-ins that have run out."""
    session.execute(delete(SignIn).where(SignIn.started_at <= (now or utcnow()) - SIGN_IN_LIFE))


def signed_in(session: Session, token: str, uniquifier: str) -> SignedIn | None:
    """Who a cookie stands for, in two queries; None when sign-in or account ended or the password changed."""
    user = session.scalar(
        select(User)
        .join(SignIn, SignIn.user_id == User.id)
        .where(
            SignIn.fingerprint == _fingerprint(token),
            SignIn.started_at > utcnow() - SIGN_IN_LIFE,
            User.fs_uniquifier == uniquifier,
            User.active.is_(True),
        )
        .options(joinedload(User.roles))
    )
    return SignedIn(user, actor_of(session, user)) if user is not None else None


def actor_of(session: Session, user: User) -> Actor:
    """The actor a person is: roles, organisations and working groups; one query when the roles are loaded."""
    places = session.execute(
        union_all(
            select(
                literal("organisation"), OrganisationMembership.organisation_id, cast(OrganisationMembership.role, Text)
            ).where(OrganisationMembership.user_id == user.id),
            select(literal("group"), GroupMembership.group_id, cast(GroupMembership.role, Text)).where(
                GroupMembership.user_id == user.id
            ),
        )
    ).all()
    return Actor(
        user_id=user.id,
        name=user.name or user.email,
        roles=frozenset(RoleName(row.name) for row in user.roles),
        organisations={number: OrganisationRole(given) for kind, number, given in places if kind == "organisation"},
        groups=frozenset(number for kind, number, _ in places if kind == "group"),
    )


# --- resetting a password ---


def request_reset(session: Session, user_id: int | None) -> None:
    """Have a mail with a reset link sent; with None, for an address without account, the same work is done for nobody.

    The message is written either way, so that neither time nor traffic tells whether an address has an account.
    """
    outbox.enqueue(session, outbox.EMAIL, user_id, {"template": "password_reset"})


def reset_token(secret_key: str, user: User) -> str:
    """What the address of a reset link ends in: good for an hour, and only until the password changes.

    Made when the mail is, so that no link lies in the database. The form is the one Flask-Security reads.
    """
    return str(URLSafeTimedSerializer([secret_key], salt=RESET_SALT).dumps([user.fs_uniquifier, None]))
