"""The lockfile survives merges, editors, checkouts, kills and neighbours; what can't be trusted is named by line and never
overwritten.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.errors import StoreError, UsageError
from assetbuild.lockfile import HEADER, Line, LockedStep, Output, merge, parse, read, rename, render, resolve
from assetbuild.lockfile.line import FIELDS

from .storing import die_at, digest, line, same_words, start
from .test_files import git

FULL = line(
    "story",
    outputs=(Output("art/story-bean.png", "bean", digest("1"), 1), Output("art/story-früh.png", "früh", digest("2"), 2)),
    take=3,
    steps=(LockedStep(digest("s"), 1, (digest("a"), digest("b")), 2),),
    chosen_for=digest("other"),
    by_hand=True,
    rejected='six "fingers"\u2028',
    approved=digest("1"),
    host="127.0.0.1:8080",
    manifest={"prompt": digest("p"), "inputs": [{"role": "base", "hint": None}], "scale": 1.5, "seed": 7},
)


def test_a_lockfile_is_read_as_it_was_written() -> None:
    lines = {"story": FULL, "poster": line("poster"), "poster-de": line("poster-de")}
    text = render(lines)
    assert parse(text).lines == lines
    assert parse(text).doubles == {}
    assert render(parse(text).lines) == text
    assert text.splitlines()[0] == '{"assetbuild.lock":1}'
    assert [row.split('"')[3] for row in text.split("\n")[1:-1]] == ["poster", "poster-de", "story"]
    assert "früh" in text
    same_words("lockfile", text.rstrip("\n"))


def test_unset_fields_are_left_out_and_order_doesnt_matter() -> None:
    row = json.loads(render({"a": line("a")}).split("\n")[1])
    assert list(row) == ["id", "key", "v", "outputs", "take", "manifest"], "the manifest comes last, always"
    assert "member" not in row["outputs"][0]
    one = line("a", manifest={"b": {"y": 1, "x": 2}, "a": 1})
    other = line("a", manifest={"a": 1, "b": {"x": 2, "y": 1}})
    assert render({"a": one}) == render({"a": other})


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | TEXTS, lambda inner: st.lists(inner, max_size=3), max_leaves=5
)


@given(
    ids=st.lists(TEXTS.filter(bool), max_size=5, unique=True),
    manifest=st.dictionaries(
        TEXTS | st.just("manifest"), JSON | st.dictionaries(TEXTS | st.just("manifest"), JSON, max_size=2), max_size=4
    ),
    note=st.none() | TEXTS,
    extra=st.dictionaries(TEXTS.filter(lambda name: name not in FIELDS), JSON, max_size=2),
)
@settings(max_examples=150, deadline=None)
def test_any_text_comes_back(ids: list[str], manifest: dict[str, object], note: str | None, extra: dict[str, object]) -> None:
    lines = {i: line("x", id=i, manifest=manifest, rejected=note, extra=extra) for i in ids}
    text = render(lines)
    assert parse(text).lines == lines
    assert parse(text.replace("\n", "\r\n")).lines == lines, "a CRLF checkout says the same"
    assert render(parse(text).lines) == text


def test_a_missing_one_is_empty_an_empty_one_isnt_believed(tmp_path: Path) -> None:
    assert read(tmp_path / "assets.lock") == ({}, {})
    (tmp_path / "assets.lock").write_text("\n")
    with pytest.raises(StoreError) as caught:
        read(tmp_path / "assets.lock")
    same_words("lockfile-empty", caught.value)


GOOD = render({"a": line("a"), "b": line("b")}).split("\n")


def _with(second: str) -> str:
    return "\n".join([GOOD[0], GOOD[1], second, ""])


def _but(**fields: object) -> str:
    row = json.loads(GOOD[2]) | fields
    return _with(json.dumps({name: value for name, value in row.items() if value != "gone"}))


BROKEN = {
    "conflict": "\n".join([GOOD[0], "<<<<<<< HEAD", GOOD[1], "=======", GOOD[2], ">>>>>>> branch", ""]),
    "conflict-base": "\n".join([GOOD[0], GOOD[1], "||||||| 1234567", GOOD[2], ""]),
    "cut-off": _with(GOOD[2][:-30]),
    "cut-off-manifest": _with(GOOD[2][:-3]),
    "not-json": _with("poster: yes"),
    "two-in-one": _with(GOOD[1] + "," + GOOD[2]),
    "no-line-end": "\n".join([GOOD[0], GOOD[1] + GOOD[2], ""]),
    "nested": _with('{"id":' + "[" * 100_000),
    "list": _with("[1, 2]"),
    "newer": render({"a": line("a")}).replace('{"assetbuild.lock":1}', '{"assetbuild.lock":7}'),
    "foreign": '# yarn lockfile v1\n\n"left-pad@^1":\n  version "1.0.0"\n',
    "no-key": _but(key="gone"),
    "no-outputs": _but(outputs="gone"),
    "no-id": _but(id=5),
    "bad-digest": _but(outputs=[{"path": "a", "digest": "../../etc", "size": 1}]),
    "bad-size": _but(outputs=[{"path": "a", "digest": digest("a"), "size": -1}]),
    "bad-take": _but(take="2"),
    "bad-approved": _but(approved="yes"),
    **{
        f"bad-path-{n}": _but(outputs=[{"path": path, "digest": digest("a"), "size": 1}])
        for n, path in enumerate(["../x", "/etc/x", "a/../../x", "C:/x", "a\\..\\x", "a\0", "", "art/.."])
    },
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cant_be_trusted_is_named_by_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "assets.lock"
    path.write_text(BROKEN[name], encoding="utf-8")
    with pytest.raises(StoreError) as caught:
        read(path)
    assert caught.value.exit_code == 2
    with pytest.raises(StoreError):
        merge(path, {"b": line("b", "new"), "c": line("c")})
    with pytest.raises(StoreError):
        rename(path, {"b": "c"})
    assert path.read_text(encoding="utf-8") == BROKEN[name], "nothing was changed"


def test_the_words_for_what_cant_be_trusted() -> None:
    messages = []
    for name, text in BROKEN.items():
        with pytest.raises(StoreError) as caught:
            parse(text)
        messages.append(f"── {name} ──\n{caught.value.render()}")
    same_words("lockfile-broken", "\n\n".join(messages))


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "assets.lock").write_bytes(render({"a": line("a")}).encode() + b"\xff\xfe\n")
    with pytest.raises(StoreError, match=r"assets.lock:3: this isn't UTF-8 text"):
        read(tmp_path / "assets.lock")


def test_a_broken_manifest_is_said_when_it_is_looked_at() -> None:
    found = parse(_with(GOOD[2].replace('"op":', '"op" ')))
    with pytest.raises(StoreError, match=r"assets.lock:3: this line is broken"):
        dict(found.lines["b"].manifest)
    assert found.lines["b"].outputs == line("b").outputs


def test_a_bom_crlf_spaces_and_another_order_are_no_mistakes(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    pretty = "\n".join(json.dumps(json.loads(row)) for row in GOOD[:-1][::-1])
    path.write_bytes(b"\xef\xbb\xbf" + pretty.replace("\n", "\r\n\r\n").encode() + b"\r\n")
    before = path.read_bytes()
    assert read(path).lines == {"a": line("a"), "b": line("b")}
    merge(path, {"a": line("a"), "c": None})
    assert path.read_bytes() == before, "it says the same, so it isn't touched"
    merge(path, {"c": line("c")})
    assert path.read_bytes().startswith(GOOD[0].encode() + b"\n")
    assert read(path).lines == {"a": line("a"), "b": line("b"), "c": line("c")}


def test_merging_changes_own_lines_only_and_keeps_unknown_fields(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    row = json.loads(GOOD[1])
    row = {"id": row.pop("id"), "seen": {"z": 1, "a": 2}, **row}  # a later release of the same version added a field
    path.write_text(_with(GOOD[2]).replace(GOOD[1], json.dumps(row)), encoding="utf-8")
    merge(path, {"b": line("b", "new"), "c": line("c"), "gone": None})
    rows = path.read_text(encoding="utf-8").split("\n")
    assert rows[1] == json.dumps(row), "a neighbour's line stays character by character"
    assert read(path).lines["a"].extra == {"seen": {"z": 1, "a": 2}}
    merge(path, {"a": line("a", "new")})
    assert read(path).lines["a"] == line("a", "new", extra={"seen": {"z": 1, "a": 2}})
    merge(path, {"b": None})
    assert list(read(path).lines) == ["a", "c"]
    assert sorted(f.name for f in tmp_path.iterdir()) == [".assetbuild", "assets.lock"], "no other file in the tree"


def test_nothing_to_say_writes_nothing_and_needs_no_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "assets.lock"
    merge(path, {"a": None})
    assert list(tmp_path.iterdir()) == []
    merge(path, {"a": line("a"), "b": line("b")})

    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    merge(path, {"a": line("a"), "x": None})
    with pytest.raises(StoreError, match="read-only"):
        merge(path, {"a": line("a", "new")})


def test_a_profiles_own_tree_keeps_its_guard_beside_it(tmp_path: Path) -> None:
    path = tmp_path / ".assetbuild" / "draft" / "assets.lock"
    merge(path, {"a": line("a")})
    assert sorted(str(f.relative_to(tmp_path)) for f in tmp_path.rglob("*") if f.is_file()) == [
        ".assetbuild/draft/assets.lock",
        ".assetbuild/draft/assets.lock.guard",
    ]


@pytest.mark.parametrize("half", ["before", "half"])
def test_a_kill_at_any_step_of_a_merge_leaves_the_old_or_the_new_one(tmp_path: Path, half: str) -> None:
    code = """
        from pathlib import Path
        from assetbuild.lockfile import merge
        from tests.storing import line
        arm()
        merge(Path(sys.argv[3]), {"b": line("b", "new")})
    """
    path, old = tmp_path / "assets.lock", {"a": line("a"), "b": line("b", "old")}
    step, seen = 1, set()
    while True:
        path.write_text(render(old))
        if not die_at(step, half, code, path):
            break
        assert path.read_text() in (render(old), render(old | {"b": line("b", "new")}))
        seen.add(path.read_text())
        step += 1
    assert len(seen) == 2
    assert read(path).lines["b"] == line("b", "new")


@pytest.mark.parametrize("count", [2, 8])
def test_processes_write_one_lockfile_at_once(tmp_path: Path, count: int) -> None:
    code = """
        import sys
        from pathlib import Path
        from assetbuild.lockfile import merge
        from tests.storing import line
        print("ready", flush=True)
        sys.stdin.readline()
        for n in range(12):
            ident = f"{sys.argv[2]}-{n}"
            merge(Path(sys.argv[1]), {ident: line(ident), "shared": line("shared", ident)})
    """
    children = [start(code, tmp_path / "assets.lock", number) for number in range(count)]
    for child in children:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        assert child.communicate(timeout=90)[1] == ""
    assert len(read(tmp_path / "assets.lock").lines) == 12 * count + 1


# ── after a union merge ──


def settled(*found: Line, key: str = "k", disk: str = "", hand: tuple[str, ...] = ()) -> Line:
    text = "\n".join([GOOD[0], *(render({x.id: x}).split("\n")[1] for x in found)])
    lock = parse(text)
    chosen = resolve(
        lock,
        spec_key=lambda _: digest(key),
        digest_on_disk=lambda _: digest(disk) if disk else None,
        at_hand=lambda d: d in map(digest, hand),
    )
    return {**lock.lines, **chosen}["x"]


def test_same_key_and_picture_are_joined_field_by_field() -> None:
    plain = line("x", "one", key="k")
    approved = plain._replace(approved=digest("one"))
    rejected = plain._replace(rejected="dull", take=2)
    assert settled(plain, approved) == settled(approved, plain) == approved
    assert settled(approved, rejected) == settled(rejected, approved) == approved._replace(rejected="dull")
    assert settled(plain, plain) == plain


def test_same_key_but_two_purchases() -> None:
    one, two = sorted((line("x", "one", key="k"), line("x", "two", key="k")), key=lambda x: x.outputs[0].digest)
    first, second = ("one", "two") if one.outputs[0].digest == digest("one") else ("two", "one")
    for pair in ((one, two), (two, one)):
        assert settled(*pair, disk=second) == two, "the one on disk"
        assert settled(*pair, disk="retouched", hand=(second,)) == two, "else at hand"
        assert settled(*pair, disk=second, hand=(first,)) == two
        assert settled(*pair) == one, "else the smaller"


def test_the_line_with_the_specs_key_wins_else_the_one_on_disk_is_the_old_line() -> None:
    mine, other = line("x", "one", key="k"), line("x", "two", key="old")
    assert settled(mine, other, disk="two") == settled(other, mine, disk="two") == mine
    assert settled(mine, other, key="new", disk="two") == other
    assert settled(mine, other, key="new", disk="one") == mine


def test_git_itself_merges_two_branches(tmp_path: Path) -> None:
    git(tmp_path, "init")
    path = tmp_path / "assets.lock"
    (tmp_path / ".gitattributes").write_text("assets.lock text eol=lf merge=union\n")
    merge(path, {name: line(name) for name in ("a", "b", "c")})
    git(tmp_path, "add", "assets.lock", ".gitattributes")
    git(tmp_path, "commit", "-m", "base")
    git(tmp_path, "checkout", "-q", "-b", "side")
    merge(path, {"a": line("a", "side"), "b": line("b", approved=digest("bytes of b"))})
    git(tmp_path, "commit", "-a", "-m", "side")
    git(tmp_path, "checkout", "-q", "main")
    merge(path, {"c": line("c", "main"), "a": line("a", "main"), "d": line("d")})
    git(tmp_path, "commit", "-a", "-m", "main")
    git(tmp_path, "merge", "side")
    lock = read(path)
    assert list(lock.lines) == ["a", "b", "c", "d"]
    assert {x.outputs[0].digest for x in lock.doubles["a"]} >= {digest("side"), digest("main")}
    assert lock.lines["b"].approved == digest("bytes of b")
    chosen = resolve(lock, spec_key=digest, digest_on_disk=lambda _: digest("main"), at_hand=lambda _: False)
    assert chosen["a"] == line("a", "main")
    merge(path, chosen)
    assert read(path).doubles == {}
    assert read(path).lines == {
        "a": line("a", "main"),
        "b": lock.lines["b"],
        "c": chosen.get("c", lock.lines["c"]),
        "d": line("d"),
    }


def test_merging_other_lines_leaves_doubled_ones_to_whoever_builds_them(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    twice = [render({"a": line("a", text)}).split("\n")[1] for text in ("one", "two")]
    path.write_text("\n".join([GOOD[0], *twice, ""]))
    merge(path, {"b": line("b")})
    assert len(read(path).doubles["a"]) == 2
    merge(path, {"a": line("a", "two")})
    assert read(path) == ({"a": line("a", "two"), "b": line("b")}, {})


# ── rename ──


def test_rename_moves_lines_all_or_none(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    merge(path, {name: line(name) for name in ("poster-de", "poster-ja", "otto")})
    rename(path, {"poster-de": "poster/de", "poster-ja": "poster/ja"})
    assert read(path).lines == {
        "otto": line("otto"),
        "poster/de": line("poster-de", id="poster/de"),
        "poster/ja": line("poster-ja", id="poster/ja"),
    }
    before, said = path.read_text(), []
    for pairs in ({"nobody": "x"}, {"otto": "poster/de"}, {"otto": "x", "poster/de": "x"}):
        with pytest.raises(UsageError) as caught:
            rename(path, pairs)
        said.append(caught.value.render())
    same_words("rename", "\n\n".join(said))
    assert path.read_text() == before
    rename(path, {"poster/de": "poster/ja", "poster/ja": "poster/de"})
    assert read(path).lines["poster/ja"].outputs == line("poster-de").outputs, "two can change places"


def test_ten_thousand_lines_and_an_edit_change_one_line(tmp_path: Path) -> None:
    path = tmp_path / "assets.lock"
    merge(path, {f"poster-{n}": line(f"poster-{n}") for n in range(10_000)})
    before = path.read_text().split("\n")
    merge(path, {"poster-77": line("poster-77", "new")})
    after = path.read_text().split("\n")
    assert len(before) == len(after) == 10_002
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


def test_no_process_is_needed_to_see_it_with_git_diff(tmp_path: Path) -> None:
    # One asset a line, ids first: a reviewer sees which pictures changed.
    git(tmp_path, "init")
    path = tmp_path / "assets.lock"
    merge(path, {name: line(name) for name in ("a", "b")})
    git(tmp_path, "add", "assets.lock")
    merge(path, {"b": line("b", "new")})
    changed = subprocess.run(["git", "-C", str(tmp_path), "diff", "-U0"], capture_output=True, text=True, check=True).stdout
    rows = [row for row in changed.splitlines() if row[:1] in "+-" and row[:3] not in ("+++", "---")]
    assert [row[:10] for row in rows] == ['-{"id":"b"', '+{"id":"b"']


def test_a_choice_among_takes_is_kept_by_a_union() -> None:
    """Several takes, none chosen; chosen; approved with a word; each stands in the line as it is read, and the side that chose wins."""
    undecided = line("poster", take=3, of=3)
    chosen = undecided._replace(chosen=True)
    approved = chosen._replace(approved=undecided.bound, note="Mara: print it")
    for one in (undecided, chosen, approved):
        assert parse(render({"poster": one})).lines["poster"] == one
    assert [one.undecided for one in (undecided, chosen, approved)] == [True, False, False]
    both = [render({"poster": one}).split("\n")[1] for one in (undecided, approved)]
    for lines in (both, both[::-1]):
        found = parse("\n".join([HEADER, *lines, ""]))
        assert found.lines["poster"] == approved
        assert not found.doubles


def test_a_line_without_takes_is_one_of_an_older_release() -> None:
    """Nothing is written of what there was nothing to choose from."""
    text = render({"poster": line("poster")})
    assert '"of":' not in text
    assert '"chosen":' not in text
    assert '"note":' not in text
    assert not parse(text).lines["poster"].undecided


def test_what_an_approval_is_bound_to() -> None:
    """The picture's digest; of a set all of them, however the members are called and ordered; never another picture's."""
    one, two = Output("a.png", "a", "1" * 64, 1), Output("b.png", "b", "2" * 64, 1)
    whole = line("story", outputs=(one, two))
    renamed = line("story", outputs=(two._replace(member="c", path="c.png"), one))
    assert whole.bound == renamed.bound != line("story", outputs=(one,)).bound == "1" * 64
    assert not line("story", outputs=(one, two), approved="1" * 64).is_approved
    assert line("story", outputs=(one, two), approved=whole.bound, of=2).undecided is False


def test_a_choice_made_meanwhile_stays(tmp_path: Path) -> None:
    """A run made its line from one that nobody had chosen; by now somebody chose or approved that picture: theirs stays."""
    path = tmp_path / "assets.lock"
    old = line("poster", of=2)
    for theirs in (old._replace(chosen=True), old._replace(approved=old.bound)):
        path.write_text(render({"poster": theirs}), "utf-8")
        mine = line("poster", "another picture", key="other")
        assert merge(path, {"poster": mine}, {"poster": old}).left == ("poster",)
        assert read(path).lines["poster"] == theirs
