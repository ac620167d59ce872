"""How Alembic reaches the database: always over a connection the program hands in, never over an ini file."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from flask_security import AsaList

from catalog.models import load_all
from catalog.models.base import Base, UtcDateTime

load_all()


def _render(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:  # noqa: ANN401 - Alembic's own signature
    """Write our column types as plain ones: a migration must not change when a model's class does."""
    if kind == "type" and isinstance(item, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, AsaList):
        return "sa.UnicodeText()"
    return False


def _run() -> None:
    connection = context.config.attributes["connection"]
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=True,
        compare_type=True,
        compare_server_default=False,
        render_item=_render,
    )
    context.run_migrations()


_run()
