"""What a user asks of the commands, and is answered: by path from any folder, on a narrow terminal, through a closed pipe, of what
was left behind.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assetbuild.report.flow import flow, for_all, likeness, name_column
from assetbuild.report.ink import Ink
from assetbuild.report.measures import width
from assetbuild.report.words import paragraphs, word_diff
from assetbuild.testing.space import TestSpace

from .saying import Story
from .terminal import CONTROL, lines_of, on_terminal
from .test_cli_schemas import holds
from .test_cli_use import picture
from .test_losses_bytes import ONE

SPEC = """\
version: 1
project: karten
assets:
  serie:
    set: [sonne, mond]
    output: "art/serie-${member}.png"
    prompt: |
      Zwei Bilder.
  poster:
    prompt: |
      A poster, "Fika".
  poster-${l}:
    matrix: {l: [de, en]}
    base: poster
    prompt: |
      Set the headline to "${l}".
  karte/${t.slug}:
    matrix: {t: {from: data/tafeln.csv}}
    tags: [karten]
    prompt: |
      Eine Karte, "${t.text}".
"""
TABLE = """\
slug,text,raum
tafel-sonne,Die Sonne,1
tafel-mond,"Der Mond, in allen seinen Phasen und noch einiges mehr dazu",2
"""
LONG = "a-rather-long-identifier-that-nobody-would-ever-want-to-type-by-hand-twice"


@pytest.fixture
def karten(space: TestSpace) -> TestSpace:
    """A project with every kind of matrix, not built yet."""
    space.write("assets.yaml", SPEC)
    space.write("data/tafeln.csv", TABLE)
    return space


# ── show ──


def test_show_says_which_row_of_a_table_it_is(karten: TestSpace) -> None:
    story = Story(karten, "show-matrix")
    story.run("show", "karte/tafel-mond")
    story.run("show", "poster-de")
    asset = karten.run("show", "karte/tafel-mond", "--json").json["asset"]
    assert asset["row"] == "15", "the table of decisions"
    assert asset["axes"]["t.raum"] == "2", "the row of the matrix"
    story.check()


# ── paths ──


def test_a_path_is_seen_from_the_working_directory_then_from_the_spec(karten: TestSpace) -> None:
    karten.build()
    karten.write("sub/x", "")
    sub, whole = karten.root / "sub", str(karten.root / "art/karte/tafel-mond.png")
    for path in ("../art/karte/tafel-mond.png", "art/karte/tafel-mond.png", "./art/../art/karte/tafel-mond.png", whole):
        assert karten.run("list", path, "--ids", cwd=sub).out == "karte/tafel-mond\n", path
        assert [a["id"] for a in karten.run("plan", path, "--json", cwd=sub).json["assets"]] == ["karte/tafel-mond"]
        assert [a["id"] for a in karten.run("build", path, "--json", cwd=sub).json["assets"]] == ["karte/tafel-mond"]
        assert "karte/tafel-mond" in karten.run("graph", path, cwd=sub).out
        assert "`karte/tafel-mond` has that picture" in karten.run("use", path, cwd=sub).err
        assert karten.run("show", path, "--json", cwd=sub).json["asset"]["id"] == "karte/tafel-mond"
        assert karten.run("list", "--exclude", path, "--ids", cwd=sub).out.count("tafel-mond") == 0
        assert "poster-de" in karten.run("list", "../art/poster.png+", "--ids", cwd=sub).out
    (karten.root / "art/karte/tafel-mond.png").unlink()
    ran = karten.run("show", "../art/karte/tafel-mond.png", cwd=sub)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "karte/tafel-mond  to be put back")
    assert karten.build("--replace", whole).err.startswith("restored")


def test_of_two_files_the_one_beside_the_user_is_meant(space: TestSpace) -> None:
    space.write(
        "assets.yaml", "version: 1\nassets:\n  a:\n    output: x.png\n    prompt: A\n  b:\n    output: sub/x.png\n    prompt: B\n"
    )
    space.write("sub/y", "")
    assert space.run("list", "x.png", "--ids").out == "a\n"
    assert space.run("list", "x.png", "--ids", cwd=space.root / "sub").out == "b\n"
    assert space.run("list", "../x.png", "--ids", cwd=space.root / "sub").out == "a\n"


# ── words that mean nothing ──


def test_every_word_that_means_nothing_is_named(karten: TestSpace) -> None:
    story = Story(karten, "unknown-words")
    story.run("build", "pster", "karte/tafel-mnd", "poster", "nothing", code=2)
    story.run("plan", "l=fr", code=2)
    story.run("list", "l=dee", code=2)
    story.run("list", "raum=3", code=2)
    story.run("list", "raum=2", code=2)
    story.run("list", "t.slug=tafel-mont", code=2)
    story.run("list", "size=3", "tag:kart", "serie#erde", "poster#x", "--exclude", "nobody", code=2)
    story.run("use", "serie#erde", code=2)
    assert not (karten.root / "assets.lock").exists()
    story.check()


def test_a_selection_that_means_nothing(space: TestSpace) -> None:
    """`locale=xx` says which values there are, and a wrong axis which axes."""
    rows = "  p-${locale}-${size}:\n    matrix: {locale: [en, de, ja], size: [s, m, l, xl]}\n    prompt: |\n      One ${locale} ${size}.\n"
    space.write("assets.yaml", ONE.partition("  poster")[0] + rows)
    for word, way in (("locale=xx", "en, de, ja"), ("lokale=de", "`locale=de`"), ("colour=red", "`size`")):
        ran = space.run("list", word)
        assert ran.code == 2
        assert way in ran.err, ran.err
    space.write("assets.yaml", ONE)
    assert "no asset has a matrix" in space.run("list", "locale=de").err


# ── what was left behind ──


def test_pictures_that_belong_to_no_asset_any_more(karten: TestSpace) -> None:
    story = Story(karten, "orphans")
    karten.build()
    story.run("list", "--orphans")
    before = karten.files()
    spec = SPEC.replace("[de, en]", "[de]").replace("  poster:\n", "  poster:\n    output: pics/poster.png\n")
    karten.write("assets.yaml", spec)
    karten.write("data/tafeln.csv", "\n".join(TABLE.split("\n")[:2]) + "\n")
    story.note("two ids leave the spec, one output moves")
    story.run()
    story.run("build")
    story.note("it is said once")
    story.run("build")
    story.run("build", "poster")
    story.run()
    story.run("list", "--orphans")
    assert "\nok    orphans: 3 pictures belong to no asset any more\n" in karten.run("doctor").out
    story.run("show", "poster-en")
    (karten.root / "art/karte/tafel-mond.png").unlink()
    story.note("art/karte/tafel-mond.png is deleted")
    story.run("show", "art/karte/tafel-mond.png")
    karten.write("art/poster-en.png", b"mine")
    story.run("list", "--orphans")
    story.run("list", "--orphans", "poster", code=2)
    rows = karten.run("list", "--orphans", "--json").json
    holds("list", rows)
    assert [one["id"] for one in rows["orphans"]] == ["karte/tafel-mond", "poster-en", "poster"]
    left = karten.run("show", "karte/tafel-mond", "--json").json
    holds("show", left)
    assert left["left"]["outputs"][0]["in_store"]
    assert set(karten.lock()) == {"serie", "poster", "poster-de", "poster-en", "karte/tafel-sonne", "karte/tafel-mond"}
    assert karten.read("art/poster.png") == before["art/poster.png"]
    story.note("the ids come back")
    karten.write("assets.yaml", SPEC.replace("  poster:\n", "  poster:\n    output: pics/poster.png\n"))
    karten.write("data/tafeln.csv", TABLE)
    (karten.root / "art/poster-en.png").unlink()
    story.run("build")
    (karten.root / "art/poster.png").unlink()
    story.run("list", "--orphans")
    story.check()


def test_a_new_id_in_the_spec_alone_leaves_a_file_but_no_noise(karten: TestSpace) -> None:
    karten.build()
    karten.write("assets.yaml", SPEC.replace("poster-${l}", "plakat-${l}"))
    assert karten.build().err.splitlines()[-2:-1] == ["2 pictures belong to no asset any more: `assetbuild list --orphans`"]
    for name in ("de", "en"):
        (karten.root / f"art/poster-{name}.png").unlink()
    assert karten.run("list", "--orphans").err == "every picture belongs to an asset\n", "the bytes have an asset: the new ids"
    assert len(karten.run().out.splitlines()) == 3


def test_a_clone_isnt_told_of_what_left_long_ago(karten: TestSpace) -> None:
    karten.build()
    karten.write("assets.yaml", SPEC.replace("[de, en]", "[de]"))
    karten.git("init", "-q")
    karten.build()
    karten.git("add", ".")
    karten.git("commit", "-qm", "one")
    other = karten.clone("clone")
    assert re.fullmatch(r"5 up to date in \d\.\d s\n", other.build().err)
    assert [one["id"] for one in other.run("list", "--orphans", "--json").json["orphans"]] == ["poster-en"]


def test_a_profile_doesnt_call_anothers_pictures_orphans(karten: TestSpace) -> None:
    profiles = 'profiles:\n  draft: {quality: low}\n  proof: {quality: low, output: "proofs/${id}.png"}\n'
    spec = SPEC.replace('    output: "art/serie-${member}.png"\n', "").replace("    set: [sonne, mond]\n", "")
    karten.write("assets.yaml", spec.replace("assets:\n", profiles + "assets:\n", 1))
    for profile in ([], ["--profile", "draft"], ["--profile", "proof"]):
        karten.build(*profile)
    for profile in ([], ["--profile", "draft"], ["--profile", "proof"]):
        assert karten.run("list", "--orphans", "--json", *profile).json["orphans"] == [], profile


# ── rename ──


def test_rename_says_where_the_id_comes_from(karten: TestSpace) -> None:
    story = Story(karten, "rename-matrix")
    karten.build()
    story.run("rename", "karte/tafel-mond", "karte/tafel-luna")
    story.run("rename", "poster-en", "poster-us")
    story.run("rename", "karte/*", "tafel/*", told=False)
    story.run("rename", "tafel/*", "karte/*")
    story.run("rename", "karte/tafel-sonne", "card/tafel-sonne")
    story.run("rename", "serie#mond", "serie#luna", code=2)
    story.check()


# ── many for one reason ──


def test_lockfile_and_store_are_lost(karten: TestSpace) -> None:
    story = Story(karten, "all-lost")
    rows = "".join(f"tafel-{n},Tafel {n},{n}\n" for n in range(1, 9))
    karten.write("data/tafeln.csv", "slug,text,raum\n" + rows)
    karten.build()
    (karten.root / "assets.lock").unlink()
    shutil.rmtree(karten.root / ".assetbuild")
    story.run("plan")
    story.run("build", code=5)
    assert karten.build("-v", code=5).err.count("isn't ours") == 10
    story.run("use", "*")
    story.run("build")
    story.check()


def test_one_of_the_reasons_isnt_answered_for_all(karten: TestSpace) -> None:
    rows = "".join(f"tafel-{n},Tafel {n},{n}\n" for n in range(1, 9))
    karten.write("data/tafeln.csv", "slug,text,raum\n" + rows)
    for n in range(1, 9):
        karten.write(f"art/karte/tafel-{n}.png", picture())
    story = Story(karten, "some-foreign")
    story.run("plan")
    story.run("build", "karte/*", code=5)
    story.check()


def test_drawn_pictures_are_drawn_again_to_the_one_who_chose_them(karten: TestSpace) -> None:
    """The store was away when `use` was said; it is back."""
    karten.build()
    store = karten.root / ".assetbuild/store"
    store.rename(karten.folder / "store")
    (karten.root / "assets.lock").unlink()
    karten.run("use", "*")
    assert all(line["by_hand"] for line in karten.lock().values())
    shutil.rmtree(store)
    (karten.folder / "store").rename(store)
    assert karten.run("use", "*").code == 0
    assert not any(line.get("by_hand") or line.get("chosen_for") for line in karten.lock().values())
    karten.write("art/poster.png", picture())
    karten.run("use", "poster")
    assert karten.lock()["poster"]["by_hand"], "that one is a person's"


def test_gc_says_what_drawings_cost(karten: TestSpace) -> None:
    karten.build()
    karten.write("assets.yaml", SPEC.replace("Fika", "Fikaa"))
    karten.build()
    assert karten.run("cache", "gc").out.startswith("3 pictures and sets by comp/comp-1, drawn here, free\n")


# ── the prompt's word diff ──


def test_a_diff_keeps_paragraphs_and_hints_apart(space: TestSpace) -> None:
    story = Story(space, "plan-paragraphs")
    spec = """\
