"""`SearchIndex`: the one door to the library; it wires storage, language, ranking and highlights, and does none."""

import contextlib
import logging
import re
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from index import postings, schema, weights
from index.analysis import Analyzer, Lexicon, forms, normalise, thesaurus
from index.document import Document, Hit, Piece, Query, Reason, Results, Snippet, Status, Suggestion, Understood
from index.errors import DAMAGED, SCHEMA, IndexUnavailable
from index.evaluator import Evaluator, Evidence, Outcome
from index.generation import Generation, Mask
from index.highlight import Highlighter
from index.names import Named, Names
from index.postings import Doubles
from index.query import Parsed, parse
from index.store import Store

_LOG = logging.getLogger(__name__)

_POSTINGS_BYTES: Final = 160 << 20
_ANSWERS_KEPT: Final = 500
_REASONS_SHOWN: Final = 6
_MOST_HITS: Final = 10_000
_LONGEST_SOURCE: Final = 20_000
_SOURCE_STEMS: Final = 40
# Years typed in a query limit the period these numbers span.
_YEAR_FROM, _YEAR_TO = "year_from", "year_to"


class SearchIndex:
    """A search index in a folder. One instance per process; safe to share between threads.

    The folder holds code-like data (Whoosh unpickles it): it is created with mode 0700 and must never be taken from
    elsewhere. Everything in it can be rebuilt.
    """

    def __init__(  # noqa: PLR0913 - keyword-only, and each a different kind of data
        self,
        path: Path,
        *,
        analyzer: Analyzer | None = None,
        groups: Iterable[thesaurus.Group] | None = None,
        lexicon: Lexicon | None = None,
        names: Iterable[str] = (),
        facets: Iterable[str] = (),
        facet_values: Mapping[str, Mapping[str, str]] | None = None,
        named: Callable[[], Iterable[tuple[str, Named]]] | None = None,
        cache_bytes: int = _POSTINGS_BYTES,
    ) -> None:
        """Prepare; nothing is read before the first search.

        `analyzer` is a chain built already, for programs that open several indexes; without it one is built here.
        `groups` and `lexicon` default to the files in `index/data`; `names` are never split as compounds.
        `facets` names what may be typed as `facet:value`; without it those facets that documents have, so that an index
        with hidden documents should be told. `facet_values` says how values so typed are called in the index:
        `{"status": {"gestoppt": "stopped"}}`.
        `named` gives names (of places, say) and the facet values they stand for; it is asked once, at the first search.
        """
        self.path = Path(path)
        self.analyzer = analyzer or Analyzer(lexicon, groups, names)
        self._store = Store(self.path, self.analyzer)
        self._highlighter = Highlighter(self.analyzer)
        self._facets = frozenset(facets)
        self._facet_values = {
            name: {forms.fold(typed): value for typed, value in values.items()}
            for name, values in (facet_values or {}).items()
        }
        self._named = named
        self._names: Names | None = None
        self._cache = postings.Cache(cache_bytes)
        self._generation: Generation | None = None
        self._opening = threading.Lock()
        self._answers: OrderedDict[tuple[Any, ...], Results] = OrderedDict()
        self._answers_lock = threading.Lock()
        self._thesaurus_version = 0

    # --- searching -------------------------------------------------------------------------------------------------

    def search(self, query: Query) -> Results:
        """Answer a query. Odd input gives an answer, never an error.

        Raises IndexUnavailable when the index is missing, of another schema, or damaged.
        """
        started = time.perf_counter()
        generation = self._current()
        key = (
            generation,
            self._thesaurus_version,
            query.text,
            query.audiences,
            tuple(sorted((name, tuple(values)) for name, values in query.filters.items())),
            tuple(sorted((name, tuple(limits)) for name, limits in query.ranges.items())),
            query.facets,
            query.sort,
            query.offset,
            query.limit,
            query.numbers,
        )
        with self._answers_lock:
            held = self._answers.get(key)
            if held is not None:
                self._answers.move_to_end(key)
        if held is None:
            try:
                with self._reading():
                    held = self._answer(generation, query)
            except IndexUnavailable:
                # the folder may have been left by a rebuild and removed meanwhile: what is current now decides
                fresh = self._current()
                if fresh.folder == generation.folder and fresh.number == generation.number:
                    raise
                with self._reading():
                    held = self._answer(fresh, query)
            with self._answers_lock:
                self._answers[key] = held
                while len(self._answers) > _ANSWERS_KEPT:
                    self._answers.popitem(last=False)
        return Results(
            held.total,
            held.hits,
            {name: dict(counts) for name, counts in held.facets.items()},
            held.understood,
            dict(held.ranges),
            held.corrected,
            held.correction_applied,
            held.relaxed,
            time.perf_counter() - started,
        )

    def _answer(self, generation: Generation, query: Query) -> Results:
        parsed = parse(query.text, self._facets or generation.facet_names)
        if self._names is None and self._named is not None:
            self._names = Names(self._named())
        outcome = Evaluator(generation, self.analyzer, query.audiences, self._names).run(parsed)
        masks = self._masks(generation, query, parsed)
        mask = outcome.mask
        for other in masks.values():
            mask = mask & other
        facets: dict[str, dict[str, int]] = {}
        for name in query.facets:
            counted = mask
            if name in masks:
                counted = outcome.mask
                for other_name, other in masks.items():
                    if other_name != name:
                        counted = counted & other
            facets[name] = generation.facet(name).count(counted)
        ranges: dict[str, tuple[float, float]] = {}
        for name in query.numbers:
            values = generation.numbers(name)[mask]
            values = values[~np.isnan(values)]
            if len(values):
                ranges[name] = (float(values.min()), float(values.max()))
        score = self._with_priors(generation, outcome)
        documents = _order(generation, mask, score, query, browsing=not outcome.evidence)
        return Results(
            int(np.count_nonzero(mask)),
            tuple(
                Hit(generation.id(number), round(float(score[number]), 6), reasons)
                for number, reasons in zip(documents, _reasons(outcome.evidence, documents), strict=True)
            ),
            facets,
            outcome.understood,
            ranges,
            corrected=_replaced(query.text, outcome.understood.corrections or outcome.offers),
            correction_applied=bool(outcome.understood.corrections),
            relaxed=outcome.relaxed,
        )

    def _masks(self, generation: Generation, query: Query, parsed: Parsed) -> dict[str, Mask]:
        """Return what each filter lets through, by facet or number name."""
        masks: dict[str, Mask] = {}
        for name, values in query.filters.items():
            if values:  # a name that no document has lets nothing through, and so tells nobody which names there are
                masks[name] = generation.facet(name).having(values, generation.size)
        for name, typed in parsed.named:
            facet = generation.facet(name)
            wanted = forms.fold(typed)
            wanted = forms.fold(self._facet_values.get(name, {}).get(wanted, typed))
            values = tuple(value for value in facet.values if forms.fold(value) == wanted)
            found = facet.having(values, generation.size)
            masks[name] = masks[name] & found if name in masks else found
            parsed.restrictions.append((name, typed))
        for name, (low, high) in query.ranges.items():
            if name in schema.NUMBERS and (low is not None or high is not None):
                masks[f"#{name}"] = _between(generation.numbers(name), low, high)
        if parsed.years is not None:
            first, last = parsed.years
            begins, ends = generation.numbers(_YEAR_FROM), generation.numbers(_YEAR_TO)
            ends = np.where(np.isnan(ends), begins, ends)
            masks["#years"] = _between(ends, first, None) & _between(begins, None, last)
        return masks

    @staticmethod
    def _with_priors(generation: Generation, outcome: Outcome) -> postings.Floats:
        if not outcome.evidence:
            return outcome.score
        factor = np.ones(generation.size)
        evidence = generation.numbers("evidence")
        factor += weights.PRIOR_EVIDENCE * np.clip(np.nan_to_num(evidence), 0, 1)
        reuses = np.nan_to_num(generation.numbers("reuses"))
        factor += weights.PRIOR_REUSE * np.clip(np.log2(1 + np.clip(reuses, 0, None)) / np.log2(9), 0, 1)
        updated = generation.numbers("updated")
        visible = updated[outcome.mask]
        newest = np.nanmax(visible) if len(visible) and not np.isnan(visible).all() else 0.0
        age = np.clip(newest - np.nan_to_num(updated), 0, None)
        factor += weights.PRIOR_FRESH * 0.5 ** (age / weights.FRESH_HALF_LIFE)
        return (outcome.score * factor).astype(np.float32)

    # --- texts -----------------------------------------------------------------------------------------------------

    def snippet(self, understood: Understood, texts: Sequence[tuple[str, str]], width: int = 240) -> Snippet:
        """Return the best passage of (field, text) pairs for a query as understood."""
        return self._highlighter.snippet(understood, texts, width)

    def highlight(self, understood: Understood, text: str) -> tuple[Piece, ...]:
        """Return a whole text (a title) in marked and unmarked pieces."""
        return self._highlighter.highlight(understood, text)

    # --- suggestions -----------------------------------------------------------------------------------------------

    def suggest(self, prefix: str, audiences: frozenset[str], limit: int = 8) -> tuple[Suggestion, ...]:
        """Return entries and words that begin like the last word of `prefix`, the other words being there too.

        Only what visible documents hold is offered. Raises IndexUnavailable like `search`.
        """
        words = normalise(prefix[: weights.MAX_QUERY_CHARACTERS]).replace('"', " ").split()
        if not words or len(words[-1]) < 2 or limit < 1:  # noqa: PLR2004 - one letter says nothing
            return ()
        generation = self._current()
        with self._reading():
            evaluator = Evaluator(generation, self.analyzer, audiences)
            terms, documents = evaluator.completions(words, limit)
            found = [Suggestion("term", text) for text in terms[: max(1, limit // 3)]]
            for number in documents:
                label = generation.stored(number)[0]
                if label and len(found) < limit:
                    found.append(Suggestion("entry", label, generation.id(number)))
        return tuple(found)

    def similar(self, source: str, audiences: frozenset[str], limit: int = 5, *, text: bool = False) -> tuple[Hit, ...]:
        """Return documents like the one with id `source`, or like the text `source` when `text` is true.

        A document that the audiences may not see has nothing like it.
        """
        generation = self._current()
        with self._reading():
            own: int | None = None
            if text:
                counted = Counter(self.analyzer.stems(source[:_LONGEST_SOURCE]))
                stems = [stem for stem, _ in counted.most_common(_SOURCE_STEMS)]
            else:
                own = next((n for n in generation.numbers_of((source,)) if generation.visible(audiences)[n]), None)
                if own is None:
                    return ()
                stems = list(generation.stored(own)[2])
            evaluator = Evaluator(generation, self.analyzer, audiences)
            found = [hit for hit in evaluator.like(stems, limit + 1) if hit[0] != own]
            return tuple(Hit(generation.id(number), round(score, 6)) for number, score in found[:limit])

    # --- writing ---------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def writing(self, timeout: float = 0.0) -> Iterator[None]:
        """Hold the write lock; `update` inside re-uses it. Raises IndexLocked after `timeout` seconds."""
        with self._store.writing(timeout):
            yield

    def update(
        self,
        documents: Iterable[Document],
        deleted_ids: Iterable[str] = (),
        *,
        lock_timeout: float = 0.0,
    ) -> int:
        """Put documents in, replacing those with the same id, and take ids out, in one commit; return how many went in.

        Of several documents with one id the last counts. Raises IndexLocked, IndexUnavailable, and ValueError for
        unknown field names.
        """
        latest = {document.id: document for document in documents}
        with self._store.writing(lock_timeout):
            generation = self._current()
            with self._reading():
                gone = generation.numbers_of({*latest, *deleted_ids})
            if not latest and not gone:
                return 0
            try:
                return self._store.update(latest.values(), gone, lock_timeout)
            except (IndexUnavailable, postings.WRITE_ERROR) as error:
                # What is held in memory does not fit what lies on the disk: read it anew before the next try, so that
                # `status` tells of the damage.
                self._generation = None
                if isinstance(error, IndexUnavailable):
                    raise
                raise IndexUnavailable(DAMAGED, str(error)) from error

    def rebuild(self, documents: Iterable[Document], *, lock_timeout: float = 0.0) -> int:
        """Build a new index from all documents beside the current one and switch to it; return how many are in it.

        Searches go on meanwhile. Raises IndexLocked.
        """
        return self._store.rebuild(documents, lock_timeout)

    def merge(self, *, lock_timeout: float = 0.0) -> bool:
        """Merge small segments when there are many and clear old folders: for a worker, never within a request."""
        return self._store.merge(lock_timeout)

    def reload_thesaurus(self, groups: Iterable[thesaurus.Group] | None = None) -> None:
        """Read the thesaurus again (or take `groups`): changes need no rebuild."""
        self.analyzer.replace_thesaurus(
            thesaurus.load(thesaurus_path()) if groups is None else groups,
        )
        self._thesaurus_version += 1

    # --- state -----------------------------------------------------------------------------------------------------

    def status(self) -> Status:
        """Tell how the index is; never raises for a bad one."""
        try:
            folder = self._store.current()
            meta = self._store.meta(folder)
        except IndexUnavailable as error:
            return Status(exists=error.reason != "missing", reason=error.reason)
        try:
            generation = self._current()
        except IndexUnavailable as error:
            return Status(
                exists=True,
                schema_version=meta.schema_version,
                analysis_version=meta.analysis_version,
                reason=error.reason,
                size=self._store.size(folder),
            )
        stale = meta.analysis_version != self.analyzer.version
        return Status(
            exists=True,
            schema_version=meta.schema_version,
            analysis_version=meta.analysis_version,
            documents=generation.documents,
            generation=generation.number,
            segments=len(generation.segments),
            needs_rebuild=stale,
            reason="analysis" if stale else "",
            size=self._store.size(folder),
        )

    def ids(self) -> frozenset[str]:
        """Return the ids of all documents. Raises IndexUnavailable."""
        return frozenset(self.versions())

    def versions(self) -> dict[str, str]:
        """Return id → `Document.version` of all documents. Raises IndexUnavailable."""
        return self._current().versions()

    # --- opening ---------------------------------------------------------------------------------------------------

    def _current(self) -> Generation:
        """Return the newest committed state; opened at most once per commit. Raises IndexUnavailable."""
        folder = self._store.current()
        held = self._generation
        if held is not None and held.folder == folder and postings.is_latest(folder, held.number):
            return held
        with self._opening:
            held = self._generation
            if held is not None and held.folder == folder and postings.is_latest(folder, held.number):
                return held
            if held is None or held.folder != folder:
                meta = self._store.meta(folder)
                if meta.schema_version != schema.SCHEMA_VERSION:
                    raise IndexUnavailable(SCHEMA, f"{meta.schema_version}, this is {schema.SCHEMA_VERSION}")
                held = None

            def opened() -> Generation:
                number = postings.latest_toc(folder)
                if number < 0:
                    raise IndexUnavailable(DAMAGED, "no table of contents")
                return Generation(folder, number, self._cache, held)

            with self._reading():
                generation = postings.retry_missing(opened)
            self._generation = generation
            with self._answers_lock:
                self._answers.clear()
            return generation

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Turn whatever reading a damaged index raises into IndexUnavailable."""
        try:
            yield
        except postings.READ_ERRORS as error:
            _LOG.exception("the search index can't be read")
            self._generation = None
            raise IndexUnavailable(DAMAGED, f"{type(error).__name__}: {error}") from error


def thesaurus_path() -> Path:
    """Return where the thesaurus lies that comes with the package."""
    return Path(__file__).resolve().parent / "data" / "thesaurus.yaml"


def _replaced(text: str, corrections: Sequence[tuple[str, str]]) -> str | None:
    """Return a query with words replaced, None when there is nothing to replace."""
    text = text[: weights.MAX_QUERY_CHARACTERS]
    result = text
    for word, correction in corrections:
        # a backslash in the replacement would be read as a reference
        new = correction.replace("\\", "")
        result = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", new, result, flags=re.IGNORECASE)
    return result if result != text else None


def _between(values: Doubles, low: float | None, high: float | None) -> Mask:
    mask: Mask = ~np.isnan(values)
    if low is not None:
        mask = mask & (values >= low)
    if high is not None:
        mask = mask & (values <= high)
    return mask


def _order(generation: Generation, mask: Mask, score: postings.Floats, query: Query, *, browsing: bool) -> list[int]:
    """Return the documents of the asked page in order."""
    documents = np.flatnonzero(mask)
    offset = max(0, query.offset)
    limit = min(max(0, query.limit), _MOST_HITS)
    if not len(documents) or not limit or offset >= len(documents):
        return []
    name = query.sort.lstrip("-")
    keys: list[Any] = []
    if name in schema.NUMBERS:
        values = generation.numbers(name)[documents]
        keys.append(np.where(np.isnan(values), np.inf, -values if query.sort.startswith("-") else values))
    elif browsing:
        # nothing was asked, nothing is more relevant: the newest first
        updated = generation.numbers("updated")[documents]
        keys.append(np.where(np.isnan(updated), np.inf, -updated))
    keys.append(-score[documents].astype(np.float64))
    wanted = offset + limit
    if wanted < len(documents) and len(keys) == 1:
        # only what can reach the page is sorted; ties at its end are all kept
        edge = np.partition(keys[0], wanted - 1)[wanted - 1]
        kept = keys[0] <= edge
        documents, keys = documents[kept], [key[kept] for key in keys]
    keys.append(generation.ranks()[documents])
    order = np.lexsort(tuple(reversed(keys)))
    return [int(number) for number in documents[order[offset:wanted]]]


def _reasons(evidence: Sequence[Evidence], documents: Sequence[int]) -> list[tuple[Reason, ...]]:
    """Return why each document was found, the best evidence of each kind first."""
    wanted = np.array(documents, dtype=np.uint32)
    found: list[list[Reason]] = [[] for _ in documents]
    for item in evidence:
        if not len(item.ids):
            continue
        at = np.searchsorted(item.ids, wanted)
        at[at == len(item.ids)] = 0
        for number in np.flatnonzero(item.ids[at] == wanted).tolist():
            if len(found[number]) < _REASONS_SHOWN and item.reason not in found[number]:
                found[number].append(item.reason)
    return [tuple(reasons) for reasons in found]
