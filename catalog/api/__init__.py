"""The JSON interface below /api/v1: the pages' services, reading only; what answers look like is in `serializers`."""

from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import MethodNotAllowed

from catalog.api import errors, openapi, search, solutions
from catalog.domain.errors import NotFoundError

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def init_app(app: Flask) -> None:
    """Register the interface's addresses below /api/v1."""
    blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
    blueprint.add_url_rule("/search", view_func=search.search)
    blueprint.add_url_rule("/solutions/<string:identity>", view_func=solutions.solution)
    blueprint.add_url_rule("/openapi.json", view_func=openapi.description)
    blueprint.add_url_rule("/<path:unknown>", view_func=_nothing_here, methods=_METHODS)
    blueprint.add_url_rule("/", view_func=_nothing_here, methods=_METHODS)
    errors.init_blueprint(blueprint)
    app.register_blueprint(blueprint)
    # Nothing can be changed here, so there is nothing to protect; a POST then gets the right answer, 405.
    app.extensions["csrf"].exempt(blueprint)


def _nothing_here(unknown: str = "") -> Response:
    """Answer for every other address, so that even those get problem details and no page."""
    del unknown
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        raise MethodNotAllowed(["GET", "HEAD", "OPTIONS"])
    raise NotFoundError
