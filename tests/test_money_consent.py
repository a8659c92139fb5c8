"""Before money is spent: what is said, what is asked, and what an answer means. Through the real command, on a terminal and without one, against
the emulator.
"""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace
from tests.hooking import hook
from tests.saying import Story
from tests.terminal import CONTROL
from tests.test_cli_schemas import holds

SPEC = """
version: 1
project: tea
defaults: {provider: apiframe, quality: low}
styles: {house: Flat shapes.}
assets:
"""
TWELVE = (
    SPEC.replace("quality: low", "quality: low, style: house")
    + """
  p-${n}:
    matrix: {n: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]}
    prompt: |
      Product ${n}.
"""
)


def picture(name: str, more: str = "") -> str:
    return f"  {name}:\n    prompt: |\n      A picture of {name}.\n{more}"


def typed(
    space: TestSpace, *args: str, answer: str, env: dict[str, str], columns: int = 80, colour: bool = False
) -> tuple[int, str]:
    """The command on a terminal, where somebody answers its question with this line: exit code, and what stood there in the end. Lines that
    were drawn over are there too; without control sequences, unless `colour`.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    plain = {} if colour else {"NO_COLOR": "1"}
    whole = space.env({"COLUMNS": str(columns), "TERM": "xterm", **plain, **env})
    command = [sys.executable, "-m", "assetbuild", *args]
    with subprocess.Popen(command, cwd=space.root, env=whole, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        written, answered = b"", False
        while True:
            try:
                some = os.read(ours, 65536)
            except OSError:  # Linux' way to say that the other side is closed
                break
            if not some:
                break
            written += some
            if not answered and re.search(
                rb"(\[y/N\]|to agree): ?$", CONTROL.sub("", written.decode("utf-8", "replace")).encode()
            ):
                answered = True
                os.write(ours, answer.encode() + b"\n")
    os.close(ours)
    text = written.decode().replace("\r\n", "\n")
    return child.returncode, text if colour else CONTROL.sub("", text).replace("\r", "")


def test_the_road_of_a_new_user(space: TestSpace, emulator: Emulator) -> None:
    """From `init` to pictures that were paid for: what lacks is said once, and nothing is bought unasked."""
    story = Story(space, "money-road")
    space.git("init", "-q")
    story.run("init")
    text = space.read("assets.yaml").decode()
    assert text.count("provider: comp\n") == 1
    space.write("assets.yaml", text.replace("provider: comp\n", "provider: apiframe\n"))
    story.note("`provider: apiframe`")
    story.run()
    story.run("plan")
    ran = story.run("build", code=4)
    assert ran.err.count("APIFRAME_API_KEY isn't set") == 1
    assert ran.err.count("export") == 1
    story.note("with a key, and nobody there to be asked")
    env = emulator.env()
    ran = story.run("build", env=env, code=5)
    assert ran.err.count("--yes") == 1
    assert emulator.bills == []
    story.note("the sum is enough for some")
    story.run("build", "--max-cost", "0.10", env=env, code=5)
    assert len(emulator.bills) == 1
    story.run("build", "--yes", env=env)
    story.run("build", env=env)
    story.run("cost", env=env)
    assert len(emulator.bills) == 3
    story.check()


def test_one_line_that_makes_many_new_is_said_first(space: TestSpace, emulator: Emulator) -> None:
    """Twelve pictures by one style: the plan names the change, the price and the way to keep them all; none is bought again."""
    story, env = Story(space, "money-bulk"), emulator.env()
    space.write("assets.yaml", TWELVE)
    story.run("build", "--yes", env=env, told=False)
    assert len(emulator.bills) == 12
    space.write("assets.yaml", TWELVE.replace("Flat shapes.", "Round shapes."))
    story.note("the style says something else")
    story.run("plan", env=env)
    story.run("build", env=env, code=5)
    story.run("use", "*", env=env)
    story.run("plan", env=env)
    assert len(emulator.bills) == 12
    story.check()


def test_what_is_made_from_what_changed_counts_too(space: TestSpace, emulator: Emulator) -> None:
    """One base, ten edits, an edit of one of them: one prompt changed, and twelve pictures may be new."""
    story, env = Story(space, "money-bulk-after"), emulator.env()
    edits = "".join(picture(f"edit-{n}", "    base: poster\n") for n in range(10)) + picture("last", "    base: edit-0\n")
    space.write("assets.yaml", SPEC + picture("poster") + edits)
    space.build("--yes", env=env)
    space.write("assets.yaml", SPEC + picture("poster").replace("A picture", "A large picture") + edits)
    story.run("plan", env=env)
    space.write("assets.yaml", SPEC + picture("poster", "    background: opaque\n") + edits)
    story.note("the same, by another field")
    assert "background of `poster` changed; 11 of them are made from it" in story.run("plan", env=env).err
    space.write("assets.yaml", SPEC + picture("poster", "    quality: high\n") + edits.replace("base: edit-0", "base: poster"))
    assert "12 pictures that you have" in space.run("plan", env=env).err
    space.write("assets.yaml", SPEC + picture("poster") + edits.replace("of edit-1", "of another edit-1"))
    assert "would be made again" not in space.run("plan", env=env).text
    story.check()


def test_from_drafts_to_bought_pictures(space: TestSpace, emulator: Emulator) -> None:
    """Twelve comps are to be bought now: to keep them all is no advice then, and a default of the new model is no news."""
    story, env = Story(space, "money-bulk-drafts"), emulator.env()
    space.write("assets.yaml", TWELVE.replace("apiframe", "comp"))
    space.build()
    space.write("assets.yaml", TWELVE)
    ran = story.run("plan", env=env)
    assert "use '*'" not in ran.err
    story.check()


def test_what_a_model_brings_along_is_said_with_it(space: TestSpace, emulator: Emulator) -> None:
    story, env = Story(space, "money-model"), emulator.env()
    space.write("assets.yaml", SPEC + picture("poster"))
    space.build("--yes", env=env)
    for model, more in (("seedream-4", ""), ("gpt-image-2", "    background: opaque\n")):
        story.note(f"{model}{' and a background' if more else ''}")
        space.write("assets.yaml", SPEC + picture("poster", f"    model: {model}\n{more}"))
        story.run("plan", env=env)
        story.run("show", "poster", env=env, told=model == "seedream-4")
    story.check()


def test_a_plan_says_what_the_budget_has_no_room_for(space: TestSpace, emulator: Emulator) -> None:
    """As `build` will say it, from this machine's own books; what the table has no price of is asked for by `build`."""
    story, env = Story(space, "money-plan-budget"), emulator.env()
    budget = SPEC.replace("assets:\n", "budget: {per_day: 0.10}\nassets:\n")
    space.write("assets.yaml", budget + picture("a"))
    space.build("--yes", env=env)
    space.write("assets.yaml", budget + "".join(map(picture, ("a", "b", "c", "d"))))
    story.run("plan", env=env)
    ran = story.run("build", "--yes", env=env, code=5)
    assert "over the budget of $0.10 for 24 hours: $0.04 is needed, $0.02 is left" in ran.err
    space.write("assets.yaml", budget + "".join(map(picture, ("a", "b", "c", "d"))) + picture("e", "    model: flux-2-pro\n"))
    story.run("plan", env=env)
    answer = space.run("plan", "--json", env=env).json
    holds("plan", answer)
    assert (answer["money"]["over_budget"], answer["money"]["unknown"]) == (["c", "d"], ["e"])
    calls = len(emulator.calls)
    space.run("plan", env=env)
    assert len(emulator.calls) == calls, "a plan asks nobody"
    story.check()


def test_prompts_that_changed_each_in_its_way_are_no_single_line(space: TestSpace, emulator: Emulator) -> None:
    env = emulator.env()
    space.write("assets.yaml", TWELVE)
    space.build("--yes", env=env)
    space.write("assets.yaml", TWELVE.replace("Product ${n}.", "Product ${n} and ${n}."))
    assert "would be made again" not in space.run("plan", env=env).text


def test_it_is_asked_once_and_no_is_no(space: TestSpace, emulator: Emulator) -> None:
    """On a terminal of 80 columns: what would be bought, the price, the question; every line fits, and nothing is bought."""
    space.write("assets.yaml", SPEC + picture("poster") + picture("poster-de", "    base: poster\n") + picture("box"))
    code, text = typed(space, "build", answer="n", env=emulator.env())
    story = Story(space, "money-no")
    story.told.append(re.sub(r"\d+\.\d s\b", "<time>", text))
    story.check()
    assert code == 5
    assert emulator.bills == []
    assert all(len(line) <= 80 for line in text.splitlines())
    code, wide = typed(space, "build", answer="", env=emulator.env(), columns=120)  # Enter is no, too
    assert code == 5
    assert wide.splitlines()[:3] == text.splitlines()[:3]
    code, painted = typed(space, "build", answer="n", env=emulator.env(), colour=True)
    assert "\x1b[" in painted
    assert CONTROL.sub("", painted).splitlines()[:3] == text.splitlines()[:3], "colour carries no meaning of its own"


