"""Sending a documented shape as JSON; which shape is `serializers`' matter, what went wrong `errors`'."""

import json
from typing import Any

from flask import Response
from pydantic import BaseModel


def answer_with(shape: BaseModel) -> Response:
    """The shape as an answer; letters stay as they are, since every reader of JSON knows UTF-8."""
    return answer_with_values(shape.model_dump(mode="json", warnings=False))


def answer_with_values(values: Any) -> Response:  # noqa: ANN401 - JSON is any
    """Plain JSON values as an answer."""
    return Response(json.dumps(values, ensure_ascii=False, separators=(",", ":")), mimetype="application/json")
