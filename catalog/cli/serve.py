"""`catalog serve`: the web server with its background worker, under one command; no request is answered here."""

# mypy: disable-error-code="no-untyped-call"
# gunicorn carries no types.

import errno
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.config import Config
from gunicorn.glogging import Logger
from gunicorn.http import message
from sqlalchemy import select

from catalog.app import create_app
from catalog.cli import console, setup
from catalog.config import Settings
from catalog.models import load_all
from catalog.models.user import User
from catalog.runtime import Runtime
from catalog.web import requestlog

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_ANSWER_WITHIN_SECONDS = 60
_FINISH_WITHIN_SECONDS = 25
_SHORTEST_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_WORKED_WELL_SECONDS = 60.0
# A search of 10,000 characters, each of four bytes, each byte written as three: gunicorn's own limit is 8,190.
_LONGEST_REQUEST_LINE = 128 * 1024
_MEMORY = Path("/dev/shm")  # noqa: S108 - a heartbeat file there never waits for a disk


class _Background:
    """`catalog worker` as a child process: started anew when it dies, with growing pauses, ended with the server."""

    def __init__(self, log_format: str) -> None:
        self._log_format = log_format
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._not_before = 0.0
        self._pause = _SHORTEST_PAUSE

    def see_to_it(self) -> None:
        """Start the worker where it does not run; called again and again."""
        now = time.monotonic()
        if self._process is not None:
            if self._process.poll() is None:
                return
            if now - self._started > _WORKED_WELL_SECONDS:
                self._pause = _SHORTEST_PAUSE
            requestlog.log.warning("background worker ended", again_in=self._pause)
            self._process = None
            self._not_before = now + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if now >= self._not_before:
            self._started = now
            program = [sys.executable, "-P", "-m", "catalog.cli", "worker"]
            told = ["--parent", str(os.getpid()), "--log-format", self._log_format]
            self._process = subprocess.Popen([*program, *told])  # noqa: S603 - our own program

    def ask_to_end(self) -> None:
        """Tell the worker to finish what it is doing."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def end(self, seconds: float) -> None:
        """Wait for the worker's end that long, then end it."""
        if self._process is None:
            return
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Log(Logger):
    """Gunicorn's own lines through the same handler as ours, so that all have one form."""

    def setup(self, cfg: Config) -> None:
        super().setup(cfg)
        self.error_log.handlers = []
        self.error_log.propagate = True


class _Arbiter(Arbiter):
    """Gunicorn's master, which looks after the background worker as it does after the web processes."""

    def __init__(self, app: BaseApplication, log_format: str) -> None:
        self._background = _Background(log_format)
        self._ending = False
        super().__init__(app)

    def manage_workers(self) -> None:
        super().manage_workers()
        if not self._ending:
            self._background.see_to_it()

    def stop(self, graceful: bool = True) -> None:  # noqa: FBT001, FBT002 - gunicorn's signature
        self._ending = True
        self._background.ask_to_end()
        super().stop(graceful)
        self._background.end(_FINISH_WITHIN_SECONDS if graceful else 2)


class _Server(BaseApplication):
    """Gunicorn with our settings and the application loaded once, before the web processes are forked."""

    def __init__(self, runtime: Runtime, log_format: str) -> None:
        self._runtime = runtime
        self._log_format = log_format
        super().__init__(prog="catalog")

    def load_config(self) -> None:
        settings = self._runtime.settings
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        given: dict[str, Any] = {
            "bind": f"{host}:{settings.port}",
            "workers": settings.workers,
            "threads": settings.threads,
            "worker_class": "gthread",
            "preload_app": True,
            "timeout": _ANSWER_WITHIN_SECONDS,
            "graceful_timeout": _FINISH_WITHIN_SECONDS,
            "keepalive": 15,
            "limit_request_line": _LONGEST_REQUEST_LINE,
            "control_socket_disable": True,
            "loglevel": "warning",
            "logger_class": _Log,
            "proc_name": "catalog",
            "post_fork": self._after_fork,
            "when_ready": self._announce,
        }
        if _MEMORY.is_dir():
            given["worker_tmp_dir"] = str(_MEMORY)
        config: Any = self.cfg
        for name, value in given.items():
            config.set(name, value)

    def load(self) -> "WSGIApplication":
        app = create_app(runtime=self._runtime)
        # The pages people see first: read before the fork, so that no process makes a reader wait for it.
        with app.test_client() as client:
            client.get("/suche?q=wasser", base_url=self._runtime.settings.base_url)
        self._runtime.engine.dispose()
        return requestlog.RequestLog(app.wsgi_app)

    def run(self) -> None:
        _Arbiter(self, self._log_format).run()

    def _after_fork(self, _server: Arbiter, _worker: object) -> None:
        # Connections belong to the process that opened them.
        self._runtime.engine.dispose(close=False)

    def _announce(self, _server: Arbiter) -> None:
        click.echo(f"Lösungskatalog: {address(self._runtime.settings)}")
        for line in _demo_accounts(self._runtime):
            click.echo(line)
        click.echo("Stop it with Ctrl-C.")
        sys.stdout.flush()


def address(settings: Settings) -> str:
    """Where this server can be opened: the public address when it is set, else host and port."""
    if settings.base_url != Settings().base_url:
        return settings.base_url
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::", ""} else settings.host  # noqa: S104 - compared, not bound
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _refuse_busy_port(settings: Settings) -> None:
    """Raise ConsoleError where the address can't be listened on: gunicorn would try for five seconds and say less."""
    try:
        kind, _, _, _, target = socket.getaddrinfo(
            settings.host or None, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(kind, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as problem:
        where = f"{settings.host}:{settings.port}"
        sentence = {
            errno.EADDRINUSE: f"Something else listens on {where}. Stop it, or choose another port with --port.",
            errno.EACCES: f"No permission to listen on {where} (below 1024 only root may). Choose another with --port.",
        }.get(problem.errno or 0, f"Can't listen on {where}: {problem.strerror}. Choose others with --host and --port.")
        raise console.ConsoleError(sentence) from problem


def _demo_accounts(runtime: Runtime) -> list[str]:
    """The lines that name the demo accounts; none outside the demo."""
    if not runtime.settings.demo:
        return []
    from catalog.services.demo import DEMO_PASSWORD  # loaded for the demo alone

    with runtime.unit_of_work.reading() as session:
        found = session.scalars(select(User.email).where(User.is_demo, User.active).order_by(User.id)).all()
    runtime.engine.dispose()
    return [f"Demo accounts (password {DEMO_PASSWORD}): {', '.join(found)}"] if found else []


@click.command(name="serve")
@click.option("--host", help="Address to listen on instead of CATALOG_HOST.")
@click.option("--port", type=int, help="Port to listen on instead of CATALOG_PORT.")
@click.option("--workers", type=int, help="Web processes instead of CATALOG_WORKERS.")
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--demo", is_flag=True, help="First do what `catalog init --demo` does, and show the demo accounts.")
def command(host: str | None, port: int | None, workers: int | None, log_format: str, *, demo: bool) -> None:
    """Run the catalog: web processes and the background worker, until Ctrl-C or SIGTERM."""
    load_all()
    requestlog.configure(as_json=log_format == "json")
    message.MAX_REQUEST_LINE = _LONGEST_REQUEST_LINE
    given = {"host": host, "port": port, "workers": workers, "demo": demo or None}
    with console.opened(check_schema=not demo, **given) as runtime:
        _refuse_busy_port(runtime.settings)
        if demo:
            setup.prepare(runtime, demo=True)
        _Server(runtime, log_format).run()
