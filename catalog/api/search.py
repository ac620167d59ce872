"""GET /api/v1/search: the search page's results as JSON; parameters in English, unknown ones are left aside."""

from flask import Response, request

from catalog.api import serializers
from catalog.api.answers import answer_with
from catalog.forms import search as form
from catalog.services import search as service
from catalog.services.search import LAST_RANK, Answer
from catalog.web.context import actor, reading, runtime
from catalog.web.limits import limited_searches


@limited_searches
def search() -> Response:
    """Answer with a page of results, how the query was understood, and the facets."""
    found = service.search(reading(), runtime().index, actor(), form.parse_english(request.args))
    base = runtime().settings.base_url.rstrip("/")
    return answer_with(serializers.results(found, base, _links(found, base)))


def _links(found: Answer, base: str) -> serializers.SearchLinks:
    def address(page: int) -> str:
        return f"{base}/api/v1/search?{form.english_query_string(found.request, page)}".rstrip("?")

    page, last = found.request.page, min(found.pages, LAST_RANK // found.request.per_page)
    return serializers.SearchLinks(
        self=address(page),
        next=address(page + 1) if page < last else None,
        previous=address(page - 1) if page > 1 else None,
    )
