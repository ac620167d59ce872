"""GET /api/v1/openapi.json: the interface described by itself, made from the very models and names it works with."""

from functools import cache
from typing import Any

from flask import Response
from pydantic.json_schema import models_json_schema

from catalog.api.answers import answer_with_values
from catalog.api.errors import MEDIA_TYPE
from catalog.api.serializers import Problem, SearchAnswer, SolutionAnswer
from catalog.domain.vocabulary import DeploymentStatus, OrganisationKind, StopCause
from catalog.services.search import MOST_PER_PAGE, PER_PAGE, Sort
from catalog.web.context import runtime

_REF = "#/components/schemas/{model}"

# Name, what it means, and the values it takes where they are fixed; all may be repeated: one of the values must fit.
FILTERS: tuple[tuple[str, str, list[str] | None], ...] = (
    ("topic", "Slug of a topic; those below it count too.", None),
    ("status", "How far a site has come.", [term.value for term in DeploymentStatus]),
    ("state", "A federal state by the first two digits of the AGS, e.g. 05.", None),
    ("kind", "What kind of organisation is behind it or runs a site.", [term.value for term in OrganisationKind]),
    ("organisation", "Slug of an organisation.", None),
    ("technology", "Slug of a technology.", None),
    ("year", "A year or a range of years in which a site ran: 2021, 2021..2024, 2021.. or ..2024.", None),
    ("cause", "Why a site was stopped.", [term.value for term in StopCause]),
    ("place", "A municipality by its AGS.", None),
)


def description() -> Response:
    """Answer with the OpenAPI description."""
    return answer_with_values(document() | {"servers": [{"url": runtime().settings.base_url.rstrip("/") + "/api/v1"}]})


@cache
def document() -> dict[str, Any]:
    """The description without the address of this very catalog."""
    _, schemas = models_json_schema(
        [(SearchAnswer, "serialization"), (SolutionAnswer, "serialization"), (Problem, "serialization")],
        ref_template=_REF,
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lösungskatalog",
            "version": "1",
            "description": "Reading and searching the catalog. Everything the pages show without signing in.",
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "paths": {
            "/search": {
                "get": {
                    "operationId": "search",
                    "summary": "Search the catalog, or browse it without a query.",
                    "parameters": _search_parameters(),
                    "responses": _responses(SearchAnswer.__name__, 429, 503),
                }
            },
            "/solutions/{id}": {
                "get": {
                    "operationId": "solution",
                    "summary": "One entry as a document.",
                    "parameters": [
                        {
                            "name": "id",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "string"},
                            "description": "The public identity (external_id), or the row number.",
                        }
                    ],
                    "responses": _responses(SolutionAnswer.__name__, 404, 503),
                }
            },
        },
        "components": {"schemas": schemas["$defs"]},
    }


def _search_parameters() -> list[dict[str, Any]]:
    parameters: list[dict[str, Any]] = [
        {"name": "q", "in": "query", "description": "What to search for, in plain words.", "schema": {"type": "string"}}
    ]
    for name, text, values in FILTERS:
        item: dict[str, Any] = {"type": "string"} if values is None else {"type": "string", "enum": values}
        parameters.append(
            {
                "name": name,
                "in": "query",
                "description": text,
                "style": "form",
                "explode": True,
                "schema": {"type": "array", "items": item},
            }
        )
    limits = {"type": "integer", "minimum": 1}
    return [
        *parameters,
        {
            "name": "sort",
            "in": "query",
            "schema": {"type": "string", "enum": [s.value for s in Sort], "default": Sort.RELEVANCE.value},
        },
        {"name": "page", "in": "query", "schema": limits | {"default": 1}},
        {"name": "per_page", "in": "query", "schema": limits | {"maximum": MOST_PER_PAGE, "default": PER_PAGE}},
    ]


def _responses(shape: str, *problems: int) -> dict[str, Any]:
    texts = {404: "There is no such entry.", 429: "Too many searches.", 503: "The catalog is being looked after."}
    fine = {"description": "Found.", "content": {"application/json": {"schema": {"$ref": _REF.format(model=shape)}}}}
    failed = {"content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model=Problem.__name__)}}}}
    return {"200": fine} | {str(status): {"description": texts[status]} | failed for status in problems}
