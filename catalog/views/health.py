"""Whether the process lives (/healthz) and whether it can do its work (/readyz); for machines, not for people."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from catalog.web.context import reading, runtime

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers; says nothing of database or index."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Whether database and index answer: 200 with both "ok", else 503 naming what does not."""
    checks = {"database": "ok", "index": "ok"}
    try:
        reading().execute(text("SELECT 1"))
    except SQLAlchemyError:
        checks["database"] = "not available"
    status = runtime().index.status()
    if status.needs_rebuild:
        checks["index"] = "being rebuilt"
    ready = set(checks.values()) == {"ok"}
    return jsonify(status="ok" if ready else "not ready", **checks), 200 if ready else 503
