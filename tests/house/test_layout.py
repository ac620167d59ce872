"""The house stays in order: no stray copies, an empty front door, every setting and command documented."""

import ast
import re
from dataclasses import fields
from pathlib import Path

import pytest
from click.testing import CliRunner

from catalog import cli
from catalog.config import PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
_PYTHON = sorted(path for part in ("catalog", "index") for path in (ROOT / part).rglob("*.py"))


def test_the_front_door_imports_nothing() -> None:
    tree = ast.parse((ROOT / "catalog" / "__init__.py").read_text(encoding="utf-8"))
    assert all(isinstance(node, ast.Expr) for node in tree.body)


@pytest.mark.parametrize("name", ["templates", "static"])
def test_no_stray_copy_shadows_the_checkout(name: str) -> None:
    assert not (ROOT / "catalog" / name).exists()


@pytest.mark.parametrize("path", _PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_module_says_what_belongs_in_it(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert docstring
    assert docstring.rstrip().endswith((".", ":", "…"))


def _calls(path: Path) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]


def test_html_is_declared_safe_in_one_place_only() -> None:
    """Elsewhere only texts that stand in the code are markup, and what is put into them is escaped."""
    for path in _PYTHON:
        name = str(path.relative_to(ROOT))
        for call in _calls(path):
            if getattr(call.func, "id", getattr(call.func, "attr", "")) == "Markup" and call.args:
                written = isinstance(call.args[0], ast.Constant)
                assert written or name == "catalog/web/markdown.py", f"{name}:{call.lineno}"
    unsafe = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape\s+false", path.read_text(encoding="utf-8"))
    ]
    assert unsafe == []


def test_nothing_evaluates_or_opens_a_shell_and_only_index_unpickles() -> None:
    """Whoosh keeps its postings as pickles; they are read from our own folder alone, after their sums were checked."""
    forbidden = re.compile(
        r"(?<![.\w])(?:eval|exec)\(|os\.system\(|shell=True|UnsafeLoader|FullLoader|yaml\.unsafe_load"
    )
    assert [str(path) for path in _PYTHON if forbidden.search(path.read_text(encoding="utf-8"))] == []
    pickles = {str(path.relative_to(ROOT)) for path in _PYTHON if "pickle.load" in path.read_text(encoding="utf-8")}
    assert pickles <= {"index/postings.py"}
    for path in _PYTHON:
        text = path.read_text(encoding="utf-8")
        assert "yaml.load(" not in text or "yaml.SafeLoader" in text, path


def test_lock_files_hold_hashes_and_no_addresses() -> None:
    locks = [*ROOT.glob("requirements*.lock"), ROOT / "package-lock.json"]
    assert len(locks) >= 3
    for lock in locks:
        text = lock.read_text(encoding="utf-8")
        assert "sha256:" in text or "sha512-" in text
        assert not re.search(r"https?://", text), lock.name


@pytest.mark.parametrize("setting", [f.name for f in fields(Settings)])
def test_every_setting_is_documented(setting: str) -> None:
    text = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    assert f"`{PREFIX}{setting.upper()}`" in text


@pytest.mark.parametrize("command", sorted(cli._COMMANDS))
def test_every_command_exists_and_is_documented(command: str) -> None:
    result = CliRunner().invoke(cli.main, [command, "--help"])
    assert result.exit_code == 0, result.output
    assert f"`catalog {command}" in (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
