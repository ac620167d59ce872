"""Pages of the capability "pages"."""

from flask import Blueprint

blueprint = Blueprint("pages", __name__)
