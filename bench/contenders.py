"""The engines that are compared, each doing the same work over the same documents; asking and timing is elsewhere.

The work of one search: the number of hits, the best 20, the counts of four facets over all hits, each title marked and
one passage of up to 240 characters marked. Plain engines find what has any of the words, as ours does.
"""

import html
import json
import re
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from bench.engine_texts import FACETS, Text, place_names

TOP: Final = 20
WIDTH: Final = 240
_SUGGESTED: Final = 8
_HEAP: Final = 128_000_000  # tantivy's own default
_MARKED_BEGINNINGS: Final = 50
_ANYBODY: Final = frozenset(("public",))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search gives."""

    total: int
    hits: list[tuple[str, str]]
    """Title and passage, both with <mark>."""
    facets: dict[str, dict[str, int]]


class Contender(Protocol):
    """An engine over a folder of its own."""

    def build(self, texts: Iterable[Text]) -> None:
        """Index everything."""

    def open(self) -> None:
        """Open what was built; called once in a process."""

    def search(self, text: str, *, passages: bool = True) -> Answer:
        """Do the work of one search; without `passages` only rank and count."""

    def suggest(self, beginning: str) -> Sequence[str]:
        """What to offer while somebody types."""

    def update(self, text: Text) -> None:
        """Replace a document and commit."""

    def forget(self) -> None:
        """Empty the engine's own caches; those of the operating system stay."""

    def forget_answers(self) -> None:
        """Drop finished answers only, so that a question asked again is worked through again."""

    def tend(self) -> None:
        """Do what a worker does between updates (merge)."""


# --- ours ------------------------------------------------------------------------------------------------------------


