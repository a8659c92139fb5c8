"""What is made here between what is bought: composed and cut pictures through the whole command. They cost nothing, and never cause a bill."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from assetbuild.testing.space import TestSpace

from .hooking import hook

SPEC = """\
version: 1
defaults: {provider: counting, output: "art/${id}.png"}
assets:
  front:
    prompt: |
      A front.
  panel:
    base: front
    overlay:
      - {file: brand/logo.png, at: top start, width: 50%}
  mockup:
    base: panel
    prompt: |
      On a pouch.
  sheet:
    base: {file: brand/sheet.png}
    prompt: |
      Icons.
    cut: {columns: 2, rows: 1, names: [heart, coin], output: "icons/${member}.png"}
  badge:
    base: sheet#coin
    prompt: |
      As a badge.
"""

# Another Pillow or typst: the same pixels, other bytes.
OTHER_ENCODER = """
import sys

class Finder:
    def find_spec(self, name, path=None, target=None):
        if name != "assetbuild.providers.local":
            return None
        sys.meta_path.remove(self)
        import importlib.util
        spec = importlib.util.find_spec(name)
        real = spec.loader.exec_module
        def exec_module(module):
            real(module)
            done = module.done
            def other(request):
                made = done(request)
                return made._replace(images=tuple(i._replace(data=again(i.data)) for i in made.images))
            module.done = other
        spec.loader.exec_module = exec_module
        return spec

def again(data):
    import io
    from PIL import Image
    out = io.BytesIO()
    Image.open(io.BytesIO(data)).save(out, "PNG", compress_level=0)
    return out.getvalue()

