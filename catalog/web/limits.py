"""How often an address, account or person may try things, and where that is counted; not what a limit protects.

All numbers stand in this one place. Counting is done by the library `limits`: sign-in, password and writing in the
database, where all processes share the counts and a restart keeps them; searches in the memory of each process,
because a database write would cost more than many a search itself, and a count that is off by the number of
processes still stops whoever floods the catalog.
"""

import hashlib
import hmac
import time
from functools import wraps
from ipaddress import IPv6Address, ip_address, ip_network
from secrets import token_hex
from typing import Any, Final, cast

from flask import Flask, Response, current_app, request
from flask.typing import ResponseReturnValue
from itsdangerous import BadSignature, URLSafeTimedSerializer
from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import Engine, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import TooManyRequests

from catalog.models.limit import RateCounter
from catalog.web import errors, login
from catalog.web.context import EXTENSION, actor, runtime
from catalog.web.login import View

# Failed sign-ins. One address may try ten times, all addresses together may try ten times for one account, but a single
# address can use up only half of that: whoever attacks from one place does not lock the right person out.
PER_ADDRESS: Final = RateLimitItemPerMinute(10, 5)
PER_ACCOUNT: Final = RateLimitItemPerMinute(10, 5)
PER_ACCOUNT_AND_ADDRESS: Final = RateLimitItemPerMinute(5, 5)
# A browser the person has signed in with before counts for itself, so that even an attack from many places at once
# does not lock the right person out.
PER_KNOWN_BROWSER: Final = RateLimitItemPerMinute(10, 5)
# Reset mails.
RESETS_PER_ACCOUNT: Final = RateLimitItemPerDay(5)
RESETS_PER_ADDRESS: Final = RateLimitItemPerDay(50)
# Guesses at the present password by someone at an unlocked computer.
PASSWORD_CHECKS: Final = RateLimitItemPerMinute(10, 5)
# Saving, submitting and deciding, per person: far above what people do by hand.
WRITES: Final = RateLimitItemPerHour(1_000)

_EXTENSION: Final = "catalog_limits"
_KNOWN_BROWSER_DAYS: Final = 180
_IPV6_SITE: Final = 64
_DAY_SECONDS: Final = 86_400


class Counters:
    """The two places where an application counts."""

    def __init__(self, engine: Engine) -> None:
        """Open both; the memory starts empty."""
        self.shared = FixedWindowRateLimiter(DatabaseStorage(engine))
        self.own = FixedWindowRateLimiter(MemoryStorage())


class DatabaseStorage(Storage):
    """Counts in the table `rate_counter`, each with one statement, so that no two processes count the same number."""

    STORAGE_SCHEME = None

    def __init__(self, engine: Engine) -> None:
        """Count in this database."""
        super().__init__()
        self._engine = engine.execution_options(writes=True)
        self._insert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert

    @property
    def base_exceptions(self) -> type[Exception]:
        """What can go wrong."""
        return SQLAlchemyError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count and give the sum within the window, which begins with the first count after the last one ended."""
        now = time.time()
        over = RateCounter.expires <= now
        statement = self._insert(RateCounter).values(key=key, hits=amount, expires=now + expiry)
        statement = statement.on_conflict_do_update(
            index_elements=[RateCounter.key],
            set_={
                "hits": case((over, amount), else_=RateCounter.hits + amount),
                "expires": case((over, now + expiry), else_=RateCounter.expires),
            },
        ).returning(RateCounter.hits)
        with self._engine.begin() as connection:
            return int(connection.execute(statement).scalar_one())

    def get(self, key: str) -> int:
        """The sum within the running window, 0 when none runs."""
        query = select(RateCounter.hits).where(RateCounter.key == key, RateCounter.expires > time.time())
        with self._engine.connect().execution_options(writes=False) as connection:
            return int(connection.execute(query).scalar() or 0)

    def get_expiry(self, key: str) -> float:
        """When the window ends, in seconds of the epoch; now when none runs."""
        query = select(RateCounter.expires).where(RateCounter.key == key)
        with self._engine.connect().execution_options(writes=False) as connection:
            return max(float(connection.execute(query).scalar() or 0.0), time.time())

    def check(self) -> bool:
        """Whether the table can be read."""
        try:
            self.get("")
        except SQLAlchemyError:
            return False
        return True

    def reset(self) -> int:
        """Forget all counts; gives how many there were."""
        with self._engine.begin() as connection:
            return connection.execute(delete(RateCounter)).rowcount

    def clear(self, key: str) -> None:
        """Forget one count."""
        with self._engine.begin() as connection:
            connection.execute(delete(RateCounter).where(RateCounter.key == key))


def init_app(app: Flask) -> None:
    """Limit sign-in and passwords, and say when to try again where a limit is reached."""
    app.extensions[_EXTENSION] = Counters(app.extensions[EXTENSION].engine)
    app.register_error_handler(TooManyRequests, _too_many)
    login.replace_view(app, login.SIGN_IN, _limited_sign_in)
    login.replace_view(app, login.FORGOTTEN, _limited_reset)
    login.replace_view(app, login.CHANGE, _limited_change)


def limited_searches(view: View) -> View:
    """Let an address search only as often as the settings say; 429 above that."""

    @wraps(view)
    def limited(*args: Any, **given: Any) -> ResponseReturnValue:
        per_minute = runtime().settings.search_limit
        if per_minute > 0:
            _spend(_counters().own, RateLimitItemPerMinute(per_minute), "search", address())
        return view(*args, **given)

    return limited


def limited_writes(view: View) -> View:
    """Let a person (or, not signed in, an address) write only so often; reading the same page costs nothing."""

    @wraps(view)
    def limited(*args: Any, **given: Any) -> ResponseReturnValue:
        if request.method not in {"GET", "HEAD", "OPTIONS"}:
            who = actor().user_id
            _spend(_counters().shared, WRITES, "write", address() if who is None else str(who))
        return view(*args, **given)

    return limited


def address() -> str:
    """Who is calling, as far as the network tells; of an IPv6 address the part a household or office shares."""
    given = request.remote_addr or ""
    try:
        parsed = ip_address(given)
    except ValueError:
        return given
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(ip_network((parsed, _IPV6_SITE), strict=False))
    return str(parsed)


def _counters() -> Counters:
    return cast("Counters", current_app.extensions[_EXTENSION])


def _hidden(text: str) -> str:
    """A key for the table that tells nobody which addresses and accounts tried to sign in."""
    return hmac.new(runtime().secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def _spend(counter: FixedWindowRateLimiter, limit: RateLimitItem, what: str, who: str) -> None:
    """Count one try before it is made: tries at the same moment can't all slip through. Raises TooManyRequests."""
    key = _hidden(who)
    if not counter.hit(limit, what, key):
        raise TooManyRequests(retry_after=_wait(counter, limit, what, key))


