"""The wheel is whole: installed in an empty environment, started from elsewhere, it serves pages and static files."""

import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
import venv
from pathlib import Path

import pytest

from tests.served import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The command of an environment that holds the wheel, and of this checkout nothing."""
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
    )
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    (wheel,) = folder.glob("*.whl")
    place = folder / "environment"
    venv.create(place, with_pip=False, symlinks=True)
    python = place / "bin" / "python"
    site = place / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    # The dependencies come from the environment of the tests: nothing is fetched from a network, and what is tested is
    # our wheel, not theirs. A plain folder in a .pth file is not searched for .pth files of its own, so that the
    # editable install of this checkout, which is one, stays out.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    installed = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "install", "--offline", "--no-deps", "--python", str(python), str(wheel)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert installed.returncode == 0, installed.stderr
    where = subprocess.run(
        [str(python), "-P", "-c", "import catalog, index; print(catalog.__file__); print(index.__file__)"],
        check=True,
        capture_output=True,
        text=True,
        cwd="/",
    ).stdout.split()
    assert all(Path(path).is_relative_to(place) for path in where), where
    return place / "bin" / "catalog"


def settings(data: Path, port: int) -> dict[str, str]:
    own = {key: value for key, value in os.environ.items() if not key.startswith(("CATALOG_", "PYTHON", "VIRTUAL_ENV"))}
    return own | {
        "CATALOG_DATA_DIR": str(data),
        "CATALOG_PORT": str(port),
        "CATALOG_BASE_URL": f"http://127.0.0.1:{port}",
        "CATALOG_WORKERS": "1",
    }


def test_the_installed_wheel_serves_pages_and_static_files(program: Path, tmp_path: Path) -> None:
    port = free_port()
    environment = settings(tmp_path / "data", port)
    made = subprocess.run(
        [str(program), "init", "--demo"],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stdout + made.stderr
    log = tmp_path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen([str(program), "serve"], env=environment, cwd=tmp_path, stdout=output, stderr=output)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, process, log)
        with urllib.request.urlopen(f"{address}/", timeout=20) as answer:  # noqa: S310 - our own address
            page = answer.read().decode()
        assert "Lösungskatalog" in page
        files = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js|svg|woff2))"', page))
        assert any("vendor" in name for name in files)
        assert any(name.endswith(".css") and "vendor" not in name for name in files)
        for name in files:
            with urllib.request.urlopen(address + name, timeout=20) as answer:  # noqa: S310
                assert answer.status == 200
                assert "immutable" in answer.headers["Cache-Control"], name
                content = answer.read()
            assert content, name
        with urllib.request.urlopen(f"{address}/suche?q=Travem%C3%BCnde&lang=en", timeout=20) as answer:  # noqa: S310
            assert b"travemuende-funkt-mit" in answer.read()
        with urllib.request.urlopen(f"{address}/impressum", timeout=20) as answer:  # noqa: S310
            assert answer.status == 200
    finally:
        process.terminate()
        process.wait(30)
    checked = subprocess.run(
        [str(program), "index", "check"],
        env=environment,
        cwd=tmp_path,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr
