"""Free addresses for many new entries at once; a single entry gets its own from `entries.free_slug`."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from catalog.domain.text import slug
from catalog.models.solution import FormerSlug, Solution
from catalog.services.transfer.rows import Record

_CHUNK: Final = 500  # values in one IN list


class Addresses:
    """Free addresses for a batch of new entries, asked of the database in one go."""

    def __init__(self, session: Session, titles: list[str], records: list[Record]) -> None:
        """Ask for everything the batch may want."""
        self._session = session
        self._taken: set[str] = set()
        self._asked: set[str] = set()
        self._ask(
            {slug(title, "loesung") for title in titles}
            | {address for record in records for address in (record.slug, *record.former_slugs) if address}
        )

    def _ask(self, addresses: set[str]) -> None:
        for chunk in _chunks(sorted(addresses - self._asked)):
            self._taken |= set(self._session.scalars(select(Solution.slug).where(Solution.slug.in_(chunk))))
            self._taken |= set(self._session.scalars(select(FormerSlug.slug).where(FormerSlug.slug.in_(chunk))))
        self._asked |= addresses

    def take(self, title: str, wished: str) -> str:
        """The wished address where it is free, else one made from the title."""
        wanted = slug(title, "loesung")
        for candidate in (wished, wanted):
            if candidate and candidate not in self._taken:
                self._taken.add(candidate)
                return candidate
        step = 50
        for start in count(2, step):
            candidates = [f"{wanted}-{number}" for number in range(start, start + step)]
            self._ask(set(candidates))
            free = next((candidate for candidate in candidates if candidate not in self._taken), None)
            if free is not None:
                self._taken.add(free)
                return free
        raise AssertionError  # the numbers never end

    def former(self, addresses: list[str]) -> list[str]:
        """Those of the former addresses that nobody has; they belong to the caller from now on."""
        free = [address for address in dict.fromkeys(addresses) if address not in self._taken]
        self._taken.update(free)
        return free


def _chunks(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
