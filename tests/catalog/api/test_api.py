"""The interface: its shapes are those of its description and of docs/api.md, its problems are problem details."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.api.serializers import Problem, SearchAnswer
from catalog.domain.entry import Contact, Entry
from catalog.runtime import Runtime
from catalog.services import outbox
from tests.catalog.web.signin import sign_in
from tests.factories import actor_for, make_draft, make_organisation, make_published, make_topic, make_user

_DOCUMENT = Path(__file__).parents[3] / "docs" / "api.md"


@pytest.fixture
def api(runtime: Runtime, app: Flask) -> FlaskClient:
    """A visitor of a catalog with three published entries and one draft."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        water = make_topic(session, slug="wasser", name="Wasser").slug
        organisation = make_organisation(session, slug="sw-luebeck", name="Stadtwerke Lübeck")
        for number in range(3):
            make_published(
                session, title=f"Pegelmessung {number}", external_id=f"e-{number}", topics=[water],
                organisation=organisation.slug, contact=Contact(name="Erika Beispiel", mailbox="pegel@example.org"),
            )  # fmt: skip
        author = make_user(session, organisation, email="author@example.org")
        make_draft(session, actor_for(author), title="Entwurf", external_id="e-entwurf", topics=[water])
    return app.test_client()


def problem_of(answer: Any) -> Problem:
    assert answer.content_type == "application/problem+json"
    found = Problem.model_validate(answer.json)
    assert found.status == answer.status_code
    return found


def test_results_have_the_documented_shape(api: FlaskClient) -> None:
    answer = api.get("/api/v1/search?q=Pegelmessung&per_page=2&topic=wasser")
    assert answer.content_type == "application/json"
    found = SearchAnswer.model_validate_json(answer.data)
    assert json.loads(found.model_dump_json()) == json.loads(answer.data)
    assert [found.meta.total, found.meta.pages, len(found.data)] == [3, 2, 2]
    assert found.data[0].url == f"http://127.0.0.1:8000/loesungen/pegelmessung-{found.data[0].id[2:]}"
    assert [part.text for part in found.data[0].title_parts if part.marked] == ["Pegelmessung"]
    assert [(value.value, value.label, value.count, value.chosen) for value in found.meta.facets["topic"]] == [
        ("wasser", "Wasser", 3, True)
    ]


def test_pages_are_linked(api: FlaskClient) -> None:
    first = api.get("/api/v1/search?q=Pegelmessung&per_page=2").json
    assert first["links"]["previous"] is None
    second = api.get(first["links"]["next"].removeprefix("http://127.0.0.1:8000")).json
    assert second["meta"]["page"] == 2
    assert second["links"]["next"] is None
    assert second["links"]["previous"] == first["links"]["self"]
    assert len({result["id"] for result in first["data"] + second["data"]}) == 3


def test_no_parameter_is_an_error(api: FlaskClient) -> None:
    for query in (
        "page=x",
        "page=-1",
        "per_page=0",
        "per_page=1000",
        "per_page=x",
        "sort=x",
        "year=x",
        "q=%00",
        "topic=&x=1",
    ):
        answer = api.get(f"/api/v1/search?{query}")
        assert answer.status_code == 200, query
        assert 1 <= answer.json["meta"]["per_page"] <= 100


def test_an_entry_is_the_document_that_import_takes(api: FlaskClient) -> None:
    answer = api.get("/api/v1/solutions/e-1").json
    document = Entry.model_validate(answer["data"])
    assert (document.title, document.external_id, document.topics) == ("Pegelmessung 1", "e-1", ["wasser"])
    assert answer["meta"]["status"] == "published"
    assert answer["meta"]["organisations"]["sw-luebeck"] == "Stadtwerke Lübeck"
    assert answer["meta"]["url"].endswith("/loesungen/pegelmessung-1")


def test_an_entry_is_found_by_row_number_too(api: FlaskClient, runtime: Runtime) -> None:
    with runtime.unit_of_work.reading() as session:
        number = session.connection().exec_driver_sql("SELECT id FROM solution WHERE external_id = 'e-1'").scalar_one()
    assert api.get(f"/api/v1/solutions/{number}").data == api.get("/api/v1/solutions/e-1").data


def test_whom_to_ask_is_told_to_people_who_signed_in(api: FlaskClient, runtime: Runtime) -> None:
    assert "Erika" not in api.get("/api/v1/solutions/e-1").text
    with runtime.unit_of_work() as session:
        reader = make_user(session, email="reader@example.org")
    sign_in(api, reader)
    assert api.get("/api/v1/solutions/e-1").json["data"]["contact"]["mailbox"] == "pegel@example.org"


