"""Plans that look only at what can have changed: whatever an author does to spec, pictures and lockfile, they say what a whole look says.

One project is built once; each trial changes it, plans twice, once with and once without the quick way, and puts it back.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from assetbuild import partial, stamps, stamptable
from assetbuild.cli import main
from assetbuild.project import Env, Project
from assetbuild.providers import table
from assetbuild.testing.counting import _png as noise
from assetbuild.testing.space import PACKAGE, TestSpace

SPEC = """\
# A trial of everything that a block can hold
version: 1
project: trial
defaults: {provider: counting, quality: low, style: house}
include: [more.yaml]
vars:
  headline: {en: Brewed slowly, de: Langsam gebrüht}
  mood: calm
styles:
  house:
    text: |
      Flat shapes, palette #2B2D42.
    references: [{file: brand/board.png, as: board}]
  loud:
    text: Very loud.
profiles:
  draft: {quality: medium}

assets:

  # the base of much
  poster:
    prompt: |
      A poster for a coffee brand, "Coffee".
      Warm light.
    tags: [launch]
  poster-${locale}:
    matrix: {locale: [en, de]}
    base: poster
    prompt: |
      Set the headline to "${headline[locale]}". Keep everything else exactly.
  hero:
    provider: comp
    prompt: {file: prompts/hero.md}
  hero-night:
    base: hero
    # too dark
    prompt: At night.
    then:
      - Brighter stars.
      - {op: upscale}
  otto:
    style: loud
    prompt: |
      A boy, ${mood}.

      Seen from the front.
  page-1:
    prompt: |
      ${image.otto} in the street.
    references: [{asset: otto, as: otto, hint: "his face"}, {file: brand/logo.png}]
  page-2:
    base: page-1
    prompt: |
      The next morning.
    references: [otto]
  page-3: {base: page-2, prompt: "The evening after."}
  sketch: {provider: comp, prompt: 'A sketch, "Coffee"'}
  story:
    set: [bean, roast]
    prompt: |
      Two panels: bean, roast.
    output: "art/story-${member}.png"
  bean-closer:
    base: story#bean
    prompt: "Closer"
  "product/${p.sku}":
    matrix: {p: {from: data/products.csv}}
    prompt: |
      ${p.name} on a table.
  cutout:
    base: {file: brand/logo.png}
    op: remove-background
  pinned:
    pin: true
    prompt: Never again.
  seeded:
    seed: 3
    variant: "b"
    prompt: 'Single quotes, and a "quote"'
  last:
    prompt: |+
      The last one of this file.

# what single pictures have of their own
overrides:
  poster-de: {then: ["The headline is set vertically."]}
  page-3:
    description: evening
"""
MORE = """\
defaults: {style: house}
assets:
  box:
    prompt: A box of coffee.
  box-poster:
    base: poster
    prompt: On a box.
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSpace]:
    """A project that was built, and which nobody has touched since."""
    yield from _built(tmp_path_factory, SPEC)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestSpace]:
    """The same from another editor: BOM, CRLF, wider indents, overrides first, a text in quotes over several lines, no last line end."""
    before, assets, after = re.split(r"(?ms)^(assets:.*?)(?=^# what single)", SPEC)
    assets = assets.replace("'Single quotes, and a", "'Single quotes,\n\n     over lines:\n      and a").rstrip()
    spec = before + after + re.sub(r"(?m)^( +)", r"\1\1", assets)
    yield from _built(tmp_path_factory, "\ufeff" + spec.replace("\n", "\r\n"))


def _built(factory: pytest.TempPathFactory, spec: str) -> Iterator[TestSpace]:
    made = TestSpace(factory.mktemp("partial"))
    write(made, spec)
    time.sleep(2.1)
    made.build()
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(made.folder / "site"))
        patch.setenv("COUNTING_BILLS", str(made.bills_file))
        patch.setenv("COLUMNS", "100")
        for name in [name for name in os.environ if name.startswith("ASSETBUILD_")]:
            patch.delenv(name)
        patch.chdir(made.root)
        table.builtin.cache_clear()
        yield made
    table.builtin.cache_clear()


