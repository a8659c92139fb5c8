"""`takes`, `approve`, `reject` and `reroll`: choosing among what was bought, as a person reads it. Golden stories in golden/cli/choice-*.txt."""

from __future__ import annotations

import json

from PIL import Image

from assetbuild.testing.space import TestSpace

from .saying import Story
from .test_cli_schemas import holds

SPEC = """\
version: 1
project: fika
defaults: {{provider: {provider}, output: "art/${{id}}.png"}}
assets:
  poster:
{fields}    prompt: |
      {text}
  poster-de:
    base: poster
    prompt: |
      In German.
"""


def write(space: TestSpace, *fields: str, text: str = "A poster.", provider: str = "counting") -> None:
    """The spec, with these fields at `poster`."""
    space.write("assets.yaml", SPEC.format(provider=provider, text=text, fields="".join(f"    {f}\n" for f in fields)))


def test_three_takes_one_is_chosen_and_the_edit_is_bought(space: TestSpace) -> None:
    story = Story(space, "choice-takes")
    write(space, "takes: 3")
    story.run("plan")
    story.run("build", code=5)
    assert len(space.bills) == 3
    line = space.lock()["poster"]
    assert (line["take"], line["of"]) == (3, 3)
    assert "chosen" not in line
    story.run("plan")
    story.run("list")
    story.run("show", "poster-de")
    story.run("takes")
    story.run("takes", "poster-de")
    story.run("use", "poster", "2")
    line = space.lock()["poster"]
    assert (line["take"], line["of"], line["chosen"]) == (2, 3, True)
    story.run("takes", "poster")
    story.run("takes")
    story.run("build")
    assert len(space.bills) == 4
    assert space.bills[-1]["inputs"] == [line["outputs"][0]["digest"]]
    story.run("use", "poster", "2")
    story.run("plan", "--exit-code")
    story.check()


def test_what_lies_there_is_chosen_by_its_name_alone(space: TestSpace) -> None:
    write(space, "takes: 2")
    space.build(code=5)
    before = space.read("art/poster.png")
    assert space.run("use", "poster").code == 0
    assert space.lock()["poster"]["chosen"] is True
    assert space.read("art/poster.png") == before
    space.build()
    assert len(space.bills) == 3


def test_an_approval_is_waited_for_and_bound_to_the_picture(space: TestSpace) -> None:
    story = Story(space, "choice-approve")
    write(space, "approve: required", "tags: [launch]")
    story.run("build", code=5)
    assert len(space.bills) == 1
    story.run("list", "poster")
    story.run("use", "poster")
    story.run("build", "poster-de", code=5)
    story.run("approve", "tag:launch", "--note", "Mara: print it")
    story.run("approve", "poster")
    assert space.lock()["poster"]["approved"] == space.lock()["poster"]["outputs"][0]["digest"]
    story.run("show", "poster")
    story.run("build")
    assert len(space.bills) == 2
    story.note("the text changes: another picture needs its own approval")
    write(space, "approve: required", "tags: [launch]", text="A better poster.")
    story.run("build", code=5)
    assert len(space.bills) == 3
    story.note("it changes back: the picture that was approved is")
    write(space, "approve: required", "tags: [launch]")
    story.run("build")
    story.run("approve", "poster", "7", code=2)
    assert len(space.bills) == 3
    story.check()


def test_approval_and_choice_are_one_command(space: TestSpace) -> None:
    story = Story(space, "choice-both")
    write(space, "takes: 2", "approve: required")
    story.run("build", code=5)
    story.run("takes")
    story.run("use", "poster", "1")
    story.run("plan")
    story.run("approve", "poster", "1")
    story.run("build")
    assert len(space.bills) == 3
    story.check()


def test_a_rejected_picture_waits_for_another(space: TestSpace) -> None:
    story = Story(space, "choice-reject")
    write(space)
    story.run("build", told=False)
    story.run("reject", "poster")
    story.run("reject", "poster", "--note", "six fingers")
    story.run("reject", "poster")
    assert space.lock()["poster"]["rejected"] == "six fingers"
    story.run("plan")
    story.run("build", code=5)
    story.run("show", "poster")
    story.run("takes", "poster")
    story.note("one more is made, and chosen; the rejected one can be had again")
    story.run("reroll", "poster")
    assert len(space.bills) == 3
    assert "rejected" not in space.lock()["poster"]
    story.run("takes", "poster")
    story.run("use", "poster")
    story.run("use", "poster", "1")
    assert "rejected" not in space.lock()["poster"]
    story.run("build")
    assert len(space.bills) == 3
    story.run("takes", "poster", "poster-de")
    story.check()


def test_another_take_than_the_picture_is_rejected(space: TestSpace) -> None:
    story = Story(space, "choice-reject-other")
    write(space, "takes: 3")
    story.run("build", code=5, told=False)
    before = space.read("assets.lock")
    story.run("reject", "poster", "1", "--note", "dull")
    story.run("reject", "poster", "2")
    assert space.read("assets.lock") == before
    story.run("build", code=5)
    story.run("takes")
    story.run("reject", "poster", "9", code=2)
    story.run("reject", "poster-de", code=2)
    space.write("mine.png", space.read("art/poster.png")[:-1])
    story.run("reject", "poster", "mine.png", code=2)
    assert len(space.bills) == 3
    story.check()


