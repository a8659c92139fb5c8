"""What a project remembers where things may vanish."""

from __future__ import annotations

from assetbuild.testing.space import TestSpace
from tests.test_scenarios import png

SPEC = "version: 1\ndefaults: {provider: counting}\nassets:\n  photo:\n    base: {file: photos/1.png}\n    prompt: |\n      Brighter.\n"


def test_sizes_of_photos_are_remembered_and_may_vanish(space: TestSpace) -> None:
    """A damaged, lost or foreign cache only costs time; a changed photo is measured again."""
    space.write("assets.yaml", SPEC)
    space.write("photos/1.png", png())
    space.build()
    cache = space.root / ".assetbuild" / "cache"
    assert (cache / "cache.db").is_file()
    (cache / "cache.db").write_bytes(b"not a database")
    assert space.plan()["photo"]["row"] == "4"
    space.write("photos/1.png", png() + b"\0")
    assert space.plan()["photo"]["row"] == "15"
    space.build()
    assert len(space.bills) == 2
