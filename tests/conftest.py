"""A project in a temp dir for each test that asks for one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from assetbuild.testing.space import TestSpace

# The same cases in every run, so that a run says something about the commit; ASSETBUILD_EXPLORE=1 looks for new ones.
settings.register_profile("assetbuild", derandomize=not os.environ.get("ASSETBUILD_EXPLORE"), deadline=None)
settings.load_profile("assetbuild")


@pytest.fixture
def space(tmp_path: Path) -> TestSpace:
    """An empty project."""
    return TestSpace(tmp_path)
