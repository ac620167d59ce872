"""Errors to pages, once: each says what happened and what to do, keeps the layout, and tells nothing of the inside."""

import logging
import secrets

from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DatabaseError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from catalog.domain.errors import ConflictError, DomainError, ForbiddenError, InvalidError, NotFoundError
from catalog.domain.text import N_, Message
from catalog.web.context import close_session
from index import IndexUnavailable

log = logging.getLogger(__name__)

STATUS_OF = {NotFoundError: 404, ForbiddenError: 403, ConflictError: 409, InvalidError: 422}
_RETRY_AFTER_SECONDS = "30"

TEXTS: dict[int, tuple[str, str]] = {
    400: (N_("Diese Anfrage ist nicht verständlich"), N_("Bitte gehen Sie zurück und versuchen Sie es noch einmal.")),
    403: (N_("Kein Zugang"), N_("Dafür fehlt Ihnen die Berechtigung.")),
    404: (N_("Seite nicht gefunden"), N_("Diese Seite gibt es nicht oder nicht mehr.")),
    405: (N_("So geht es nicht"), N_("Diese Adresse nimmt solche Anfragen nicht an.")),
    409: (N_("Inzwischen geändert"), N_("Bitte laden Sie die Seite neu.")),
    413: (N_("Zu groß"), N_("Das Gesendete ist größer als erlaubt. Bitte kürzen oder teilen Sie es.")),
    415: (N_("So geht es nicht"), N_("Diese Adresse nimmt Daten in dieser Form nicht an.")),
    422: (N_("Bitte prüfen"), N_("Bitte prüfen Sie Ihre Angaben.")),
    429: (N_("Zu viele Versuche"), N_("Bitte warten Sie einige Minuten und versuchen Sie es dann noch einmal.")),
    500: (
        N_("Da ist etwas schiefgegangen"),
        N_("Der Fehler liegt bei uns. Bitte versuchen Sie es noch einmal und nennen Sie uns sonst die Vorgangsnummer."),
    ),
    503: (
        N_("Gerade nicht erreichbar"),
        N_("Der Katalog ist gerade überlastet oder wird gewartet. Bitte versuchen Sie es in einer Minute noch einmal."),
    ),
    507: (
        N_("Kein Speicherplatz"),
        N_("Auf dem Server ist kein Platz mehr; gespeichert wurde nichts. Bitte sagen Sie den Betreibenden Bescheid."),
    ),
}


def init_app(app: Flask) -> None:
    """Register the handlers; those of the JSON interface live in `api/errors` and take its addresses."""
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DatabaseError, _database)
    app.register_error_handler(IndexUnavailable, _index)
    app.register_error_handler(InternalServerError, _crash)


def status_of(error: DomainError) -> int:
    """The HTTP status a domain error answers with."""
    return next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), 400)


def storage_status(error: DatabaseError) -> int:
    """507 for a full disk, 503 for a database that is away, locked, read-only or damaged, 500 for a fault of ours."""
    text = str(error.orig).lower()
    if isinstance(error, OperationalError) or "not a database" in text or "malformed" in text:
        return 507 if "full" in text else 503
    return 500


def page(status: int, message: Message | str | None = None, reference: str = "") -> ResponseReturnValue:
    """The page for a status, with a text of its own where there is one to say."""
    close_session()  # the session may be the very thing that broke
    heading, text = TEXTS.get(status, TEXTS[500 if status >= 500 else 400])  # noqa: PLR2004 - the classes of HTTP statuses
    body = render_template(
        "errors/error.html", status=status, heading=heading, text=message or text, reference=reference
    )
    headers = {"Retry-After": _RETRY_AFTER_SECONDS} if status in {503, 507} else {}
    return body, status, headers


def _domain(error: DomainError) -> ResponseReturnValue:
    return page(status_of(error), error.message)


def _http(error: HTTPException) -> ResponseReturnValue:
    status = error.code or 500
    if status < 400:  # noqa: PLR2004 - redirects are raised too and are no errors
        return error.get_response()
    answer = page(status)
    if status == 429 and error.response is None and isinstance(answer, tuple):  # noqa: PLR2004
        return answer[0], status, {"Retry-After": "60"}
    return answer


def _database(error: DatabaseError) -> ResponseReturnValue:
    status = storage_status(error)
    reference = secrets.token_hex(4)
    log.error("reference %s, database: %s", reference, error.orig, exc_info=error if status == 500 else None)  # noqa: PLR2004
    return page(status, None, reference if status == 500 else "")  # noqa: PLR2004


def _index(error: IndexUnavailable) -> ResponseReturnValue:
    log.error("search index: %s", error)
    return page(503, N_("Die Suche wird gerade neu aufgebaut. Bitte versuchen Sie es in einer Minute noch einmal."))


def _crash(error: InternalServerError) -> ResponseReturnValue:
    reference = secrets.token_hex(4)
    log.error("reference %s at %s %s", reference, request.method, request.path, exc_info=error.original_exception)
    return page(500, None, reference)
