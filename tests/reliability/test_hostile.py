"""What attackers send to the running server and what they put into files: none of it is an error of ours."""

import json
import random
import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path
from typing import Final
from urllib.parse import quote_from_bytes, urlencode, urlsplit
from xml.etree import ElementTree as ET

import pytest

from index import Query
from tests.index import library
from tests.reliability.person import Person
from tests.served import Served, run, serving

ROUTES: Final = Path(__file__).parents[1] / "house" / "routes.tsv"
LIMIT_SECONDS: Final = 10.0  # of one answer, on a machine that does much else
WHO: Final = ("anonymous", "member", "curator")

VALUES: Final = (
    b"", b"0", b"1", b"-1", b"--1", b"1e99", b"99999999999999999999", b"9" * 5_000, b"NaN", b"2147483648",
    b"null", b"\x00", b"a\x00b", b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80", b"a" * 10_000, "ü".encode() * 3_000,
    "²".encode(), "٣".encode(), "\u202everkehrt".encode(), "👩‍👩‍👧‍👦".encode(), b"'; DROP TABLE solutions;--",
    b"%27%00%", b"../../etc/passwd", b"..%2f..%2f", b"{{7*7}}", b"${jndi:ldap://x}",
    b"<script>alert(1)</script>", b"\r\nX-Evil: 1", b"https://evil.example", b"//evil.example",
    b"\\\\evil.example", b"javascript:alert(1)", b"[a.b", b"http://[a.b", b'"' * 300, b"(" * 2_000, b"a* " *
    500, b"*" * 500, b"AND OR NOT", b"title:x^99", b"ort:Kiel", b"2021-02-31", b"0..9999", b"99999..0",
    b"-5..5", b"_", b"%", b"stadtwerke-luebeck", b"member@example.org", b"published", b"true", b"wasser",
)  # fmt: skip
NAMES: Final = (
    b"q", b"seite", b"sort", b"thema", b"status", b"land", b"art", b"organisation", b"technologie", b"jahr",
    b"von", b"bis", b"grund", b"ort", b"page", b"per_page", b"topic", b"next", b"sprache", b"lang", b"stand",
    b"title", b"email", b"password", b"version", b"step", b"add", b"remove", b"find", b"visibility", b"topics",
    b"reason", b"note", b"name", b"language", b"status", b"organisation_id", b"created_by_id",
    b"first_published_at", b"external_id", b"is_demo", b"id", b"q[]", b"q[0]", b"deployments-0-place",
    b"deployments-0-ags", b"deployments-0-place_choice", b"deployments-0-reuse_choice",
    b"deployments-0-reuse_follows", b"deployments-0-started", b"deployments-0-capex_eur",
    b"deployments-0-external_id", b"deployments-9999999-place", "deployments-²-place".encode(), b"deployments-"
    + b"9" * 5_000 + b"-place", b"deployments--place", b"deployments-0-kpis-7-before", b"deployments-0" +
    b"-kpis-0" * 300 + b"-unit", b"deployments", b"sources-0-url", b"sources-0-accessed", b"__class__",
    b"csrf_token", b"", b"\x00", b"\xff",
)  # fmt: skip
HEADERS: Final = (
    b"Accept-Language", b"Accept", b"Accept-Encoding", b"Referer", b"Origin", b"Range", b"If-None-Match",
    b"User-Agent", b"If-Modified-Since", b"X-Forwarded-For", b"X-Forwarded-Host", b"X-HTTP-Method-Override",
    b"Authorization", b"Cookie", b"Authentication-Token", b"Forwarded", b"Host", b"Content-Encoding",
    b"X-Request-Id", b"HX-Request", b"Content-Type",
)  # fmt: skip
METHODS: Final = (b"HEAD", b"OPTIONS", b"PUT", b"DELETE", b"PATCH", b"TRACE", b"PROPFIND", b"get", b"X" * 30)
KINDS: Final = (
    b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x", b"multipart/form-data",
    b"application/json", b"text/plain", b"application/x-www-form-urlencoded; charset=utf-16",
    b"application/xml", b"", b"a/b/c; =",
)  # fmt: skip


