"""One line per request on stderr, as key=value or JSON; what a line may say, not where lines are kept.

A line never holds search words, addresses of readers or names: the path is logged without its query.
"""

import logging
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from structlog.typing import EventDict, Processor
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

HEADER = "X-Request-ID"
ENVIRON = "catalog.request_id"
_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
_QUIET = ("/static/", "/healthz", "/readyz")

log = structlog.stdlib.get_logger("catalog.request")


def configure(stream: TextIO | None = None, *, as_json: bool = False, level: int = logging.INFO) -> None:
    """Send all log records of this process to `stream` (stderr), each as one line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _key_value
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            last,
        ],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it tells of every look at the schema
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


_render = structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "logger", "event"], drop_missing=True)


def _key_value(logger: Any, name: str, event: EventDict) -> str:  # noqa: ANN401 - structlog's own signature
    """Render a line; a traceback follows it as it is, since one long quoted line helps nobody."""
    trace = event.pop("exception", "")
    line = _render(logger, name, event)
    return f"{line}\n{trace}" if trace else line


class RequestLog:
    """WSGI middleware: gives each request an id, answers with it, and writes the line when the answer is out."""

    def __init__(self, app: "WSGIApplication") -> None:
        """Wrap the application."""
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request."""
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
        environ[ENVIRON] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        started = time.perf_counter()
        answered: list[str] = []

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], object]:  # noqa: ANN401
            answered[:] = [status[:3]]
            return start_response(status, [*headers, (HEADER, request_id)], exc_info)

        def finished() -> None:
            path = environ.get("PATH_INFO", "")
            write = log.debug if path.startswith(_QUIET) else log.info
            write(
                "request",
                method=environ.get("REQUEST_METHOD", ""),
                path=path.encode("latin-1", "replace").decode("utf-8", "replace")[:200],
                status=int(answered[0]) if answered else 0,
                ms=round((time.perf_counter() - started) * 1000, 1),
            )

        return ClosingIterator(self._app(environ, start), finished)