def test_hidden_and_absent_entries_and_addresses_are_the_same_problem(api: FlaskClient) -> None:
    bodies = set()
    for address in (
        "solutions/e-entwurf",
        "solutions/4",
        "solutions/nope",
        "solutions/99999999999999999999",
        "nope",
        "a/b",
        "",
    ):
        answer = api.get(f"/api/v1/{address}")
        assert problem_of(answer).status == 404
        bodies.add(answer.data)
    assert len(bodies) == 1


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_only_reading_is_possible(api: FlaskClient, method: str) -> None:
    for address in ("/api/v1/search", "/api/v1/solutions/e-1", "/api/v1/nope"):
        answer = getattr(api, method)(address)
        assert problem_of(answer).status == 405
        assert "GET" in answer.headers["Allow"]


def test_a_crash_is_a_problem_with_a_reference_and_no_inside(
    app: Flask, api: FlaskClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_query: object) -> None:
        message = "the inside of the program"
        raise RuntimeError(message)

    monkeypatch.setattr(type(runtime.index), "search", lambda _self, query: crash(query))
    app.testing = False
    answer = api.get("/api/v1/search?q=Pegel")
    assert problem_of(answer).reference
    assert answer.status_code == 500
    assert "inside" not in answer.text


def test_without_the_index_a_plain_answer_says_that_it_is_one(api: FlaskClient, runtime: Runtime) -> None:
    (runtime.settings.index_dir / "CURRENT").unlink()
    found = SearchAnswer.model_validate(api.get("/api/v1/search?q=Pegelmessung").json)
    assert not found.meta.available
    assert found.meta.total == 3


def test_too_many_searches_are_a_problem_too(api: FlaskClient, runtime: Runtime) -> None:
    answers = [api.get("/api/v1/search") for _ in range(runtime.settings.search_limit + 1)]
    assert problem_of(answers[-1]).status == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


def test_the_description_names_what_there_is(api: FlaskClient, app: Flask) -> None:
    document = api.get("/api/v1/openapi.json").json
    described = {f"/api/v1{path}" for path in document["paths"]} | {"/api/v1/openapi.json"}
    rules = {
        re.sub(r"<string:identity>", "{id}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api.")
    }
    assert described == rules - {"/api/v1/", "/api/v1/<path:unknown>"}
    text = json.dumps(document)
    for reference in re.findall(r'"#/components/schemas/([^"]+)"', text):
        assert reference in document["components"]["schemas"]


def test_every_described_filter_filters(api: FlaskClient) -> None:
    document = api.get("/api/v1/openapi.json").json
    names = {parameter["name"] for parameter in document["paths"]["/search"]["get"]["parameters"]}
    for name in names - {"q", "sort", "page", "per_page"}:
        value = "1970" if name == "year" else "gibt-es-nicht"
        found = api.get(f"/api/v1/search?{name}={value}").json["meta"]
        assert (found["total"], found["filters"]) == (0, {name: [value]})


def _fields(schema: dict[str, Any]) -> set[str]:
    return set(schema.get("properties", {}))


def test_the_document_names_every_field_and_parameter_and_no_other(api: FlaskClient) -> None:
    description = api.get("/api/v1/openapi.json").json
    text = _DOCUMENT.read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z_]+)`", text, re.MULTILINE))
    schemas = description["components"]["schemas"]
    own = ("Result", "Text", "Passage", "Reason", "Organisation", "Topic", "Site", "FacetValue", "SearchMeta",
           "SearchLinks",            "SolutionMeta", "Problem")  # fmt: skip
    fields = set().union(*(_fields(schemas[name]) for name in own))
    parameters = {parameter["name"] for parameter in description["paths"]["/search"]["get"]["parameters"]}
    assert told == fields | parameters


def test_the_examples_in_the_document_are_real(api: FlaskClient) -> None:
    text = _DOCUMENT.read_text(encoding="utf-8")
    examples = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL)]
    assert len(examples) == 3
    SearchAnswer.model_validate(examples[0])
    Entry.model_validate(examples[1]["data"])
    real = api.get("/api/v1/solutions/e-1").json
    assert set(examples[1]["meta"]) == set(real["meta"])
    assert examples[2] == api.get("/api/v1/solutions/nope").json