@dataclass(frozen=True)
class Visitor:
    """Whose cookie and form token a request carries."""

    name: str
    cookie: bytes
    token: bytes
    form: bytes = b""  # what a browser would send of the draft, without its token


@dataclass(frozen=True)
class Answer:
    """What came back, status 0 when nothing did, and for what."""

    status: int
    seconds: float
    request: bytes


class Fuzzer:
    """Makes requests from the addresses the catalog has; the same seed makes the same ones."""

    def __init__(self, seed: int, address: str, visitors: list[Visitor], numbers: tuple[int, ...]) -> None:
        """Aim at the server; `numbers` are rows worth naming in addresses."""
        self._chance = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._host = urlsplit(address).netloc.encode()
        self._visitors = visitors
        self._numbers = numbers
        rows = [line.split("\t") for line in ROUTES.read_text(encoding="utf-8").splitlines() if "\t" in line][1:]
        self._routes = sorted({(row[0].encode(), row[1]) for row in rows})

    def _value(self) -> bytes:
        value = self._chance.choice(VALUES)
        if self._chance.random() < 0.3:
            value += self._chance.choice(VALUES)[:3_000]
        if value and self._chance.random() < 0.2:
            place = self._chance.randrange(len(value))
            value = value[:place] + self._chance.randbytes(2) + value[place + 1 :]
        return value

    def _path(self, rule: str) -> bytes:
        def fill(found: re.Match[str]) -> str:
            if "int:" in found[0] and self._chance.random() < 0.7:
                return str(self._chance.choice(self._numbers))
            return quote_from_bytes(self._value()[:6_000])

        path = re.sub(r"<[^>]+>", fill, rule).encode()
        if self._chance.random() < 0.1:
            place = self._chance.randrange(len(path) + 1)
            odd = self._chance.choice((b"%00", b"%ff", b"//", b"/..", b"%2e%2e/", b";x", b"%"))
            path = path[:place] + odd + path[place:]
        return path

    def _pairs(self, most: int) -> bytes:
        pairs = []
        for _ in range(self._chance.randrange(most + 1)):
            name, value = self._chance.choice(NAMES), self._value()
            pairs += [quote_from_bytes(name).encode() + b"=" + quote_from_bytes(value[:6_000]).encode()] * (
                5 if self._chance.random() < 0.1 else 1
            )
        return b"&".join(pairs)

    def _body(self, visitor: Visitor) -> tuple[bytes, bytes]:
        token = self._chance.choices((visitor.token, b"", b"falsch", self._visitors[-1].token), (8, 1, 1, 1))[0]
        kind = self._chance.choices(KINDS, (20, *([1] * (len(KINDS) - 1))))[0]
        fields = b"csrf_token=" + token + b"&" + self._pairs(8)
        if visitor.form and self._chance.random() < 0.7:  # mostly right, so that it gets past the first check
            fields = b"&".join((b"csrf_token=" + visitor.token, self._pairs(3), visitor.form))
        if b"multipart" in kind:
            fields = b"".join(
                b'--x\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\n\r\n%s\r\n'
                % (self._chance.choice(NAMES)[:200], self._value()[:100], self._value())
                for _ in range(3)
            ) + self._chance.choice((b"--x--\r\n", b"", b"--x"))
        elif b"json" in kind:
            fields = self._chance.choice((b"[" * 3_000, b'{"a":1e999}', b"{", b'"\\ud800"', b"null", fields))
        return kind, fields

    def request(self) -> bytes:
        """The bytes of a request."""
        method, rule = self._chance.choice(self._routes)
        visitor = self._chance.choice(self._visitors)
        if self._chance.random() < 0.2:
            method, rule, visitor = b"POST", f"/einreichen/{self._numbers[-1]}", self._visitors[1]
        if rule == "/abmelden":
            visitor = self._visitors[0]  # nobody else's visit shall end
        if self._chance.random() < 0.1:
            method = self._chance.choice(METHODS)
        target = self._path(rule)
        query = self._pairs(4)
        if query:
            target += b"?" + query
        head = [b"Host: " + self._host, b"Connection: close", b"Cookie: " + visitor.cookie]
        head += [
            self._chance.choice(HEADERS) + b": " + re.sub(rb"[\r\n\x00]", b"", self._value()[:2_000])
            for _ in range(self._chance.choice((0, 0, 1, 3)))
        ]
        body = b""
        if method in {b"POST", b"PUT", b"PATCH"}:
            kind, body = self._body(visitor)
            head += [b"Content-Type: " + kind, b"Content-Length: %d" % len(body)]
        return b"%s %s HTTP/1.1\r\n%s\r\n\r\n%s" % (method, target, b"\r\n".join(head), body)