sys.meta_path.insert(0, Finder())
"""


def picture(path: Path, size: tuple[int, int], *discs: tuple[int, int, str]) -> None:
    made = Image.new("RGB", size, "#ffffff")
    draw = ImageDraw.Draw(made)
    for x, y, colour in discs:
        draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(path)


@pytest.fixture
def project(space: TestSpace) -> TestSpace:
    picture(space.root / "brand/logo.png", (20, 20), (10, 10, "#2040c0"))
    picture(space.root / "brand/sheet.png", (80, 40), (20, 20, "#c02020"), (60, 20, "#20a040"))
    space.write("assets.yaml", SPEC)
    return space


@pytest.fixture
def built(project: TestSpace) -> TestSpace:
    project.build()
    return project


def change(space: TestSpace, old: str, new: str) -> None:
    text = space.read("assets.yaml").decode()
    assert old in text
    space.write("assets.yaml", text.replace(old, new))


def states(space: TestSpace) -> dict[str, str]:
    return {name: one["decision"] for name, one in space.plan().items()}


def inputs(space: TestSpace, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = space.lock()[name]["manifest"]["inputs"]
    return found


def test_composed_and_cut_between_what_is_bought(built: TestSpace) -> None:
    assert len(built.bills) == 4  # front, mockup, sheet, badge
    lock = built.lock()
    assert lock["panel"]["manifest"]["op"] == "compose"
    assert [one["member"] for one in lock["sheet#"]["outputs"]] == ["heart", "coin"]
    assert inputs(built, "mockup") == [{"recipe": lock["panel"]["key"], "role": "base"}]
    assert "recipe" in inputs(built, "badge")[0]
    assert "digest" in inputs(built, "panel")[0]
    assert {path for path in built.files() if path.startswith("icons/")} == {"icons/heart.png", "icons/coin.png"}
    again = built.build()
    assert "6 up to date" in again.text


def test_the_plan_knows_before_anything_is_made(project: TestSpace) -> None:
    found = {name: one["decision"] for name, one in project.plan().items()}
    assert found["front"] == "generate"
    assert found["panel"] == "waiting"


def test_a_new_encoder_buys_nothing(built: TestSpace) -> None:
    """SCENARIOS 56."""
    before = built.read("art/panel.png"), built.read("icons/coin.png")
    hook(built, OTHER_ENCODER)
    for path in ("art/panel.png", "icons/heart.png", "icons/coin.png"):
        (built.root / path).unlink()
    shutil.rmtree(built.root / ".assetbuild")
    found = states(built)
    assert found["panel"] == "generate"
    assert found["mockup"] == found["badge"] == "up to date"
    ran = built.build()
    assert "2 made here" in ran.text
    assert built.read("art/panel.png") != before[0]
    assert built.read("icons/coin.png") != before[1]
    assert len(built.bills) == 4
    assert "6 up to date" in built.build().text


def test_another_overlay_is_another_picture(built: TestSpace) -> None:
    change(built, "width: 50%", "width: 40%")
    found = states(built)
    assert (found["front"], found["panel"], found["mockup"]) == ("up to date", "generate", "generate")
    reason = built.plan()["mockup"]["reason"]
    assert reason == "`panel` is made otherwise"
    built.build()
    assert len(built.bills) == 5


def test_another_front_makes_all_that_hangs_on_it(built: TestSpace) -> None:
    change(built, "A front.", "Another front.")
    built.build()
    assert len(built.bills) == 6
    assert "6 up to date" in built.build().text


def test_cutting_again_never_buys(built: TestSpace) -> None:
    coin = built.read("icons/coin.png")
    change(built, "names: [heart, coin]", "names: [love, coin], margin: 5%")
    assert states(built)["badge"] == "generate"  # another margin is another picture
    change(built, ", margin: 5%", "")
    assert states(built)["badge"] == "up to date"  # another name isn't
    built.build()
    assert built.read("icons/coin.png") == coin
    assert (built.root / "icons/love.png").exists()
    assert len(built.bills) == 4
    change(built, "names: [love, coin]", "names: [love, coin, star]")
    ran = built.run("plan")
    assert ran.code == 2
    assert "3 names for 2 cells" in ran.text
    assert "no set" not in ran.text
    change(built, "columns: 2, rows: 1, names: [love, coin, star]", "columns: 2, rows: 1")
    change(built, "sheet#coin", "sheet#2")
    built.build()
    assert len(built.bills) == 4


def test_a_clone_that_has_what_ships_is_green(built: TestSpace) -> None:
    """The composed base and what it is made from are ignored by git."""
    built.git("init", "-q")
    built.git("add", "-f", "assets.yaml", "assets.lock", "art/mockup.png", "art/badge.png", "brand")
    built.git("commit", "-qm", "x")
    clone = built.clone("clone")
    assert clone.build("--frozen").code == 0
    assert clone.build().code == 0
    assert len(built.bills) == 4


def test_a_hand_made_panel_counts_by_its_bytes(built: TestSpace) -> None:
    made = built.root / "art/panel.png"
    with Image.open(made) as opened:
        opened.convert("RGB").save(made)
    assert states(built)["panel"] == "waiting for you"
    assert built.run("use", "panel").code == 0
    found = states(built)
    assert found["panel"] == "up to date"
    assert found["mockup"] == "generate"
    built.build()
    assert "digest" in inputs(built, "mockup")[0]
    assert len(built.bills) == 5


def test_a_piece_can_be_replaced_by_hand(built: TestSpace) -> None:
    picture(built.root / "mine.png", (30, 30), (15, 15, "#000000"))
    ran = built.run("use", "sheet#coin", "mine.png")
    assert ran.code == 0, ran.text
    assert built.read("icons/coin.png") == built.read("mine.png")
    assert states(built)["badge"] == "generate"


def test_what_cannot_be_set_is_said_by_the_plan(project: TestSpace) -> None:
    words(project, "🦄🦄")
    ran = project.run("plan")
    assert "🦄" in ran.text
    assert "failed" in ran.text
    project.build(code=1)
    assert not (project.root / "art/panel.png").exists()
    assert (project.root / "art/badge.png").exists()


def words(project: TestSpace, text: str) -> None:
    """A text on a drawing that has room for it."""
    change(project, "  front:\n", "  front:\n    provider: comp\n")
    change(
        project,
        "width: 50%}\n",
        f"width: 50%}}\n      - {{text: {text}, at: bottom, size: 10%}}\n    exports: {{print: {{path: print/panel.pdf}}}}\n",
    )


def test_wrong_fields_are_told(project: TestSpace) -> None:
    change(project, "    base: front\n    overlay:", "    base: front\n    prompt: x\n    overlay:")
    ran = project.run("plan")
    assert ran.code == 2
    assert "a picture with `overlay` is made here from its `base`, so it has no `prompt`" in ran.text


def test_trimmed_here(project: TestSpace) -> None:
    project.write(
        "assets.yaml",
        "version: 1\nassets:\n  dot:\n    base: {file: brand/logo.png}\n    trim: 10%\n"
        "    exports: {icon: {path: 'web/dot.ico', sizes: [16]}}\n",
    )
    project.build()
    with Image.open(project.root / "art/dot.png") as made:
        assert made.size == (21, 21)
    assert (project.root / "web/dot.ico").exists()


def test_what_is_made_here_says_so(built: TestSpace) -> None:
    from assetbuild.pictures.reading import origins

    assert origins(built.root / "art/panel.png").kind == "compositeWithTrainedAlgorithmicMedia" or built.bills
    rows = json.loads(built.run("provenance", "--json").out)["files"]
    assert {row["path"] for row in rows} >= {"art/panel.png", "icons/coin.png"}


def test_words_of_a_composed_picture_stay_words_in_a_pdf(project: TestSpace) -> None:
    pdfium = pytest.importorskip("pypdfium2")
    words(project, "Skog")
    project.build()
    page = pdfium.PdfDocument(project.read("print/panel.pdf"))[0]
    assert "Skog" in page.get_textpage().get_text_bounded()


def test_names_that_editors_and_people_use(built: TestSpace) -> None:
    assert built.run("build", "sheet#coin").code == 0
    assert "sheet#" in built.run("list").text
    assert built.run("show", "icons/coin.png").code == 0
    change(built, "  sheet:\n", "  icons:\n")
    change(built, "base: sheet#coin", "base: icons#coin")
    ran = built.run("rename", "sheet", "icons")
    assert ran.code == 0, ran.text
    again = built.build()
    assert "6 up to date" in again.text, again.text
    assert len(built.bills) == 4
