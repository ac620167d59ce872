"""Pages of the capability "topics"."""

from flask import Blueprint

blueprint = Blueprint("topics", __name__)
