"""The topic tree and the page of each topic."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from catalog.services import taxonomy
from catalog.views.search import present
from catalog.web.context import actor, reading, runtime

blueprint = Blueprint("topics", __name__)


@blueprint.get("/themen")
def overview() -> ResponseReturnValue:
    """All topics with the number of entries in each."""
    return render_template("topics/overview.html", tree=taxonomy.tree(reading(), runtime().index, actor()))


@blueprint.get("/themen/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """A topic, what lies below it, and its entries: the search with the topic as a preset filter."""
    way = taxonomy.find(taxonomy.tree(reading(), runtime().index, actor()), slug)
    found = present(url_for("topics.show", slug=slug), {"topic": (slug,)})
    return render_template("topics/show.html", way=way, node=way[-1], **found)