def test_yes_buys_and_shows_who_is_at_work(space: TestSpace) -> None:
    """While it waits the display names the picture, the model, the vendor and, as soon as it is known, how long that takes."""
    from tests.emulating import emulator

    space.write("assets.yaml", SPEC + picture("poster") + picture("box", "    base: poster\n"))
    with emulator(latency=1.2) as running:
        code, text = typed(space, "build", answer="y", env=running.env())
        assert code == 0, text
        assert re.search(r"^buying    poster  gpt-image-2 at apiframe +\d+\.\d s$", text, re.M), text
        assert re.search(r"buying    box  gpt-image-2 at apiframe, about \d s +\d+\.\d s$", text, re.M), text
        assert "2 bought, $0.08 spent at an emulator in" in text
        assert len(running.bills) == 2


@pytest.mark.parametrize(("answer", "bills"), [("y", 0), ("20", 0), ("23", 1), ("$23.00", 1)])
def test_above_twenty_dollars_the_amount_is_typed(space: TestSpace, emulator: Emulator, answer: str, bills: int) -> None:
    services = "providers: {apiframe: {credit_usd: 1}}\nbudget: {per_run: 50}\n"
    space.write("assets.yaml", SPEC.replace("assets:\n", f"{services}assets:\n") + picture("poster", "    quality: high\n"))
    code, text = typed(space, "build", answer=answer, env=emulator.env())
    assert "Type the amount, 23.00, to agree" in text
    assert (code, len(emulator.bills)) == (0 if bills else 5, bills), text


def test_what_does_not_fit_is_said_before_the_question(space: TestSpace, emulator: Emulator) -> None:
    """The question is about what can be bought; what somebody can't have anyway isn't asked for."""
    some = SPEC.replace("assets:\n", "budget: {per_day: 0.10}\nassets:\n") + "".join(map(picture, ("a", "b", "c", "d")))
    space.write("assets.yaml", some)
    code, text = typed(space, "build", answer="y", env=emulator.env())
    story = Story(space, "money-fits")
    story.told.append(
        "\n".join(line for line in text.splitlines() if not re.match("bought|buying|━|╸| *$|.* spent ", line)) + "\n"
    )
    assert code == 5
    assert (len(emulator.bills), emulator.spent) == (2, 8)
    code, text = typed(space, "build", answer="y", env=emulator.env())
    story.note("once more")
    story.told.append(re.sub(r"\d+\.\d s\b", "<time>", text))
    story.check()
    assert "Buy" not in text, "there is nothing to agree to"
    assert (code, len(emulator.bills)) == (5, 2)


def test_a_proof_is_another_picture(space: TestSpace, emulator: Emulator) -> None:
    """Said the first time that one of both is planned, with the two ways; both ways hold."""
    story, env = Story(space, "money-proof"), emulator.env()
    profiles = 'profiles:\n  proof: {quality: low, output: "proofs/${id}.png"}\n  draft: {provider: comp}\nassets:\n'
    space.write("assets.yaml", SPEC.replace("quality: low", "quality: high").replace("assets:\n", profiles) + picture("poster"))
    story.run("plan", "--profile", "draft")
    story.run("plan", "--profile", "proof")
    story.run("build", "--profile", "proof", "--yes", env=env)
    story.run("plan")
    story.run("use", "poster", "--from", "proof", env=env)
    story.run("plan", env=env)
    assert len(emulator.bills) == 1
    space.write(
        "assets.yaml",
        SPEC + picture("poster", '    then: [{prompt: "The same picture, in every detail.", quality: high}]\n'),
    )
    story.note("the other way: a step makes a final of it")
    story.run("plan", env=env)
    story.check()


def test_a_model_that_ends_is_told_once(space: TestSpace) -> None:
    hook(space, "import time\ntime.time = lambda: 1795348800.0\n")  # 2026-11-22
    story = Story(space, "money-ends")
    old = "    model: gpt-image-1.5\n"
    space.write(
        "assets.yaml", SPEC + "".join(picture(name, old) for name in ("a", "b", "c", "d")) + picture("e", "    quality: auto\n")
    )
    ran = story.run("plan")
    assert ran.text.count("2026-12-01") == 1
    assert "e  $0.23" in ran.out, "auto costs as much as high"
    story.check()


