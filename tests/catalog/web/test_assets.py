"""Static files: hashed names, references between files, compression, caching, headers."""

import re
from pathlib import Path

import pytest
from flask import Flask, url_for
from flask.testing import FlaskClient

from catalog.paths import STATIC
from catalog.web import assets
from tests.browser import Browser


def _write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_name_changes_with_the_content_and_with_what_the_content_refers_to(tmp_path: Path) -> None:
    folder = _write(
        tmp_path, css__a_css='b { background: url("../img/x.svg"); }', img__x_svg="<svg/>", css__c_css="c {}"
    )
    first, contents = assets.read(folder)
    assert f'url("../{first["img/x.svg"]}")' in contents["css/a.css"].decode()
    _write(tmp_path, img__x_svg="<svg></svg>")
    second, _ = assets.read(folder)
    assert first["img/x.svg"] != second["img/x.svg"]
    assert first["css/a.css"] != second["css/a.css"]
    assert first["css/c.css"] == second["css/c.css"]


def test_modules_import_each_other_by_hashed_names(tmp_path: Path) -> None:
    names, contents = assets.read(
        _write(
            tmp_path,
            js__a_js='import "./b.js";\nimport C from "../v/c.js";\n',
            js__b_js="export {};\n",
            v__c_js="let c;",
        )
    )
    text = contents["js/a.js"].decode()
    assert f'import "./{names["js/b.js"].removeprefix("js/")}"' in text
    assert f'from "../{names["v/c.js"]}"' in text


@pytest.mark.parametrize(
    "text",
    [
        'x { src: url("data:image/svg+xml,<svg/>") }',
        "x { src: url(https://example.org/a.woff2) }",
        "x { mask: url(#a) }",
    ],
)
def test_what_is_no_file_of_ours_stays(tmp_path: Path, text: str) -> None:
    _, contents = assets.read(_write(tmp_path, a_css=text))
    assert contents["a.css"].decode() == text


def test_a_reference_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(assets.BrokenReferenceError, match=r"gone\.svg"):
        assets.read(_write(tmp_path, a_css="b { background: url(gone.svg); }"))


def test_modules_in_a_circle_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(assets.BrokenReferenceError, match="refers to itself"):
        assets.read(_write(tmp_path, a_js='import "./b.js";', b_js='import "./a.js";'))


def test_compressed_copies_are_made_once_for_each_state(tmp_path: Path) -> None:
    names, contents = assets.read(_write(tmp_path / "static", a_css="p { color: inherit; }\n" * 100))
    root = assets.compressed(names, contents, tmp_path / "kept")
    assert (root / "a.css.br").stat().st_size < 100
    assert (root / "a.css.gz").is_file()
    before = (root / "a.css").stat().st_mtime_ns
    assert assets.compressed(names, contents, tmp_path / "kept") == root
    assert (root / "a.css").stat().st_mtime_ns == before


def test_only_the_newest_states_are_kept(tmp_path: Path) -> None:
    for number in range(6):
        names, contents = assets.read(_write(tmp_path / "static", a_css=f"p {{ order: {number}; }}"))
        root = assets.compressed(names, contents, tmp_path / "kept")
        assert root.is_dir()
    assert len(list((tmp_path / "kept").iterdir())) == 3


def test_where_nothing_can_be_kept_files_are_served_plain(tmp_path: Path) -> None:
    names, contents = assets.read(_write(tmp_path / "static", a_css="p {}"))
    blocked = tmp_path / "kept"
    blocked.write_text("a file where a folder should be", encoding="utf-8")
    root = assets.compressed(names, contents, blocked)
    assert (root / "a.css").read_text(encoding="utf-8") == "p {}"
    assert not (root / "a.css.br").exists()


def test_hashed_files_are_cached_for_a_year_and_others_for_minutes(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        hashed = url_for("static", filename="css/tokens.css")
    assert re.fullmatch(r"/static/css/tokens\.[0-9a-f]{12}\.css", hashed)
    with client.get(hashed, headers={"Accept-Encoding": "br, gzip"}) as kept:
        assert kept.headers["Cache-Control"] == "max-age=31536000, public, immutable"
        assert kept.headers["Content-Encoding"] == "br"
        assert kept.headers["Vary"] == "Accept-Encoding"
    with client.get("/static/css/tokens.css") as plain:
        assert plain.headers["Cache-Control"] == "max-age=600, public"
        assert plain.data == (STATIC / "css" / "tokens.css").read_bytes()


def test_static_files_carry_the_headers_of_pages(client: FlaskClient) -> None:
    with client.get("/static/img/logo.svg") as answer:
        assert answer.headers["Content-Type"].startswith("image/svg+xml")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "nix.css",
        "../pyproject.toml",
        "%2e%2e/pyproject.toml",
        "css",
        "css/",
        "dist/",
        "",
        "css/tokens.css.br",
        "a\x00b",
    ],
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404


@pytest.mark.parametrize("address", ["/", "/hilfe", "/nix"])
def test_everything_a_page_asks_for_is_there(client: FlaskClient, address: str) -> None:
    page = Browser(client).get(address).text
    asked = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert len(asked) > 8
    for file in asked:
        with client.get(file) as answer:
            assert (answer.status_code, file) == (200, file)
            assert "immutable" in answer.headers["Cache-Control"]


def test_every_icon_that_templates_name_is_in_the_sprite() -> None:
    sprite = (STATIC / "vendor" / "icons" / "icons.svg").read_text(encoding="utf-8")
    there = set(re.findall(r'<symbol id="([^"]+)"', sprite))
    templates = STATIC.parent / "templates"
    named = {
        (name, path.name)
        for path in templates.rglob("*.html")
        for name in re.findall(r"""\b(?:icon|picture)\(\s*["']([a-z0-9-]+)["']""", path.read_text(encoding="utf-8"))
    }
    assert len(named) > 10
    assert [pair for pair in sorted(named) if pair[0] not in there] == []
