"""^C, and ^C again: what is being bought is waited for once, and what was finished is written down."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest

from assetbuild.testing.space import TestSpace
from tests.hooking import told
from tests.test_losses_bytes import ONE, gated, provider
from tests.test_scenarios import wait_for


def drawn_line(text: str) -> str:
    """The line about what was finished, which may come before or after others."""
    return next(line for line in text.splitlines(keepends=True) if line.startswith("drawn"))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send one process a ^C or SIGTERM that it could hear")
def test_a_second_interrupt_ends_at_once(space: TestSpace) -> None:
    """The first waits for what is being bought; the second doesn't, and names what goes on elsewhere. What was finished is written down."""
    pair = ONE.replace("poster:", "a:") + "  b:\n    prompt: |\n      The back.\n"
    space.write("assets.yaml", pair)
    go_on = gated(space, "one", "back")
    child = space.start("build", "-j", "2")
    wait_for(lambda: len(space.bills) == 2)
    go_on("one")
    wait_for((space.root / "art/a.png").exists)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.6)
    assert child.poll() is None
    began = time.monotonic()
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=30)
    assert time.monotonic() - began < 15, "the other one waits for ever"
    assert child.returncode == 130
    assert list(space.lock()) == ["a"]
    told(space, "interrupted-twice", ctrl_C_is_pressed_twice=err.replace(drawn_line(err), ""))
    go_on("back")
    space.build()
    assert [bill["prompt"] for bill in space.bills].count("A poster one.") == 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows can't send one process a ^C or SIGTERM that it could hear")
def test_a_second_interrupt_while_a_thread_draws(space: TestSpace) -> None:
    """A provider that draws here for long isn't waited for either; one ^C that comes twice is one."""
    code = "def done(request):\n    open(os.environ['COUNTING_BILLS'], 'a').write('{}\\n')\n    import time\n    time.sleep(60)\n"
    provider(space, code)
    space.write("assets.yaml", ONE)
    child = space.start("build")
    wait_for(lambda: len(space.bills) == 1)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.1)
    os.kill(child.pid, signal.SIGINT)
    time.sleep(0.5)
    assert child.poll() is None
    os.kill(child.pid, signal.SIGINT)
    _, err = child.communicate(timeout=10)
    assert child.returncode == 130
    assert "nothing goes on elsewhere" in err
    assert "Traceback" not in err