def write(space: TestSpace, spec: str) -> None:
    """The project's own files."""
    for path in ("brand/board.png", "brand/logo.png"):
        space.write(path, noise("a picture"))
    space.write("prompts/hero.md", "A hero, seen from below.\n")
    space.write("prompts/other.md", "Something else.\n")
    space.write("data/products.csv", "sku,name\na1,Arabica\nb2,Blend\n")
    space.write("more.yaml", MORE)
    space.write("assets.yaml", spec)


@pytest.fixture
def odd_trial(odd: TestSpace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Trial]:
    """The odd project, put back at the end."""
    monkeypatch.chdir(odd.root)
    monkeypatch.syspath_prepend(str(odd.folder / "site"))
    trial = Trial(odd, monkeypatch, capfd)
    yield trial
    trial.put_back()


@pytest.fixture
def trial(built: TestSpace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Trial]:
    """The project as it was built; put back at the end."""
    monkeypatch.chdir(built.root)
    trial = Trial(built, monkeypatch, capfd)
    yield trial
    trial.put_back()


class Trial:
    """The built project to change, and `plan` in both ways."""

    def __init__(self, space: TestSpace, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self.space, self.root, self.capture, self.patch = space, space.root, capture, patch
        self.files = {
            path: path.read_bytes() for path in sorted(space.root.rglob("*")) if path.is_file() and path.name[:5] != "store"
        }
        self.quick = 0

    @property
    def text(self) -> str:
        """The spec."""
        return (self.root / "assets.yaml").read_bytes().decode()

    @text.setter
    def text(self, text: str) -> None:
        (self.root / "assets.yaml").write_bytes(text.encode("utf-8", "surrogateescape"))

    def change(self, old: str, new: str, count: int = 1) -> None:
        """Another spec."""
        assert old in self.text
        self.text = self.text.replace(old, new, count)

    def put_back(self) -> None:
        """As it was built."""
        for path in sorted(self.root.rglob("*")):
            if path.is_file() and path not in self.files and path.name[:5] != "store":
                path.unlink()
        for path, content in self.files.items():
            if not path.is_file() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)

    def plan(self, *options: str) -> bool:
        """Plans in both ways, which must agree; whether the quick way answered."""
        answered: list[bool] = []

        def asked(project: Project) -> Any:
            found = plans(project)
            answered.append(found is not None)
            return found

        plans = partial.plans
        with self.patch.context() as patch:
            patch.setattr(partial, "plans", asked)
            before = self._run(*options)
            patch.setattr(partial, "plans", lambda project: None)
            after = self._run(*options)
        assert before == after, f"--- quick\n{before}\n--- whole\n{after}\n--- spec\n{self.text}"
        assert "this is a bug" not in after[2], after[2]
        return bool(answered and answered[0])

    def _run(self, *options: str) -> tuple[int, str, str]:
        code = main(["plan", "--exit-code", *options])
        return (code, *self.capture.readouterr())

    def why_not(self) -> str:
        """Why the quick way gives no answer."""
        try:
            partial.looked(Project(Env(self.root, os.environ, sys.stdout, sys.stderr), self.root / "assets.yaml"))
        except Exception as doubt:
            return f"{type(doubt).__name__}: {doubt}"
        return ""


# ── what it is for ──