def send(address: str, request: bytes) -> Answer:
    """Send the bytes as they are and read until the server closes."""
    where = urlsplit(address)
    start = time.monotonic()
    received = b""
    with socket.create_connection((where.hostname, where.port), timeout=60) as line:
        try:
            line.sendall(request)
            while more := line.recv(65_536):
                received += more if len(received) < 100 else b""
        except ConnectionError:
            pass  # a refused request is answered before it was sent whole
    found = re.match(rb"HTTP/1\.[01] (\d{3})", received)
    return Answer(int(found[1]) if found else 0, time.monotonic() - start, request)


def visitors(address: str) -> tuple[list[Visitor], tuple[int, ...]]:
    """Nobody, a member with a draft, and a curator, each with a cookie and a form token; and the numbers of rows."""
    people = []
    draft = 1
    for name in WHO:
        person = Person(address)
        page = person.get("/anmelden")
        if name != "anonymous":
            person.sign_in(f"{name}@example.org")
            page = person.get("/konto")
        if name == "member":
            draft = person.begin("Zielscheibe")
        token = dict(page.form("csrf_token"))["csrf_token"]
        form = person.get(f"/einreichen/{draft}").form("challenge") if name == "member" else []
        sent = urlencode([(field, value) for field, value in form if field not in {"csrf_token", "version"}])
        cookie = "; ".join(f"{one.name}={one.value}" for one in person.jar)
        people.append(Visitor(name, cookie.encode(), token.encode(), sent.encode()))
    return people, (1, 2, draft - 1, draft)


def attack(served: Served, seed: int, count: int) -> list[Answer]:
    """Send that many mutated requests, four at once."""
    people, numbers = visitors(served.address)
    fuzzer = Fuzzer(seed, served.address, people, numbers)
    requests = [fuzzer.request() for _ in range(count)]
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda request: send(served.address, request), requests))


def check(answers: list[Answer], log: str) -> None:
    """No answer is a failure of ours, none is missing, none takes long, and the log holds no trace."""
    failed = {(answer.status, answer.request[:300]) for answer in answers if answer.status >= 500 or not answer.status}
    assert failed == set()
    assert max(answer.seconds for answer in answers) < LIMIT_SECONDS
    assert "Traceback" not in log


@pytest.fixture
def served(demo_copy: Path) -> Iterator[Served]:
    """The demo catalog, served to whoever asks as often as they like."""
    with serving(demo_copy, search_limit="0", demo="true") as running:
        yield running


def test_mutated_requests_are_answered_and_never_an_error_of_ours(served: Served) -> None:
    answers = attack(served, seed=1, count=500)
    check(answers, served.log.read_text(encoding="utf-8"))
    # The attack must get past the doors, or it shows nothing.
    assert {200, 302, 303, 400, 403, 404, 405, 422} <= {answer.status for answer in answers}
    written = [answer for answer in answers if answer.request.startswith(b"POST /einreichen/")]
    assert sum(answer.status in {200, 302, 422} for answer in written) > 20


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2, 7))
def test_ten_thousand_mutated_requests(served: Served, seed: int) -> None:
    check(attack(served, seed, count=2_000), served.log.read_text(encoding="utf-8"))


# --- one field, one address, one text at a time ---

