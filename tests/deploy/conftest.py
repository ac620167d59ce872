"""Load the scripts of deploy/, which is no package, as modules."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from types import ModuleType

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DEPLOY / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name, and gazetteer.py imports vendor.py as a neighbour.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def vendor() -> ModuleType:
    return _load("vendor")


@pytest.fixture(scope="session")
def gazetteer(vendor: ModuleType) -> ModuleType:
    assert vendor.ROOT
    return _load("gazetteer")