QUICK = {
    "nothing": ("", ""),
    "a prompt": ("Warm light.", "Cold light."),
    "a prompt that reflows": ("Warm\n", "Warm light.\n"),
    "a matrix's prompt": ("Keep everything else exactly.", "Keep all else."),
    "a step": ("- Brighter stars.", "- Many more stars."),
    "one more step": ("- Brighter stars.", "- Brighter stars.\n      - Then a moon."),
    "a hint": ("his face", "his whole face"),
    "a style": ("style: loud", "style: house"),
    "a comment": ("The next morning.", "The next morning.\n    # not too bright"),
    "a comment's text": ("# too dark", "# much too dark"),
    "a tag": ("[launch]", "[launch, later]"),
    "a seed": ("seed: 3", "seed: 4"),
    "a variant": ('variant: "b"', 'variant: "c"'),
    "a new pin": ("seed: 3", "pin: true"),
    "a pinned prompt": ("Never again.", "Never, never again."),
    "no pin any more": ("    pin: true\n", ""),
    "a flow": ('page-3: {base: page-2, prompt: "The evening after."}', 'page-3: {prompt: "The night after.", base: page-2}'),
    "a set's prompt": ("Two panels:", "Two small panels:"),
    "an edit of a member": ('"Closer"', "Much closer"),
    "a ratio": ("tags: [launch]", 'aspect_ratio: "2:3"'),
    "an override": ("set vertically", "set diagonally"),
    "an override's description": ("description: evening", "description: night"),
    "an override's pin": ("description: evening", "pin: true"),
    "the last line": ("The last one of this file.\n\n", "The very last one.\n"),
    "an empty line": ("The next morning.\n", "The next morning.\n\n\n"),
    "two blocks": ("A boy, ${mood}.", "A boy, ${mood}, and a dog."),
    "a prompt file that was there": ("prompt: Never again.", "prompt: {file: prompts/hero.md}"),
    "a picture that was there": ("seed: 3", "references: [{file: brand/logo.png}]"),
    "other quotes": ("'Single quotes, and a \"quote\"'", '"Single quotes, and a \\"quote\\""'),
    "a comp": ('"Coffee"' + "'}", '"Tea"' + "'}"),
    "an id in a prompt": ("A boy, ${mood}.", "A boy, ${mood}, by a poster."),
}


@pytest.mark.parametrize("name", QUICK)
def test_the_quick_way_answers(trial: Trial, name: str) -> None:
    if name == "two blocks":
        trial.change("Never again.", "Not again.")
    if name != "nothing":
        trial.change(*QUICK[name]) if name != "a prompt that reflows" else trial.change("Warm light.", "Warm\n      light.")
    assert trial.plan(), trial.why_not()


def test_several_edits_far_apart(trial: Trial) -> None:
    trial.change("Warm light.", "Cold light.")
    trial.change("The last one of this file.", "The very last one.")
    trial.change("The next morning.", "The next noon.")
    assert trial.plan(), trial.why_not()


def test_crlf_line_ends(built: TestSpace, trial: Trial) -> None:
    """A checkout with other line ends is another text, which is looked at as a whole."""
    trial.text = trial.text.replace("\n", "\r\n")
    assert not trial.plan()


