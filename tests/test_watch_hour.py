"""An hour at a desk, replayed in minutes: saves of five kinds, branch switches, syntax errors, kills of the watch and of everything it had begun. In the end
no picture was paid for twice, nothing was bought that no key was pressed for, the files are those of a clean build, and nothing is left over.

ASSETBUILD_FULL=1 plays the whole hour (500 saves, 40 switches, 20 errors, 10 kills); otherwise a twentieth of it.
"""

from __future__ import annotations

import os
import random
import re
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from assetbuild.testing.space import TestSpace

from . import emulating
from .hooking import posix
from .test_watch_eyes import appended, from_another_folder, jetbrains, through_a_temp_file, vim
from .watching import Watching

pytestmark = posix
FULL = bool(os.environ.get("ASSETBUILD_FULL"))
SAVES, SWITCHES, MISTAKES, KILLS, PRESSES = (500, 40, 20, 10, 60) if FULL else (25, 3, 1, 1, 4)
WAYS = [vim, through_a_temp_file, jetbrains, from_another_folder, appended]

SPEC = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2, output: "art/${id}.png"}
profiles:
  draft: {provider: comp}
assets:
  poster:
    prompt: {file: prompts/poster.txt}
  poster-de:
    base: poster
    prompt: {file: prompts/de.txt}
  cup:
    prompt: A cup, version 0.
  row-${row.code}:
    matrix: {row: {from: rows.csv}}
    prompt: A row about ${row.topic}.
  note:
    provider: comp
    prompt: A note, version 0.
