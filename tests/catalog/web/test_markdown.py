"""Markdown: what authors may write, and that nothing gets through that runs, loads or looks like ours."""

import time

import html5lib
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.web.markdown import render

_ALLOWED = {
    *("html", "head", "body", "a", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "li", "ol"),
    *("p", "pre", "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {"a": {"href", "title", "rel"}, "ol": {"start"}}


def _elements(html: str) -> list[tuple[str, dict[str, str]]]:
    tree = html5lib.parse(html, namespaceHTMLElements=False)
    return [(str(element.tag), dict(element.attrib)) for element in tree.iter()]


def test_emphasis_lists_tables_and_code_are_shown() -> None:
    html = render(
        "**fett** *schräg* ~~weg~~\n\n- a\n- b\n\n3. drei\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n`code`\n\n> Zitat"
    )
    for part in (
        "<strong>fett",
        "<em>schräg",
        "<s>weg",
        "<li>a",
        '<ol start="3">',
        "<td>1",
        "<code>code",
        "<blockquote>",
    ):
        assert part in html
    assert "style" not in html


def test_headings_start_below_those_of_the_page() -> None:
    assert render("# Eins\n\n## Zwei\n\n###### Sechs").count("<h3>") == 1
    assert "<h3>Zwei</h3>" in render("## Zwei")
    assert "<h6>Sechs</h6>" in render("# Eins\n\n###### Sechs")


def test_links_are_marked_as_the_authors() -> None:
    assert render("https://example.org") == (
        '<p><a href="https://example.org" rel="nofollow ugc noopener">https://example.org</a></p>\n'
    )
    assert 'href="mailto:a@example.org"' in render("[Post](mailto:a@example.org)")


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "java\nscript:x",
    ],
)
def test_other_addresses_are_no_links(address: str) -> None:
    assert "href" not in render(f"[x]({address})")
    assert "href" not in render(f"[x](<{address}>)")


def test_pictures_are_not_loaded() -> None:
    assert "<img" not in render("![x](https://example.org/x.png)")


def test_html_is_shown_as_text() -> None:
    assert "<script" not in render("<script>alert(1)</script>")
    assert "&lt;b onclick=" in render('<b onclick="x()">fett</b>')


@pytest.mark.parametrize("nothing", ["", None, "  \n "])
def test_no_text_gives_nothing(nothing: str | None) -> None:
    assert render(nothing) == ""


_PIECES = st.sampled_from(
    [
        "<script>",
        "</script>",
        "<img src=x onerror=alert(1)>",
        "<svg/onload=alert(1)>",
        "[a](javascript:alert(1))",
        "](",
        "[",
        "![",
        "<a href='x' style='x'>",
        "`",
        "```",
        "\n\n",
        "\n",
        "|",
        "---",
        "# ",
        "> ",
        "* ",
        "&#x6a;avascript:",
        "<!--",
        "-->",
        "<![CDATA[",
        "<style>*{}</style>",
        "<iframe src=//x>",
        "\\",
        "\x00",
        "\u202e",
        "&lt;",
        "<math><mi//xlink:href=",
        "data:text/html;base64,",
        "https://example.org/?a=<b>",
        "<details open ontoggle=alert(1)>",
    ]
)


@given(st.lists(st.one_of(_PIECES, st.text(max_size=20)), max_size=20).map("".join))
@example("[a]: javascript:x\n\n[a]")
@example('<https://example.org/"onmouseover=alert(1)>')
def test_nothing_but_the_allowed_gets_out(text: str) -> None:
    for name, attributes in _elements(render(text)):
        assert name in _ALLOWED
        assert set(attributes) <= _ATTRIBUTES.get(name, set())
        if "href" in attributes:
            assert attributes["href"].startswith(("http://", "https://", "mailto:"))
            assert attributes["rel"] == "nofollow ugc noopener"


@pytest.mark.parametrize(
    "text",
    [
        "http://a.de/(" * 3_000,
        "|a" * 3_000 + "\n" + "|-" * 3_000 + "\n" + "|\n" * 3_000,
        "|a" * 20 + "\n" + "|-" * 20 + "\n" + "x\n" * 15_000,
        "[" * 39_000,
        "![" * 19_000,
        "> " * 19_000,
        "*a_ " * 9_000,
    ],
)
def test_no_text_of_the_longest_size_keeps_a_reader_waiting(text: str) -> None:
    start = time.process_time()
    render(text)
    assert time.process_time() - start < 2.5


def test_a_text_of_too_many_links_is_still_shown_without_them() -> None:
    shown = render("**Viele:** " + "https://example.org/ " * 301)
    assert "<strong>Viele:</strong> https://example.org/" in shown
    assert "<a " not in shown
