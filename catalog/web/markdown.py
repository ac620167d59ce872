"""Markdown to safe HTML, the one place where text of authors becomes markup; nothing else may mark text as safe."""

from functools import lru_cache

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

_TAGS = frozenset(
    "a blockquote br code del em h3 h4 h5 h6 hr li ol p pre s strong table tbody td th thead tr ul".split()  # noqa: SIM905
)
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "th": {"class"}, "td": {"class"}}
_SCHEMES = {"http", "https", "mailto"}
# Below the page's h1 and the h2 of the section that shows the text.
_FIRST_HEADING, _LAST_HEADING = 3, 6
_CACHED_TEXTS = 512
# Beyond these the parser's time grows with the square of the text; no text for readers has so many.
_MOST_LINKS, _MOST_CELLS = 300, 10_000

_markdown = MarkdownIt("commonmark", {"html": False, "linkify": True, "typographer": False}).enable(
    ["table", "strikethrough", "linkify"]
)
# An author's picture would be a request to someone else's server; files belong to the entry as attachments.
_markdown.disable("image")
_plain = MarkdownIt("commonmark", {"html": False}).enable("strikethrough").disable("image")


@lru_cache(maxsize=_CACHED_TEXTS)
def render(text: str | None) -> Markup:
    """The text as HTML that can't hold scripts, styles, pictures or headings above h3; empty for no text."""
    if not text or not text.strip():
        return Markup()
    parser = _markdown if _is_bearable(text) else _plain
    tokens = parser.parse(text)
    _lower_headings(tokens)
    raw = parser.renderer.render(tokens, parser.options, {})
    clean = nh3.clean(
        raw,
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="nofollow ugc noopener",
        allowed_classes=None,
    )
    return Markup(clean)  # noqa: S704 - cleaned one line above


def _is_bearable(text: str) -> bool:
    """Whether bare links and tables of the text can be found in time; a table's row is filled up to its widest."""
    lines = text.splitlines()
    widest = max(line.count("|") for line in lines) if lines else 0
    return text.count("://") <= _MOST_LINKS and widest * len(lines) <= _MOST_CELLS


def _lower_headings(tokens: list[Token]) -> None:
    used = [int(token.tag[1]) for token in tokens if token.type == "heading_open"]
    if not used:
        return
    shift = _FIRST_HEADING - min(used)
    for token in tokens:
        if token.type in {"heading_open", "heading_close"}:
            level = min(max(int(token.tag[1]) + shift, _FIRST_HEADING), _LAST_HEADING)
            token.tag = f"h{level}"
