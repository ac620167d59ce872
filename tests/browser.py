"""A client that checks every HTML page it fetches: well-formed, named, labelled, protected, and asking nobody else."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

_NAMESPACE = "{http://www.w3.org/1999/xhtml}"
_CONTROLS = {"input", "select", "textarea"}
_NAMELESS_INPUTS = {"hidden", "submit", "reset", "button", "image"}
_RESOURCES = {"script": "src", "img": "src", "link": "href", "iframe": "src", "source": "src", "use": "href"}
_ADDRESSES_ONLY = {"alternate", "canonical", "prev", "next", "license", "help", "search"}
_REFERENCES = ("aria-describedby", "aria-labelledby", "aria-controls", "for", "list", "popovertarget")


class Browser:
    """Fetches pages like the client it wraps, and fails the test where a page breaks a rule."""

    def __init__(self, client: FlaskClient) -> None:
        """Wrap a client; its cookies are the browser's."""
        self.client = client

    def get(self, address: str, **given: Any) -> TestResponse:
        """Fetch a page and check it."""
        return self._checked(self.client.get(address, **given), address)

    def post(self, address: str, data: dict[str, Any] | None = None, **given: Any) -> TestResponse:
        """Send a form and check the page that answers."""
        return self._checked(self.client.post(address, data=data or {}, **given), address)

    def _checked(self, answer: TestResponse, address: str) -> TestResponse:
        if answer.mimetype == "text/html" and answer.data and not 300 <= answer.status_code < 400:
            found = problems(answer.text)
            assert not found, f"{address} ({answer.status_code}):\n" + "\n".join(found)
        return answer


def problems(text: str) -> list[str]:
    """What is wrong with a whole page, one line each; empty for a sound one."""
    parser = html5lib.HTMLParser(tree=html5lib.treebuilders.getTreeBuilder("etree"))
    tree = parser.parse(text)
    elements = [(_name(element), element) for element in tree.iter() if isinstance(element.tag, str)]
    return [
        *(f"parse error {code} at line {position[0]}" for position, code, _ in parser.errors),
        *_frame(elements, tree),
        *_ids(elements),
        *_labels(tree, elements),
        *_forms(elements),
        *_policy(elements),
        *_headings(elements),
    ]


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _frame(elements: list[tuple[str, Any]], tree: Any) -> Iterator[str]:
    if not tree.get("lang"):
        yield "the page has no language"
    titles = ["".join(element.itertext()).strip() for name, element in elements if name == "title"]
    if len(titles) != 1 or not titles[0]:
        yield f"one title with text is needed, found {titles}"
    for name, wanted in (("h1", 1), ("main", 1)):
        count = sum(1 for found, _ in elements if found == name)
        if count != wanted:
            yield f"{count} <{name}> instead of {wanted}"
    for name, element in elements:
        if name in {"h1", "h2", "h3", "h4", "a", "button", "legend", "th", "summary"} and not _text(element):
            yield f"<{name}> without text: {element.attrib}"


def _ids(elements: list[tuple[str, Any]]) -> Iterator[str]:
    ids = Counter(element.get("id") for _, element in elements if element.get("id"))
    yield from (f"id {name!r} stands {count} times" for name, count in ids.items() if count > 1)
    for name, element in elements:
        for attribute in _REFERENCES:
            yield from (
                f"{attribute} of <{name}> names {target!r}, which is not there"
                for target in (element.get(attribute) or "").split()
                if target not in ids
            )
        href = element.get("href") or ""
        if name == "a" and href.startswith("#") and len(href) > 1 and href[1:] not in ids:
            yield f"link to {href}, which is not there"


def _labels(tree: Any, elements: list[tuple[str, Any]]) -> Iterator[str]:
    labelled = {element.get("for") for name, element in elements if name == "label"}
    inside = {inner for label in tree.iter(f"{_NAMESPACE}label") for inner in label.iter()}
    for name, element in elements:
        if name not in _CONTROLS or element.get("type") in _NAMELESS_INPUTS:
            continue
        named = element.get("aria-label") or element.get("aria-labelledby")
        if not named and element.get("id") not in labelled and element not in inside:
            yield f"<{name} name={element.get('name')!r}> has no label"


def _forms(elements: list[tuple[str, Any]]) -> Iterator[str]:
    for name, element in elements:
        if name != "form":
            continue
        tokens = [inner for inner in element.iter(f"{_NAMESPACE}input") if inner.get("name") == "csrf_token"]
        posts = (element.get("method") or "get").lower() == "post"
        if posts and not any(token.get("value") for token in tokens):
            yield f"the form to {element.get('action')!r} carries no CSRF token"
        if not posts and tokens:
            yield f"the form to {element.get('action')!r} would put its CSRF token into the address"
        if any(inner is not element for inner in element.iter(f"{_NAMESPACE}form")):
            yield "a form stands inside a form"


def _policy(elements: list[tuple[str, Any]]) -> Iterator[str]:
    for name, element in elements:
        if name == "style" or (name == "script" and not element.get("src")):
            yield f"inline <{name}>"
        yield from (
            f"{key} on <{name}>" for key in element.attrib if key == "style" or re.match(r"on[a-z]+$", str(key))
        )
        attribute = _RESOURCES.get(name)
        if attribute and not (name == "link" and set((element.get("rel") or "").split()) & _ADDRESSES_ONLY):
            address = urlsplit(element.get(attribute) or "")
            if address.netloc or address.scheme not in {"", "data"}:
                yield f"<{name}> asks another server: {element.get(attribute)}"
        if (element.get("href") or "").strip().lower().startswith("javascript:"):
            yield f"<{name}> runs a script by its address"


def _headings(elements: list[tuple[str, Any]]) -> Iterator[str]:
    before = 0
    for name, element in elements:
        if re.fullmatch(r"h[1-6]", name):
            level = int(name[1])
            if level > before + 1:
                yield f"<{name}> {_text(element)!r} follows a heading of level {before}"
            before = level


def _text(element: Any) -> str:
    own = " ".join(str(part) for part in element.itertext()).strip()
    pictures = [inner.get("alt") or "" for inner in element.iter(f"{_NAMESPACE}img")]
    return own or " ".join(pictures).strip() or (element.get("aria-label") or "")
