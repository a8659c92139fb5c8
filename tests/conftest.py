"""A project in a temp dir for each test that asks for one."""

from __future__ import annotations

from pathlib import Path

import pytest

from assetbuild.testing.space import TestSpace


@pytest.fixture
def space(tmp_path: Path) -> TestSpace:
    """An empty project."""
    return TestSpace(tmp_path)