def test_one_more_take_is_to_be_chosen(space: TestSpace) -> None:
    story = Story(space, "choice-reroll")
    write(space)
    space.build()
    first = space.read("art/poster.png")
    story.run("reroll", "poster")
    assert [b["take"] for b in space.bills] == [1, 1, 2]
    assert space.read("art/poster.png") != first
    story.run("use", "poster", "1")
    assert space.read("art/poster.png") == first
    story.run("build")
    assert len(space.bills) == 3
    story.run("reroll", "poster", "--step", "3", code=2)
    write(space, "pin: true")
    story.run("reroll", "poster", code=2)
    write(space, provider="comp")
    story.run("reroll", "poster", code=2)
    assert len(space.bills) == 3
    story.check()


def test_one_more_take_of_an_earlier_step(space: TestSpace) -> None:
    """What comes after it is made from the new one; the picture before comes back with `previous`."""
    write(space, "then: [Make it bold.]")
    space.build()
    first, bills = space.read("art/poster.png"), len(space.bills)
    ran = space.run("reroll", "poster", "--step", "1")
    assert ran.code == 0, ran.text
    assert [b["prompt"].strip() for b in space.bills[bills:]][:2] == ["A poster.", "Make it bold."]
    assert space.read("art/poster.png") != first
    bills = len(space.bills)
    space.build("poster")
    assert len(space.bills) == bills
    assert space.run("use", "poster", "previous").code == 0
    assert space.read("art/poster.png") == first


def test_a_sheet_shows_them_side_by_side(space: TestSpace) -> None:
    story = Story(space, "choice-sheet")
    write(space, "takes: 3")
    space.build(code=5)
    space.run("reject", "poster", "1", "--note", "dull")
    story.run("takes", "poster", "--sheet", "out/sheet.png")
    with Image.open(space.root / "out/sheet.png") as sheet:
        assert sheet.width > 3 * 300
        assert sheet.width > sheet.height
    story.run("takes", "poster", "--sheet", "art/poster-de.png", code=2)
    story.run("takes", "poster-de", "--sheet", "out/none.png", code=2)
    story.check()


def test_a_sheet_of_all_that_have_several(space: TestSpace) -> None:
    """Without an id: what was chosen already is there, too; what has one take isn't."""
    story = Story(space, "choice-sheet-all")
    write(space)
    space.build()
    story.run("takes", "--sheet", "out/sheet.png", code=2)
    write(space, "takes: 2")
    space.build(code=5)
    story.run("takes", "--sheet", "out/sheet.png")
    space.run("use", "poster", "1")
    story.run("takes", "--sheet", "out/sheet.png")
    story.run("takes")
    story.check()


def test_nothing_waits_while_nothing_is_made_from_it(space: TestSpace) -> None:
    """A choice or an approval that holds no other picture up is told, and is no reason to end with 5."""
    for fields in (("takes: 2",), ("approve: required",), ("takes: 2", "approve: required")):
        write(space, *fields, text=f"A poster, {len(fields)} {fields[0]}.")
        ran = space.build("poster")
        assert "assetbuild approve poster" in ran.err if "approve: required" in fields else "assetbuild use poster 2" in ran.err
        space.build("poster")
        space.build("poster", "poster-de", code=5)


def test_one_count_wherever_it_is_told(space: TestSpace) -> None:
    """Of five takes two were rejected: the asset and what waits for it say the same number."""
    write(space, "takes: 5")
    space.build(code=5)
    for take in ("1", "2"):
        space.run("reject", "poster", take)
    plan = space.plan()
    assert plan["poster"]["reason"] == "3 takes, none chosen"
    assert plan["poster-de"]["reason"] == "waiting for a choice of `poster` (3 takes)"
    assert space.run("takes").out.startswith("poster  3 takes, none chosen, 2 rejected\n")
    for take in ("3", "4"):
        space.run("reject", "poster", take)
    plan = space.plan()
    assert plan["poster"]["reason"] == "one take is left, not chosen"
    assert plan["poster-de"]["reason"] == "waiting for a choice of `poster` (one take is left)"


def test_their_json_has_its_shape(space: TestSpace) -> None:
    write(space, "takes: 2", "approve: required")
    holds("takes", space.run("takes", "--json", "poster").json)
    space.build(code=5)
    space.run("reject", "poster", "1", "--note", "dull")
    space.run("approve", "poster", "--note", "Mara")
    found = space.run("takes", "--json", "poster").json
    holds("takes", found)
    one, two = found["assets"][0]["takes"]
    assert (one["rejected"], one["chosen"], one["lies_there"]) == ("dull", False, False)
    assert (two["approved"], two["chosen"], two["lies_there"], two["width"]) == (True, True, True, 8)
    holds("show", space.run("show", "poster", "--json").json)
    holds("list", space.run("list", "--json").json)
    assert json.loads(space.run("takes", "--json").out)["assets"] == []


def test_which_one_is_approved_must_be_said(space: TestSpace) -> None:
    """What lies there is only the newest of three: approving it unasked would be a choice that nobody made."""
    write(space, "takes: 3", "approve: required")
    space.build(code=5)
    ran = space.run("approve", "poster")
    assert ran.code == 2
    assert "`poster` has 3 takes and none is chosen" in ran.err
    assert "`assetbuild approve poster 3`" in ran.err
    assert space.run("approve", "poster", "3").code == 0
