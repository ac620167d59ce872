"""The catalog as its users get it: the command line's own server on a free port, with a data folder of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 30


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(data: Path, **settings: str) -> dict[str, str]:
    """The environment of a program that works on the data folder, with further settings by their short names."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("CATALOG_")}
    given = {f"CATALOG_{name.upper()}": value for name, value in settings.items()}
    return own | {"CATALOG_DATA_DIR": str(data)} | given


def run(data: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Call the command line to its end."""
    return subprocess.run(
        [sys.executable, "-m", "catalog.cli", *words],
        env=environment(data, **settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


class Served:
    """A running server: its address and its process group."""

    def __init__(self, address: str, process: subprocess.Popen[bytes], log: Path) -> None:
        """Keep what tests need of it."""
        self.address = address
        self.process = process
        self.log = log

    def kill(self) -> None:
        """Kill the server, its workers and helpers at once, as a power cut would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask the server to end and wait for it."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.kill()


def wait_for(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the server answers; raises RuntimeError with its log when it does not."""
    end = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{address}/healthz", timeout=2):  # noqa: S310 - our own address
                return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)
    msg = f"the server did not answer:\n{log.read_text(encoding='utf-8')[-4000:]}"
    raise RuntimeError(msg)


@contextmanager
def serving(data: Path, environment_: Mapping[str, str] | None = None, **settings: str) -> Iterator[Served]:
    """Serve the data folder until the block ends; the log lies beside it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    log = data.parent / f"{data.name}-{port}.log"
    settings = {"host": "127.0.0.1", "port": str(port), "base_url": address, "workers": "1"} | settings
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "catalog.cli", "serve"],
            env=environment(data, **settings) | dict(environment_ or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    served = Served(address, process, log)
    try:
        wait_for(address, process, log)
        yield served
    finally:
        served.stop()