version: 1
styles:
  brand: {text: Flat shapes., references: [{file: board.png, hint: take colours and line weight from it}]}
assets:
  a:
    style: brand
    prompt: |
      A poster for a harbour.

      Blue and white.
"""
    space.write("board.png", picture())
    space.write("assets.yaml", spec)
    space.build()
    space.write(
        "assets.yaml", spec.replace("A poster", "A sign").replace("Blue and white.", "Blue and white.\n\n      No people.")
    )
    story.run("plan")
    story.run("show", "a")
    story.check()


def test_a_paragraph_that_is_new_or_gone_is_a_change() -> None:
    assert word_diff("One. Two.", "One.\n\nTwo.") == [("same", "One."), ("new", "¶"), ("same", "Two.")]
    assert word_diff("One.\n \nTwo. Three.", "One.\n\n\nTwo.") == [("same", "One. ¶ Two."), ("gone", "Three.")]


def test_hints_are_taken_off_the_folded_prompt_only_where_they_stand() -> None:
    inputs = [{"digest": "x", "role": "base"}, {"digest": "y", "hint": "the logo", "role": "reference"}]
    assert paragraphs({"prompt": "Image 2: the logo A sign", "inputs": inputs}) == "Image 2: the logo\n\nA sign"
    assert paragraphs({"prompt": "A sign", "inputs": inputs}) == "A sign"
    assert paragraphs({"prompt": "Image 2: the logo", "inputs": inputs}) == "Image 2: the logo"
    assert paragraphs({"op": "upscale"}) is None


# ── a terminal of 80 columns ──


@pytest.fixture
def wide(karten: TestSpace) -> TestSpace:
    """With an id that is too long for any column, and one of wide letters."""
    more = f"  {LONG}:\n    prompt: |\n      A poster.\n  日本語のポスター:\n    prompt: |\n      A poster.\n      {'A ship. ' * 12}\n"
    karten.write("assets.yaml", SPEC + more)
    return karten


def test_a_long_id_doesnt_widen_the_column_of_all(wide: TestSpace) -> None:
    for command, state in (("list", "to be made"), ("plan", "new")):
        lines = lines_of(on_terminal(wide, command))
        assert all(width(line) <= 80 or LONG in line for line in lines), lines
        assert any(line.rstrip().endswith(LONG) for line in lines), "it has a line of its own"
        marks = {width(line[: line.index(state)]) for line in lines if state in line}
        assert len(marks) == 1, (command, lines)
        assert marks.pop() <= 11 + 80 // 3 + 2


def test_plan_hangs_what_doesnt_fit_below(wide: TestSpace) -> None:
    wide.build()
    wide.write("assets.yaml", wide.read("assets.yaml").decode().replace("A ship.", "A boat."))
    lines = lines_of(on_terminal(wide, "plan"))
    start = next(number for number, line in enumerate(lines) if "prompt changed" in line)
    below = [line for line in lines[start + 1 :] if not line[:1].isdigit()]
    assert len(below) > 1
    assert all(line.startswith(" " * 11) and line[11] != " " and width(line) <= 80 for line in below), lines


def test_hidden_assets_dont_widen_the_plan(space: TestSpace) -> None:
    rows = "".join(f"  - {'x' * n}\n" for n in range(1, 31))
    space.write("assets.yaml", "version: 1\nassets:\n  a-${n}:\n    matrix: {n: {from: rows.yaml}}\n    prompt: A ${n}.\n")
    space.write("rows.yaml", rows.replace("- ", "- {n: ").replace("\n", "}\n"))
    spec = space.read("assets.yaml").decode().replace("a-${n}:", "a-${n.n}:").replace("A ${n}.", "A ${n.n}.")
    space.write("assets.yaml", spec)
    assert space.run("plan").out.startswith(
        "draw       a-x    new\ndraw       a-xx   new\ndraw       a-xxx  new\n           … and 27 more: new\n"
    )


def test_a_pipe_gets_whole_lines_without_trailing_spaces(wide: TestSpace) -> None:
    for args in (["list"], ["plan"], ["list", "--orphans"]):
        out = wide.run(*args).out
        assert [line for line in out.splitlines() if line != line.rstrip()] == []
    assert f"\n{LONG}  to be made  art/{LONG}.png\n" in wide.run("list").out


def test_nothing_stands_as_being_drawn_below_the_line_that_it_is_drawn(wide: TestSpace) -> None:
    text = on_terminal(wide, "build", "--jobs", "2")
    for name in ("poster", "poster-de", "karte/tafel-mond", "serie", "日本語のポスター"):
        at = text.index(f"drawn     {name}  ")
        assert "drawing" in text[:at]
        assert not re.search(rf"drawing +{re.escape(name)} ", text[at:]), f"{name} is shown as being drawn afterwards"
    shown = [CONTROL.sub("", line).strip("\r") for line in re.split(r"\n|\x1b\[2K", text) if "drawing" in line or " of 7" in line]
    assert len(shown) > 7
    assert [line for line in shown if width(line) > 80] == []


@given(
    st.lists(st.text("ab日本 ", max_size=12), max_size=8), st.integers(24, 60), st.integers(0, 30), st.sampled_from(["", "dim"])
)
def test_flow_keeps_every_word_and_the_columns(texts: list[str], columns: int, indent: int, style: str) -> None:
    ink = Ink(on=False)
    lines = list(flow("head ", 5, [(style, text) for text in texts], ink, columns, indent))
    assert " ".join(lines).split() == ["head", *" ".join(texts).split()]
    longest = max((width(word) for text in texts for word in text.split()), default=0)
    room = max(columns, min(indent, columns - 24) + longest, 5 + longest)
    assert all(width(line) <= room for line in lines)
    assert len(list(flow("head ", 5, [(style, text) for text in texts], ink, 0, indent))) == 1


def test_likeness_and_the_way_out_for_all() -> None:
    assert likeness("art/a.png was edited by hand") == likeness("art/b c/d.png and 2 more was edited by hand")
    assert likeness("waiting for photos/0007.png") == "waiting for …"
    assert likeness("`a` is waiting for you") == "`…` is waiting for you"
    hint = "`assetbuild use a` keeps it, `assetbuild build --replace a` puts ours there (yours is kept in the store)"
    assert for_all(hint, "a", every=False).startswith("`assetbuild use ID` keeps it, `assetbuild build --replace ID`")
    assert for_all(hint, "a", every=True).startswith("`assetbuild use '*'` keeps them, `assetbuild build --replace '*'`")
    assert name_column(["x" * 90, "ab"], 90) == 30


# ── a closed pipe ──


@pytest.mark.parametrize(
    "args", [["list"], ["plan", "--all"], ["--help"], ["list", "--help"], ["graph"], ["show", "poster"], [], ["doctor"]]
)
def test_a_reader_that_leaves_is_no_failure(karten: TestSpace, args: list[str]) -> None:
    ran = _to_nobody(karten, *args)
    assert (ran.returncode, ran.stderr) == (141, b"")


def test_a_build_whose_talk_nobody_reads_ends_quietly_and_loses_nothing(space: TestSpace) -> None:
    assets = "".join(f"  a{n}: {{prompt: Poster {n}}}\n" for n in range(8))
    space.write("assets.yaml", f"version: 1\ndefaults: {{provider: counting}}\nassets:\n{assets}")
    ran = _to_nobody(space, "build", "--jobs", "1", talk=True)
    assert ran.returncode == 141
    bought = len(space.bills)
    assert len(space.lock()) == bought, "what was paid for is in its place"
    assert bought < 8, "nothing more was begun"
    space.build()
    assert len(space.bills) == 8, "each once"


def _to_nobody(space: TestSpace, *args: str, talk: bool = False) -> subprocess.CompletedProcess[bytes]:
    """The command, with nobody at the other end of its stdout (and of its stderr)."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.run(
            [sys.executable, "-m", "assetbuild", *args],
            cwd=space.root,
            env=space.env(),
            stdin=subprocess.DEVNULL,
            stdout=writer,
            stderr=writer if talk else subprocess.PIPE,
            check=False,
            timeout=120,
        )
    finally:
        os.close(writer)


def test_json_names_stay(karten: TestSpace) -> None:
    karten.build()
    for args in (["list", "--json"], ["list", "--orphans", "--json"]):
        holds("list", json.loads(karten.run(*args).out))
    holds("show", karten.run("show", "karte/tafel-mond", "--json").json)
