"""`catalog search`: words, JSON, run files, and clear words where it can't be done."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from catalog.cli.search import command
from catalog.runtime import Runtime
from catalog.services import outbox
from tests.factories import make_published


@pytest.fixture
def catalog(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """Three entries on pumps, one of them for members only."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        for number, visibility in enumerate(("public", "public", "members"), 1):
            make_published(session, title=f"Pumpensteuerung {number}", external_id=f"e-{number}", visibility=visibility)
    monkeypatch.setenv("CATALOG_DATA_DIR", str(runtime.settings.data_dir))
    return runtime


def call(*arguments: str, **given: Any) -> Result:
    return CliRunner().invoke(command, arguments, **given)


def test_words_find_entries(catalog: Runtime) -> None:
    found = call("Pumpensteuerung", "--limit", "1")
    assert found.exit_code == 0
    assert "/loesungen/pumpensteuerung-" in found.stdout
    assert found.stdout.count("/loesungen/") == 1
    assert "2 found in" in found.stdout
    assert catalog.settings.base_url in found.stdout


def test_json_is_whole_and_for_everyone_unless_asked_otherwise(catalog: Runtime) -> None:
    assert catalog.index.status().documents == 3
    public = json.loads(call("Pumpensteuerung", "--json").stdout)
    assert {hit["id"] for hit in public["hits"]} == {"e-1", "e-2"}
    curators = json.loads(call("Pumpensteuerung", "--json", "--as-curator").stdout)
    assert curators["total"] == len(curators["hits"]) == 3


def test_a_run_file_has_the_lines_relevance_tools_read(catalog: Runtime, tmp_path: Path) -> None:
    queries, run = tmp_path / "queries.jsonl", tmp_path / "run.txt"
    queries.write_text(
        '\ufeff{"id": "q1", "text": "Pumpensteuerung"}\n\n{"id": 2, "text": "xyzzyplugh"}\n', encoding="utf-8"
    )
    found = call("--queries", str(queries), "--trec-run", str(run), "--tag", "mine")
    assert found.exit_code == 0, found.output
    lines = [line.split(" ") for line in run.read_text().splitlines()]
    assert [(line[0], line[1], line[3], line[5]) for line in lines] == [
        ("q1", "Q0", "1", "mine"),
        ("q1", "Q0", "2", "mine"),
    ]
    assert {line[2] for line in lines} == {"e-1", "e-2"}
    assert float(lines[0][4]) >= float(lines[1][4]) > 0
    assert "2 queries in" in found.stderr
    assert catalog.index.status().documents == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"id": "q1"}', "line 1"),
        ('{"id": "q1", "text": "a"}\nnonsense', "line 2"),
        ('{"id": "a b", "text": "a"}', "one word"),
        ("[]", "line 1"),
    ],
)
def test_a_bad_line_is_named(catalog: Runtime, tmp_path: Path, content: str, said: str) -> None:
    assert catalog.settings.data_dir.is_dir()
    queries = tmp_path / "queries.jsonl"
    queries.write_text(content)
    found = call("--queries", str(queries), "--trec-run", "-")
    assert found.exit_code == 1
    assert said in found.stderr
    assert "Traceback" not in found.output


def test_wrong_usage_is_explained() -> None:
    for arguments in ((), ("--trec-run", "-"), ("x", "--tag", "a b"), ("x", "--limit", "0")):
        assert call(*arguments).exit_code == 2


def test_without_the_index_words_find_plainly_and_runs_are_refused(catalog: Runtime, tmp_path: Path) -> None:
    (catalog.settings.index_dir / "CURRENT").unlink()
    found = call("Pumpensteuerung")
    assert "2 found" in found.stdout
    assert "catalog index rebuild" in found.stderr
    queries = tmp_path / "queries.jsonl"
    queries.write_text('{"id": "q1", "text": "a"}')
    refused = call("--queries", str(queries), "--trec-run", "-")
    assert refused.exit_code == 3
    assert "catalog index rebuild" in refused.stderr


def test_an_empty_data_folder_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_DATA_DIR", str(tmp_path / "new"))
    found = call("x")
    assert found.exit_code == 3
    assert "catalog init" in found.stderr
