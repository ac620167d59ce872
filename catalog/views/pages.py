"""Pages that say the same to everybody: legal notices, accessibility, help, and what browsers and robots ask for."""

from flask import Blueprint, Response, redirect, render_template, url_for
from werkzeug.wrappers import Response as BaseResponse

from catalog.domain.vocabulary import DeploymentStatus
from catalog.web.context import runtime

blueprint = Blueprint("pages", __name__)

# What is worth a robot's visit is linked from the sitemap of pages; the rest is private or endless.
_CLOSED_TO_ROBOTS = ("/suche?", "/einreichen", "/meine-beitraege", "/redaktion", "/konto", "/anmelden", "/api/")


@blueprint.get("/impressum")
def imprint() -> str:
    """Who runs the catalog."""
    return _page("imprint")


@blueprint.get("/datenschutz")
def privacy() -> str:
    """What is stored about people, why and how long."""
    return _page("privacy")


@blueprint.get("/barrierefreiheit")
def accessibility() -> str:
    """The accessibility statement with the way to report barriers."""
    return _page("accessibility")


@blueprint.get("/hilfe")
def guide() -> str:
    """How to search, read and submit."""
    return _page("help")


@blueprint.get("/robots.txt")
def robots() -> Response:
    """What robots should leave alone."""
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in _CLOSED_TO_ROBOTS)]
    return Response("\n".join(lines) + "\n", mimetype="text/plain")


@blueprint.get("/favicon.svg")
@blueprint.get("/favicon.ico")
def favicon() -> BaseResponse:
    """The place where browsers look for an icon without having read a page."""
    return redirect(url_for("static", filename="img/favicon.svg"))


def _page(name: str) -> str:
    settings = runtime().settings
    operator = {
        "name": settings.operator_name,
        "address": [line.strip() for line in settings.operator_address.split(",") if line.strip()],
        "represented_by": settings.operator_represented_by,
        "email": settings.operator_email,
        "phone": settings.operator_phone,
        "data_protection": settings.data_protection_contact,
        "enforcement_body": settings.enforcement_body,
    }
    return render_template(f"pages/{name}.html", operator=operator, DeploymentStatus=DeploymentStatus)
