"""Imported by the server from which the writers are forked, and by nothing else: does once what each would do first."""

import tempfile
from pathlib import Path

from catalog import database
from tests import factories
from tests.reliability.writers import GIVEN, opened

with tempfile.TemporaryDirectory() as _folder:
    _runtime = opened(Path(_folder) / "var")
    database.upgrade(_runtime.engine)
    _runtime.index.rebuild([])
    with _runtime.unit_of_work() as _session:
        factories.make_organisation(_session, slug=GIVEN["organisation"])
        factories.make_topic(_session, slug=GIVEN["topics"][0])
        factories.make_published(_session, **GIVEN)
    _runtime.engine.dispose()
