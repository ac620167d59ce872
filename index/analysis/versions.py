"""The version numbers of the language chain; no language rule belongs here."""

from typing import Final

# Raise whenever the same text would give other index terms: an index written by another version must be rebuilt.
# The thesaurus and the filler words are read at query time only and do not count.
ANALYSIS_VERSION: Final = 1
