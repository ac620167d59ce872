"""What a request works with: the process's runtime, a reading session, the writing unit of work, and who is asking."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from flask import current_app, g
from sqlalchemy.orm import Session

from catalog.domain.actor import ANONYMOUS, Actor
from catalog.runtime import Runtime

EXTENSION = "catalog"


def runtime() -> Runtime:
    """The resources the process opened at start."""
    return cast("Runtime", current_app.extensions[EXTENSION])


def reading() -> Session:
    """The request's session for reading; opened when first asked for, closed with the request, never committed."""
    if "reading_session" not in g:
        g.reading_session = runtime().unit_of_work.reading()
    return cast("Session", g.reading_session)


@contextmanager
def writing() -> Iterator[Session]:
    """A session that commits at the end of the block; the reading one is closed, so that pages show the new state."""
    close_session()
    with runtime().unit_of_work() as session:
        yield session


def close_session(_error: BaseException | None = None) -> None:
    """End the reading session, if there is one."""
    session = g.pop("reading_session", None)
    if session is not None:
        session.close()


def actor() -> Actor:
    """Who is asking; `web/login` sets it at the beginning of each request."""
    return cast("Actor", g.get("actor", ANONYMOUS))
