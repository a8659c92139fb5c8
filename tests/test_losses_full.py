"""A store that takes no more bytes: what was paid for is laid aside, told, and brought in by the next build; nothing is paid for twice."""

from __future__ import annotations

import re

from assetbuild.testing.space import TestSpace
from tests.hooking import fills_up, rescued, told
from tests.storing import digest
from tests.test_losses_bytes import ONE, TWO_STEPS, story


def test_the_store_is_full_when_the_picture_comes(space: TestSpace) -> None:
    """It is paid for: it lies in the tree, the message says where, nothing else is bought, and the next build brings it in."""
    spec = ONE + "".join(f"  p{n}:\n    prompt: |\n      Other {n}.\n" for n in range(3))
    err = fills_up(space, spec, "cas", "one", jobs=1)
    (picture,) = rescued(space)
    assert digest(picture.read_bytes()) == picture.name
    assert len(space.bills) == 1
    (space.folder / "full").write_text("cas")
    before = space.files()
    again = space.build(code=2)
    assert space.files() == before
    assert len(space.bills) == 1, "neither it nor anything else is bought while it lies there"
    (space.folder / "full").unlink()
    content = picture.read_bytes()
    last = space.build()
    assert space.read("art/poster.png") == content
    assert not picture.exists()
    assert len(space.bills) == 4
    first_line = last.err.partition("\n")[0] + "\n"
    told(space, "rescued", the_disk_fills_up_during_the_purchase=err, and_is_full_yet=again.err, there_is_room=first_line)


def test_a_rescued_picture_is_brought_in_by_hand(space: TestSpace) -> None:
    """The other way that the message names."""
    fills_up(space, ONE, "cas", "one")
    (picture,) = rescued(space)
    content = picture.read_bytes()
    assert space.run("use", "poster", str(picture.relative_to(space.root))).code == 0
    assert space.read("art/poster.png") == content
    space.build()
    assert space.read("art/poster.png") == content
    assert len(space.bills) == 1


def test_the_tree_is_full_too(space: TestSpace) -> None:
    """Then it lies with the system's temporary files, in a folder of our own, and is brought in from there; also a step's."""
    err = fills_up(space, TWO_STEPS, "cas tree", "one")
    (picture,) = (p for p in space.folder.glob("assetbuild-rescued-*/*") if p.suffix != ".json")
    assert picture.parent.stat().st_mode & 0o777 == 0o700
    content = picture.read_bytes()
    space.build()
    assert [bill["prompt"] for bill in space.bills] == ["A poster one.", "Make it bold."]
    assert space.bills[1]["inputs"] == [digest(content)]
    err = re.sub(r"rescued-\w+", "rescued-<hex>", err)
    told(space, "rescued-elsewhere", the_disk_of_store_and_project_fills_up_during_the_purchase_of_a_step=err)


def test_no_place_takes_the_picture(space: TestSpace) -> None:
    """That is said as what it is."""
    err = fills_up(space, ONE, "cas tree temporary", "one")
    told(space, "rescued-nowhere", every_disk_fills_up_during_the_purchase=err)


def test_the_record_is_full(space: TestSpace) -> None:
    """The pictures are in the store and nothing says what they are: that, too, isn't paid for again."""
    err = fills_up(space, story("a", "b"), "record", "one")
    assert not [p for p in rescued(space) if p.suffix != ".json"]
    space.build()
    assert len(space.bills) == 1
    assert (space.root / "art/story-a.png").is_file()
    told(space, "rescued-record", the_record_can_not_be_written=err)


def test_a_rescued_picture_that_is_deleted(space: TestSpace) -> None:
    """Said; then it is asked for again as what it is, one purchase whose answer was never recorded."""
    fills_up(space, ONE, "cas", "one")
    for picture in rescued(space):
        picture.unlink()
    assert "isn't there any more" in space.build().err
    assert len(space.bills) == 1