def _wait(counter: FixedWindowRateLimiter, limit: RateLimitItem, what: str, key: str) -> int:
    return max(1, int(counter.get_window_stats(limit, what, key).reset_time - time.time()) + 1)


def _too_many(error: TooManyRequests) -> ResponseReturnValue:
    body = errors.page(429)
    wait = error.retry_after
    return cast("tuple[Any, ...]", body)[0], 429, {"Retry-After": str(wait if isinstance(wait, int) else 60)}


# --- sign-in and passwords ---


def _typed_account() -> str:
    return request.form.get("email", "").strip().casefold()[:254]


def _limited_sign_in(view: View) -> View:
    """Count tries to sign in, and give back what a successful one has cost."""

    @wraps(view)
    def limited(*args: Any, **given: Any) -> ResponseReturnValue:
        if request.method != "POST":
            return view(*args, **given)
        counter, account, browser = _counters().shared, _typed_account(), _known_browser(_typed_account())
        if browser:
            spent = [(PER_KNOWN_BROWSER, "browser", browser)]
        else:
            spent = [(PER_ADDRESS, "address", address())]
            if counter.hit(PER_ACCOUNT_AND_ADDRESS, "both", _hidden(f"{account} {address()}")):
                spent.append((PER_ACCOUNT, "account", account))
            elif not counter.test(PER_ACCOUNT, "account", _hidden(account)):
                raise TooManyRequests(retry_after=_wait(counter, PER_ACCOUNT, "account", _hidden(account)))
        for limit, what, who in spent:
            _spend(counter, limit, what, who)
        answer = current_app.make_response(view(*args, **given))
        if login.token():
            for limit, what, who in spent:
                counter.storage.incr(limit.key_for(what, _hidden(who)), limit.get_expiry(), -1)
            _remember_browser(answer, account)
        return answer

    return limited


def _limited_reset(view: View) -> View:
    @wraps(view)
    def limited(*args: Any, **given: Any) -> ResponseReturnValue:
        if request.method == "POST":
            _spend(_counters().shared, RESETS_PER_ADDRESS, "resets of address", address())
            _spend(_counters().shared, RESETS_PER_ACCOUNT, "resets of account", _typed_account())
        return view(*args, **given)

    return limited


def _limited_change(view: View) -> View:
    @wraps(view)
    def limited(*args: Any, **given: Any) -> ResponseReturnValue:
        if request.method == "POST" and actor().signed_in:
            _spend(_counters().shared, PASSWORD_CHECKS, "password", str(actor().user_id))
        return view(*args, **given)

    return limited


def _browsers() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(runtime().secret_key, salt="known-browser")


def _cookie_name() -> str:
    return "__Host-geraet" if runtime().settings.secure else "geraet"


def _known_browser(account: str) -> str:
    """This browser's number when the account has signed in with it before, else nothing; it opens nothing by itself."""
    try:
        whose, number = _browsers().loads(
            request.cookies.get(_cookie_name(), ""), max_age=_KNOWN_BROWSER_DAYS * _DAY_SECONDS
        )
    except (BadSignature, TypeError, ValueError):
        return ""
    return f"{account} {number}" if hmac.compare_digest(str(whose), _hidden(account)) else ""


def _remember_browser(answer: Response, account: str) -> None:
    known = _known_browser(account)
    number = known.rpartition(" ")[2] or token_hex(8)
    answer.set_cookie(
        _cookie_name(),
        str(_browsers().dumps([_hidden(account), number])),
        max_age=_KNOWN_BROWSER_DAYS * _DAY_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=runtime().settings.secure,
        path="/",
    )
