"""Static files: hashed names that may be cached for ever, compressed ahead; what is in the files is not its business.

At start the files are read (some ten milliseconds) and their names get a hash of their content, references between
style sheets and modules included. Compressed copies are made once per state of the files and kept in a folder.
"""

import hashlib
import logging
import os
import posixpath
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from wsgiref.headers import Headers

from flask import Flask, abort
from flask.typing import ResponseReturnValue
from whitenoise import WhiteNoise
from whitenoise.compress import Compressor

from catalog.paths import STATIC
from catalog.web.context import EXTENSION
from catalog.web.headers import POLICY

log = logging.getLogger(__name__)

PREFIX = "/static/"
_HASH_LENGTH = 12
_SHORT = 600
_KEPT_STATES = 3
_LAYOUT = b"1"  # another number makes every state anew after a change of this module
_OWN_FOLDER = "dist"
_REFERENCE = {
    # Only relative references: data: and absolute addresses stay as they are.
    ".css": re.compile(r"""(?P<before>url\(\s*["']?)(?P<name>(?!data:|[a-z]+:|/|#)[^"')\s?#]+)(?P<after>["')\s?#])"""),
    ".js": re.compile(r"""(?P<before>\b(?:from|import)\s*\(?\s*["'])(?P<name>\.{1,2}/[^"'?#]+)(?P<after>["'])"""),
}


class BrokenReferenceError(Exception):
    """A style sheet or module refers to a file that is not there, or modules refer to each other in a circle."""


class _Files(WhiteNoise):
    FOREVER = 31_536_000


def init_app(app: Flask, folder: Path) -> None:
    """Serve the folder below /static, and have url_for give the hashed names."""
    settings = app.extensions[EXTENSION].settings
    names, contents = read(folder)
    keep = folder / _OWN_FOLDER if _in_checkout(folder) else settings.data_dir / "assets"
    server = _Files(app.wsgi_app, max_age=_SHORT, allow_all_origins=False, immutable_file_test=_is_hashed(names))
    server.add_headers_function = _headers(secure=settings.secure)
    root = compressed(names, contents, keep)
    stats = {str(path): path.stat() for path in root.rglob("*") if path.is_file()}
    for name, hashed in names.items():
        path = str(root / name)
        for address in (name, hashed):
            server.files[PREFIX + address] = server.get_static_file(path, PREFIX + address, stat_cache=stats)  # type: ignore[no-untyped-call]
    app.wsgi_app = server  # type: ignore[method-assign]
    app.add_url_rule(f"{PREFIX}<path:filename>", endpoint="static", view_func=_missing)

    @app.url_defaults
    def _hashed(endpoint: str, values: dict[str, object]) -> None:
        if endpoint == "static":
            filename = str(values.get("filename", ""))
            values["filename"] = names.get(filename, filename)


def read(folder: Path) -> tuple[dict[str, str], dict[str, bytes]]:
    """The files below the folder: name to hashed name, and name to content with hashed references.

    Raises BrokenReferenceError for a reference that leads nowhere.
    """
    raw = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] != _OWN_FOLDER
    }
    names: dict[str, str] = {}
    contents: dict[str, bytes] = {}
    for name in raw:
        _finish(name, raw, names, contents, ())
    return names, contents


def _finish(
    name: str, raw: dict[str, bytes], names: dict[str, str], contents: dict[str, bytes], above: tuple[str, ...]
) -> str:
    """Hash one file after those it refers to; return its hashed name."""
    if name in names:
        return names[name]
    if name in above:
        message = f"{name} refers to itself by way of {' and '.join(above)}"
        raise BrokenReferenceError(message)
    base, extension = posixpath.splitext(name)
    content = raw[name]
    pattern = _REFERENCE.get(extension)
    if pattern is not None:

        def rewritten(match: re.Match[str]) -> str:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(name), match["name"]))
            if target not in raw:
                message = f"{name} refers to {match['name']}, which is not there"
                raise BrokenReferenceError(message)
            hashed = _finish(target, raw, names, contents, (*above, name))
            relative = posixpath.relpath(hashed, posixpath.dirname(name) or ".")
            relative = f"./{relative}" if extension == ".js" and not relative.startswith(".") else relative
            return match["before"] + relative + match["after"]

        content = pattern.sub(rewritten, content.decode("utf-8")).encode("utf-8")
    contents[name] = content
    names[name] = f"{base}.{hashlib.blake2b(content, digest_size=_HASH_LENGTH // 2).hexdigest()}{extension}"
    return names[name]


def compressed(names: dict[str, str], contents: dict[str, bytes], keep: Path) -> Path:
    """A folder with the files and their .br and .gz copies, made when this state of the files is new.

    Where `keep` can't be written, a folder for this process takes its place and nothing is compressed.
    """
    state = hashlib.blake2b(_LAYOUT + repr(sorted(names.values())).encode(), digest_size=8).hexdigest()
    target = keep / state
    if target.is_dir():
        return target
    try:
        keep.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(prefix=".new-", dir=keep))
        _write(contents, scratch, compress=True)
        scratch.chmod(0o755)
        try:
            # Of two processes that start at once one wins; the other finds the folder in place.
            scratch.rename(target)
        except OSError:
            shutil.rmtree(scratch, ignore_errors=True)
        _forget_old(keep)
    except OSError as problem:
        log.warning("static files are served uncompressed: %s can't be written (%s)", keep, problem.strerror)
    if target.is_dir():
        return target
    scratch = Path(tempfile.mkdtemp(prefix="catalog-static-"))
    _write(contents, scratch, compress=False)
    return scratch


def _write(contents: dict[str, bytes], folder: Path, *, compress: bool) -> None:
    compressor = Compressor(quiet=True)  # type: ignore[no-untyped-call]
    for name, content in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if compress and compressor.should_compress(name):  # type: ignore[no-untyped-call]
            compressor.compress(str(path))  # type: ignore[no-untyped-call]


def _forget_old(keep: Path) -> None:
    """Keep the few newest states: processes of the version before may still be serving from theirs."""
    states = sorted((path for path in keep.iterdir() if path.is_dir()), key=lambda path: path.stat().st_mtime)
    for path in states[:-_KEPT_STATES]:
        shutil.rmtree(path, ignore_errors=True)


def _in_checkout(folder: Path) -> bool:
    return folder == STATIC and (folder.parent / "pyproject.toml").is_file() and os.access(folder, os.W_OK)


def _is_hashed(names: dict[str, str]) -> Callable[[str, str], bool]:
    hashed = {PREFIX + name for name in names.values()}
    return lambda _path, address: address in hashed


def _headers(*, secure: bool) -> Callable[[Headers, str, str], None]:
    def add(headers: Headers, _path: str, _address: str) -> None:
        # A picture opened on its own is a document: an SVG must not be able to run anything.
        headers["Content-Security-Policy"] = POLICY
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cross-Origin-Resource-Policy"] = "same-origin"
        if secure:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"

    return add


def _missing(filename: str) -> ResponseReturnValue:
    """What the server in front did not find is not there."""
    del filename
    abort(404)
