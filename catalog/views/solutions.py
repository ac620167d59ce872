"""The page of an entry, at its permanent address."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from catalog.domain.permissions import Permission, may
from catalog.services import similar, solutions, submission
from catalog.web.context import actor, reading, runtime

blueprint = Blueprint("solutions", __name__)


@blueprint.get("/loesungen/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """The entry as readers see it; a former address leads on to the present one."""
    session, asking = reading(), actor()
    solution = solutions.by_slug(session, asking, slug)
    if solution.slug != slug:
        return redirect(url_for("solutions.show", slug=solution.slug), 301)
    writes = may(asking, Permission.EDIT, solution)
    return render_template(
        "solutions/show.html",
        solution=solution,
        chain=solutions.chain(asking, solution),
        reuses=solutions.known_reuses(solution),
        similar=similar.entries_like(session, runtime().index, asking, solution),
        pending=submission.open_revision(session, solution) if writes else None,
        writes=writes,
    )


@blueprint.get("/loesungen")
def overview() -> ResponseReturnValue:
    """The bare folder of entries is the search without words."""
    return redirect(url_for("search.page"), 301)
