"""The home page: search first, then what there is, what is new and what is reused."""

from flask import Blueprint, render_template

from catalog.services import overview
from catalog.web.context import actor, reading

blueprint = Blueprint("home", __name__)


@blueprint.get("/")
def show() -> str:
    """The home page."""
    session, asking = reading(), actor()
    newest = overview.newest(session, asking)
    return render_template(
        "home/show.html",
        topics=overview.topics(session, asking),
        newest=newest,
        reused=overview.most_reused(session, asking, without=newest),
        figures=overview.figures(session, asking),
        examples=overview.examples(session, asking),
    )