EVIL: Final = (
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> [k](javascript:alert(1)) {{7*7}} ]]> "
    "\u202erückwärts \x01\x0b\x1b[31m \ufffe 👩‍👩‍👧 \r\nBcc: x@example.org"
)
UNSEEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\u202a-\u202e\ufffe]")
FIELDS: Final = (
    ("version", "--1"),
    ("version", "9" * 5_000),
    ("deployments-²-place", "Lübeck"),
    ("deployments-" + "9" * 5_000 + "-place", "Lübeck"),
    ("deployments-9999999-place", "Lübeck"),
    ("deployments-0-started", "31.02.2021"),
    ("deployments-0-capex_eur", "1e999"),
    ("sources-0-url", "https://[a.b"),
    ("remove", "²"),
    ("add", "deployments-²"),
    ("find", "x" * 5_000),
)


def test_fields_no_page_of_ours_has_sent_and_rows_no_table_has(served: Served) -> None:
    member, curator = Person(served.address), Person(served.address)
    member.sign_in("member@example.org")
    curator.sign_in("curator@example.org")
    draft = member.begin("Zielscheibe")
    for name, value in FIELDS:
        form = [(field, old) for field, old in member.get(f"/einreichen/{draft}").form("challenge") if field != name]
        assert member.post(f"/einreichen/{draft}", [*form, (name, value)]).status in {200, 302, 409, 422}, name[:40]
        assert member.get(f"/einreichen/{draft}/vorschau").status == 200
    for number in (2**31, 2**63, 10**30):
        assert member.get(f"/einreichen/{number}").status == 404
        assert curator.get(f"/redaktion/{number}").status == 404
        assert curator.get(f"/redaktion/eintrag/{number}/archivieren").status == 404
    assert "Traceback" not in served.log.read_text(encoding="utf-8")


def test_no_hostile_text_leaves_its_place(served: Served, demo_copy: Path) -> None:
    member, curator, reader = Person(served.address), Person(served.address), Person(served.address)
    member.sign_in("member@example.org")
    curator.sign_in("curator@example.org")
    draft = member.begin(EVIL)
    long = dict.fromkeys(("benefit", "challenge", "solution", "deployments-0-not_worked"), (EVIL + " ") * 100)
    handed_in = member.write(draft, title=EVIL, contact_name=EVIL, keywords=EVIL, **long)
    assert handed_in.status == 302
    (revision,) = set(re.findall(r"/redaktion/(\d+)", curator.get("/redaktion").text))
    pages = [curator.get(f"/redaktion/{revision}"), member.get(f"/einreichen/{draft}"), member.get("/meine-beitraege")]
    assert curator.publish(int(revision)).status == 302
    found = json.loads(until(lambda: reader.get("/api/v1/search?q=alert").text, '"title":'))
    (address,) = {hit["url"] for hit in found["data"] if "script" in hit["url"]}
    pages += [reader.get(path) for path in (address, "/", "/suche?q=alert", "/organisationen/stadtwerke-luebeck")]
    for page in pages:
        assert page.status == 200
        assert "<script>alert" not in page.text, page.address
        assert "<img src=x" not in page.text, page.address
        assert 'href="javascript' not in page.text, page.address
    feed = reader.get("/suche.atom?q=alert")
    assert "alert(1)" in "".join(ET.fromstring(feed.text).itertext())  # noqa: S314 - our own feed
    for page in (*pages[-3:], feed):  # one long entry does not fill the lists it stands in
        assert page.text.count("alert(1)") < 30, page.address
    for page in (*pages, feed, reader.get("/api/v1/search?q=alert")):
        assert UNSEEN.search(page.text) is None, page.address
    mails = list((demo_copy / "mail").glob("*.eml"))
    assert mails
    assert all(message_from_bytes(mail.read_bytes())["Bcc"] is None for mail in mails)


def until(ask: Callable[[], str], expected: str) -> str:
    """Ask again until the answer holds the text, for two seconds."""
    end = time.monotonic() + 2
    while expected not in (answer := ask()) and time.monotonic() < end:
        time.sleep(0.05)
    return answer


