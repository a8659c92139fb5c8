"""A project in a temp dir for each test that asks for one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace

from . import emulating

# The same cases in every run, so that a run says something about the commit; ASSETBUILD_EXPLORE=1 looks for new ones.
settings.register_profile("assetbuild", derandomize=not os.environ.get("ASSETBUILD_EXPLORE"), deadline=None)
settings.load_profile("assetbuild")


@pytest.fixture
def space(tmp_path: Path) -> TestSpace:
    """An empty project."""
    return TestSpace(tmp_path)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An Apiframe on this machine: tiny pictures, no latency, 1000 credits."""
    with emulating.emulator() as running:
        yield running


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing leads through a proxy of the machine's user."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
