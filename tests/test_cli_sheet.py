"""`sheet`: all pictures on a contact sheet, through the real command line."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from assetbuild.pictures.contact import Cell, Sheet, Title
from assetbuild.pictures.lettering import Lettering
from assetbuild.pictures.printing import measured, paper_measure, print_sheet
from assetbuild.pictures.wanted import CantExport
from assetbuild.store import Store, store_root
from assetbuild.testing.space import TestSpace

from .saying import Story

SPEC = """\
version: 1
project: fika
defaults: {provider: comp}
assets:
  poster:
    prompt: |
      A poster, "Fika".
    tags: [launch]
  poster-de:
    base: poster
    prompt: |
      Set the headline to "Langsam".
  story:
    set: [bean, cup]
    output: "art/story-${member}.png"
    prompt: |
      Two panels.
  later:
    base: {file: brand/photo.png}
    prompt: |
      The same photo in the evening.
"""


def opened(content: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def words(space: TestSpace, *what: str) -> dict[str, tuple[str, str, str, str]]:
    """What stands on the sheet: name → facts, state, why, tone."""
    code = (
        "import sys, json; from pathlib import Path\n"
        "from assetbuild.answers.contact import contact; from assetbuild.cli import open_project, chosen\n"
        "from assetbuild.facts import Planner\n"
        "p = open_project(None, None); plan = Planner(p)\n"
        "title, cells = contact(p, plan, plan.plan(chosen(p, sys.argv[1:], bases=False)))\n"
        "print(json.dumps({'title': title, 'cells': [[c.name, c.facts, c.state, c.why, c.tone] for c in cells]}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *what], cwd=space.root, env=space.env(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    return {
        "": tuple(found["title"][:2]) + tuple(n for n, _ in found["title"][2]),
        **{c[0]: tuple(c[1:]) for c in found["cells"]},
    }


def test_a_sheet_of_everything(space: TestSpace) -> None:
    story = Story(space, "sheet")
    space.write("assets.yaml", SPEC)
    space.build(code=5)
    story.run("sheet", "-o", "out/sheet.png")
    story.run("sheet", "tag:launch", "-o", "out/one.jpg")
    story.run("sheet", "--exclude", "story", "-o", "out/rest.webp", "--columns", "2")
    story.run("sheet", "-o", "out/sheet.pdf", "--paper", "a3")
    story.check()
    whole = opened(space.read("out/sheet.png"))
    assert (whole.format, whole.mode) == ("PNG", "RGB")
    assert whole.width > 4 * 400
    assert opened(space.read("out/one.jpg")).format == "JPEG"
    assert opened(space.read("out/rest.webp")).width < 2 * 400 + 200
    pdf = space.read("out/sheet.pdf")
    assert pdf.startswith(b"%PDF-")
    assert pdf.count(b"/Type/Page/") == 1
    assert b"1190.52" in pdf  # A3 is 1190.55 points wide
    assert b"Date" not in pdf


def test_nothing_is_made_or_changed_by_it_and_it_is_the_same_each_time(space: TestSpace) -> None:
    space.write("assets.yaml", SPEC)
    before = space.files()
    for ending in ("png", "pdf", "jpg", "webp"):
        assert space.run("sheet", "-o", f"{space.folder}/a.{ending}").code == 0
        assert space.run("sheet", "-o", f"{space.folder}/b.{ending}").code == 0
        first, second = ((space.folder / f"{name}.{ending}").read_bytes() for name in "ab")
        assert first == second
    assert space.files() == before


def test_what_stands_on_it(space: TestSpace) -> None:
    space.write("assets.yaml", SPEC)
    said = words(space)
    assert said[""] == ("fika", "5 pictures of 4 assets", "2 to be made", "1 to follow", "1 waiting for you")
    assert said["poster"] == ("", "to be made", "", "todo")
    assert said["poster-de"] == ("", "to follow", "unknown until poster is built", "todo")
    assert said["story#cup"] == ("", "to be made", "", "todo")
    assert said["later"] == ("", "waiting for you", "waiting for brand/photo.png", "wait")
    space.build(code=5)
    said = words(space)
    assert said["poster"] == ("1024 × 1024  ·  drawn, free", "up to date", "", "good")
    assert said["story#bean"] == ("1024 × 1024  ·  drawn, free", "up to date", "", "good")
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "PNG")
    space.write("art/poster-de.png", out.getvalue())
    space.write("art/story-bean.png", b"no picture")
    space.write("assets.yaml", SPEC.replace('"Fika"', '"Kaffe"'))
    said = words(space)
    assert said["poster"] == ("1024 × 1024  ·  drawn, free", "to be made", "prompt changed", "todo")
    assert said["poster-de"][0] == "30 × 20  ·  —"
    assert said["story#bean"][0] == "—"
    assert said["story#bean"][3] == "bad"
    assert space.run("sheet", "-o", "sheet.png").code == 0


def test_prices_of_what_was_bought(space: TestSpace) -> None:
    """A set's bill is shared out; a chain costs all of its steps; a picture of one's own has no price."""
    space.write(
        "assets.yaml",
        """\
