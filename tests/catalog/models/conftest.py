"""Everything in this folder holds on SQLite and on PostgreSQL alike."""

import pytest

from catalog.runtime import Runtime


@pytest.fixture
def runtime(each_runtime: Runtime) -> Runtime:
    """The runtime on each database in turn."""
    return each_runtime
