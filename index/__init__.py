"""A small search library over Whoosh: documents in, queries in, results out; it knows nothing of the application."""

from index.analysis import Analyzer
from index.document import (
    Document,
    Expansion,
    Hit,
    Piece,
    Query,
    Reason,
    Results,
    Snippet,
    Status,
    Suggestion,
    Understood,
)
from index.errors import IndexLocked, IndexUnavailable
from index.names import Named
from index.search import SearchIndex

__all__ = [
    "Analyzer",
    "Document",
    "Expansion",
    "Hit",
    "IndexLocked",
    "IndexUnavailable",
    "Named",
    "Piece",
    "Query",
    "Reason",
    "Results",
    "SearchIndex",
    "Snippet",
    "Status",
    "Suggestion",
    "Understood",
]