"""


class Hour:
    """The desk, and what was agreed to."""

    def __init__(self, folder: Path, apiframe: emulating.Emulator, seed: int) -> None:
        self.space, self.apiframe = TestSpace(folder), apiframe
        self.dice = random.Random(seed)  # noqa: S311 - dice
        self.count = 0
        self.agreed = 0.0  # the sum of what stood on the screen at each key
        space = self.space
        space.write("assets.yaml", SPEC)
        space.write("prompts/poster.txt", "A poster, version 0.\n")
        space.write("prompts/de.txt", "In German, version 0.\n")
        space.write("rows.csv", "code,topic\na,beans\nb,cups\n")
        space.write(".gitignore", "art/\n.assetbuild/\nassets.lock\nelsewhere/\n")
        for words in (
            ("init", "-q", "-b", "main"),
            ("config", "user.email", "a@b"),
            ("config", "user.name", "a"),
            ("add", "-A"),
            ("commit", "-qm", "begin"),
        ):
            space.git(*words)
        space.git("branch", "print")
        self.branch = "main"

    def watch(self) -> Watching:
        return Watching(self.space, "--quiet", "0.05", env=self.apiframe.env(), rows=48)

    @property
    def spent(self) -> float:
        return float(self.apiframe.spent) / 100

    def save(self) -> None:
        """One save of one of the files, in one of the ways of editors."""
        self.count += 1
        root, n = self.space.root, self.count
        kind = n % 5
        way = WAYS[(n // 5) % 5]
        if kind == 0:
            way(root / "prompts/poster.txt", f"A poster, version {self.dice.randint(0, 3)}.\n")
        elif kind == 1:
            way(root / "prompts/de.txt", f"In German, version {self.dice.randint(0, 3)}.\n")
        elif kind == 2:
            rows = "".join(
                f"{code},{self.dice.choice(['beans', 'cups', 'leaves'])}\n" for code in "abc"[: self.dice.randint(1, 3)]
            )
            (WAYS[1] if way is appended else way)(root / "rows.csv", "code,topic\n" + rows)
        else:
            self.edit("A cup, version" if kind == 3 else "A note, version", way)

    def edit(self, words: str, way: Callable[[Path, str], None] = through_a_temp_file) -> None:
        text = self.space.read("assets.yaml").decode()
        way = through_a_temp_file if way is appended else way
        new = re.sub(re.escape(words) + r" \d+", f"{words} {self.dice.randint(0, 3)}", text)
        way(self.space.root / "assets.yaml", new)

    def mistake(self, watch: Watching) -> None:
        text = self.space.read("assets.yaml")
        self.space.write("assets.yaml", text.replace(b"project: fika", b"projekt: fika"))
        watch.sees("did you mean `project`?")
        watch.press("b")
        self.space.write("assets.yaml", text)
        watch.sees_not("did you mean")

    def switch(self) -> None:
        self.branch = "print" if self.branch == "main" else "main"
        self.space.git("stash", "-q")
        self.space.git("switch", "-q", self.branch)

    def press(self, watch: Watching, key: str = "b") -> bool:
        """A key, when the list stands still; what stood there is agreed to."""
        watch.settled()
        time.sleep(0.1)
        below = watch.below.replace("\n", " ")  # it may stand on two lines
        sure = re.search(r"(\d+) to buy \$([\d.]+)", below)
        later = re.search(r"may follow, at most \$([\d.]+)", below)
        if sure is None and later is None:
            return False
        self.agreed += float(later[1] if later is not None else sure[2] if sure is not None else 0)
        watch.press(key)
        return True


def test_an_hour_of_work_costs_what_was_agreed_to_and_leaves_the_right_pictures(tmp_path: Path) -> None:
    with emulating.emulator(latency="0-0.4", deterministic=True, credits=100_000) as apiframe:
        hour = Hour(tmp_path / "desk", apiframe, 7)
        acts = ["save"] * SAVES + ["switch"] * SWITCHES + ["mistake"] * MISTAKES + ["kill"] * KILLS + ["press"] * PRESSES
        hour.dice.shuffle(acts)
        watch = hour.watch()
        watch.sees("to buy")
        for act in acts:
            if act == "save":
                hour.save()
                time.sleep(hour.dice.choice([0, 0.02, 0.1, 0.2]))
            elif act == "switch":
                hour.switch()
            elif act == "mistake":
                hour.mistake(watch)
            elif act == "press":
                hour.press(watch)
            else:
                hour.press(watch)
                time.sleep(hour.dice.random() * 0.8)
                watch.kill()
                watch = hour.watch()
                watch.sees("spent")
            assert hour.spent <= hour.agreed + 1e-6, act
        with watch:
            watch.settled()
            while hour.press(watch):
                watch.settled()
            watch.sees("nothing to buy")
            handles = len(os.listdir(f"/proc/{watch.child.pid}/fd"))
            threads = len(os.listdir(f"/proc/{watch.child.pid}/task"))
            for _ in range(5):
                hour.edit("A note, version")
                watch.settled()
            assert len(os.listdir(f"/proc/{watch.child.pid}/fd")) <= handles
            assert len(os.listdir(f"/proc/{watch.child.pid}/task")) <= threads
        assert watch.code == 0
        assert hour.spent <= hour.agreed + 1e-6
        asked = Counter(str(bill["prompt"]) for bill in apiframe.bills)
        posters = sum(prompt.startswith("A poster") for prompt in asked)
        assert {prompt: n for prompt, n in asked.items() if n > (posters if prompt.startswith("In German") else 1)} == {}
        env = apiframe.env()
        assert "up to date" in hour.space.run("plan", env=env).out
        clean = TestSpace(tmp_path / "clean")
        for path in ("assets.yaml", "prompts/poster.txt", "prompts/de.txt", "rows.csv"):
            clean.write(path, hour.space.read(path))
        clean.run("build", "--yes", env=env)
        wanted = sorted((clean.root / "art").iterdir())
        assert len(wanted) >= 5
        for file in wanted:
            assert (hour.space.root / "art" / file.name).read_bytes() == file.read_bytes(), file.name
        here = hour.space.root / ".assetbuild"
        left = [str(p) for p in here.rglob("*") if "tmp" in p.relative_to(here).parts and p.is_file()]
        assert left == []
