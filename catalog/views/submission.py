"""Pages of the capability "submission"."""

from flask import Blueprint

blueprint = Blueprint("submission", __name__)
