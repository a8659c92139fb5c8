"""The real watch on a real terminal, against the emulator: what is free happens by itself, what costs money waits for a key, and no bill comes of anything
else.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace

from .hooking import posix
from .watching import Watching, wait_for

pytestmark = posix

SPEC = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2, output: "art/${id}.png"}
profiles:
  draft: {provider: comp}
assets:
  poster:
    prompt: A poster of beans.
  poster-de:
    base: poster
    prompt: Set the headline in German.
  cup:
    prompt: A cup.
  note:
    provider: comp
    prompt: A note on the table.
"""
QUICK = ("--quiet", "0.1")


class Desk:
    """A project that is watched, and the vendor's bills."""

    def __init__(self, folder: Path, apiframe: Emulator, spec: str = SPEC) -> None:
        self.space, self.apiframe = TestSpace(folder), apiframe
        self.space.write("assets.yaml", spec)
        self.space.git("init", "-q", "-b", "main")
        self.space.git("config", "user.email", "a@b")
        self.space.git("config", "user.name", "a")
        self.space.write(".gitignore", "art/\n.assetbuild/\n")
        self.space.git("add", "-A")
        self.space.git("commit", "-qm", "begin")

    def watch(self, *args: str, columns: int = 100, rows: int = 40) -> Watching:
        return Watching(self.space, *QUICK, *args, env=self.apiframe.env(), columns=columns, rows=rows)

    def edit(self, old: str, new: str) -> None:
        text = self.space.read("assets.yaml").decode()
        assert old in text
        self.space.write("assets.yaml", text.replace(old, new))

    def pause(self) -> None:
        """A key that buys isn't believed at once after the list changed; most of that time went by while it settled."""
        time.sleep(0.1)

    @property
    def bills(self) -> int:
        return len(self.apiframe.bills)


@pytest.fixture
def desk(tmp_path: Path, emulator: Emulator) -> Desk:
    return Desk(tmp_path, emulator)


def test_free_work_happens_by_itself_and_paid_work_waits_for_its_key(desk: Desk) -> None:
    with desk.watch() as watch:
        watch.sees("cup")
        watch.says("drawn     note")
        wait_for((desk.space.root / ".assetbuild/draft/art/poster-de.png").exists, "a draft of what waits")
        watch.settled()
        assert desk.bills == 0
        assert not (desk.space.root / "art/poster.png").exists()  # a draft isn't a final
        desk.pause()
        number = next(line.split()[0] for line in watch.below.splitlines() if " cup " in line)
        watch.press(number)
        watch.says("bought    cup")
        watch.settled()
        assert desk.bills == 1
        desk.pause()
        watch.press("b")
        watch.says("bought    poster-de")
        watch.sees("nothing to buy")
        assert desk.bills == 3
    assert watch.code == 0
    assert "4 up to date" in desk.space.run("plan", env=desk.apiframe.env()).out


def test_a_number_buys_what_its_picture_is_made_from_too_and_says_so(desk: Desk) -> None:
    with desk.watch() as watch:
        watch.sees("with what it is made from")
        watch.settled()
        desk.pause()
        number = next(line.split()[0] for line in watch.below.splitlines() if " poster-de " in line)
        watch.press(number)
        watch.says("bought    poster-de")
        watch.settled()
        assert desk.bills == 2
        assert " cup " in watch.below


def test_a_mistake_stays_on_the_screen_with_the_last_plan_below_and_buys_nothing(desk: Desk) -> None:
    with desk.watch() as watch:
        watch.sees("cup")
        watch.settled()
        desk.edit("prompt: A cup.", "promt: A cup.")
        watch.sees("did you mean `prompt`?")
        watch.sees("the last plan that could be made")
        desk.pause()
        watch.press("b")
        watch.says("nothing is bought until it can be read")
        desk.edit("promt: A cup.", "prompt: A red cup.")
        watch.sees_not("did you mean")
        watch.settled()
        assert desk.bills == 0


def test_auto_buys_until_its_limit_is_spent_and_never_more(desk: Desk) -> None:
    with desk.watch("--auto", "--max-cost", "0.10") as watch:
        watch.sees("--auto waits")
        watch.settled()
        spent = desk.apiframe.spent
        assert 0 < spent * 0.01 <= 0.10
        for n in range(4):
            desk.edit("prompt: A cup", f"prompt: A cup {n}")
            watch.settled()
        assert desk.apiframe.spent * 0.01 <= 0.10
        desk.pause()
        watch.press("b")
        watch.says("over --max-cost $0.10")


def test_a_branch_switch_never_spends_even_with_auto(desk: Desk) -> None:
    desk.space.git("switch", "-qc", "print")
    desk.edit("A cup.", "A cup for print.")
    desk.space.git("commit", "-qam", "print")
    desk.space.git("switch", "-q", "main")
    desk.space.run("build", "--yes", env=desk.apiframe.env())
    bills = desk.bills
    with desk.watch("--auto", "--max-cost", "5") as watch:
        watch.sees("nothing to buy")
        watch.settled()
        desk.space.git("switch", "-q", "print")
        watch.sees("the branch changed (main → print)")
        watch.settled()
        assert desk.bills == bills
        desk.space.git("switch", "-q", "main")
        watch.sees("nothing to buy")
        desk.edit("A cup.", "A blue cup.")
        desk.space.git("stash", "-q")
        watch.settled()
        desk.space.git("stash", "pop", "-q")
        watch.sees("the stash changed")
        watch.settled()
        assert desk.bills == bills
        desk.pause()
        watch.press("b")
        watch.says("bought    cup")
        watch.settled()
        assert desk.bills == bills + 1
        desk.edit("A blue cup.", "A green cup.")  # an edit, not git: this is what --auto is for
        watch.says("bought    cup", 2)


def test_a_change_that_makes_many_stale_waits_for_a_key(desk: Desk) -> None:
    with desk.watch("--auto", "--max-cost", "5", "--at-most", "2") as watch:
        watch.sees("one change made 3 assets stale")
        watch.settled()
        assert desk.bills == 0


def test_without_a_terminal_there_are_lines_and_nothing_paid(desk: Desk) -> None:
    child = desk.space.start("watch", *QUICK, env=desk.apiframe.env())
    wait_for((desk.space.root / "art/note.png").exists, "the free picture")
    time.sleep(1)
    os.kill(child.pid, 2)
    out, talk = child.communicate(timeout=30)
    assert child.returncode == 130
    assert "no keys, and nothing is bought" in talk
    assert "waiting   cup" in out
    assert "drawn     note" in out
    assert "\x1b" not in out
    assert desk.bills == 0


def test_a_picture_whose_prompt_is_edited_meanwhile_is_kept_as_a_take_of_its_own(tmp_path: Path) -> None:
    from . import emulating

    with emulating.emulator(latency=2) as apiframe:
        desk = Desk(tmp_path, apiframe)
        with desk.watch() as watch:
            watch.sees("cup")
            watch.settled()
            desk.pause()
            number = next(line.split()[0] for line in watch.below.splitlines() if " cup " in line)
            watch.press(number)
            wait_for(lambda: len(apiframe.bills) == 1, "the bill")
            desk.edit("A cup.", "A glass.")
            watch.says("cup  the spec changed")
            watch.settled()
            assert not (desk.space.root / "art/cup.png").exists()
            assert " cup " in watch.below  # the new prompt waits
            desk.edit("A glass.", "A cup.")
            watch.says("restored  cup")
            watch.settled()
            assert len(apiframe.bills) == 1


def number_of(watch: Watching, name: str) -> str:
    return next(line.split()[0] for line in watch.below.splitlines() if f" {name} " in line)


def test_an_interrupt_names_what_goes_on_and_the_next_watch_fetches_it(tmp_path: Path) -> None:
    from . import emulating

    with emulating.emulator(latency=3) as apiframe:
        desk = Desk(tmp_path, apiframe)
        with desk.watch() as watch:
            watch.sees("cup")
            watch.settled()
            desk.pause()
            watch.press(number_of(watch, "cup"))
            wait_for(lambda: len(apiframe.bills) == 1, "the bill")
            time.sleep(0.3)
            watch.interrupt()
            assert watch.ended() == 130
            watch.says("at apiframe this goes on and is paid for: `cup`")
        with desk.watch() as watch:
            watch.says("fetched   cup")
            watch.settled()
            assert (desk.space.root / "art/cup.png").exists()
            assert " cup " not in watch.below
        assert len(apiframe.bills) == 1


def test_a_killed_watch_leaves_no_child_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    from . import emulating

    with emulating.emulator(latency=1.5) as apiframe:
        desk = Desk(tmp_path, apiframe)
        watch = desk.watch()
        watch.sees("cup")
        watch.settled()
        desk.pause()
        watch.press("b")
        wait_for(lambda: len(apiframe.bills) >= 1, "a bill")
        watch.kill()
        with desk.watch() as again:
            again.says("fetched   cup")
            again.settled()
            desk.pause()
            again.press("b")
            again.says("bought    poster-de")
            again.settled()
            again.sees("nothing to buy")
        assert sorted(bill["prompt"] for bill in apiframe.bills) == [
            "A cup.",
            "A poster of beans.",
            "Set the headline in German.",
        ]


def test_two_watches_on_one_project_pay_once(desk: Desk) -> None:
    with desk.watch() as one, desk.watch() as other:
        for watch in (one, other):
            watch.sees("cup")
            watch.settled()
        desk.pause()
        one.press("b")
        other.press("b")
        for watch in (one, other):
            watch.settled()
        wait_for((desk.space.root / "art/poster-de.png").exists, "the last picture")
        assert desk.bills == 3


def test_a_choice_made_elsewhere_is_seen(desk: Desk) -> None:
    desk.edit("    prompt: A cup.", "    takes: 2\n    prompt: A cup.")
    with desk.watch() as watch:
        watch.sees("cup")
        watch.settled()
        desk.pause()
        watch.press("b")
        watch.sees("nothing to buy")
        watch.settled()
        desk.space.run("use", "cup", "1", env=desk.apiframe.env())
        watch.settled()
        before = (desk.space.root / "art/cup.png").read_bytes()
        desk.space.run("reject", "cup", env=desk.apiframe.env())
        watch.sees("1 waits for a person")
        assert (desk.space.root / "art/cup.png").read_bytes() == before


def test_a_picture_that_was_retouched_is_never_written_over(desk: Desk) -> None:
    with desk.watch() as watch:
        watch.says("drawn     note")
        watch.settled()
        mine = b"\x89PNG\r\n\x1a\n" + b"by hand"
        desk.space.write("art/note.png", mine)
        desk.edit("A note on", "Another note on")
        watch.sees("1 waits for a person")
        watch.settled()
        watch.press("a")
        watch.sees("edited by hand")
        assert desk.space.read("art/note.png") == mine


def test_by_looking_every_second_it_does_the_same(desk: Desk) -> None:
    with desk.watch("--poll") as watch:
        watch.says("drawn     note")
        watch.settled()
        desk.edit("A note on", "Another note on")
        watch.says("drawn     note", 2)


def test_paused_nothing_is_begun(desk: Desk) -> None:
    with desk.watch() as watch:
        watch.says("drawn     note")
        watch.settled()
        watch.press("p")
        watch.sees("paused: p goes on")
        desk.edit("A note on", "Another note on")
        time.sleep(1)
        watch.settled()
        desk.pause()
        watch.press("b")
        watch.says("the watch is paused")
        watch.press("p")
        watch.says("drawn     note", 2)
        assert desk.bills == 0


def test_a_job_that_fails_is_told_and_waits_for_its_number(desk: Desk) -> None:
    desk.apiframe.fault("refuse")
    with desk.watch() as watch:
        watch.sees("cup")
        watch.settled()
        desk.pause()
        watch.press(number_of(watch, "cup"))
        watch.says("failed    cup")
        watch.settled()
        bills = desk.bills
        desk.apiframe.no_faults()
        desk.edit("A note on", "Another note on")
        watch.settled()
        assert desk.bills == bills


@pytest.mark.parametrize("columns", [60, 80])
def test_every_line_fits_the_terminal(desk: Desk, columns: int) -> None:
    desk.edit("  cup:", "  a-cup-with-a-very-long-name-that-nobody-would-give-it-but-somebody-does:")
    with desk.watch(columns=columns) as watch:
        watch.says("drawn     note")
        watch.settled()
        watch.press("?")
        watch.sees("pauses")
        lines = watch.below.splitlines()
        assert all(len(line) < columns for line in lines)
        assert any(line.startswith("b ") for line in lines)
        assert "q quit" in watch.below or columns < 80
    assert watch.text.count("────") < 30  # what is redrawn leaves nothing behind


def test_auto_needs_a_limit(desk: Desk) -> None:
    ran = desk.space.run("watch", "--auto")
    assert ran.code == 2
    assert "--auto buys by itself, so it needs a limit\n  hint: `assetbuild watch --auto --max-cost 2.00`" in ran.text


def test_exports_compositions_and_what_a_branch_brings_back_are_free_and_happen_by_themselves(desk: Desk) -> None:
    desk.edit(
        "  note:\n",
        "  label:\n    base: cup\n    overlay: [{text: Hello, at: top, size: 10%}]\n    exports: {web: {path: 'web/label.webp', width: 32}}\n  note:\n",
    )
    desk.space.run("build", "--yes", env=desk.apiframe.env())
    bills = desk.bills
    desk.space.git("add", "-A")
    desk.space.git("commit", "-qm", "label")
    desk.space.git("switch", "-qc", "print")
    with desk.watch("--auto", "--max-cost", "5") as watch:
        watch.sees("nothing to buy")
        desk.edit("text: Hello", "text: Hallo")
        watch.says("composed  label")
        watch.says("exported  label")
        watch.settled()
        before = desk.space.read("web/label.webp")
        desk.edit("width: 32", "width: 40")
        watch.says("exported  label", 2)
        watch.settled()
        assert desk.space.read("web/label.webp") != before
        desk.space.git("stash", "-q")
        watch.says("restored  label")
        watch.settled()
        (desk.space.root / "web/label.webp").unlink()
        desk.edit("A note on", "Another note on")
        watch.says("exported  label", 3)  # git itself brought back what it had committed
        watch.settled()
    assert desk.bills == bills


def test_the_spec_s_budget_is_a_limit_of_watch_too(desk: Desk) -> None:
    desk.edit("project: fika", "project: fika\nbudget: {per_day: 0.10}")
    with desk.watch("--auto", "--max-cost", "5") as watch:
        watch.sees("for 24 hours")
        watch.settled()
        assert desk.bills == 1
        desk.pause()
        watch.press("b")
        watch.says("$0.01 is left")
        watch.settled()
        assert desk.bills == 1