WHOLE = {
    "a new asset": ("  pinned:", "  extra:\n    prompt: More.\n  pinned:"),
    "a new asset first": ("assets:\n", "assets:\n  extra:\n    prompt: More.\n"),
    "a new asset last": ("\n# what single", "  extra:\n    prompt: More.\n# what single"),
    "an asset less": ("  pinned:\n    pin: true\n    prompt: Never again.\n", ""),
    "another id": ("  seeded:", "  planted:"),
    "an id that is twice": ("  seeded:", "  pinned:"),
    "another base": ("base: page-2", "base: page-1"),
    "one more reference": ("seed: 3", "references: [poster]"),
    "a base that isn't there": ("base: page-2", "base: page-9"),
    "a circle": ("    prompt: |\n      A poster for", "    base: poster-en\n    prompt: |\n      A poster for"),
    "a row more": ("locale: [en, de]", "locale: [en, de, ja]"),
    "a row less": ("locale: [en, de]", "locale: [de]"),
    "other members": ("set: [bean, roast]", "set: [bean, toast]"),
    "another output": ("seed: 3", "output: other/seeded.png"),
    "another's output": ("seed: 3", "output: art/poster.png"),
    "a var": ("mood: calm", "mood: wild"),
    "a default": ("quality: low", "quality: high"),
    "a style's text": ("Flat shapes", "Round shapes"),
    "a new prompt file": ("prompt: Never again.", "prompt: {file: prompts/other.md}"),
    "an output as an input": ("seed: 3", "references: [{file: art/poster.png}]"),
    "a picture that isn't there": ("seed: 3", "references: [{file: brand/none.png}]"),
    "one override more": ("overrides:\n", "overrides:\n  seeded: {pin: true}\n"),
    "an override of nobody": ("  page-3:\n    description", "  page-9:\n    description"),
    "a wrong field": ("seed: 3", "sead: 3"),
    "no prompt": ("    prompt: Never again.\n", ""),
    "no YAML": ("prompt: Never again.", "prompt: Never: again."),
    "an open quote": ('prompt: "Closer"', 'prompt: "Closer'),
    "an open bracket": ("set: [bean, roast]", "set: [bean, roast"),
    "an anchor": ("prompt: Never again.", "prompt: &never Never again."),
    "a tab": ("    pin: true", "\tpin: true"),
    "a second document": ("  pinned:", "---\n  pinned:"),
    "a NUL": ("Never again.", "Never\0again."),
    "no UTF-8": ("Never again.", "Never\udcffagain."),
    "less indented": ("    pin: true", " pin: true"),
    "a comment before all blocks": ("# the base of much", "# the base"),
    "the top comment": ("# A trial", "# The trial"),
    "an empty file": (SPEC, ""),
    "two assets change places": (
        "  cutout:\n    base: {file: brand/logo.png}\n    op: remove-background\n  pinned:\n    pin: true\n    prompt: Never again.\n",
        "  pinned:\n    pin: true\n    prompt: Never again.\n  cutout:\n    base: {file: brand/logo.png}\n    op: remove-background\n",
    ),
    "a line that only YAML ends": ("Never again.", '"Never\u2028again."'),
}


@pytest.mark.parametrize("name", WHOLE)
def test_the_quick_way_leaves_it_to_a_whole_look(trial: Trial, name: str) -> None:
    trial.change(*WHOLE[name])
    assert not trial.plan()


def test_other_forms_of_the_command_look_at_everything(trial: Trial) -> None:
    trial.change("Warm light.", "Cold light.")
    for options in (["--json"], ["--all"], ["poster"], ["--limit", "3"], ["--exclude", "poster"], ["--profile", "draft"]):
        assert not trial.plan(*options)


# ── everything else on the disk ──


def _lines(trial: Trial, change: Callable[[list[str]], list[str]]) -> None:
    path = trial.root / "assets.lock"
    path.write_text("\n".join(change(path.read_text("utf-8").split("\n"))), "utf-8")


DISK: dict[str, Callable[[Trial], object]] = {
    "a hand-edited output": lambda t: t.space.write("art/hero.png", b"mine"),
    "a lost output": lambda t: (t.root / "art/hero.png").unlink(),
    "an output beside the others": lambda t: (t.root / "art/hero.png").replace(t.root / "art/other.png"),
    "a prompt file": lambda t: t.space.write("prompts/hero.md", "A hero, seen from above.\n"),
    "no prompt file": lambda t: (t.root / "prompts/hero.md").unlink(),
    "a table": lambda t: t.space.write("data/products.csv", "sku,name\na1,Arabica\nb2,Brew\n"),
    "an included file": lambda t: t.space.write("more.yaml", MORE.replace("On a box", "On the box")),
    "a picture of the user's": lambda t: t.space.write("brand/logo.png", noise("another picture")),
    "no lockfile": lambda t: (t.root / "assets.lock").unlink(),
    "a lock line less": lambda t: _lines(t, lambda lines: [line for line in lines if '"id":"hero"' not in line]),
    "a rejected lock line": lambda t: _lines(
        t, lambda lines: [line.replace('"take":1', '"take":1,"rejected":"no"') for line in lines]
    ),
    "a broken lockfile": lambda t: _lines(t, lambda lines: [*lines[:3], "<<<<<<< ours", *lines[3:]]),
    "a cut outline": lambda t: _cut(t.root / ".assetbuild/outline"),
    "a garbled outline": lambda t: (t.root / ".assetbuild/outline").write_bytes(os.urandom(3000)),
    "an empty outline": lambda t: (t.root / ".assetbuild/outline").write_bytes(b""),
    "no outline": lambda t: (t.root / ".assetbuild/outline").unlink(),
    "an outline of another spec": lambda t: _replaced(t.root / ".assetbuild/outline", b"Warm light.", b"Cool light."),
    "no stamps": lambda t: (t.root / ".assetbuild/stamps").unlink(),
    "cut stamps": lambda t: _cut(t.root / ".assetbuild/stamps"),
    "nothing but outputs": lambda t: shutil.rmtree(t.root / ".assetbuild"),
}


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-700])