def test_what_a_run_has_spent_is_in_its_json(space: TestSpace, emulator: Emulator) -> None:
    env = emulator.env()
    space.write("assets.yaml", SPEC + picture("poster") + "  logo: {base: poster, op: remove-background}\n")
    first = space.build("--yes", "--json", env=env).json
    holds("build", first)
    assert first["money"] == {
        "purchases": 2,
        "spent_usd": emulator.spent / 100,
        "credits": float(emulator.spent),
        "going": 0,
        "reserved_usd": 0.0,
        "unknown": 0,
        "rehearsal": True,
    }
    again = space.build("--json", env=env).json
    holds("build", again)
    assert "money" not in again


def test_what_goes_on_is_no_bill_yet(space: TestSpace) -> None:
    """The run's patience ends before the job does: set aside, not spent; `resume` says whom it asks, and the next run's json has no bill."""
    from tests.emulating import emulator

    with emulator(latency=3600) as running:
        env = {**running.env(), "ASSETBUILD_PATIENCE": "0.5"}
        space.write("assets.yaml", SPEC + picture("poster"))
        ran = space.build("--yes", "--json", env=env, code=5)
        holds("build", ran.json)
        assert (ran.json["money"]["spent_usd"], ran.json["money"]["going"], ran.json["money"]["reserved_usd"]) == (0, 1, 0.04)
        running.advance(3700)
        story = Story(space, "money-resume")
        story.run("resume", env=env)
        holds("resume", space.run("resume", "--scan", "--json", env=env).json)
        story.run("resume", env=env)
        story.run("resume", "--scan", code=4)
        story.run("build", env=env)
        story.check()
        assert len(running.bills) == 1


def test_doctor_looks_at_the_key_and_never_says_it(space: TestSpace, emulator: Emulator) -> None:
    space.write("assets.yaml", SPEC + picture("poster"))
    env, told = emulator.env(), list[str]()
    for case, extra in (
        ("no key", {}),
        ("a key", env),
        ("a wrong key", {**env, "APIFRAME_API_KEY": "afk_somebody_elses"}),
        ("no network", {"APIFRAME_API_KEY": emulator.key, "APIFRAME_BASE_URL": "http://127.0.0.1:9"}),
    ):
        ran = space.run("doctor", env=extra)
        assert ran.code == (1 if case == "a wrong key" else 0)
        assert emulator.key not in ran.text
        assert "somebody_elses" not in ran.text
        found = re.search(r"^\w+ +apiframe: .*\n(?: +hint: .*\n)?", ran.out, re.M)
        assert found is not None, ran.text
        told.append(f"# {case}\n{found[0].replace(emulator.url, 'URL')}")
        holds("doctor", space.run("doctor", "--json", env=extra).json)
    story = Story(space, "money-doctor")
    story.told = told
    story.check()
    assert emulator.bills == []


def test_choosing_and_approving_on_the_way(space: TestSpace, emulator: Emulator) -> None:
    """Candidates, a choice, an approval, a rejection, one more take: each word in its place, each bill counted."""
    story, env = Story(space, "money-choosing"), emulator.env()
    edits = (
        picture("poster-de", "    base: poster\n")
        + picture("poster-fr", "    base: poster\n")
        + picture("box", "    base: logo\n")
    )
    space.write("assets.yaml", SPEC + picture("poster", "    takes: 3\n") + picture("logo", "    approve: required\n") + edits)
    story.run("build", "--yes", "-j", "1", env=env, code=5)
    assert len(emulator.bills) == 2, "three candidates are one call"
    story.run(env=env)
    story.run("takes", "poster", env=env)
    story.run("use", "poster", "2", env=env)
    story.run("approve", "logo", env=env)
    story.run("build", "--yes", env=env)
    assert len(emulator.bills) == 5
    story.run("reject", "poster-de", "--note", "six fingers", env=env)
    story.run("plan", env=env)
    story.run("reroll", "poster-de", "--max-cost", "0.04", env=env)
    assert len(emulator.bills) == 6
    story.run("cost", "--json", env=env, told=False)
    story.run("cost", env=env)
    story.check()
    assert json.loads(space.run("cost", "--json", env=env).out)["total"]["pictures"] == 8
