"""What a running process holds: settings, database, unit of work and search index, opened together in one place."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, partial

from sqlalchemy import Engine

from catalog import config, database
from catalog.config import Settings
from catalog.domain.vocabulary import DeploymentStatus, OrganisationKind, label
from catalog.paths import DATA
from catalog.services import indexing, outbox
from catalog.services.place_names import place_names
from catalog.unit_of_work import UnitOfWork
from index import Analyzer, SearchIndex

# What people may type after "status:" in the search box, and what the index calls it.
_FACET_VALUES = {
    "status": {label(status): status.value for status in DeploymentStatus}
    | {"gestoppt": "stopped", "gescheitert": "stopped", "abgebrochen": "stopped", "betrieb": "regular_operation"},
    "kind": {label(kind): kind.value for kind in OrganisationKind},
}


@dataclass(frozen=True, slots=True)
class Runtime:
    """The open resources that pages, commands and the worker share."""

    settings: Settings
    engine: Engine
    unit_of_work: UnitOfWork
    index: SearchIndex
    secret_key: str


def _place_names() -> Iterator[str]:
    """Names of municipalities and their parts: words the search must never take apart."""
    for file in ("gazetteer.csv", "places.csv"):
        path = DATA / file
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                header = next(lines).rstrip("\n").split(";")
                column = header.index("name")
                for line in lines:
                    yield line.rstrip("\n").split(";")[column]


@cache
def _analyzer() -> Analyzer:
    # Reading lexicon, thesaurus and place names takes a good part of a second: once in a process is enough.
    return Analyzer(names=_place_names())


def open_runtime(settings: Settings) -> Runtime:
    """Open everything the settings name; raises SettingsError where the data folder can't be used."""
    config.prepare_data_dir(settings)
    engine = database.make_engine(settings.sqlalchemy_url)
    unit_of_work = UnitOfWork(engine, read_only=settings.read_only)
    index = SearchIndex(
        settings.index_dir,
        analyzer=_analyzer(),
        facets=indexing.FACETS,
        facet_values=_FACET_VALUES,
        named=partial(place_names, DATA),
    )
    unit_of_work.after_commit = partial(outbox.nudge, unit_of_work.writing, index)
    return Runtime(
        settings=settings, engine=engine, unit_of_work=unit_of_work, index=index, secret_key=config.secret_key(settings)
    )
