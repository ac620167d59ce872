"""`catalog import` as an operator runs it: a process of its own, on real files, killed and started again."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench import generate
from catalog.domain import entry as documents
from catalog.services.transfer import rows

FORMAT = Path(__file__).resolve().parents[3] / "docs" / "import-format.md"


@pytest.fixture
def data(tmp_path: Path, migrated_database: Path) -> Path:
    """A data folder with an empty, migrated database."""
    folder = tmp_path / "var"
    folder.mkdir(mode=0o700)
    (folder / "catalog.sqlite3").write_bytes(migrated_database.read_bytes())
    return folder


def command(*arguments: object) -> list[str]:
    program = "from catalog.cli import main; main(prog_name='catalog')"
    return [sys.executable, "-c", program, *(str(argument) for argument in arguments)]


def run(data: Path, *arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CATALOG_DATA_DIR": str(data)}
    return subprocess.run(
        command(*arguments), env=environment, capture_output=True, text=True, timeout=300, check=False, **options
    )


def write(file: Path, *given: object) -> Path:
    file.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in given), encoding="utf-8")
    return file


def test_the_report_names_line_field_and_reason_and_the_exit_code_tells(data: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path / "rows.jsonl",
        {"title": "A", "solution": "S"},
        {"title": "B"},
        {"title": "C", "solution": "S", "status": "?"},
    )
    with file.open("a", encoding="utf-8") as more:
        more.write("{broken\n")
    done = run(data, "import", file, "--publish")
    assert done.returncode == 1
    assert "line 2, solution: is missing" in done.stderr
    assert "line 3, deployments.0.status: '?' is none of" in done.stderr
    assert "line 4: is no valid JSON" in done.stderr
    assert "line 1: warning: incomplete: benefit" in done.stderr
    assert "4 rows: 1 created, 0 updated, 0 unchanged, 3 refused." in done.stdout
    report = json.loads(run(data, "import", file, "--publish", "--json").stdout)
    assert (report["rows"], report["unchanged"], report["failed"]) == (4, 1, 3)
    assert [found["line"] for found in report["problems"] if found["severity"] == "error"] == [2, 3, 4]


def test_standard_input_and_strict(data: Path) -> None:
    text = '{"title": "A", "solution": "S"}\n{"title": ""}\n'
    refused = run(data, "import", "-", "--strict", input=text)
    assert refused.returncode == 1
    assert "Nothing was stored" in refused.stdout
    done = run(data, "import", "-", "--strict", "--publish", input=text.splitlines()[0])
    assert done.returncode == 0
    assert "1 rows: 1 created" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("import", "/nowhere/rows.jsonl"), "/nowhere/rows.jsonl does not exist"), (("import", "/"), "is a folder")],
)
def test_a_file_that_can_not_be_read_is_said_plainly(data: Path, arguments: tuple[str, ...], said: str) -> None:
    done = run(data, *arguments)
    assert done.returncode == 3
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_an_import_that_was_killed_goes_on_without_doubles(data: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "rows.jsonl", *generate.entries(1_000, seed=5))
    environment = {**os.environ, "CATALOG_DATA_DIR": str(data)}
    running = subprocess.Popen(command("import", file, "--publish", "--quiet"), env=environment)
    stored = 0
    end = time.monotonic() + 120
    while running.poll() is None and stored == 0 and time.monotonic() < end:
        time.sleep(0.02)
        with closing(sqlite3.connect(f"file:{data / 'catalog.sqlite3'}?mode=ro", uri=True)) as connection:
            stored = connection.execute("SELECT count(*) FROM solution").fetchone()[0]
    running.send_signal(signal.SIGKILL)
    running.wait(30)
    assert 0 < stored < 1_000
    assert stored % 200 == 0  # whole batches, no half of one
    done = run(data, "import", file, "--publish", "--json")
    report = json.loads(done.stdout)
    assert (report["created"] + report["unchanged"], report["failed"]) == (1_000, 0)
    assert report["unchanged"] >= stored
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as connection:
        assert connection.execute("SELECT count(*), count(DISTINCT external_id) FROM solution").fetchone() == (
            1_000,
            1_000,
        )
        assert connection.execute("SELECT count(*) FROM outbox_message WHERE kind = 'index'").fetchone() == (0,)


def test_the_generator_gives_the_same_rows_for_the_same_seed_and_all_of_them_are_good() -> None:
    first = list(generate.entries(150, seed=3))
    assert first == list(generate.entries(150, seed=3))
    assert first != list(generate.entries(150, seed=4))
    for given in first:
        found, problems = rows.parse(given)
        assert isinstance(found, rows.SolutionRow), problems
        assert problems == []
        assert documents.missing(found.entry) == {}


def _documented(heading: str) -> set[str]:
    text = FORMAT.read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(heading)}$(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert section, heading
    return set(re.findall(r"^\| `([a-z_]+)` \|", section.group(1), re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "model"),
    [
        ("An entry (`type: solution`)", documents.Entry),
        ("A site (`deployments`)", documents.Deployment),
        ("Place", documents.Place),
        ("Figure (`kpis`)", documents.Kpi),
        ("Funding", documents.Funding),
        ("Partner", documents.Partner),
        ("Reuse", documents.Reuse),
        ("Transferability (`transfer`)", documents.Transfer),
        ("Contact", documents.Contact),
        ("Source", documents.Source),
        ("Organisation (`type: organisation`)", rows.OrganisationRow),
        ("Topic (`type: topic`)", rows.TopicRow),
        ("Technology (`type: technology`)", rows.TechnologyRow),
        ("Working group (`type: working_group`)", rows.WorkingGroupRow),
        ("What exports add (`record`)", rows.Record),
        ("The heading of an export (`type: catalog`)", rows.Catalog),
    ],
)
def test_every_field_of_the_format_is_documented_and_no_other(heading: str, model: Any) -> None:
    assert _documented(heading) == set(model.model_fields)


def test_every_other_name_and_convenience_field_is_documented() -> None:
    text = FORMAT.read_text(encoding="utf-8")
    for table in (rows.ENTRY_NAMES, rows.SITE_NAMES, rows.CONVENIENCE):
        for name, others in table.items():
            for word in (name, *others):
                assert f"`{word}`" in text, word


def test_the_examples_of_the_document_can_be_imported(data: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```json\n(.*?)^```", FORMAT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    file = tmp_path / "examples.jsonl"
    file.write_text("".join(json.dumps(json.loads(block)) + "\n" for block in blocks), encoding="utf-8")
    report = json.loads(run(data, "import", file, "--publish", "--json").stdout)
    assert report["failed"] == 0
    assert report["created"] == len(blocks)
