"""The pages: one blueprint per capability, each view parses, calls one service and renders."""

from flask import Flask

from catalog.views import (
    accounts,
    curation,
    health,
    home,
    organisations,
    pages,
    search,
    solutions,
    submission,
    topics,
)


def init_app(app: Flask) -> None:
    """Register every capability's pages."""
    for module in (home, search, solutions, topics, organisations, submission, curation, accounts, pages, health):
        app.register_blueprint(module.blueprint)