def test_a_very_long_entry_leaves_the_words_of_others_findable(tmp_path: Path) -> None:
    words = "ab " * 70_000  # more places than a posting can tell apart
    index = library.make_index(
        tmp_path,
        [
            library.document("lang", "Sensor", words + "Hochwasserpegel"),
            library.document("kurz", "Pegel", "Ein Hochwasserpegel am Kanal"),
        ],
    )
    for text, expected in (("Hochwasserpegel", {"lang", "kurz"}), ('"Hochwasserpegel am Kanal"', {"kurz"})):
        assert {hit.id for hit in index.search(Query(text, library.PUBLIC)).hits} == expected


# --- files ---

GOOD: Final = {"title": "Der letzte", "solution": "Er steht hinter allem anderen."}
ROWS: Final = (
    "[" * 100_000 + "]" * 100_000,
    '{"a":' * 100_000 + "1" + "}" * 100_000,
    '{"title": "t", "solution": "s", "tags": ' + "[" * 900 + "]" * 900 + "}",
    '{"title": "t", "solution": "s", "capex_eur": ' + "9" * 5_000 + "}",
    '{"title": "t", "solution": "s", "capex_eur": 1e999}',
    '{"title": "t", "solution": "s", "deployments": [{"capex_eur": NaN}]}',
    '{"title": "a", "title": "b", "solution": "s"}',
    r'{"title": "\ud800", "solution": "s"}',
    r'{"title": "x", "solution": "y", "\ud800": 1}',
    r'{"external_id": "\ud800", "title": "x"}',
    r'{"type": "\ud800"}',
    '{"type": {"a": 1}}',
    '{"title": "t", "solution": "s", "started": "2021-02-31"}',
    '{"title": "t", "solution": "s", "deployments": [{"started": "20٢١"}]}',
    '{"title": "t", "solution": "s", "record": {"status": "published", "published_at": "9999-12-31T23:59:59-14:00"}}',
    '{"title": "t", "solution": "s", "record": {"status": "published", "created_at": "0001-01-01T00:00:00+14:00"}}',
    '{"title": "Ohne Zone", "solution": "s", "record": {"status": "published", "created_at": "2020-01-01T00:00:00"}}',
    r'{"title": "\u0001\u0002", "solution": "\u202e"}',
    '{"title": "%(x)s {0} %s", "solution": "%(x)s %d"}',
    '{"title": "Ring", "solution": "s", "deployments": [{"external_id": "k1", "reuse": {"follows": "k1"}}]}',
    '{"title": "Kreis 1", "solution": "s", "deployments": [{"external_id": "k2", "reuse": {"follows": "k3"}}]}',
    '{"title": "Kreis 2", "solution": "s", "deployments": [{"external_id": "k3", "reuse": {"follows": "k2"}}]}',
    '{"title": "' + "T" * 6_000_000 + '", "solution": "s"}',
    *("null", "1", "[]", "{}", "true", '"x"'),
)


def test_a_hostile_file_costs_no_good_row_and_no_page(demo_copy: Path, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    file.write_bytes("\n".join(ROWS).encode() + b"\n\xff\xfe\n" + json.dumps(GOOD).encode() + b"\n")
    done = run(demo_copy, "import", str(file), "--publish", "--json")
    assert "Traceback" not in done.stderr
    said = json.loads(done.stdout)
    refused = {problem["line"] for problem in said["problems"] if problem["severity"] == "error"}
    assert {1, 2, 3, 4, 5, 6, 10, 11, 12, 13, 14, 15, 16, 18, 23} <= refused
    assert len(ROWS) + 2 not in refused
    with serving(demo_copy, search_limit="0") as served:
        reader = Person(served.address)
        addresses = {
            hit["url"] for hit in json.loads(reader.get("/api/v1/search?sort=newest&per_page=50").text)["data"]
        }
        assert any(address.endswith("/der-letzte") for address in addresses)
        for address in (*addresses, "/", "/suche", "/suche.atom"):
            assert reader.get(address).status == 200, address
