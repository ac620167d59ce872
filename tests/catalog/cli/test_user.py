"""Accounts, outbox and worker from the command line, on a real data folder."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from catalog.cli import main
from catalog.models.user import User
from catalog.runtime import Runtime
from catalog.services import accounts, outbox
from tests import factories

PASSWORD = "drei rote Boote"


@pytest.fixture
def catalog(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """The runtime whose data folder the commands use."""
    monkeypatch.setenv("CATALOG_DATA_DIR", str(runtime.settings.data_dir))
    monkeypatch.setenv("CATALOG_SECRET_KEY", runtime.settings.secret_key)
    with runtime.unit_of_work() as session:
        factories.make_organisation(session, slug="stadtwerke-x", name="Stadtwerke X")
    return runtime


def _run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, list(words), input=typed)


def _add(*further: str, email: str = "ada@example.org") -> Result:
    return _run("user", "add", email, "--name", "Ada", "--password-stdin", *further, typed=f"{PASSWORD}\n")


def _user(catalog: Runtime, email: str = "ada@example.org") -> User:
    with catalog.unit_of_work.reading() as session:
        user = accounts.get(session, email)
        _ = [row.organisation for row in user.memberships]
        return user


def test_the_first_administrator(catalog: Runtime) -> None:
    result = _add("--role", "admin", "--organisation", "stadtwerke-x:manager")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    user = _user(catalog)
    assert [role.name for role in user.roles] == ["admin"]
    assert [(row.organisation.slug, row.role.value) for row in user.memberships] == [("stadtwerke-x", "manager")]
    assert accounts.PASSWORDS.verify(accounts.normal_password(PASSWORD), user.password)
    assert "ada@example.org\tAda\tadmin\tstadtwerke-x:manager" in _run("user", "list").output


def test_the_password_is_asked_for_or_made(catalog: Runtime) -> None:
    result = _run("user", "add", "bea@example.org", "--name", "Bea", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert result.exit_code == 0, result.output
    assert PASSWORD not in result.output
    made = _run("user", "password", "bea@example.org", "--generate").output.splitlines()[0].rpartition(" ")[2]
    assert accounts.PASSWORDS.verify(made, _user(catalog, "bea@example.org").password)


@pytest.mark.parametrize(
    ("words", "typed", "said"),
    [
        (["user", "add", "keine-adresse", "--name", "x", "--password-stdin"], PASSWORD, "E-Mail-Adresse"),
        (["user", "add", "x@example.org", "--name", "x", "--password-stdin"], "kurz", "8 bis 128"),
        (
            ["user", "add", "x@example.org", "--name", "x", "--password-stdin", "--organisation", "fehlt"],
            PASSWORD,
            "fehlt",
        ),
        (["user", "add", "x@example.org", "--name", "x", "--organisation", "a:chef"], PASSWORD, "'chef' is none of"),
        (["user", "disable", "fehlt@example.org"], "", "fehlt@example.org"),
        (["user", "role", "fehlt@example.org"], "", "Nothing to change"),
    ],
)
def test_mistakes_are_said_in_a_sentence_and_change_nothing(
    catalog: Runtime, words: list[str], typed: str, said: str
) -> None:
    result = _run(*words, typed=typed + "\n")
    assert result.exit_code != 0
    assert said in result.output
    assert "Traceback" not in result.output
    with catalog.unit_of_work.reading() as session:
        assert accounts.by_email(session, "x@example.org") is None


def test_an_address_is_added_once(catalog: Runtime) -> None:
    assert _add().exit_code == 0
    again = _add(email="ADA@example.org")
    assert again.exit_code != 0
    assert "schon ein Konto" in again.output
    assert _user(catalog).active


def test_closing_opening_and_changing(catalog: Runtime) -> None:
    _add("--role", "curator")
    assert _run("user", "disable", "ada@example.org").exit_code == 0
    assert not _user(catalog).active
    assert _run("user", "enable", "ada@example.org").exit_code == 0
    assert _user(catalog).active
    assert _run("user", "role", "ada@example.org", "--no-role", "--organisation", "stadtwerke-x").exit_code == 0
    user = _user(catalog)
    assert user.roles == []
    assert [row.role.value for row in user.memberships] == ["member"]
    assert _run("user", "role", "ada@example.org", "--role", "admin", "--leave", "stadtwerke-x").exit_code == 0
    assert ([role.name for role in _user(catalog).roles], _user(catalog).memberships) == (["admin"], [])


def test_the_outbox_is_shown_and_delivered(catalog: Runtime) -> None:
    _add()
    assert "Nothing waits." in _run("outbox", "status").output
    with catalog.unit_of_work() as session:
        accounts.request_reset(session, session.scalars(select(User.id)).one())
    assert "email: 1 waiting" in _run("outbox", "status").output
    assert "1 mails" in _run("outbox", "deliver").output
    assert "Nothing waits." in _run("outbox", "status").output
    assert len(list((catalog.settings.data_dir / "mail").iterdir())) == 1


def _worker(catalog: Runtime) -> subprocess.Popen[bytes]:
    environment = os.environ | {"CATALOG_DATA_DIR": str(catalog.settings.data_dir)}
    return subprocess.Popen(
        [sys.executable, "-c", "from catalog.cli import main; main()", "worker"],
        env=environment,
        stderr=subprocess.PIPE,
    )


def _lose_index(catalog: Runtime) -> None:
    (catalog.settings.index_dir / "CURRENT").unlink(missing_ok=True)
    assert catalog.index.status().needs_rebuild


def _wait_until(done: object, seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if done():  # type: ignore[operator]
            return
        time.sleep(0.1)
    pytest.fail("nothing happened in time")


def test_the_worker_delivers_what_others_leave_and_ends_when_asked(catalog: Runtime) -> None:
    _lose_index(catalog)
    worker = _worker(catalog)
    try:
        _wait_until(lambda: not catalog.index.status().needs_rebuild)  # it builds the missing index unasked
        catalog.unit_of_work.after_commit = None  # as if this process had died right after its commit
        with catalog.unit_of_work() as session:
            number = str(factories.make_published(session).id)
            accounts.request_reset(session, factories.make_user(session).id)
        _wait_until(lambda: number in catalog.index.ids())
        _wait_until((catalog.settings.data_dir / "mail").is_dir)
        with catalog.unit_of_work.reading() as session:
            _wait_until(lambda: outbox.waiting(session) == 0)
    finally:
        worker.send_signal(signal.SIGTERM)
        _, said = worker.communicate(timeout=20)
    assert worker.returncode == 0, said.decode()
    assert b"Traceback" not in said


def test_the_worker_ends_with_its_parent(catalog: Runtime, tmp_path: Path) -> None:
    _lose_index(catalog)
    note = tmp_path / "pid"
    program = (
        "import subprocess, sys, pathlib, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'from catalog.cli import main; main()', 'worker'])\n"
        f"pathlib.Path({str(note)!r}).write_text(str(child.pid))\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], env=os.environ | {"CATALOG_DATA_DIR": str(catalog.settings.data_dir)}
    )
    _wait_until(lambda: not catalog.index.status().needs_rebuild)
    child = int(note.read_text())
    parent.kill()
    parent.wait()
    _wait_until(lambda: not _lives(child), 20)


def _lives(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
