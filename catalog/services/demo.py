"""The demo catalog: real pilots as entries, their organisations, and accounts to look around with.

Loaded only on request and only into a catalog without entries; everything in it is marked as demo data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.actor import SYSTEM, OrganisationRole
from catalog.domain.actor import Role as RoleName
from catalog.models.user import User
from catalog.paths import DATA
from catalog.services import accounts, entries
from catalog.services.outbox import Sessions
from catalog.services.transfer.importing import import_rows
from catalog.services.transfer.lines import Line
from catalog.services.transfer.prepared import Report
from index import SearchIndex

# Known to everybody, and said so on the sign-in page: such accounts exist in demo catalogs only.
DEMO_PASSWORD: Final = "demo-katalog"  # noqa: S105 - public on purpose
_ORGANISATION: Final = "stadtwerke-luebeck"
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """An account of the demo catalog: its address, its person, and what it may do, in German words."""

    email: str
    name: str
    role: str
    catalog_role: RoleName | None = None
    organisation_role: OrganisationRole | None = None


ACCOUNTS: Final = (
    DemoAccount("reader@example.org", "Lea Lesend", "Lesen", organisation_role=OrganisationRole.READER),
    DemoAccount("member@example.org", "Mika Mitglied", "Einreichen", organisation_role=OrganisationRole.MEMBER),
    DemoAccount("curator@example.org", "Kim Redaktion", "Redaktion", catalog_role=RoleName.CURATOR),
    DemoAccount("admin@example.org", "Alex Verwaltung", "Verwaltung", catalog_role=RoleName.ADMIN),
)


def load(sessions: Sessions, index: SearchIndex, folder: Path = DATA / "demo") -> Report | None:
    """Load organisations, entries and accounts; gives the import's report, None where there are entries already."""
    with sessions() as session:
        if entries.count(session):
            return None
    report = import_rows(sessions, index, lambda: _lines(folder), publish=True, strict=True)
    if not report.failed:
        with sessions.begin() as session:
            _add_accounts(session)
    return report


def _lines(folder: Path) -> Iterator[Line]:
    for number, row in enumerate(_rows(folder), start=1):
        yield Line(number, 0, row)


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for row in _read(folder / "organisations.yaml"):
        yield {"type": "organisation", "demo": True} | row
    for file in sorted((folder / "entries").glob("*.yaml")):
        yield _read(file) | {"demo": True}


def _read(file: Path) -> Any:  # noqa: ANN401 - a list or an object, as the file has it
    return yaml.load(file.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 - both loaders are safe ones


def _add_accounts(session: Session) -> None:
    hashed = accounts.hash_password(DEMO_PASSWORD)
    for account in ACCOUNTS:
        if accounts.by_email(session, account.email) is None:
            accounts.add(
                session,
                SYSTEM,
                account.email,
                account.name,
                hashed,
                roles=[account.catalog_role] if account.catalog_role else [],
                organisations={_ORGANISATION: account.organisation_role} if account.organisation_role else None,
                is_demo=True,
            )


def present(session: Session) -> list[DemoAccount]:
    """The demo accounts that exist here and are open, for the sign-in page and the console."""
    found = set(session.scalars(select(User.email).where(User.is_demo, User.active)))
    return [account for account in ACCOUNTS if account.email in found]
