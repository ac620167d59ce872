"""Pages of the capability "search"."""

from flask import Blueprint

blueprint = Blueprint("search", __name__)
