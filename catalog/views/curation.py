"""Pages of the capability "curation"."""

from flask import Blueprint

blueprint = Blueprint("curation", __name__)
