"""`catalog export` as an operator runs it: whole files or none, and a reader that leaves early is no error."""

import json
import subprocess
from pathlib import Path

from tests.catalog.cli.test_import import command, data, run, write

__all__ = ["data"]  # the fixture is shared


def test_an_export_goes_into_an_empty_catalog_and_comes_out_the_same(data: Path, tmp_path: Path) -> None:
    file = write(
        tmp_path / "in.jsonl",
        {"external_id": "ä-1", "title": "Äpfel", "solution": "S", "year": 2020, "organisation": "Werk"},
    )
    assert run(data, "import", file, "--publish").returncode == 0
    out = tmp_path / "out.jsonl"
    done = run(data, "export", out)
    assert (done.returncode, "written" in done.stderr) == (0, True)
    assert [json.loads(line)["type"] for line in out.read_text(encoding="utf-8").splitlines()] == [
        "catalog",
        "organisation",
        "solution",
    ]
    assert "Äpfel" in out.read_text(encoding="utf-8")
    assert run(data, "export").stdout == out.read_text(encoding="utf-8")
    assert not list(tmp_path.glob(".*part"))


def test_a_target_that_can_not_be_written_is_said_plainly(data: Path) -> None:
    done = run(data, "export", "/nowhere/out.jsonl")
    assert done.returncode == 3
    assert "does not exist" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reader_that_leaves_early_is_no_error(data: Path, tmp_path: Path) -> None:
    file = write(tmp_path / "in.jsonl", *({"title": f"T {number}", "solution": "x" * 20_000} for number in range(30)))
    assert run(data, "import", file, "--publish", "--quiet").returncode == 0
    with subprocess.Popen(
        command("export"),
        env={"CATALOG_DATA_DIR": str(data), "PATH": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as writing:
        assert writing.stdout is not None
        assert writing.stderr is not None
        writing.stdout.readline()
        writing.stdout.close()
        assert writing.stderr.read() == b""
        assert writing.wait(60) == 0
