"""The wiring: what comes out as pages when something inside breaks, and what the settings switch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.exc import OperationalError

from catalog import paths
from catalog.app import create_app
from catalog.runtime import Runtime, open_runtime
from index import IndexUnavailable


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """As it is served, with addresses that break in each way."""
    made = create_app(runtime=runtime)
    broken = {
        "full": OperationalError("INSERT", {}, Exception("database or disk is full")),
        "locked": OperationalError("INSERT", {}, Exception("database is locked")),
        "index": IndexUnavailable("damaged", "MAIN.seg: /secret/path"),
        "bug": ZeroDivisionError("/secret/path"),
    }
    for name, problem in broken.items():

        def breaks(problem: Exception = problem) -> str:
            raise problem

        made.add_url_rule(f"/test-{name}", f"test_{name}", breaks)
    return made


@pytest.mark.parametrize(
    ("name", "status", "text"),
    [
        ("full", 507, "Kein Speicherplatz"),
        ("locked", 503, "Gerade nicht erreichbar"),
        ("index", 503, "Suche wird gerade neu aufgebaut"),
        ("bug", 500, "Vorgangsnummer"),
    ],
)
def test_what_breaks_inside_becomes_a_page_that_tells_nothing_of_it(
    client: FlaskClient, name: str, status: int, text: str
) -> None:
    answer = client.get(f"/test-{name}")
    page = answer.get_data(as_text=True)
    assert answer.status_code == status
    assert text in page
    for inside in ("secret", "Traceback", "INSERT", "ZeroDivision", "sqlalchemy"):
        assert inside not in page
    assert ("Retry-After" in answer.headers) == (status in {503, 507})
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_the_number_on_the_page_is_the_one_in_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    page = client.get("/test-bug").get_data(as_text=True)
    (record,) = [record for record in caplog.records if record.message.startswith("reference")]
    assert record.message.split()[1] in page
    assert record.exc_info is not None


def test_a_request_too_large_is_refused(client: FlaskClient) -> None:
    assert client.post("/einreichen", data={"title": "x" * (5 * 1024 * 1024)}).status_code == 413


@pytest.fixture
def secure(runtime: Runtime) -> Iterator[FlaskClient]:
    opened = open_runtime(replace(runtime.settings, base_url="https://katalog.example.org"))
    yield create_app(runtime=opened).test_client()
    opened.engine.dispose()


def test_behind_https_cookies_are_bound_to_it(secure: FlaskClient) -> None:
    answer = secure.get("/anmelden", base_url="https://katalog.example.org")
    (cookie,) = [one for one in answer.headers.getlist("Set-Cookie") if "sitzung" in one]
    assert cookie.startswith("__Host-sitzung=")
    for flag in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert flag in cookie
    assert "Domain" not in cookie
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


def test_without_https_no_promise_is_made_that_would_lock_people_out(client: FlaskClient) -> None:
    assert "Strict-Transport-Security" not in client.get("/").headers


def test_an_installed_copy_takes_its_own_files_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "catalog"
    package.mkdir()
    monkeypatch.setattr(paths, "_PACKAGE", package)
    assert paths._resource_dir("templates") == tmp_path / "templates"
    (package / "templates").mkdir()
    assert paths._resource_dir("templates") == package / "templates"
    for folder in (paths.TEMPLATES, paths.STATIC, paths.DATA, paths.MIGRATIONS):
        assert folder.is_dir()
