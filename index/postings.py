"""The only module that knows how Whoosh's codec lies on disk: storage, term tables, postings as arrays.

Nothing here ranks or decides. Everything private to Whoosh that the library touches is named here and nowhere else, so
that another Whoosh of the same format (whoosh3) needs a look at this one file. Decoding into arrays instead of tuples
makes scoring a handful of vector operations: see docs/search.md for the ratio measured against pure Python.
"""

import io
import json
import math
import mmap
import os
import pickle
import re
import struct
import threading
import time
import warnings
import zlib
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # see index.analysis.forms
    import whoosh.writing  # noqa: F401 - imported late by Whoosh, and then no longer quiet
    from whoosh.codec.whoosh3 import W3Codec, W3FieldWriter
    from whoosh.filedb.filestore import FileStorage
    from whoosh.filedb.structfile import StructFile
    from whoosh.index import TOC, FileIndex
    from whoosh.reading import SegmentReader, TermNotFound
    from whoosh.writing import IndexingError, PostingPool

Ints = npt.NDArray[np.int64]
Ids = npt.NDArray[np.uint32]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

_T = TypeVar("_T")

INDEX_NAME: Final = "MAIN"
_TOC_NAME: Final = re.compile(rf"_{INDEX_NAME}_(\d+)\.toc\Z")
_SEGMENT_FILE: Final = re.compile(rf"({INDEX_NAME}_[0-9a-z]+)\.")
_SUM_SUFFIX: Final = ".sum"
_INT: Final = struct.Struct("!i")
_TIER_FACTOR: Final = 6
_TIERS: Final = 4  # segments of 6^4 documents and more are big
_CROWDED: Final = 5
_REWRITTEN_MOST: Final = 10_000  # documents: half a minute of work
_POSTING_SIZE: Final = 180
_WORTH_PACKING: Final = 6
_FIELD_OF: Final = itemgetter(0)
_TERM_OF: Final = itemgetter(1)
_POSTINGS_MAGIC: Final = b"W3Bl"


class Damaged(Exception):  # noqa: N818
    """A file of the index is not what was written."""


class SumStorage(FileStorage):
    """Whoosh's file storage with memory maps that are not copied, and with checksums written before each switch.

    Whoosh itself notices neither a flipped bit in a term nor a halved column, and unpickles whatever it finds. So every
    segment gets a sum file, written before the table of contents that names the segment appears.
    """

    def __init__(self, path: str | Path) -> None:
        """Open the storage in a folder."""
        super().__init__(str(path))  # type: ignore[no-untyped-call]

    def open_file(self, name: str, **kwargs: Any) -> Any:  # noqa: ANN401
        """Open a file as a memory map where it has content."""
        with Path(self._fpath(name)).open("rb") as file:  # type: ignore[no-untyped-call]
            try:
                content: Any = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except ValueError:
                return super().open_file(name, **kwargs)  # type: ignore[no-untyped-call]
        return StructFile(content, name=name, **kwargs)

    def file_exists(self, name: str) -> bool:
        """Tell whether a file exists; columns of field lengths never do, and Whoosh asks once per posting."""
        return not name.endswith("_len.col") and bool(super().file_exists(name))  # type: ignore[no-untyped-call]

    def rename_file(self, oldname: str, newname: str, safe: bool = False) -> None:  # noqa: FBT001, FBT002 - Whoosh's
        """Rename; before a table of contents gets its name, sum up what it refers to."""
        if _TOC_NAME.match(newname):
            self._write_sums()
            self._write_sum(newname, {newname: _sum_of(Path(self.folder, oldname))})
        super().rename_file(oldname, newname, safe)  # type: ignore[no-untyped-call]

    def _write_sums(self) -> None:
        groups: dict[str, list[str]] = {}
        for name in self.list():  # type: ignore[no-untyped-call]
            match = _SEGMENT_FILE.match(name)
            if match is not None:
                groups.setdefault(match.group(1), []).append(name)
        for segment, names in groups.items():
            if segment + _SUM_SUFFIX not in names:
                self._write_sum(segment, {name: _sum_of(Path(self.folder, name)) for name in names})

    def _write_sum(self, name: str, sums: Mapping[str, tuple[int, int]]) -> None:
        Path(self.folder, name + _SUM_SUFFIX).write_text(json.dumps(sums), encoding="ascii")


