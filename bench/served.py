"""The real programs on a data folder, and a plain HTTP client that measures; no figures are judged here."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 60


def _environment(data: Path, **settings: str) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith("CATALOG_")}
    given = {f"CATALOG_{name.upper()}": value for name, value in settings.items()}
    return own | {"CATALOG_DATA_DIR": str(data)} | given


def command(data: Path, *words: str) -> float:
    """Call the command line to its end; gives the seconds it took. Raises CalledProcessError."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "catalog.cli", *words],
        env=_environment(data),
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return time.perf_counter() - started


@contextmanager
def serving(data: Path, workers: int = 1) -> Iterator["Client"]:
    """The server with its worker, until the end of the block."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    settings = {
        "port": str(port),
        "base_url": f"http://127.0.0.1:{port}",
        "workers": str(workers),
        "search_limit": "0",  # the limit is there to stop what a measurement does
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "catalog.cli", "serve"],
        env=_environment(data, **settings),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield _ready(port, process)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _ready(port: int, process: subprocess.Popen[bytes]) -> "Client":
    end = time.monotonic() + _PATIENCE_SECONDS
    client = Client(port, process.pid)
    while True:
        try:
            client.get("/healthz")
        except OSError:
            client.close()
            if process.poll() is not None or time.monotonic() > end:
                msg = "the server did not start"
                raise RuntimeError(msg) from None
            time.sleep(0.05)
        else:
            return client


class Client:
    """One connection that stays open, as a browser's does."""

    def __init__(self, port: int, pid: int) -> None:
        """Connect at the first request."""
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.pid = pid

    def get(self, path: str, **fields: str | list[str]) -> str:
        """Fetch a page; raises RuntimeError for a status other than 200."""
        address = f"{path}?{urllib.parse.urlencode(fields, doseq=True)}" if fields else path
        try:
            self._connection.request("GET", address)
            answer = self._connection.getresponse()
            body = answer.read()
        except http.client.HTTPException:
            self.close()
            raise
        if answer.status != 200:
            msg = f"{address}: {answer.status}"
            raise RuntimeError(msg)
        return body.decode("utf-8")

    def close(self) -> None:
        """Give the connection up; the next request opens another."""
        self._connection.close()

    def cpu(self) -> float:
        """Seconds of processor time that the server and all its children have used."""
        ticks = os.sysconf("SC_CLK_TCK")
        total = 0.0
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    fields = (folder / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[2]) == self.pid:  # the process group, which is the server's own
                    total += (int(fields[11]) + int(fields[12])) / ticks
        return total
