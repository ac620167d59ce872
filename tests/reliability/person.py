"""A person at a browser, over real HTTP: reads a form, changes what they mean to, and sends it."""

import http.client
import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any

import html5lib

_X = "{http://www.w3.org/1999/xhtml}"
PASSWORD = "demo-katalog"
# What it looks like when the server is killed while one talks to it.
GONE = (ConnectionError, http.client.HTTPException, urllib.error.URLError, TimeoutError)


@dataclass(frozen=True)
class Page:
    """An answer, at the address it was found at in the end."""

    status: int
    address: str
    headers: Message
    text: str

    def form(self, having: str) -> list[tuple[str, str]]:
        """What a browser would send of the form that has a field of this name; raises LookupError without one."""
        document = html5lib.parse(self.text)
        for form in document.iter(f"{_X}form"):
            sent = _values(form)
            if any(name == having for name, _ in sent) and form.get("method", "").lower() == "post":
                return sent
        message = f"no form with {having} at {self.address} ({self.status})"
        raise LookupError(message)


def _values(form: Any) -> list[tuple[str, str]]:
    sent: list[tuple[str, str]] = []
    for field in form.iter():
        name, kind = field.get("name"), field.get("type", "text")
        if not name or field.get("disabled") is not None:
            continue
        if field.tag == f"{_X}textarea":
            sent.append((name, (field.text or "").removeprefix("\n")))
        elif field.tag == f"{_X}select":
            options = list(field.iter(f"{_X}option"))
            chosen = [one for one in options if one.get("selected") is not None] or options[:1]
            sent += [(name, one.get("value", one.text or "")) for one in chosen]
        elif field.tag == f"{_X}input" and (
            kind not in {"submit", "button", "checkbox", "radio"}
            or (kind in {"checkbox", "radio"} and field.get("checked") is not None)
        ):
            sent.append((name, field.get("value", "")))
    return sent


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Person:
    """Someone with cookies of their own; the address of the server may change between two requests."""

    def __init__(self, address: str) -> None:
        """Open a browser."""
        self.address = address
        self.jar = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self.jar)
        self._browser = urllib.request.build_opener(cookies)
        self._patient = urllib.request.build_opener(cookies, _Stay())

    def get(self, path: str) -> Page:
        """Read a page."""
        return self._open(self._browser, urllib.request.Request(urllib.parse.urljoin(self.address, path)))  # noqa: S310 - our own address

    def post(self, path: str, fields: list[tuple[str, str]]) -> Page:
        """Send a form; the answer itself, redirects are not followed."""
        data = urllib.parse.urlencode(fields).encode()
        return self._open(self._patient, urllib.request.Request(urllib.parse.urljoin(self.address, path), data))  # noqa: S310

    @staticmethod
    def _open(browser: urllib.request.OpenerDirector, request: urllib.request.Request) -> Page:
        try:
            answer = browser.open(request, timeout=30)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            text = answer.read().decode("utf-8", "replace")
            return Page(answer.status or 0, answer.url, answer.headers, text)

    def sign_in(self, email: str, password: str = PASSWORD) -> None:
        """Sign in with a password, as people do."""
        fields = dict(self.get("/anmelden").form("password")) | {"email": email, "password": password}
        answer = self.post("/anmelden", list(fields.items()))
        assert answer.status in {302, 303}, f"signing in: {answer.status}"

    def begin(self, title: str) -> int:
        """Begin a draft; gives its number."""
        fields = dict(self.get("/einreichen").form("title")) | {"title": title, "organisation": "stadtwerke-luebeck"}
        answer = self.post("/einreichen", list(fields.items()))
        assert answer.status in {302, 303}, f"beginning: {answer.status}"
        return int(re.findall(r"/einreichen/(\d+)", answer.headers["Location"])[0])

    def write(self, entry: int, step: str = "submit", **changed: str) -> Page:
        """Fill in what a complete entry needs where it is empty, change what is given, and send it."""
        needed = {
            "benefit": "Der Pegel ist bekannt.",
            "challenge": "Niemand kannte den Pegel.",
            "solution": "Sensoren melden ihn.",
            "deployments-0-organisation": "stadtwerke-luebeck",
            "deployments-0-place": "Lübeck",
            "deployments-0-started": "2024",
            "deployments-0-status": "pilot",
            "deployments-0-not_worked": "Die Batterien.",
        }
        old = self.get(f"/einreichen/{entry}").form("challenge")
        new = [(name, changed.get(name, value or needed.get(name, ""))) for name, value in old]
        if not any(name == "topics" for name, _ in new):
            new.append(("topics", "wasser"))
        if not any(name == "deployments-0-status" for name, _ in new):
            new.append(("deployments-0-status", "pilot"))
        return self.post(f"/einreichen/{entry}", [*new, ("step", step)])

    def publish(self, revision: int) -> Page:
        """Accept a revision at the curators' desk."""
        page = self.get(f"/redaktion/{revision}")
        document = html5lib.parse(page.text)
        for form in document.iter(f"{_X}form"):
            if form.get("action", "").endswith("/veroeffentlichen"):
                return self.post(form.get("action"), _values(form))
        message = f"nothing to publish at {page.address} ({page.status})"
        raise LookupError(message)
