"""Started on what a machine may do to a data folder: a clear sentence and an exit code, or pages that go on working."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.reliability.conftest import differences
from tests.reliability.person import Person
from tests.reliability.writers import marker, opened
from tests.served import environment, free_port, run, serving

NOBODY = 65534


def served_in_vain(data: Path, *prefix: str) -> tuple[int, str]:
    """Start the server where it can't work; gives exit code and what it said."""
    done = subprocess.run(
        [*prefix, sys.executable, "-m", "catalog.cli", "serve"],
        env=environment(data, port=str(free_port()), workers="1"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd="/",
    )
    return done.returncode, done.stdout + done.stderr


def assert_says(data: Path, *signs: str, prefix: tuple[str, ...] = ()) -> None:
    """The server and the commands refuse, say what is the case and what to do, and show nothing of the inside."""
    code, said = served_in_vain(data, *prefix)
    assert code not in {0, -9, -15}, said
    assert "Traceback" not in said
    for sign in signs:
        assert sign in said, said


def until(condition: object, seconds: float = 30) -> None:
    """Wait until the callable gives something true."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "not within the time"
        time.sleep(0.1)


@pytest.mark.parametrize("state", ["missing", "empty", "older", "no CURRENT"])
def test_without_a_usable_index_the_server_starts_and_builds_one(demo_copy: Path, state: str) -> None:
    index = demo_copy / "index"
    current = index / (index / "CURRENT").read_text(encoding="utf-8").strip()
    if state == "missing":
        shutil.rmtree(index)
    elif state == "empty":
        shutil.rmtree(current)
        current.mkdir()
    elif state == "older":
        meta = (current / "index.json").read_text(encoding="utf-8")
        (current / "index.json").write_text(meta.replace('"schema_version": ', '"schema_version": -'), encoding="utf-8")
    else:
        (index / "CURRENT").unlink()
    with serving(demo_copy) as served:
        person = Person(served.address)
        page = person.get("/suche?q=Travemünde".replace("ü", "%C3%BC"))
        assert page.status == 200
        assert "Travem" in page.text
        until(lambda: person.get("/readyz").status == 200)
        assert "travemuende-funkt-mit" in person.get("/suche?q=Travem%C3%BCnde").text
        assert "Traceback" not in served.log.read_text(encoding="utf-8")
    assert run(demo_copy, "index", "check").returncode == 0


def test_an_empty_folder_says_to_run_init(tmp_path: Path) -> None:
    assert_says(tmp_path / "var", "catalog init")


def test_an_older_schema_says_to_upgrade(demo_copy: Path) -> None:
    before = (demo_copy / "catalog.sqlite3").read_bytes()
    database = sqlite3.connect(demo_copy / "catalog.sqlite3")
    database.execute("CREATE TABLE kept AS SELECT * FROM solution")
    database.execute("DELETE FROM alembic_version")
    database.commit()
    database.close()
    code, said = served_in_vain(demo_copy)
    assert code not in {0, -9}
    assert "Traceback" not in said
    assert "catalog init" in said or "catalog db upgrade" in said
    database = sqlite3.connect(demo_copy / "catalog.sqlite3")
    assert database.execute("SELECT count(*) FROM kept").fetchone()[0] == 44
    database.close()
    assert before


def test_a_newer_schema_is_left_alone(demo_copy: Path) -> None:
    database = sqlite3.connect(demo_copy / "catalog.sqlite3")
    database.execute("UPDATE alembic_version SET version_num = 'ffff_of_tomorrow'")
    database.commit()
    database.close()
    before = sorted(path.name for path in demo_copy.iterdir())
    assert_says(demo_copy, "newer version", "ffff_of_tomorrow")
    upgraded = run(demo_copy, "db", "upgrade")
    assert upgraded.returncode != 0
    assert "newer version" in upgraded.stderr
    assert {name for name in before if not name.endswith(("-wal", "-shm"))} <= {p.name for p in demo_copy.iterdir()}


@pytest.mark.parametrize("damage", ["overwritten", "halved", "text"])
def test_a_damaged_database_is_said(demo_copy: Path, damage: str) -> None:
    file = demo_copy / "catalog.sqlite3"
    content = file.read_bytes()
    for left in demo_copy.glob("catalog.sqlite3-*"):
        left.unlink()
    changed = {
        "overwritten": b"\0" * 4096 + content[4096:],
        "halved": content[: len(content) // 2],
        "text": b"This is no database.\n" * 300,
    }[damage]
    file.write_bytes(changed)
    for words in (("serve",), ("init",), ("db", "check"), ("index", "rebuild")):
        done = run(demo_copy, *words, port=str(free_port()))
        said = done.stdout + done.stderr
        if damage == "halved" and done.returncode == 0:
            continue  # what is left of the file may answer this one question
        assert done.returncode not in {0, -9}, (words, said)
        assert "Traceback" not in said, (words, said)
        assert "damaged" in said or "catalog init" in said, (words, said)
    assert file.read_bytes() == changed, "a damaged database was written to"


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs root to be somebody else")
def test_a_folder_of_someone_else_is_said(demo_copy: Path) -> None:
    for folder in (demo_copy, *demo_copy.parents):
        if folder == Path("/tmp"):  # noqa: S108 - the place of the tests' own folders
            break
        folder.chmod(0o755)
    (demo_copy / "secret_key").chmod(0o600)
    prefix = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--")
    probe = subprocess.run([*prefix, sys.executable, "-c", "import flask"], check=False, capture_output=True)
    if probe.returncode:
        pytest.skip("the interpreter can't be read by others on this machine")
    assert_says(demo_copy, "can't be written", str(demo_copy), "CATALOG_DATA_DIR", prefix=prefix)


def test_a_database_locked_for_long_answers_that_it_is_busy(demo_copy: Path) -> None:
    with serving(demo_copy) as served:
        person = Person(served.address)
        person.sign_in("admin@example.org")
        form = person.get("/einreichen").form("title")
        fields = list((dict(form) | {"title": "Gesperrt", "organisation": "stadtwerke-luebeck"}).items())
        holder = sqlite3.connect(demo_copy / "catalog.sqlite3", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        try:
            assert person.get("/suche?q=wasser").status == 200
            assert person.get("/healthz").status == 200
            started = time.monotonic()
            answer = person.post("/einreichen", fields)
            assert time.monotonic() - started < 25
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        assert (answer.status, answer.headers["Retry-After"]) == (503, "30")
        assert "Traceback" not in answer.text
        assert person.get("/").status == 200
        assert person.post("/einreichen", fields).status in {302, 303}


@contextmanager
def small_disk(folder: Path, size: str = "24m") -> Iterator[Path]:
    """A file system of its own that is quickly full."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """Take all space that is left."""
    file = folder / "ballast"
    with file.open("wb", buffering=0) as handle:
        try:
            while True:
                handle.write(b"\0" * 4096)
        except OSError:
            pass
    return file


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """The small disk; skipped where mounting is not allowed."""
    if os.geteuid() != 0 or subprocess.run(["mount", "--version"], check=False, capture_output=True).returncode:
        pytest.skip("needs root to mount a small disk")
    try:
        with small_disk(tmp_path / "disk") as folder:
            yield folder
    except subprocess.CalledProcessError:
        pytest.skip("mounting is not allowed here")


@pytest.mark.root
def test_on_a_full_disk_nothing_is_half_stored_and_work_goes_on_after(demo: Path, disk: Path) -> None:
    data = disk / "var"
    shutil.copytree(demo, data)
    data.chmod(0o700)
    with serving(data) as served:
        person = Person(served.address)
        person.sign_in("admin@example.org")
        entry = person.begin("Vor der vollen Platte")
        ballast = fill(disk)
        answers = [person.write(entry, step="save", challenge=marker(n) * 600) for n in range(4)]
        refused = [answer for answer in answers if answer.status != 302]
        assert refused, "the disk was not full"
        for answer in refused:
            assert answer.status in {503, 507}, answer.status
            assert answer.headers["Retry-After"]
            assert "Traceback" not in answer.text
        assert person.get("/suche?q=wasser").status == 200
        assert person.get("/").status == 200
        ballast.unlink()
        word = marker(77)
        until(lambda: person.write(entry, step="save", challenge=word).status == 302, 15)
        assert word in person.get(f"/einreichen/{entry}").text
        assert "Traceback" not in served.log.read_text(encoding="utf-8")
    runtime = opened(data)
    assert differences(runtime) == set()
    runtime.engine.dispose()
    assert run(data, "db", "check").returncode == 0


@pytest.mark.root
def test_starting_on_a_full_disk_says_so(demo: Path, disk: Path) -> None:
    data = disk / "var"
    shutil.copytree(demo, data)
    ballast = fill(disk)
    done = run(data, "init", "--demo")
    assert "Traceback" not in done.stdout + done.stderr
    if done.returncode:
        assert "space" in done.stderr
    fresh = run(disk / "other", "init")
    assert fresh.returncode != 0
    assert "Traceback" not in fresh.stdout + fresh.stderr
    assert "space" in fresh.stderr
    ballast.unlink()
    assert run(data, "init", "--demo").returncode == 0
    assert run(data, "index", "check").returncode == 0
