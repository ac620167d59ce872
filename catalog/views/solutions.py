"""Pages of the capability "solutions"."""

from flask import Blueprint

blueprint = Blueprint("solutions", __name__)