def _replaced(path: Path, old: bytes, new: bytes) -> None:
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))


@pytest.mark.parametrize("name", DISK)
def test_any_other_change_is_looked_at(trial: Trial, name: str) -> None:
    trial.change("The next morning.", "The next noon.")
    assert trial.plan(), trial.why_not()
    kept = {path: path.read_bytes() for path in (trial.root / ".assetbuild").rglob("*") if path.is_file()}
    trial.files |= kept
    DISK[name](trial)
    assert not trial.plan()


def test_touched_files_are_no_change(trial: Trial) -> None:
    """As after `git checkout`: other times, same bytes."""
    trial.change("The next morning.", "The next noon.")
    for path in (*(trial.root / "art").iterdir(), trial.root / "assets.lock", trial.root / "more.yaml"):
        os.utime(path)
    assert trial.plan(), trial.why_not()


def test_a_plan_writes_nothing(trial: Trial) -> None:
    trial.change("The next morning.", "The next noon.")
    os.utime(trial.root / "art/hero.png")
    before = _bytes(trial.root)
    assert trial.plan()
    assert _bytes(trial.root) == before


def _bytes(root: Path) -> dict[Path, bytes]:
    """All but the databases, whose files change by being read."""
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and path.suffix[:3] != ".db"}


# ── anything at all ──

SEEDS = 6


