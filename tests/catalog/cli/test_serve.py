"""`catalog serve` as a process: it answers, keeps its worker alive, ends whole, and refuses clearly."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote

import pytest

from catalog.runtime import Runtime
from catalog.services import outbox
from tests.factories import make_published

_PROGRAM = [sys.executable, "-m", "catalog.cli"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], object], seconds: float = 40) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.1)


class Server:
    """A running `catalog serve` and what it wrote."""

    def __init__(self, data: Path, folder: Path, *arguments: str) -> None:
        """Start it; `folder` keeps its output."""
        self.port = free_port()
        self.out, self.err = folder / "out.txt", folder / "err.txt"
        environment = {**os.environ, "CATALOG_DATA_DIR": str(data), "CATALOG_WORKERS": "1"}
        with self.out.open("wb") as out, self.err.open("wb") as err:
            self.process = subprocess.Popen(
                [*_PROGRAM, "serve", "--port", str(self.port), *arguments], env=environment, stdout=out, stderr=err
            )

    def status(self, path: str) -> int:
        """The status a path answers with; 0 while nothing listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return int(answer.status)
        except HTTPError as error:
            return error.code
        except (URLError, ConnectionError):
            return 0

    def background(self) -> list[int]:
        """Process ids of the worker."""
        found = []
        for entry in Path("/proc").iterdir():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except (OSError, IndexError):
                continue
            if b"worker" in words and parent == str(self.process.pid):
                found.append(int(entry.name))
        return found


@pytest.fixture
def server(runtime: Runtime, tmp_path: Path) -> Iterator[Server]:
    """A server on a catalog with one entry."""
    outbox.rebuild_index(runtime.unit_of_work.writing, runtime.index)
    with runtime.unit_of_work() as session:
        make_published(session, title="Pumpensteuerung")
    started = Server(runtime.settings.data_dir, tmp_path, "--log-format", "json")
    yield started
    started.process.kill()
    started.process.wait()


def test_it_answers_keeps_its_worker_and_ends_whole(server: Server) -> None:
    until(lambda: server.status("/healthz") == 200)
    assert f"Lösungskatalog: http://127.0.0.1:{server.port}" in server.out.read_text()
    assert server.status("/suche?q=Pumpensteuerung") == 200
    assert server.status("/suche?q=" + quote("💧" * 9_000)) == 200

    until(server.background)
    (first,) = server.background()
    os.kill(first, signal.SIGKILL)
    until(lambda: server.background() and server.background() != [first])
    (second,) = server.background()

    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(30) == 0
    until(lambda: not Path(f"/proc/{second}").exists(), 5)
    assert server.status("/healthz") == 0

    lines = [json.loads(line) for line in server.err.read_text().splitlines()]
    requests = [line for line in lines if line["event"] == "request"]
    assert {line["path"] for line in requests} == {"/suche"}
    assert all(re.fullmatch(r"[0-9a-f]{16}", line["request"]) and line["status"] == 200 for line in requests)
    assert "Pumpensteuerung" not in server.err.read_text()
    assert "127.0.0.1" not in server.err.read_text()


def test_a_killed_server_leaves_no_worker(server: Server) -> None:
    until(server.background)
    (worker,) = server.background()
    until(lambda: server.status("/healthz") == 200)
    server.process.kill()
    server.process.wait()
    until(lambda: not Path(f"/proc/{worker}").exists(), 20)
    until(lambda: server.status("/healthz") == 0, 20)


def refused(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_PROGRAM, "serve", *arguments], env={**os.environ, "CATALOG_DATA_DIR": str(data)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_what_keeps_it_from_starting_is_said(runtime: Runtime, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        busy = refused(runtime.settings.data_dir, "--port", str(other.getsockname()[1]))
    assert busy.returncode == 3
    assert "Something else listens" in busy.stderr
    empty = refused(tmp_path / "new")
    assert empty.returncode == 3
    assert "catalog init" in empty.stderr
    (tmp_path / "file").write_text("")
    unusable = refused(tmp_path / "file")
    assert unusable.returncode == 3
    assert "CATALOG_DATA_DIR" in unusable.stderr
    assert "Traceback" not in busy.stderr + empty.stderr + unusable.stderr
