"""What an operator hears when the database is damaged, locked, read-only, of another version, or the disk is full."""

import os
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.catalog.cli.test_import import data, run

__all__ = ["data"]  # the fixture is shared

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")


def said(done: subprocess.CompletedProcess[str], code: int, *phrases: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for phrase in phrases:
        assert phrase in done.stdout + done.stderr


def change(data: Path, statement: str) -> None:
    """Change the database behind the program's back, and leave nothing open."""
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as connection:
        connection.execute(statement)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_a_good_database_is_in_order(data: Path) -> None:
    said(run(data, "db", "status"), 0, "catalog.sqlite3", "up to date")
    said(run(data, "db", "check"), 0, "in order")
    said(run(data, "db", "upgrade"), 0, "up to date already")


def test_an_empty_database_is_told_how_to_become_one(tmp_path: Path) -> None:
    said(run(tmp_path / "new", "db", "status"), 3, "The database is empty. Run `catalog init` first.")


def test_a_database_of_a_newer_program_is_left_alone(data: Path) -> None:
    change(data, "UPDATE alembic_version SET version_num = 'from-the-future'")
    before = (data / "catalog.sqlite3").read_bytes()
    for arguments in (("db", "upgrade"), ("init",), ("export",)):
        said(run(data, *arguments), 3, "newer version of the catalog", "from-the-future")
    assert (data / "catalog.sqlite3").read_bytes() == before


def test_a_file_that_is_no_database_is_named(data: Path) -> None:
    (data / "catalog.sqlite3").write_bytes(b"this is no database at all, but long enough to be read as one" * 100)
    for arguments in (("db", "check"), ("init",), ("export",)):
        said(run(data, *arguments), 3, "damaged or not a database", "restore a backup")


def test_a_damaged_page_is_found(data: Path) -> None:
    file = data / "catalog.sqlite3"
    content = bytearray(file.read_bytes())
    content[8192:40960] = b"\xff" * (40960 - 8192)
    file.write_bytes(content)
    done = run(data, "db", "check")
    assert done.returncode in {1, 3}
    assert "amaged" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_row_that_refers_to_nothing_is_found(data: Path) -> None:
    change(data, "INSERT INTO former_slug (slug, solution_id) VALUES ('x', 99)")
    said(run(data, "db", "check"), 1, "former_slug refers to a row of solution")


def test_a_database_somebody_else_writes_to_is_waited_for_and_then_named(data: Path) -> None:
    connection = sqlite3.connect(data / "catalog.sqlite3", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        said(
            run(data, "import", "-", input='{"title": "A", "solution": "S"}'),
            3,
            "Another process is writing to the database",
        )
    finally:
        connection.close()


def test_a_folder_that_can_not_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    said(run(tmp_path / "file" / "var", "init"), 3, "data folder", "can't be written", "CATALOG_DATA_DIR")


def test_a_setting_that_can_not_work_is_named(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATALOG_PORT", "many")
    said(run(data, "db", "status"), 3, "CATALOG_PORT is 'many'")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "none", place], check=False, capture_output=True
    ).returncode:
        pytest.skip("no mounts here")
    yield place
    subprocess.run(["umount", "-l", place], check=False)


@needs_root
@pytest.mark.root
def test_a_full_disk_is_said_and_nothing_stored_is_lost(small_disk: Path, migrated_database: Path) -> None:
    data = small_disk / "var"
    data.mkdir()
    (data / "catalog.sqlite3").write_bytes(migrated_database.read_bytes())
    assert (
        run(data, "import", "-", "--publish", input='{"external_id": "kept", "title": "A", "solution": "S"}').returncode
        == 0
    )
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as stream, pytest.raises(OSError, match="space"):  # noqa: PT012 - until it is full
        while True:
            stream.write(b"x" * 65_536)
    rows = "".join(f'{{"title": "T{number}", "solution": "{"x" * 5_000}"}}\n' for number in range(200))
    said(run(data, "import", "-", "--publish", "--quiet", input=rows), 3, "Free some")
    filler.unlink()
    assert '"kept"' in run(data, "export").stdout
    said(run(data, "import", "-", "--publish", "--quiet", input=rows), 0, "200 created")


@needs_root
@pytest.mark.root
def test_a_read_only_data_folder_is_said(small_disk: Path, migrated_database: Path) -> None:
    data = small_disk / "var"
    data.mkdir()
    (data / "catalog.sqlite3").write_bytes(migrated_database.read_bytes())
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    for arguments in (("init",), ("db", "upgrade"), ("export",)):
        said(run(data, *arguments), 3, "can't be written", "Read-only")
