"""The settings: each with name, default and help; read once from the environment or a TOML file, checked at start."""

import os
import secrets
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PREFIX = "CATALOG_"
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
_SHORTEST_KEY = 32
_HIGHEST_PORT = 65_535


class SettingsError(Exception):
    """A setting has a value that can't work; the text names it and says what would."""


def _setting(default: Any, help_text: str) -> Any:  # noqa: ANN401 - a dataclass field stands where its value will be
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an operator can set; `CATALOG_DATA_DIR` in the environment is `data_dir` here and in the TOML file."""

    data_dir: Path = _setting(Path("var"), "Folder of the database, index, files and secret key.")
    database_url: str = _setting("", "SQLAlchemy address; empty means SQLite in the data folder.")
    base_url: str = _setting(
        "http://127.0.0.1:8000", "Public address, for links in mails; https turns secure cookies on."
    )
    secret_key: str = _setting("", "Key for sessions and tokens; empty has one made and kept in the data folder.")
    mail_url: str = _setting(
        "", "smtp[s|+starttls]://user:password@host:port; empty writes mails into the data folder."
    )
    mail_from: str = _setting("loesungskatalog@localhost", "Sender of mails.")
    host: str = _setting("127.0.0.1", "Address to listen on.")
    port: int = _setting(8000, "Port to listen on.")
    workers: int = _setting(2, "Web processes.")
    threads: int = _setting(4, "Threads in each web process.")
    trusted_hosts: str = _setting("", "Further host names to answer to, separated by commas, beside that of base_url.")
    trusted_proxies: int = _setting(0, "Number of reverse proxies in front whose X-Forwarded headers are believed.")
    search_limit: int = _setting(120, "Searches per minute and network address; 0 means no limit.")
    read_only: bool = _setting(default=False, help_text="Refuse all writing, for maintenance.")
    demo: bool = _setting(default=False, help_text="Show the demo accounts on the login page.")
    operator_name: str = _setting("", "Who runs this catalog: name and legal form, for the legal pages.")
    operator_address: str = _setting("", "Postal address of the operator; commas become line ends.")
    operator_represented_by: str = _setting("", "Who represents the operator by law.")
    operator_email: str = _setting("", "Mailbox of the operator: questions, barriers, data protection.")
    operator_phone: str = _setting("", "Telephone number of the operator.")
    data_protection_contact: str = _setting("", "Data protection officer of the operator, with a way to reach them.")
    enforcement_body: str = _setting("", "Body that mediates about accessibility (Schlichtungsstelle).")

    @property
    def sqlalchemy_url(self) -> str:
        """The database address with the driver named, so that a bare postgresql:// does not depend on a default."""
        if not self.database_url:
            return f"sqlite:///{self.data_dir.absolute() / 'catalog.sqlite3'}"
        for bare in ("postgres://", "postgresql://"):
            if self.database_url.startswith(bare):
                return "postgresql+psycopg://" + self.database_url.removeprefix(bare)
        return self.database_url

    @property
    def index_dir(self) -> Path:
        """Where the search index lies: derived data, rebuilt at any time, never part of a backup."""
        return self.data_dir / "index"

    @property
    def secure(self) -> bool:
        """Whether the public address is https."""
        return urlsplit(self.base_url).scheme == "https"


def _parse(name: str, kind: type, raw: object) -> object:
    text = str(raw).strip()
    try:
        if kind is bool:
            if isinstance(raw, bool):
                return raw
            return {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}[text.lower()]
        if kind is Path:
            return Path(text).expanduser()
        return kind(text)
    except (ValueError, KeyError):
        expected = {bool: "true or false", int: "a whole number"}.get(kind, "a value of another form")
        msg = f"{PREFIX}{name.upper()} is {text!r}, but must be {expected}."
        raise SettingsError(msg) from None


def load(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the settings: overrides, then environment, then the TOML file named by CATALOG_CONFIG, then defaults.

    Raises SettingsError for an unreadable file, an unknown name in it, or a value that can't work.
    """
    environment = os.environ if environment is None else environment
    kinds = {f.name: type(f.default) if f.default is not MISSING else str for f in fields(Settings)}
    kinds["data_dir"] = Path
    values: dict[str, object] = {}
    file = environment.get(f"{PREFIX}CONFIG")
    if file:
        try:
            given = tomllib.loads(Path(file).read_text(encoding="utf-8"))
        except (OSError, ValueError) as problem:
            msg = f"{PREFIX}CONFIG names {file!r}, which can't be read: {problem}"
            raise SettingsError(msg) from problem
        unknown = sorted(set(given) - set(kinds))
        if unknown:
            msg = f"{file}: unknown settings {', '.join(unknown)}; known are {', '.join(sorted(kinds))}."
            raise SettingsError(msg)
        values |= given
    values |= {name: environment[PREFIX + name.upper()] for name in kinds if PREFIX + name.upper() in environment}
    values |= {name: value for name, value in overrides.items() if value is not None}
    parsed = {name: _parse(name, kinds[name], value) for name, value in values.items()}
    settings = Settings(**parsed)  # type: ignore[arg-type]  # each value was parsed to its field's kind
    _check(settings)
    return settings


def _check(settings: Settings) -> None:
    address = urlsplit(settings.base_url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        msg = f"{PREFIX}BASE_URL is {settings.base_url!r}, but must be an address such as https://katalog.example.org."
        raise SettingsError(msg)
    if settings.secret_key and len(settings.secret_key) < _SHORTEST_KEY:
        msg = f"{PREFIX}SECRET_KEY is too short: at least {_SHORTEST_KEY} characters, or leave it out to have one made."
        raise SettingsError(msg)
    if not 0 < settings.port <= _HIGHEST_PORT:
        msg = f"{PREFIX}PORT is {settings.port}, but must be between 1 and {_HIGHEST_PORT}."
        raise SettingsError(msg)
    if settings.workers < 1 or settings.threads < 1:
        msg = f"{PREFIX}WORKERS and {PREFIX}THREADS must be at least 1."
        raise SettingsError(msg)


def prepare_data_dir(settings: Settings) -> None:
    """Make the data folder, readable by its owner alone; raises SettingsError where that can't be done."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = settings.data_dir / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError as problem:
        msg = (
            f"The data folder {settings.data_dir} can't be written ({problem.strerror}). "
            f"Give it to the user that runs the catalog, free some space, or name another with {PREFIX}DATA_DIR."
        )
        raise SettingsError(msg) from problem


def _make_key(file: Path) -> None:
    """Write a new key whole, then give it its name: of processes that start at once one wins, and all read the same."""
    draft = file.with_name(f".{file.name}-{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(secrets.token_urlsafe(48))
            handle.flush()
            os.fsync(handle.fileno())
        with suppress(FileExistsError):
            file.hardlink_to(draft)  # unlike a rename it never replaces a key that is there already
    finally:
        draft.unlink(missing_ok=True)


def secret_key(settings: Settings) -> str:
    """The key for sessions and tokens; made on first use and kept in the data folder, mode 0600."""
    if settings.secret_key:
        return settings.secret_key
    file = settings.data_dir / "secret_key"
    try:
        if not file.exists():
            _make_key(file)
    except OSError as problem:
        msg = f"The secret key can't be written to {file} ({problem.strerror})."
        raise SettingsError(msg) from problem
    key = file.read_text(encoding="ascii").strip()
    if len(key) < _SHORTEST_KEY:
        msg = f"{file} is damaged. Delete it to have a new key made; everybody then has to sign in again."
        raise SettingsError(msg)
    return key
