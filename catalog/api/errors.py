"""Errors of the interface as problem details (RFC 9457), one shape for all; texts and statuses are the pages'."""

import json
import logging
import secrets

from flask import Blueprint, Response
from flask_babel import gettext
from sqlalchemy.exc import DatabaseError
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests

from catalog.api.serializers import Problem
from catalog.domain.errors import DomainError
from catalog.domain.text import Message
from catalog.web.context import close_session
from catalog.web.errors import TEXTS, status_of, storage_status
from catalog.web.locale import say

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_SECONDS = "30"


def init_blueprint(blueprint: Blueprint) -> None:
    """Register the handlers for everything that goes wrong below the interface's addresses."""
    blueprint.register_error_handler(DomainError, _domain)
    blueprint.register_error_handler(HTTPException, _http)
    # The pages have handlers for these very codes, which would come before the one for all.
    blueprint.register_error_handler(TooManyRequests, _http)
    blueprint.register_error_handler(InternalServerError, _crash)
    blueprint.register_error_handler(DatabaseError, _database)


def problem(status: int, detail: Message | str = "", reference: str = "") -> Response:
    """The answer for a status. It does not name what was asked for: hidden and absent things answer alike."""
    close_session()
    heading, text = TEXTS.get(status, TEXTS[500 if status >= 500 else 400])  # noqa: PLR2004 - the classes of HTTP statuses
    body = Problem(title=gettext(heading), status=status, detail=say(detail or text), reference=reference or None)
    response = Response(
        json.dumps(body.model_dump(exclude_none=True), ensure_ascii=False), status=status, mimetype=MEDIA_TYPE
    )
    if status in {503, 507}:
        response.headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return response


def _domain(error: DomainError) -> Response:
    return problem(status_of(error), error.message)


def _http(error: HTTPException) -> Response:
    response = problem(error.code or 500)
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def _database(error: DatabaseError) -> Response:
    log.error("database: %s", error.orig)
    return problem(storage_status(error))


def _crash(error: InternalServerError) -> Response:
    reference = secrets.token_hex(4)
    log.error("reference %s in the interface", reference, exc_info=error.original_exception)
    return problem(500, reference=reference)
