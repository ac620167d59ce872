"""Where the index lies and who may write: versioned folders, CURRENT, the lock, rebuilding aside; no search here."""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from index import postings, schema
from index.analysis import Analyzer
from index.document import Document
from index.errors import DAMAGED, MISSING, IndexLocked, IndexUnavailable
from index.evidence import fields_of

_LOG = logging.getLogger(__name__)

CURRENT: Final = "CURRENT"
LOCK: Final = "LOCK"
META: Final = "index.json"
_MEMORY_MB: Final = 128  # postings a writer holds before it spills them
_SEGMENTS_MOST: Final = 40  # merge within a commit only when the background worker is clearly absent
_OLD_FOLDER_SECONDS: Final = 60.0  # a process may still be opening files of the folder that was current


@dataclass(frozen=True, slots=True)
class Meta:
    """What a version folder says of itself."""

    schema_version: int
    analysis_version: str


class Store:
    """The folder of the index. One instance per process and folder; safe to share between threads."""

    def __init__(self, path: Path, analyzer: Analyzer) -> None:
        """Remember the place; nothing is created until something is written."""
        self.path = path
        self._analyzer = analyzer
        self._thread_lock = threading.RLock()
        self._depth = 0

    # --- reading ---------------------------------------------------------------------------------------------------

    def current(self) -> Path:
        """Return the current version folder. Raises IndexUnavailable when there is none."""
        try:
            name = (self.path / CURRENT).read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise IndexUnavailable(MISSING, "no index was built yet") from error
        except (OSError, UnicodeDecodeError) as error:
            raise IndexUnavailable(DAMAGED, str(error)) from error
        folder = self.path / name
        if not name or "/" in name or "\0" in name or not folder.is_dir():
            raise IndexUnavailable(DAMAGED, "CURRENT names no folder")
        return folder

    @staticmethod
    def meta(folder: Path) -> Meta:
        """Return what a version folder says of itself. Raises IndexUnavailable when it is unreadable."""
        try:
            data = json.loads((folder / META).read_text(encoding="utf-8"))
            return Meta(int(data["schema_version"]), str(data["analysis_version"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise IndexUnavailable(DAMAGED, f"{META}: {error}") from error

    # --- writing ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, timeout: float = 0.0) -> Iterator[None]:
        """Hold the write lock. Nested use by the same thread re-uses it. Raises IndexLocked after `timeout` seconds."""
        if (
            not self._thread_lock.acquire(timeout=max(timeout, 0.0))
            if timeout > 0
            else not self._thread_lock.acquire(blocking=False)
        ):
            raise IndexLocked
        try:
            if self._depth:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1
                return
            with self._file_lock(timeout):
                self._depth = 1
                try:
                    yield
                finally:
                    self._depth = 0
        finally:
            self._thread_lock.release()

    @contextlib.contextmanager
    def _file_lock(self, timeout: float) -> Iterator[None]:
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.chmod(0o700)
        handle = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            end = time.monotonic() + timeout
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError as error:
                    if time.monotonic() >= end:
                        raise IndexLocked from error
                    time.sleep(0.01)
            yield
        finally:
            os.close(handle)

    def update(self, documents: Iterable[Document], gone: Iterable[int], timeout: float) -> int:
        """Delete documents by number, add documents, commit once; return how many were added.

        The caller holds the lock and has looked the numbers up under it.
        """
        with self.writing(timeout):
            folder = self.current()
            writer = self._writer(folder)
            added = 0
            try:
                for number in gone:
                    writer.delete_document(number)
                for document in documents:
                    writer.add_document(**fields_of(document, self._analyzer))
                    added += 1
                crowded = len(writer.segments) > _SEGMENTS_MOST
                policy = postings.merge_worthy if crowded else postings.keep_segments
                writer.commit(mergetype=policy)
            except BaseException:
                with contextlib.suppress(Exception):
                    writer.cancel()
                raise
            postings.clean(folder)
        return added

    @staticmethod
    def _writer(folder: Path) -> Any:  # noqa: ANN401 - Whoosh's own writer
        """Open the writer; raises IndexUnavailable when what lies there can't be written on, e.g. an emptied table."""
        try:
            return postings.open_writer(folder, _MEMORY_MB)
        except postings.READ_ERRORS as error:
            if isinstance(error, OSError) and not isinstance(error, FileNotFoundError | EOFError):
                raise  # a full or read-only disk is no damage, and building anew would not help
            raise IndexUnavailable(DAMAGED, f"{type(error).__name__}: {error}") from error

    def merge(self, timeout: float) -> bool:
        """Merge small segments when there are many, and remove old folders; tell whether anything was merged."""
        with self.writing(timeout):
            folder = self.current()
            self._remove_old(folder)
            index = postings.open_for_writing(folder)
            if not postings.worth_merging(index._segments()):  # noqa: SLF001 - the list, without opening readers
                return False
            writer = postings.open_writer(folder, _MEMORY_MB)
            try:
                writer.commit(mergetype=postings.merge_worthy)
            except BaseException:
                with contextlib.suppress(Exception):
                    writer.cancel()
                raise
            postings.clean(folder)
        return True

    def rebuild(self, documents: Iterable[Document], timeout: float) -> int:
        """Build a new folder from `documents` beside the current one and switch to it; return how many are in it.

        Holds the lock from start to switch, so that no update goes into a folder about to be left. The last document
        with an id wins.
        """
        with self.writing(timeout):
            name = f"v{schema.SCHEMA_VERSION}-{time.time_ns()}"
            folder = self.path / name
            folder.mkdir(mode=0o700)
            try:
                count = self._build(folder, documents)
                meta = {
                    "schema_version": schema.SCHEMA_VERSION,
                    "analysis_version": self._analyzer.version,
                    "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                }
                (folder / META).write_text(json.dumps(meta), encoding="utf-8")
                for file in folder.iterdir():
                    _sync(file)
                _sync(folder)
                temporary = self.path / f"{CURRENT}.tmp"
                temporary.write_text(name + "\n", encoding="utf-8")
                _sync(temporary)
                temporary.replace(self.path / CURRENT)
                _sync(self.path)
            except BaseException:
                shutil.rmtree(folder, ignore_errors=True)
                raise
            self._remove_old(folder)
        return count

    def _build(self, folder: Path, documents: Iterable[Document]) -> int:
        postings.create(folder, schema.make_schema())
        writer = postings.open_writer(folder, _MEMORY_MB)
        numbers: dict[str, int] = {}
        repeated: list[int] = []
        try:
            for number, document in enumerate(documents):
                if document.id in numbers:
                    repeated.append(numbers[document.id])
                numbers[document.id] = number
                writer.add_document(**fields_of(document, self._analyzer))
            writer.commit(mergetype=postings.keep_segments)
            if repeated:
                cleaner = postings.open_writer(folder, _MEMORY_MB)
                for number in repeated:
                    cleaner.delete_document(number)
                cleaner.commit(mergetype=postings.keep_segments)
        except BaseException:
            with contextlib.suppress(Exception):
                writer.cancel()
            raise
        postings.clean(folder)
        return len(numbers)

    def _remove_old(self, current: Path) -> None:
        """Remove folders that are not current and were left long enough ago, and those of a killed rebuild."""
        try:
            switched = (self.path / CURRENT).stat().st_mtime
        except OSError:
            return
        if time.time() - switched < _OLD_FOLDER_SECONDS:
            return
        for entry in self.path.iterdir():
            if entry.is_dir() and entry.name.startswith("v") and entry.name != current.name:
                shutil.rmtree(entry, ignore_errors=True)

    def size(self, folder: Path) -> int:
        """Return the bytes a version folder takes."""
        total = 0
        for entry in folder.iterdir():
            with contextlib.suppress(OSError):
                total += entry.stat().st_size
        return total


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
