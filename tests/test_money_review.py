"""What a hostile reading found: ways in which money was spent or lost that no plan had shown."""

from __future__ import annotations

from assetbuild.testing.emulator import Emulator
from assetbuild.testing.space import TestSpace

from .emulating import emulator as running
from .hooking import hook, posix

pytestmark = posix
HEAD = "version: 1\nproject: t\ndefaults: {provider: apiframe}\nassets:\n"


def test_what_no_plan_showed_is_not_bought(space: TestSpace, emulator: Emulator) -> None:
    """A drawing comes out otherwise than it was, so the edits that are made from it are stale: nobody has agreed to that."""
    rows = "".join(f"  edit-{n}:\n    base: draft\n    prompt: |\n      Edit {n}.\n" for n in range(3))
    space.write("assets.yaml", f"{HEAD}  draft:\n    provider: comp\n    prompt: |\n      A poster.\n{rows}")
    space.build("--yes", env=emulator.env())
    assert len(emulator.bills) == 3
    (space.root / "art/draft.png").unlink()
    other = space.folder / "other store"
    hook(
        space,
        """
import assetbuild.providers.comp as comp
_done = comp.done
comp.done = lambda request: _done(request._replace(prompt=(request.prompt or "") + " Drawn by a newer release."))
""",
    )
    env = {**emulator.env(), "ASSETBUILD_STORE": str(other)}
    for words in ((), ("--yes",)):
        ran = space.run("build", *words, env=env)
        if words:
            break
        assert ran.code == 5, ran.text
        assert "it wasn't in the plan that was agreed to" in ran.err
        assert len(emulator.bills) == 3
    assert len(emulator.bills) == 6  # the second run has shown them


def test_one_job_answers_one_doubt(space: TestSpace) -> None:
    """Three requests with the same bytes, and no answer to any: a day later each finds a job of its own."""
    rows = "".join(f"  p{n}:\n    variant: v{n}\n    prompt: |\n      A poster.\n" for n in range(3))
    space.write("assets.yaml", HEAD + rows)
    with running(faults=["cut-after@1-60"]) as apiframe:
        env = {**apiframe.env(), "ASSETBUILD_PATIENCE": "1"}
        space.run("build", "--yes", env=env)
        assert len(apiframe.bills) == 3
        apiframe.no_faults()
        hook(space, "import os, time\n_t = time.time\ntime.time = lambda: _t() + float(os.environ.get('AHEAD', '0'))\n")
        apiframe.advance(23.5 * 3600)
        late = {**apiframe.env(), "AHEAD": str(23.5 * 3600)}
        assert space.run("resume", env=late).code == 0
        space.build(env=late)
        assert len(apiframe.bills) == 3
    assert len({space.read(f"art/p{n}.png") for n in range(3)}) == 3


def test_what_was_given_up_is_fetched_all_the_same(space: TestSpace) -> None:
    """`--rebuy` of a picture that is being made: the first job was accepted, so its picture is a take too."""
    space.write("assets.yaml", f"{HEAD}  poster:\n    prompt: |\n      A poster.\n")
    with running(latency=600) as apiframe:
        impatient = {**apiframe.env(), "ASSETBUILD_PATIENCE": "1"}
        assert space.run("build", "--yes", env=impatient).code == 5
        assert space.run("build", "--yes", "--rebuy", "poster", env=impatient).code == 5
        assert len(apiframe.bills) == 2
        apiframe.advance(601)
        assert "fetched" in space.build(env=apiframe.env()).err
        assert [
            take["take"] for take in space.run("takes", "poster", "--json", env=apiframe.env()).json["assets"][0]["takes"]
        ] == [1, 2]
        assert len(apiframe.bills) == 2


def test_done_and_no_picture_yet(space: TestSpace) -> None:
    """A vendor says "done" and sends no address: the job is kept, and fetched when there is one."""
    space.write("assets.yaml", f"{HEAD}  poster:\n    prompt: |\n      A poster.\n")
    with running(faults=["fewer@1"]) as apiframe:
        ran = space.run("build", "--yes", env=apiframe.env())
        assert ran.code == 1, ran.text
        assert "sent no picture" in ran.err
        assert "it is paid for and stays at apiframe for a day" in ran.err
        assert len(apiframe.bills) == 1