version: 1
project: fika
defaults: {provider: counting}
assets:
  poster:
    prompt: |
      A poster.
    then:
      - Make it bold.
  story:
    set: [bean, cup]
    output: "art/story-${member}.png"
    prompt: |
      Two panels.
  own:
    prompt: |
      A mark.
""",
    )
    space.build()
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "PNG")
    space.write("mark.png", out.getvalue())
    assert space.run("use", "own", "mark.png").code == 0
    assert words(space)["own"][0] == "30 × 20  ·  made by hand"
    store = Store.open(store_root(space.root, spec_store=None, environ={}))
    with store.transaction() as db:  # as if a vendor had billed it
        db.execute("UPDATE results SET made_by = 'apiframe/gpt-image-2', cost = 90001")
    store.close()
    said = words(space)
    assert said[""][1] == "4 pictures of 3 assets  ·  $0.2701"
    assert said["poster"][0] == "8 × 8  ·  $0.1801"
    assert [said[f"story#{name}"][0] for name in ("bean", "cup")] == ["8 × 8  ·  $0.0451", "8 × 8  ·  $0.045"]
    space.write("assets.yaml", space.read("assets.yaml").decode().replace("A poster.", "Another poster."))
    assert words(space)["poster"] == ("8 × 8  ·  $0.1801", "to be made", "prompt changed", "todo")
    store = Store.open(store_root(space.root, spec_store=None, environ={}))
    with store.transaction() as db:
        db.execute("UPDATE results SET cost = NULL")
    store.close()
    assert words(space)["poster"][0] == "8 × 8  ·  —"


def test_to_stdout_and_onto_nothing_of_the_project(space: TestSpace) -> None:
    space.write("assets.yaml", SPEC + "  other:\n    base: {file: brand/board.png}\n    prompt: |\n      Warmer.\n")
    out = io.BytesIO()
    Image.new("RGB", (30, 20), "teal").save(out, "PNG")
    space.write("brand/board.png", out.getvalue())
    space.build(code=5)
    child = subprocess.run(
        [sys.executable, "-m", "assetbuild", "sheet", "-o", "-"], cwd=space.root, env=space.env(), capture_output=True, check=True
    )
    assert opened(child.stdout).format == "PNG"
    assert child.stderr == b""
    space.write("sub/x", b"")
    (space.root / "link.png").symlink_to("art/poster.png")
    before = space.files()
    story = Story(space, "sheet-refused")
    story.run("sheet", "-o", "art/poster.png", code=2)
    story.run("sheet", "-o", "../art/poster-de.png", cwd=space.root / "sub", code=2)
    story.run("sheet", "-o", "ART/Story-Cup.PNG", code=2)
    story.run("sheet", "-o", "link.png", code=2)
    story.run("sheet", "-o", "brand/board.png", code=2)
    story.run("sheet", "-o", "art", code=2)
    story.run("sheet", "-o", "sheet.gif", code=2)
    story.run("sheet", "-o", "sheet", code=2)
    story.run("sheet", "-o", "sheet.png", "--paper", "a3", code=2)
    story.run("sheet", "nothing-like-it", "-o", "sheet.png", code=2)
    space.write("assets.yaml", SPEC)
    story.note("`other` left the spec; its picture was paid for, maybe")
    story.run("sheet", "-o", "art/other.png", code=2)
    story.check()
    space.write("assets.yaml", before["assets.yaml"])
    assert space.files() == before


def test_where_a_format_ends_it_says_so() -> None:
    cells = [Cell(f"n{n}", state="to be made") for n in range(2000)]
    for kind, limit in (("webp", "16,383"), ("jpeg", "65,500")):
        with pytest.raises(CantExport, match=limit) as told:
            print_sheet(kind, Title("many"), cells, lambda _: pytest.fail("nothing is written"), columns=1)
        assert told.value.hint is not None
        assert ".pdf" in told.value.hint
    with pytest.raises(CantExport, match="too many for one JPEG"):
        print_sheet("jpeg", Title("many"), [Cell("n", size=(400, 400), file=Path("x"))] * 12_000, lambda _: None)


def test_a_format_that_is_full_leaves_the_old_file(space: TestSpace) -> None:
    space.write(
        "assets.yaml",
        "version: 1\nproject: many\ndefaults: {provider: comp}\nassets:\n  p-${n}:\n    matrix: {n: ["
        + ",".join(map(str, range(120)))
        + "]}\n    prompt: |\n      A dot ${n}.\n",
    )
    space.write("sheet.webp", b"old")
    ran = space.run("sheet", "--columns", "1", "-o", "sheet.webp")
    assert ran.code == 1
    assert "16,383" in ran.err
    assert ".pdf" in ran.err
    assert space.read("sheet.webp") == b"old"
    assert sorted(p.name for p in space.root.iterdir() if p.name.startswith("sheet")) == ["sheet.webp"]


def drawn(kind: str, cells: list[Cell], title: Title | None = None, **more: int | str) -> bytes:
    parts: list[bytes] = []
    print_sheet(kind, title or Title("t"), cells, parts.append, **more)  # type: ignore[arg-type]
    return b"".join(parts)


def test_pictures_of_every_kind_are_shown(tmp_path: Path) -> None:
    """Palette, 16 bits, CMYK, one pixel, very long, transparent, turned by EXIF, cut off."""
    made = {
        "palette.png": Image.new("P", (80, 80), 3),
        "deep.png": Image.new("I;16", (80, 80), 40000),
        "print.jpg": Image.new("CMYK", (80, 80), (0, 200, 0, 0)),
        "one.png": Image.new("RGB", (1, 1), "red"),
        "long.png": Image.new("L", (9000, 1), 0),
        "high.png": Image.new("1", (1, 9000), 0),
        "clear.png": Image.new("RGBA", (80, 80), (0, 0, 0, 0)),
    }
    for name, picture in made.items():
        picture.save(tmp_path / name)
    turned = Image.new("RGB", (200, 100), "blue")
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(tmp_path / "turned.jpg", exif=exif)
    noise = Image.effect_noise((300, 300), 80)
    noise.save(tmp_path / "cut.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "cut.png").read_bytes()[:3000])
    cells = []
    for name in (*made, "turned.jpg", "cut.png"):
        with Image.open(tmp_path / name) as picture:
            cells.append(Cell(name, "facts", "up to date", "good", file=tmp_path / name, size=picture.size))
    sheet = opened(drawn("png", cells, columns=3))
    m = measured(len(cells), 3)
    whole = Sheet(Title("t"), cells, m)
    assert sheet.size == whole.size
    tops = [whole.head + sum(whole.high(row) for row in whole.rows[:n]) for n in range(3)]

    def at(number: int, dx: float = 0.5) -> tuple[int, ...]:
        row = whole.rows[number // 3]
        x = m.edge + number % 3 * (m.side + m.gap) + m.side * dx
        found = sheet.getpixel((int(x), tops[number // 3] + row.high // 2))
        assert isinstance(found, tuple)
        return found

    assert at(1)[0] == 156  # 40000 / 256
    assert at(3) != at(0)
    assert at(7)[2] > 200  # blue, upright
    colours = {
        sheet.getpixel((x, y))
        for x in range(m.edge + m.side // 2 - 30, m.edge + m.side // 2 + 30)
        for y in range(tops[2] + 5, tops[2] + whole.rows[2].high - 5)
    }
    assert {(255, 255, 255), (228, 225, 218)} <= colours  # the chequered ground
    assert at(8, 0.05) == (250, 249, 246)  # an empty frame


def test_long_ids_lose_their_middle_and_no_letter_is_a_box() -> None:
    letters = Lettering()
    long = "packaging/summer-campaign-2027/limited-edition/pouch-front-de-AT-250g"
    short = letters.middle_out(long, 300, 20, 600)
    assert letters.width(short, 20, 600) <= 300
    assert short.startswith("packaging/")
    assert short.endswith("250g")
    assert "…" in short
    for text in (
        "ポスター-新宿駅",
        "海报/春季",
        "포스터",
        "ملصق-الربيع",
        "פוסטר",
        "पोस्टर",
        "โปสเตอร์",
        "постер",
        "αφίσα",
        "é" * 3,
    ):
        assert letters.width(text, 20) > 20
        assert letters.width(letters.middle_out(text * 9, 120, 20), 20) <= 120
    assert letters.missing == set()
    letters.width("\ue000", 20)
    assert letters.missing == {"\ue000"}
    assert letters.middle_out("", 10, 20) == ""
    assert letters.middle_out("word", 0, 20) == "…"
    assert letters.wrapped("one two three four", 60, 2, 20)[0] == "one"
    assert letters.wrapped("", 60, 2, 20) == []


def test_pages_hold_what_they_can_and_all_is_on_them() -> None:
    cells = [Cell(f"n{n}", state="to be made") for n in range(131)]
    measure, high = paper_measure("a4")
    sheet = Sheet(Title("t"), cells, measure)
    pages = sheet.paged(high)
    assert [cell for page in pages for row in page for cell in row.cells] == cells
    assert all(sheet.head + sum(sheet.high(row) for row in page) <= high for page in pages)
    assert drawn("pdf", cells).count(b"/Type/Page/") == len(pages)
    assert drawn("pdf", cells[:2], columns=100).count(b"/Type/Page/") == 1
    assert drawn("pdf", cells[:3], columns=1).count(b"/Type/Page/") == 2


def test_a_title_of_any_length() -> None:
    for title in (
        Title(""),
        Title("x" * 500, "y" * 500, tuple((f"{n} waiting for you", "wait") for n in range(40))),
        Title("قهوة", "一"),
    ):
        assert opened(drawn("png", [Cell("a")], title)).width == measured(1).width
