"""`catalog init`: from nothing to a catalog that answers, and again without changing anything."""

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.catalog.cli.test_import import run


def _content(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as connection:
        return list(connection.iterdump())


def test_init_with_the_demo_makes_a_catalog_and_a_second_run_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "var"
    first = run(data, "init", "--demo")
    assert first.returncode == 0, first.stderr
    assert "entries loaded" in first.stdout
    for word in (
        "reader@example.org",
        "member@example.org",
        "curator@example.org",
        "admin@example.org",
        "http://127.0.0.1:8000",
    ):
        assert word in first.stdout
    assert data.stat().st_mode & 0o077 == 0
    before, index = _content(data), sorted((data / "index").iterdir())
    second = run(data, "init", "--demo")
    assert second.returncode == 0, second.stderr
    assert "nothing was loaded" in second.stdout
    assert _content(data) == before
    assert sorted((data / "index").iterdir()) == index
    accounts = run(data, "demo", "accounts")
    assert "curator@example.org" in accounts.stdout


def test_init_alone_makes_no_accounts_and_no_entries(tmp_path: Path) -> None:
    data = tmp_path / "var"
    done = run(data, "init")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM user_account").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM solution").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM municipality").fetchone()[0] > 10_000
    assert "There are no demo accounts" in run(data, "demo", "accounts").stdout


def test_the_demo_is_not_loaded_beside_own_entries(tmp_path: Path) -> None:
    data = tmp_path / "var"
    assert run(data, "init").returncode == 0
    assert run(data, "import", "-", "--publish", input='{"title": "Eigen", "solution": "S"}').returncode == 0
    done = run(data, "init", "--demo")
    assert "nothing was loaded" in done.stdout
    with closing(sqlite3.connect(data / "catalog.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM solution").fetchone() == (1,)
        assert connection.execute("SELECT count(*) FROM user_account").fetchone() == (0,)


def test_the_index_is_built_where_it_is_missing(tmp_path: Path) -> None:
    data = tmp_path / "var"
    assert run(data, "init").returncode == 0
    assert run(data, "import", "-", "--publish", input='{"title": "Eigen", "solution": "S"}').returncode == 0
    (data / "index" / "CURRENT").unlink()
    assert "built with 1 entries" in run(data, "init").stdout