def _fuzzed(text: str, chance: random.Random) -> str:
    """A spec after one thoughtless edit of its lines."""
    lines = text.split("\n")
    n = chance.randrange(len(lines))
    line = lines[n]
    kind = chance.choice((*range(12), 8, 10, 10, 10, 12, 12, 12, 12))
    if kind == 0:
        del lines[n]
    elif kind == 1:
        lines.insert(n, line)
    elif kind == 2:
        m = chance.randrange(len(lines))
        lines[n], lines[m] = lines[m], line
    elif kind == 3:
        lines[n] = " " * chance.randrange(7) + line.lstrip()
    elif kind == 4:
        place = chance.randrange(len(line) + 1)
        lines[n] = line[:place] + chance.choice(list("\"'|>{}[]#&*!:,-? \t%@`$\r\u2028é")) + line[place:]
    elif kind == 5:
        lines.insert(
            n,
            " " * chance.randrange(7)
            + chance.choice(["# note", "", "x", "x: y", "- x", "...", "---", '"x', "? x", "a: |", "b: >-"]),
        )
    elif kind == 6:
        words = line.split(" ")
        words[chance.randrange(len(words))] = chance.choice(
            ["poster", "page-1", "${mood}", "other", '"', "|", "{file: brand/logo.png}"]
        )
        lines[n] = " ".join(words)
    elif kind == 7:
        place = chance.randrange(len(line) + 1)
        lines[n] = line[:place]
    elif kind == 8:
        lines[n] = line + chance.choice([" more", " # a note", ":", ' "', " |", "\r", "\t"])
    elif kind == 9:
        place = chance.randrange(len(text))
        return text[:place]
    elif kind == 12:
        lines[n] = line.replace(
            "prompt: ", "prompt: " + chance.choice(["More ", "'", '"', "| ", ">- ", "[", "! ", "#", "&a ", "*a ", "? "]), 1
        )
    elif kind == 10:
        lines[n] = re.sub(r"[A-Za-z]{4,}", "words", line, count=1)
    else:
        lines[n : n + 3] = lines[n : n + 3][::-1]
    return "\n".join(lines)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_is_typed_both_ways_agree(trial: Trial, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - trials
    quick = 0
    for _ in range(60):
        text = SPEC
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            text = _fuzzed(text, chance)
        trial.text = text
        quick += trial.plan()
    assert quick, "the quick way never answers"


def test_a_spec_of_another_editor(odd_trial: Trial) -> None:
    for old, new in (("The next morning.", "The next noon."), ("set vertically", "set diagonally"), ("one of this file", "one")):
        odd_trial.change(old, new)
        assert odd_trial.plan(), odd_trial.why_not()
        odd_trial.put_back()


@pytest.mark.parametrize("seed", range(SEEDS))
def test_whatever_is_typed_in_another_editor_both_ways_agree(odd_trial: Trial, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - trials
    spec = odd_trial.text
    for _ in range(40):
        odd_trial.text = _fuzzed(spec, chance)
        odd_trial.plan()


@pytest.mark.parametrize("seed", range(4))
def test_prompts_and_files_change_together(trial: Trial, seed: int) -> None:
    """Edits that are mostly fine, beside things that happen to pictures and lockfile."""
    chance = random.Random(seed)  # noqa: S311 - trials
    quick = 0
    for _ in range(15):
        for name in chance.sample([name for name in QUICK if QUICK[name][0]], chance.choice((1, 2, 3))):
            old, new = QUICK[name]
            trial.text = trial.text.replace(old, new, 1)
        if chance.random() < 0.4:
            DISK[chance.choice(list(DISK))](trial)
        quick += trial.plan()
        trial.put_back()
    assert quick


# ── stories ──


def test_the_outline_is_there_after_a_build_that_drew(space: TestSpace) -> None:
    """Edit, plan, build, edit, plan: the second plan is quick too, and so is a build that has nothing to do."""
    write(space, SPEC)
    time.sleep(2.1)
    space.build()
    space.write("assets.yaml", SPEC.replace("Warm light", "Cold light"))
    time.sleep(2.1)
    assert "drawn" in space.build().err
    assert (space.root / ".assetbuild/outline").exists()
    counted = space.run("build", env={"COUNT_CALLS": "assetbuild.spec.load", "COUNT_FILE": str(space.folder / "calls")})
    assert counted.code == 0
    assert not (space.folder / "calls").exists() or "spec.load" not in (space.folder / "calls").read_text()
    space.write("assets.yaml", SPEC.replace("Warm light", "Cool light"))
    ran = space.run("plan")
    assert "1 to draw" in ran.out
    (space.root / ".assetbuild/outline").unlink()
    assert space.run("plan").text == ran.text


def test_a_base_that_is_not_here_and_not_needed(space: TestSpace) -> None:
    """A clone has what ships and not the base, a person's picture: a new edit would need it, and the plan says so in the same words."""
    bases = "".join(
        f"  base-{n}:\n    prompt: Base {n}\n  edit-{n}:\n    base: base-{n}\n    prompt: Edit {n}\n" for n in range(3)
    )
    spec = "version: 1\nassets:\n" + bases + "  other:\n    base: base-1\n    prompt: Other\n"
    space.write("assets.yaml", spec)
    space.write(".gitignore", "art/base-1*\n")
    space.git("init", "-q")
    space.build()
    space.write("art/base-1.png", noise("a picture"))
    assert space.run("use", "base-1").code == 0
    space.build()
    space.git("add", ".")
    space.git("commit", "-qm", "one")
    clone = space.clone("clone")
    time.sleep(2.1)
    assert "1 not here, not needed" in clone.build().err
    kept = (clone.root / ".assetbuild/outline").read_bytes()
    calls = {"COUNT_CALLS": "assetbuild.selection.select", "COUNT_FILE": str(clone.folder / "calls")}
    for old, new in (
        ("Edit 1", "Edit one"),
        ("Other", "Another"),
        ("Base 1", "Base one"),
        ("Base 2", "Base two"),
        ("Edit 2", "Edit 2 # no"),
        ("Edit 0", "Edit nought"),
    ):
        clone.write("assets.yaml", spec.replace(old, new))
        (clone.root / ".assetbuild/outline").write_bytes(kept)
        quick = clone.run("plan", "--exit-code", env=calls)
        assert (clone.folder / "calls").read_text() == "", "it looked at everything"
        (clone.root / ".assetbuild/outline").unlink()
        assert clone.run("plan", "--exit-code") == quick


@pytest.mark.parametrize("options", [("--profile", "sketch"), ("--spec", "other.yaml"), ("--profile", "proof")])
def test_profiles_and_other_specs(space: TestSpace, options: tuple[str, str]) -> None:
    """Each has an outline of its own beside its stamps; a sketch has its own tree and lockfile too."""
    spec = SPEC.replace("  draft: {quality: medium}", '  sketch: {provider: comp}\n  proof: {output: "proof/${id}.png"}')
    for name in ("assets.yaml", "other.yaml"):
        write(space, spec)
        space.write(name, spec)
    time.sleep(2.1)
    space.build(*options)
    found = [path for path in (space.root / ".assetbuild").iterdir() if path.name.startswith("outline")]
    assert len(found) == 1
    for name in ("assets.yaml", "other.yaml"):
        space.write(name, spec.replace("Warm light", "Cold light"))
    calls = {"COUNT_CALLS": "assetbuild.selection.select", "COUNT_FILE": str(space.folder / "calls")}
    quick = space.run("plan", *options, env=calls)
    assert (space.folder / "calls").read_text() == "", "it looked at everything"
    found[0].unlink()
    assert space.run("plan", *options).text == quick.text
    assert "1 to draw" in quick.out


def test_one_file_may_differ_also_when_two_processes_compare(tmp_path: Path) -> None:
    names = [f"f{n:05}" for n in range(5 * stamptable.RUN)]
    for name in names:
        (tmp_path / name).write_text(name)
    header = stamptable.header(tool="1", profile=None, spec="s", environ={})
    place = stamptable.table_path(str(tmp_path), None)
    assert stamps.write(
        place, str(tmp_path), header=header | {"summary": "x"}, files=names, complete=True, since_ns=time.time_ns() + 10**11
    )
    above = os.fsencode(tmp_path) + b"/"

    def unchanged(but: str | None) -> bool:
        program = (
            "import sys; from assetbuild import stamptable as s; s.time = type(s)('t'); s.time.time_ns = lambda: 1 << 62\n"
            f"s.unchanged({place!r}, {above!r}, {header!r}, but={None if but is None else but.encode()!r})"
        )
        return (
            subprocess.run(
                [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(PACKAGE)}, capture_output=True, check=False
            ).returncode
            == 0
        )

    assert unchanged(None)
    for name in (names[0], names[stamptable.RUN]):
        (tmp_path / name).write_text("other")
        assert unchanged(name)
        assert not unchanged(names[1])
        assert not unchanged(None)
        (tmp_path / name).write_text(name)
    (tmp_path / names[0]).unlink()
    assert not unchanged(names[0])


def test_no_outline_where_something_is_left_to_do(space: TestSpace) -> None:
    write(space, SPEC.replace("pin: true\n    prompt: Never again.", 'provider: counting\n    prompt: "Never again [fail]."'))
    time.sleep(2.1)
    space.build(code=1)
    assert not (space.root / ".assetbuild/outline").exists()