def _sum_of(path: Path) -> tuple[int, int]:
    size = crc = 0
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            crc = zlib.crc32(block, crc)
            size += len(block)
    return size, crc


def check_sums(folder: Path, name: str) -> frozenset[str]:
    """Compare the files listed in a sum file with what lies there; return their names.

    Raises Damaged, or FileNotFoundError when one is gone.
    """
    text = (folder / (name + _SUM_SUFFIX)).read_text(encoding="ascii", errors="replace")
    try:
        sums = {str(file): (int(size), int(crc)) for file, (size, crc) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        message = f"{name}: unreadable sums"
        raise Damaged(message) from error
    if not sums:
        message = f"{name}: empty sums"
        raise Damaged(message)
    for file, expected in sums.items():
        if _sum_of(folder / file) != expected:
            message = f"{file}: not what was written"
            raise Damaged(message)
    return frozenset(sums)


def latest_toc(folder: Path) -> int:
    """Return the number of the newest table of contents, -1 when there is none."""
    latest = -1
    for name in os.listdir(folder):  # noqa: PTH208 - names only, on the path of every search after a commit
        match = _TOC_NAME.match(name)
        if match is not None:
            latest = max(latest, int(match.group(1)))
    return latest


def toc_path(folder: Path, generation: int) -> str:
    """Return where the table of contents of a generation lies."""
    return os.path.join(folder, f"_{INDEX_NAME}_{generation}.toc")  # noqa: PTH118 - used on every search


def is_latest(folder: Path, generation: int) -> bool:
    """Tell whether a generation is still the newest: two file checks, a few microseconds.

    A commit writes the next number before it removes the one before, so one of the two shows it.
    """
    return os.path.exists(toc_path(folder, generation)) and not os.path.exists(toc_path(folder, generation + 1))  # noqa: PTH110


def read_toc(folder: Path, generation: int) -> tuple[Any, list[Any]]:
    """Return the Whoosh schema and segments of a generation, sums checked. Raises FileNotFoundError or Damaged."""
    check_sums(folder, f"_{INDEX_NAME}_{generation}.toc")
    toc = TOC.read(SumStorage(folder), INDEX_NAME, gen=generation)
    return toc.schema, list(toc.segments)


def create(folder: Path, schema: Any) -> Any:  # noqa: ANN401
    """Create an empty Whoosh index in `folder` and return it."""
    return FileIndex.create(SumStorage(folder), schema, INDEX_NAME)


def open_for_writing(folder: Path) -> Any:  # noqa: ANN401
    """Return the Whoosh index in `folder`."""
    return FileIndex(SumStorage(folder), indexname=INDEX_NAME)


def open_writer(folder: Path, megabytes: int) -> Any:  # noqa: ANN401
    """Return a Whoosh writer that keeps at most so many megabytes of postings in memory."""
    codec = _Codec()  # type: ignore[no-untyped-call]
    # No field has lengths (weights are ready made), and asking for them costs a tenth of the time.
    codec.length_stats = False
    writer = open_for_writing(folder).writer(compound=False, limitmb=megabytes, codec=codec)
    writer.pool = _Pool(writer._tempstorage, writer.newsegment, limitmb=megabytes)  # type: ignore[no-untyped-call]  # noqa: SLF001
    return writer


class _Pool(PostingPool):
    """Whoosh's pool of postings, without measuring and checking each: ours are made by `index.evidence` alone."""

    def add(self, item: tuple[str, bytes, int, float, bytes | None]) -> None:
        """Take a posting."""
        self.fieldnames.add(item[0])
        # a tuple, a short term and its positions; Whoosh counts the same to a few bytes
        self.currentsize += _POSTING_SIZE + 2 * len(item[1]) + len(item[4] or b"")
        if self.currentsize > self.limit:
            self.save()  # type: ignore[no-untyped-call]
        self.current.append(item)


class _FieldWriter(W3FieldWriter):
    """Whoosh's writer of postings, a term at a time where Whoosh goes posting by posting; the files are the same."""

    def add_postings(
        self,
        schema: Any,  # noqa: ANN401
        _lengths: Any,  # noqa: ANN401
        items: Iterable[tuple[str, bytes, int, float, bytes]],
    ) -> None:
        """Write postings sorted by field, term and document."""
        for name, of_field in groupby(items, _FIELD_OF):
            self.start_field(name, schema[name])  # type: ignore[no-untyped-call]
            for term, of_term in groupby(of_field, _TERM_OF):
                self.start_term(term)  # type: ignore[no-untyped-call]
                _, _, documents, weights, values = zip(*of_term, strict=True)
                self._fill(documents, weights, values)
                self.finish_term()  # type: ignore[no-untyped-call]
            self.finish_field()  # type: ignore[no-untyped-call]

    def _fill(self, documents: tuple[int, ...], weights: tuple[float, ...], values: tuple[bytes, ...]) -> None:
        """Put the postings of a term into blocks; the last one stays with the writer, as Whoosh expects."""
        writer: Any = self._postwriter
        limit = writer._blocklimit  # noqa: SLF001 - see the module docstring
        # Packing a handful of numbers makes them longer. Readers look into each block for how it was packed.
        writer._compression = self._codec._compression if len(documents) >= _WORTH_PACKING else 0  # noqa: SLF001
        for first in range(0, len(documents), limit):
            if first:
                writer._write_block()  # noqa: SLF001
            some = slice(first, first + limit)
            writer._ids = array("I", documents[some])  # noqa: SLF001
            writer._weights = array("f", weights[some])  # noqa: SLF001
            writer._values = [value for value in values[some] if value]  # noqa: SLF001
            writer._maxweight = max(weights[some])  # noqa: SLF001


class _Codec(W3Codec):
    """Whoosh's codec with our writer of postings."""

    def field_writer(self, storage: Any, segment: Any) -> _FieldWriter:  # noqa: ANN401
        """Return the writer of a segment's postings."""
        return _FieldWriter(self, storage, segment)  # type: ignore[no-untyped-call]


def clean(folder: Path) -> None:
    """Remove sum files of tables of contents that are gone, and temporary folders a killed writer left behind."""
    for entry in folder.iterdir():
        name = entry.name
        if name.startswith(f"_{INDEX_NAME}_") and name.endswith(_SUM_SUFFIX) and not entry.with_suffix("").exists():
            entry.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Postings:
    """The documents of a term, ascending, with weights and, where asked for, flat positions.

    Positions of document `ids[i]` are `positions[starts[i] : starts[i + 1]]`.
    """

    ids: Ids
    weights: Floats
    starts: Ints | None = None
    positions: npt.NDArray[np.uint16] | None = None

    @property
    def size(self) -> int:
        """Bytes held."""
        total = self.ids.nbytes + self.weights.nbytes + 100
        if self.starts is not None and self.positions is not None:
            total += self.starts.nbytes + self.positions.nbytes
        return total


NO_POSTINGS: Final = Postings(np.empty(0, np.uint32), np.empty(0, np.float32))


class Cache:
    """Decoded postings, least recently used out first, bounded in bytes; shared by all generations of a process."""

    def __init__(self, limit: int) -> None:
        """Hold at most `limit` bytes."""
        self._limit = limit
        self._held: OrderedDict[tuple[Any, ...], tuple[Any, int]] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def get(self, key: tuple[Any, ...]) -> Any:  # noqa: ANN401
        """Return what is held for `key`, or None."""
        with self._lock:
            held = self._held.get(key)
            if held is None:
                return None
            self._held.move_to_end(key)
            return held[0]

    def put(self, key: tuple[Any, ...], value: Any, size: int) -> None:  # noqa: ANN401
        """Hold `value`; what was not used for longest goes."""
        with self._lock:
            old = self._held.pop(key, None)
            if old is not None:
                self._size -= old[1]
            self._held[key] = (value, size)
            self._size += size
            while self._size > self._limit and len(self._held) > 1:
                _, (_, gone) = self._held.popitem(last=False)
                self._size -= gone


@dataclass(frozen=True, slots=True)
class TermTable:
    """All terms of a field of a segment in byte order, with document frequency and first document."""

    terms: list[bytes]
    frequency: Ints
    first: Ints


class Segment:
    """One immutable segment, opened once per process; what is deleted in it is the generation's matter."""

    def __init__(self, folder: Path, schema: Any, segment: Any, cache: Cache) -> None:  # noqa: ANN401
        """Check the sums and open the files. Raises FileNotFoundError or Damaged."""
        self.id = str(segment.segment_id())
        self._files = check_sums(folder, self.id)
        self.size = int(segment.doc_count_all())
        self._folder = folder
        self._schema = schema
        self._reader = SegmentReader(SumStorage(folder), schema, segment)
        self._terms = self._reader._terms  # noqa: SLF001 - see the module docstring
        self._lock = threading.Lock()
        self._cache = cache

    def postings(self, field: str, term: bytes) -> Postings:
        """Return the postings of a term; none when the segment lacks it."""
        key = (self.id, field, term)
        held = self._cache.get(key)
        if held is not None:
            return held  # type: ignore[no-any-return]
        with self._lock:  # the term table of Whoosh has a file position
            postings = self._decode(field, term)
        self._cache.put(key, postings, postings.size + len(term))
        return postings

    def _decode(self, field: str, term: bytes) -> Postings:
        # Reads the blocks straight from the memory map: a quarter of the time of Whoosh's matcher for rare terms.
        try:
            info = self._terms.term_info(field, term)
        except TermNotFound:
            return NO_POSTINGS
        content = self._terms._postfile.file  # noqa: SLF001
        start = info.extent()[0]
        if content[start : start + 4] != _POSTINGS_MAGIC:
            message = f"{field}: no postings where they should be"
            raise Damaged(message)
        ids: list[Any] = []
        weights: list[Any] = []
        values: list[bytes] = []
        with_values = self._schema[field].format.fixed_value_size() is None
        start += 4
        while True:
            (size,) = _INT.unpack_from(content, start)
            start += 4
            end = start + abs(size)
            stream = io.BytesIO(content[start:end])
            # number of postings, last id, largest weight, compression, shortest and longest field
            compression = pickle.load(stream)[3]  # noqa: S301 - sums were checked, the folder is ours alone
            block = stream.read()
            deltas, mini, value = pickle.loads(zlib.decompress(block) if compression else block)  # noqa: S301
            ids.append(np.cumsum(np.array(deltas, dtype=np.uint32), dtype=np.uint32))
            if mini is None or isinstance(mini, float):
                weights.append(np.full(len(deltas), 1.0 if mini is None else mini, dtype=np.float32))
            else:
                weights.append(np.array(mini, dtype=np.float32))
            if with_values:
                values.extend(value)
            if size < 0:
                break
            start = end
        all_ids = ids[0] if len(ids) == 1 else np.concatenate(ids)
        all_weights = weights[0] if len(weights) == 1 else np.concatenate(weights)
        if not with_values:
            return Postings(all_ids, all_weights)
        starts = np.zeros(len(all_ids) + 1, dtype=np.int64)
        np.cumsum([len(v) // 2 for v in values], out=starts[1:])
        return Postings(all_ids, all_weights, starts, np.frombuffer(b"".join(values), dtype="<u2"))

    def stored(self, document: int) -> tuple[str, str, tuple[str, ...]]:
        """Return (suggestion text, language, heaviest stems) of a document of this segment."""
        with self._lock:
            found: tuple[str, str, tuple[str, ...]] = self._reader.stored_fields(document).get("stored", ("", "", ()))
        return found

    def numbers(self, field: str) -> Doubles:
        """Return a number column as an array, NaN where there is none."""
        result = np.full(self.size, np.nan)
        name = f"{self.id}.{field}.col"
        if name not in self._files:  # no document of the segment has the number
            return result
        data = np.frombuffer((self._folder / name).read_bytes(), dtype=">f8")
        result[: len(data)] = data
        return result

    def column(self, field: str, missing: bytes) -> bytes:
        """Return a column of values as wide as `missing`, one after the other; `missing` where a document has none."""
        name = f"{self.id}.{field}.col"
        content = (self._folder / name).read_bytes() if name in self._files else b""
        size = self.size * len(missing)
        return content[:size] + missing * (self.size - len(content[:size]) // len(missing))

    def table(self, field: str) -> TermTable:
        """Return all terms of a field, read with vector operations (a Python loop takes ten times as long)."""
        index = self._terms._tindex  # noqa: SLF001
        number = self._terms._fieldmap.get(field)  # noqa: SLF001
        if number is None or not index.indexlen:
            return TermTable([], np.empty(0, np.int64), np.empty(0, np.int64))
        content = index.dbfile.file
        width = {"B": ">u1", "H": ">u2", "i": ">i4", "I": ">u4", "q": ">i8"}[index.extras["indextype"]]
        data = np.frombuffer(content, dtype=np.uint8)
        at = np.frombuffer(content, dtype=width, count=index.indexlen, offset=index.indexbase).astype(np.int64)
        # keys start with the number of their field, two bytes
        fields = data[at + 8].astype(np.int64) << 8 | data[at + 9]
        at = at[fields == number]
        lengths = _uint(data, at)
        keys = at + 8
        infos = keys + lengths
        frequency = _uint(data, infos + 5)
        first = _uint(data, infos + 15)
        view = memoryview(content)
        terms = [bytes(view[k + 2 : k + n]) for k, n in zip(keys.tolist(), lengths.tolist(), strict=True)]
        view.release()
        return TermTable(terms, frequency, first)


def _uint(data: npt.NDArray[np.uint8], at: Ints) -> Ints:
    """Return the big-endian 32-bit numbers at the given places."""
    return (
        data[at].astype(np.int64) << 24
        | data[at + 1].astype(np.int64) << 16
        | data[at + 2].astype(np.int64) << 8
        | data[at + 3].astype(np.int64)
    )


# What Whoosh raises when a document to be deleted is not where the reader saw it.
WRITE_ERROR: Final = IndexingError
# What reading a damaged or vanishing index may raise, whatever the layer: Whoosh has assertions, struct and pickle.
READ_ERRORS: Final[tuple[type[Exception], ...]] = (
    OSError,
    ValueError,
    KeyError,
    IndexError,
    AttributeError,
    TypeError,
    AssertionError,
    EOFError,
    ImportError,
    struct.error,
    pickle.UnpicklingError,
    zlib.error,
    Damaged,
)


def worth_merging(segments: Iterable[Any]) -> list[Any]:
    """Return the segments that should be written together now; none when the index is in good order.

    Segments are of one tier when they are of similar size (within a factor); a tier that is crowded is merged into one
    segment of the next. So a document is rewritten once per tier, a merge takes seconds at most, and there are never
    more than a few segments per tier. Segments above the last tier stay as they are until most of them is deleted.
    """
    tiers: dict[int, list[Any]] = {}
    stale: list[Any] = []
    for segment in segments:
        live = segment.doc_count_all() - segment.deleted_count()
        if not live or (segment.deleted_count() > live and live < _REWRITTEN_MOST):
            stale.append(segment)
        elif live < _TIER_FACTOR**_TIERS:
            tiers.setdefault(int(math.log(live, _TIER_FACTOR) + 1e-9), []).append(segment)
    for tier in sorted(tiers):
        if len(tiers[tier]) > _CROWDED:
            return stale + tiers[tier]
    return stale


def merge_worthy(writer: Any, segments: Iterable[Any]) -> list[Any]:  # noqa: ANN401
    """Merge policy of the background worker: write together what is worth it, keep the rest."""
    listed = list(segments)
    chosen = worth_merging(listed)
    for segment in chosen:
        if segment.doc_count_all() > segment.deleted_count():
            reader = SegmentReader(writer.storage, writer.schema, segment)
            writer.add_reader(reader)
            reader.close()
    return [segment for segment in listed if segment not in chosen]


def keep_segments(_writer: Any, segments: Iterable[Any]) -> list[Any]:  # noqa: ANN401
    """Merge policy of ordinary commits: nothing is merged, so that a commit takes as long as its documents."""
    return list(segments)


def retry_missing(attempt: "Callable[[], _T]") -> "_T":
    """Run `attempt` again while files vanish under it (a commit between reading the list and opening the files)."""
    for number in range(10):
        try:
            return attempt()
        except FileNotFoundError:
            if number == 9:  # noqa: PLR2004
                raise
            time.sleep(0.002 * (number + 1))
    raise AssertionError