class Ours:
    """`index.SearchIndex` with the whole language chain and all fields; texts come from SQLite, as in the catalog."""

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is read yet."""
        self._folder = folder
        self._index: Any = None
        self._texts: Any = None

    def open(self) -> None:
        """Read lexicon, thesaurus and place names, as the application does when it starts."""
        from index import Analyzer, SearchIndex

        self._index = SearchIndex(self._folder / "index", analyzer=Analyzer(names=place_names()))
        self._texts = sqlite3.connect(self._folder / "texts.sqlite3")

    def build(self, texts: Iterable[Text]) -> None:
        """Rebuild the index, and keep the texts by id."""
        self.open()
        self._texts.execute("CREATE TABLE entry (id TEXT PRIMARY KEY, texts TEXT) WITHOUT ROWID")

        def kept() -> Iterator[Any]:
            for text in texts:
                self._texts.execute("INSERT INTO entry VALUES (?, ?)", (text.id, json.dumps(text.fields)))
                yield self._document(text)

        self._index.rebuild(kept())
        self._texts.commit()

    @staticmethod
    def _document(text: Text) -> Any:  # noqa: ANN401 - imported late, so that others' memory is not ours
        from index import Document

        return Document(
            id=text.id,
            fields=text.fields,
            facets=text.facets,
            numbers={"updated": text.number},
            audience=_ANYBODY,
            suggest=text.title,
            version="1",
        )

    def search(self, text: str, *, passages: bool = True) -> Answer:
        """Search, then load the texts of the hits and mark them."""
        from index import Query

        index = self._index
        found = index.search(Query(text, audiences=_ANYBODY, facets=FACETS, limit=TOP))
        if not passages:
            return Answer(found.total, [], found.facets)
        keys = [hit.id for hit in found.hits]
        marks = ",".join("?" * len(keys))
        rows = dict(self._texts.execute(f"SELECT id, texts FROM entry WHERE id IN ({marks})", keys))
        hits = []
        for key in keys:
            fields = json.loads(rows[key])
            passage = index.snippet(
                found.understood, [(name, fields[name]) for name in fields if name != "title"], WIDTH
            )
            hits.append((_pieces(index.highlight(found.understood, fields["title"])), _pieces(passage.parts)))
        return Answer(found.total, hits, found.facets)

    def suggest(self, beginning: str) -> Sequence[str]:
        """Entries and terms."""
        return [found.text for found in self._index.suggest(beginning, _ANYBODY, _SUGGESTED)]

    def update(self, text: Text) -> None:
        """Write text and document."""
        with self._texts:
            self._texts.execute("REPLACE INTO entry VALUES (?, ?)", (text.id, json.dumps(text.fields)))
        self._index.update([self._document(text)])

    def forget(self) -> None:
        """Drop finished answers, decoded postings and analysed words; the open generation stays."""
        index = self._index
        with index._answers_lock:  # nothing but a benchmark wants to forget
            index._answers.clear()
        cache = index._cache
        with cache._lock:
            cache._held.clear()
            cache._size = 0
        index.analyzer._words.clear()

    def forget_answers(self) -> None:
        """Drop finished answers only: asked again, a question is worked through again."""
        with self._index._answers_lock:
            self._index._answers.clear()

    def tend(self) -> None:
        """Merge crowded segments, as the worker does."""
        self._index.merge()


def _pieces(pieces: Iterable[Any]) -> str:
    return "".join(
        f"<mark>{html.escape(piece.text)}</mark>" if piece.marked else html.escape(piece.text) for piece in pieces
    )


# --- plain queries ---------------------------------------------------------------------------------------------------

_CLAUSE: Final = re.compile(r'"([^"]+)"|(\w+)(\*)?')
_MOST: Final = 64


def _clauses(text: str) -> list[tuple[str, list[str]]]:
    """("word" | "phrase" | "prefix", words) of a query; the same bounds as ours, or others would hang."""
    found: list[tuple[str, list[str]]] = []
    for phrase, word, star in _CLAUSE.findall(text[:2_000]):
        if phrase:
            words = re.findall(r"\w+", phrase)
            if words:
                found.append(("phrase" if len(words) > 1 else "word", words))
        elif word != "OR":
            found.append(("prefix" if star else "word", [word]))
    return found[:_MOST]


# --- SQLite FTS5 -----------------------------------------------------------------------------------------------------

_PLAIN: Final = str.maketrans("äöüÄÖÜ", "aouAOU")  # length by length, so that places in folded and real text agree
_WORD: Final = re.compile(r"\w+")


class Fts5:
    """SQLite FTS5 over German stems, title weighted; passages by one regular expression over folded text.

    FTS5's own `snippet` would show stems, not text. A prefix index serves beginnings; facets are one join
    over numbers: with the values themselves it took two and a half times as long.
    """

    _SCHEMA = """
    PRAGMA journal_mode = wal;
    CREATE TABLE text (id INTEGER PRIMARY KEY, key TEXT UNIQUE, title TEXT, body TEXT, number REAL);
    CREATE VIRTUAL TABLE entry USING fts5(title, benefit, body, prefix = '3 5',
        tokenize = "unicode61 remove_diacritics 2");
    CREATE TABLE value (code INTEGER PRIMARY KEY, name TEXT, value TEXT);
    CREATE TABLE facet (entry INTEGER, code INTEGER, PRIMARY KEY (entry, code)) WITHOUT ROWID;
    """

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is opened yet."""
        self._file = folder / "fts5.sqlite3"
        self._connection: Any = None
        self._stems: dict[str, str] = {}
        self._codes: dict[tuple[str, str], int] = {}
        self._stem: Callable[[str], str] = str.lower

    def open(self) -> None:
        """Open the file."""
        from whoosh.lang.snowball.german import GermanStemmer

        self._stem = GermanStemmer().stem
        self._connection = sqlite3.connect(self._file)
        # as whoever runs it for a web application would: the log is written, but not waited for at each commit
        self._connection.execute("PRAGMA synchronous = normal")
        if self._connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'value'").fetchone():
            rows = self._connection.execute("SELECT name, value, code FROM value")
            self._codes = {(name, value): code for name, value, code in rows}

    def _stemmed(self, word: str) -> str:
        stem = self._stems.get(word)
        if stem is None:
            stem = self._stems[word] = self._stem(word.lower()).translate(_PLAIN)
        return stem

    def _column(self, text: str) -> str:
        return " ".join(map(self._stemmed, _WORD.findall(text)))

    def build(self, texts: Iterable[Text]) -> None:
        """Write all rows in one transaction, then merge the index into one."""
        self.open()
        self._connection.executescript(self._SCHEMA)
        for number, text in enumerate(texts, 1):
            self._write(number, text)
        self._connection.execute("INSERT INTO entry (entry) VALUES ('optimize')")
        self._connection.commit()

    def _write(self, number: int, text: Text) -> None:
        rest = "\n".join(part for name, part in text.fields.items() if name not in {"title", "benefit"})
        self._connection.execute(
            "INSERT INTO text VALUES (?, ?, ?, ?, ?)", (number, text.id, text.title, text.body, text.number)
        )
        self._connection.execute(
            "INSERT INTO entry (rowid, title, benefit, body) VALUES (?, ?, ?, ?)",
            (number, self._column(text.title), self._column(text.fields["benefit"]), self._column(rest)),
        )
        codes = {self._code(name, value) for name, values in text.facets.items() for value in values}
        self._connection.executemany("INSERT INTO facet VALUES (?, ?)", [(number, code) for code in sorted(codes)])

    def _code(self, name: str, value: str) -> int:
        code = self._codes.get((name, value))
        if code is None:
            code = self._codes[name, value] = len(self._codes)
            self._connection.execute("INSERT INTO value VALUES (?, ?, ?)", (code, name, value))
        return code

    def search(self, text: str, *, passages: bool = True) -> Answer:
        """Search, count, load and mark."""
        asked, beginnings = [], []
        for kind, words in _clauses(text):
            stems = [word.lower().translate(_PLAIN) if kind == "prefix" else self._stemmed(word) for word in words]
            beginnings += stems
            asked.append('"' + " ".join(stems) + '"' + ("*" if kind == "prefix" else ""))
        if not asked:
            return Answer(0, [], {})
        match = " OR ".join(asked)
        best = self._connection.execute(
            "SELECT text.title, text.body FROM (SELECT rowid AS number, bm25(entry, 3, 2, 1) AS score FROM entry "
            "WHERE entry MATCH ? ORDER BY score LIMIT ?) AS hit JOIN text ON text.id = hit.number ORDER BY score",
            (match, TOP),
        ).fetchall()
        counted = dict(
            self._connection.execute(
                "WITH hit AS MATERIALIZED (SELECT rowid AS number FROM entry WHERE entry MATCH ?) "
                "SELECT code, count(*) FROM hit JOIN facet ON facet.entry = hit.number GROUP BY code "
                "UNION ALL SELECT -1, count(*) FROM hit",
                (match,),
            )
        )
        total = counted[-1]
        facets: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        for (name, value), code in self._codes.items():
            if code in counted:
                facets[name][value] = counted[code]
        if not passages:
            return Answer(total, [], facets)
        pattern = re.compile(rf"\b(?:{'|'.join(map(re.escape, dict.fromkeys(beginnings)))})\w*", re.IGNORECASE)
        return Answer(
            total,
            [(_marked(pattern, title, len(title)), _marked(pattern, body, WIDTH)) for title, body in best],
            facets,
        )

    def suggest(self, beginning: str) -> Sequence[str]:
        """Titles with a word that begins like this."""
        word = beginning.lower().translate(_PLAIN)
        rows = self._connection.execute(
            "SELECT text.title FROM entry JOIN text ON text.id = entry.rowid WHERE entry MATCH ? ORDER BY rank LIMIT ?",
            (f'title : "{word}"*', _SUGGESTED),
        )
        return [title for (title,) in rows]

    def update(self, text: Text) -> None:
        """Replace the rows in one transaction."""
        number = self._connection.execute("SELECT id FROM text WHERE key = ?", (text.id,)).fetchone()[0]
        with self._connection:
            self._connection.execute("DELETE FROM text WHERE id = ?", (number,))
            self._connection.execute("DELETE FROM entry WHERE rowid = ?", (number,))
            self._connection.execute("DELETE FROM facet WHERE entry = ?", (number,))
            self._write(number, text)

    def forget(self) -> None:
        """Open the file anew: pages and statements are gone."""
        self._connection.close()
        self._stems.clear()
        self.open()

    def forget_answers(self) -> None:
        """Nothing is kept."""

    def tend(self) -> None:
        """Nothing to do: FTS5 merges while it writes."""


