"""The list of organisations and the page of each."""

from contextlib import suppress

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from catalog.domain.vocabulary import OrganisationKind
from catalog.models.place import State
from catalog.services import organisations
from catalog.views.search import present
from catalog.web.context import actor, reading, runtime

blueprint = Blueprint("organisations", __name__)


@blueprint.get("/organisationen")
def overview() -> ResponseReturnValue:
    """All organisations, filtered by kind and federal state from the address; unknown values filter nothing."""
    session = reading()
    kind = None
    with suppress(ValueError):
        kind = OrganisationKind(request.args.get("art", ""))
    states = session.scalars(select(State).order_by(State.name)).all()
    state = request.args.get("land", "")
    if state not in {row.code for row in states}:
        state = ""
    rows = organisations.listed(session, runtime().index, actor(), kind=kind, state=state)
    return render_template(
        "organisations/overview.html", rows=rows, states=states, kinds=list(OrganisationKind), kind=kind, state=state
    )


@blueprint.get("/organisationen/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """An organisation with its sites and reuses, and the search with the organisation as a preset filter."""
    profile = organisations.profile(reading(), actor(), slug)
    found = present(url_for("organisations.show", slug=slug), {"organisation": (slug,)})
    return render_template("organisations/show.html", profile=profile, **found)
