"""Templates: each parses, each page has a title, nothing in them goes round the content security policy or escaping."""

import re
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import Environment, nodes

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*") if path.is_file())
MARKUP = [name for name in ALL if name.endswith((".html", ".xml", ".atom", ".svg"))]
COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)


def source(name: str) -> str:
    return COMMENT.sub("", (TEMPLATES / name).read_text(encoding="utf-8"))


@pytest.fixture
def environment(app: Flask) -> Environment:
    return app.jinja_env


def test_every_template_parses_and_uses_known_filters(environment: Environment) -> None:
    assert len(ALL) > 20
    for name in ALL:
        environment.get_template(name)  # compiles, and so fails for an unknown filter or test


def test_every_page_sets_its_title(environment: Environment) -> None:
    for name in MARKUP:
        tree = environment.parse((TEMPLATES / name).read_text(encoding="utf-8"))
        parents = [parent.template for parent in tree.find_all(nodes.Extends)]
        if not parents or name.startswith("_"):
            continue
        if name == "home/show.html":
            continue  # the frame's own title, the name of the catalog, is the home page's
        blocks = {block.name: block for block in tree.find_all(nodes.Block)}
        assert "title" in blocks, name
        assert blocks["title"].body, f"{name}: empty title"


def test_every_page_extends_the_frame_or_is_a_part(environment: Environment) -> None:
    """A page of its own would go without headings, landmarks and language."""
    for name in MARKUP:
        tree = environment.parse((TEMPLATES / name).read_text(encoding="utf-8"))
        whole = "<html" in source(name)
        assert not whole or name == "base.html", f"{name} is a page of its own"
        file = name.rsplit("/", 1)[-1]
        is_part = file.startswith("_") or name.startswith(("components/", "emails/")) or name == "base.html"
        if not is_part and name.endswith(".html"):
            assert list(tree.find_all(nodes.Extends)), f"{name} extends nothing; parts are called _{file}"


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("a style attribute", r"<[^>]*\sstyle\s*="),
        ("a style element", r"<style\b"),
        ("a script with its text in the page", r"<script\b(?![^>]*\bsrc=)(?![^>]*application/ld\+json)[^>]*>"),
        ("an event handler", r"<[a-zA-Z][^<>{}]*\son[a-z]+\s*="),
        ("a javascript address", r"javascript:"),
        ("escaping switched off", r"\|\s*safe\b|autoescape\s+false|Markup\("),
        (
            "a resource from elsewhere",
            r"<(?:script|img|iframe|source|audio|video)\b[^>]*\bsrc\s*=\s*[\"']?(?:https?:)?//",
        ),
        ("a style sheet from elsewhere", r"<link\b[^>]*stylesheet[^>]*href\s*=\s*[\"']?(?:https?:)?//"),
        ("a form sent by address", r"<form\b(?![^>]*\bmethod=)(?![^>]*\brole=.search)(?![^>]*\baction=)[^>]*>"),
        ("an opened window that can steer ours", r"target=[\"']_blank[\"'](?![^>]*noopener)"),
    ],
)
def test_no_template_has(what: str, pattern: str) -> None:
    found = [name for name in MARKUP if re.search(pattern, source(name))]
    assert found == [], what


def test_every_form_that_writes_carries_a_token() -> None:
    for name in MARKUP:
        for form in re.findall(r"<form\b[^>]*method=[\"']post[\"'].*?</form>", source(name), re.DOTALL | re.IGNORECASE):
            assert re.search(r"csrf_token|hidden_tag|token\(", form), f"{name}: {form[:200]}"


def test_texts_are_marked_for_translation() -> None:
    """German words between tags that no `_()` wraps would stay German on English pages."""
    word = re.compile(r">\s*([A-ZÄÖÜ][a-zäöüß]{3,}(?:\s+[a-zäöüßA-ZÄÖÜ]+){2,}[^<{]*)<")
    found = {name: word.findall(re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", source(name), flags=re.DOTALL)) for name in MARKUP}
    assert {name: texts for name, texts in found.items() if texts} == {}