def _marked(pattern: re.Pattern[str], text: str, width: int) -> str:
    """The stretch of `text` with most marks, marked."""
    found = [match.span() for match in pattern.finditer(text.translate(_PLAIN))]
    best, first = 0, 0
    for number, (start, _) in enumerate(found):
        inside = sum(1 for other in found[number : number + 8] if other[1] <= start + width)
        if inside > best:
            best, first = inside, start
    start = max(0, min(first - width // 4, len(text) - width))
    parts, at = [], start
    for begin, end in found:
        if begin >= at and end <= start + width:
            parts += [html.escape(text[at:begin]), "<mark>", html.escape(text[begin:end]), "</mark>"]
            at = end
    return "".join([*parts, html.escape(text[at : start + width])])


# --- tantivy ---------------------------------------------------------------------------------------------------------


class Tantivy:
    """tantivy with its German stemmer, one writing thread, facets by terms aggregation over fast fields."""

    _BOOSTS: Final = {"title": 3.0, "benefit": 2.0, "body": 1.0}

    def __init__(self, folder: Path) -> None:
        """Take the folder; nothing is opened yet."""
        self._folder = folder / "tantivy"
        self._tantivy: Any = None
        self._index: Any = None
        self._searcher: Any = None
        self._writer: Any = None
        self._schema: Any = None

    def open(self) -> None:
        """Open the folder, or make it."""
        import tantivy

        self._tantivy = tantivy
        self._folder.mkdir(exist_ok=True)
        builder = tantivy.SchemaBuilder()
        builder.add_text_field("key", stored=True, tokenizer_name="raw", index_option="basic")
        builder.add_text_field("title", stored=True, tokenizer_name="german")
        builder.add_text_field("benefit", tokenizer_name="german")
        builder.add_text_field("body", stored=True, tokenizer_name="german")
        for name in FACETS:
            builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
        self._schema = builder.build()
        self._index = tantivy.Index(self._schema, path=str(self._folder))
        chain = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.simple()).filter(tantivy.Filter.lowercase())
        self._index.register_tokenizer("german", chain.filter(tantivy.Filter.stemmer("german")).build())
        self._index.config_reader("manual")
        self._reload()

    def _reload(self) -> None:
        self._index.reload()
        self._searcher = self._index.searcher()

    def build(self, texts: Iterable[Text]) -> None:
        """Add all documents, commit, and wait for merges."""
        self.open()
        writer = self._index.writer(_HEAP, 1)
        for text in texts:
            writer.add_document(self._document(text))
        writer.commit()
        writer.wait_merging_threads()

    def _document(self, text: Text) -> Any:  # noqa: ANN401 - imported late, as above
        fields: dict[str, Any] = {
            "key": text.id,
            "title": text.title,
            "benefit": text.fields["benefit"],
            "body": text.body,
            **{name: list(values) for name, values in text.facets.items()},
        }
        return self._tantivy.Document.from_dict(fields, self._schema)

    def _query(self, text: str) -> tuple[Any, Any]:
        """The query, and what is marked: beginnings give no terms to a snippet, so some are looked up."""
        query, any_of = self._tantivy.Query, self._tantivy.Occur.Should
        asked, marked = [], []
        for kind, words in _clauses(text):
            if kind == "prefix":
                word = words[0].lower()
                folded = word.translate(_PLAIN)  # the stemmer takes the dots away
                for name, boost in self._BOOSTS.items():
                    asked.append(query.boost_query(query.regex_query(self._schema, name, f"{folded}.*"), boost))
                for term, _ in self._searcher.terms_with_prefix("body", folded, limit=_MARKED_BEGINNINGS):
                    marked += [query.term_query(self._schema, name, term) for name in ("title", "body")]
                continue
            quoted = '"' + " ".join(words) + '"'
            found = self._index.parse_query(quoted, list(self._BOOSTS), self._BOOSTS)
            asked.append(found)
            marked.append(found)
        both = [query.boolean_query([(any_of, part) for part in parts]) for parts in (asked, marked)]
        return both[0], both[1]

    def search(self, text: str, *, passages: bool = True) -> Answer:
        """Search, aggregate, load and mark."""
        query, marking = self._query(text)
        found = self._searcher.search(query, TOP)
        counted = self._searcher.aggregate(query, {name: {"terms": {"field": name, "size": 1_000}} for name in FACETS})
        facets = {name: {bucket["key"]: bucket["doc_count"] for bucket in counted[name]["buckets"]} for name in FACETS}
        if not passages:
            return Answer(found.count, [], facets)
        marks = []
        for name, width in (("title", 1_000), ("body", WIDTH)):
            generator = self._tantivy.SnippetGenerator.create(self._searcher, marking, self._schema, name)
            generator.set_max_num_chars(width)
            marks.append(generator)
        hits = []
        for _, address in found.hits:
            document = self._searcher.doc(address)
            title, passage = (generator.snippet_from_doc(document).to_html() for generator in marks)
            # nothing is marked: the beginning, as the other engines give it
            title = title or html.escape(document.get_first("title"))
            hits.append((title, passage or html.escape(document.get_first("body")[:WIDTH])))
        return Answer(found.count, hits, facets)

    def suggest(self, beginning: str) -> Sequence[str]:
        """Titles with a word that begins like this."""
        folded = beginning.lower().translate(_PLAIN)
        query = self._tantivy.Query.regex_query(self._schema, "title", f"{folded}.*")
        found = self._searcher.search(query, _SUGGESTED, count=False)
        return [self._searcher.doc(address).get_first("title") for _, address in found.hits]

    def update(self, text: Text) -> None:
        """Delete, add, commit."""
        if self._writer is None:
            self._writer = self._index.writer(_HEAP, 1)
        self._writer.delete_documents_by_term("key", text.id)
        self._writer.add_document(self._document(text))
        self._writer.commit()
        self._reload()

    def forget(self) -> None:
        """Open the folder anew."""
        self.open()

    def forget_answers(self) -> None:
        """Nothing is kept."""

    def tend(self) -> None:
        """Nothing to do: threads of the writer merge."""


CONTENDERS: Final[dict[str, Callable[[Path], Contender]]] = {"ours": Ours, "fts5": Fts5, "tantivy": Tantivy}
