"""Nothing that any branch, stash, worktree or profile names is deleted; what goes is listed with its price first."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assetbuild import lockfile
from assetbuild.errors import StoreError
from assetbuild.store import Store, store_root
from assetbuild.store.gc import gc

from .storing import digest, kept, line, same_words, start
from .test_files import git
from .test_store import send


@pytest.fixture
def project(tmp_path: Path) -> Path:
    project = tmp_path / "fika"
    project.mkdir()
    git(project, "init")
    return project


def buy(project: Path, *names: str) -> None:
    """Each name is a picture that was bought."""
    with Store.open(store_root(project, spec_store=None, environ={})) as store:
        store.record([kept(store, name, name.encode()) for name in names])
        store.register_tree(str(project), ["assets.lock"])


def lock(path: Path, *names: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(lockfile.render({name: line(name, name) for name in names}))


def swept(project: Path, *, delete: bool = True) -> list[str]:
    with Store.open(store_root(project, spec_store=None, environ={})) as store:
        before = store.stats()
        garbage = gc(store, delete=delete)
        after = store.stats()
        assert after == (before if not delete else after)
        assert garbage.size == sum(store.cas.size(d) or 0 for d in garbage.blobs) or delete
        if delete:
            assert (after.blobs, after.results) == (before.blobs - len(garbage.blobs), before.results - len(garbage.takes))
            assert not any(store.cas.has(d) for d in garbage.blobs)
        assert garbage.cost == 40_000 * len(garbage.takes)
        return sorted(take.key for take in garbage.takes)


def keys(*names: str) -> list[str]:
    return sorted(map(digest, names))


def test_everything_that_git_can_bring_back_stays(project: Path) -> None:
    everywhere = [
        "main",
        "branch",
        "tag",
        "stash",
        "stash-index",
        "old-stash",
        "index",
        "working",
        "worktree",
        "other-worktree-index",
        "profile",
    ]
    buy(project, *everywhere, "nobody", "old commit")
    path = project / "assets.lock"

    def commit(name: str) -> None:
        lock(path, name)
        git(project, "add", "assets.lock")
        git(project, "commit", "-m", name)

    commit("old commit")
    commit("main")
    git(project, "checkout", "-q", "-b", "side")
    commit("branch")
    git(project, "checkout", "-q", "-b", "away")
    (project / "moved").mkdir()
    git(project, "mv", "assets.lock", "moved/assets.lock")  # a project can have lain elsewhere
    lock(project / "moved" / "assets.lock", "tag")
    git(project, "commit", "-a", "-m", "tag")
    git(project, "tag", "-a", "v1", "-m", "v1")
    git(project, "checkout", "-q", "main")
    git(project, "branch", "-D", "away")
    for name in ("old-stash", "stash"):
        lock(path, f"{name}-index" if name == "stash" else name)
        git(project, "add", "assets.lock")
        lock(path, name)
        git(project, "stash")
    tree = project.parent / "tree"
    git(project, "worktree", "add", str(tree), "side")
    lock(tree / "assets.lock", "other-worktree-index")
    git(tree, "add", "assets.lock")
    lock(tree / "assets.lock", "worktree")
    lock(path, "index")
    git(project, "add", "assets.lock")
    lock(path, "working")
    lock(project / ".assetbuild" / "draft" / "assets.lock", "profile")
    (project / "Cargo.lock").write_text(digest("nobody"))

    assert swept(project, delete=False) == keys("nobody", "old commit")
    assert swept(project) == keys("nobody", "old commit")
    assert swept(project) == []


def test_a_line_that_cant_be_parsed_still_names_its_picture(project: Path) -> None:
    buy(project, "ours", "theirs", "nobody")
    text = lockfile.render({"a": line("a", "ours")}) + "<<<<<<< HEAD\n" + lockfile.render({"a": line("a", "theirs")})[:-40]
    (project / "assets.lock").write_text(text)
    assert swept(project) == keys("nobody")


def test_inputs_and_replaced_files_go_too_but_not_those_of_an_open_job(project: Path) -> None:
    buy(project, "poster")
    lock(project / "assets.lock", "poster")
    with Store.open(store_root(project, spec_store=None, environ={})) as store:
        loose, needed, landed = (store.cas.put(text, durable=False) for text in (b"loose", b"needed", b"landed"))
        send(store, digest("open"), inputs=f'["{needed}"]', landed=f'{{"bean": "{landed}"}}')
        assert gc(store, delete=True).blobs == (loose,)
        assert store.cas.has(needed)
        assert store.cas.has(landed)


def test_a_set_is_kept_whole_if_any_member_is_named(project: Path) -> None:
    buy(project, "bean")
    lock(project / "assets.lock", "bean")
    with Store.open(store_root(project, spec_store=None, environ={})) as store:
        take = kept(store, "story", b"bean", member="bean")
        roast = kept(store, "story", b"roast", member="roast").blobs
        store.record([take._replace(blobs=(*take.blobs, *roast))])
        assert gc(store, delete=True).blobs == ()
        assert store.cas.has(digest("roast"))


def test_a_project_that_cant_be_read_stops_it(project: Path) -> None:
    buy(project, "poster")
    moved = project.with_name("moved")
    with Store.open(project.parent / "shared") as store:
        store.record([kept(store, "poster", b"poster")])
        store.register_tree(str(project), ["assets.lock"])
        project.rename(moved)
        for delete in (False, True):
            with pytest.raises(StoreError) as caught:
                gc(store, delete=delete)
        same_words("gc-unreadable", caught.value, (project.parent, "DISK"))
        assert store.cas.has(digest("poster"))
        assert store.forget_tree(str(project))
        assert len(gc(store, delete=True).takes) == 1


def test_a_worktree_that_isnt_mounted_stops_it(project: Path) -> None:
    buy(project, "poster")
    git(project, "commit", "--allow-empty", "-m", "x")
    git(project, "worktree", "add", str(project.parent / "tree"))
    shutil.rmtree(project.parent / "tree")
    with pytest.raises(StoreError) as caught:
        swept(project)
    same_words("gc-worktree", caught.value, (project.parent, "DISK"))
    git(project, "worktree", "prune")
    assert swept(project) == keys("poster")


def test_a_lockfile_that_is_only_a_pointer_stops_it(project: Path) -> None:
    buy(project, "poster")
    (project / "assets.lock").write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest('x')}\nsize 9\n")
    with pytest.raises(StoreError, match="Git LFS pointer"):
        swept(project)


def test_it_waits_for_nobody_and_deletes_nothing_under_another_run(project: Path) -> None:
    buy(project, "poster")
    root = store_root(project, spec_store=None, environ={})
    child = start(
        "import sys; from pathlib import Path; from assetbuild.store import Store; s = Store.open(Path(sys.argv[1]));"
        "print('ready', flush=True); sys.stdin.readline()",
        root,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    assert swept(project, delete=False) == keys("poster")
    with pytest.raises(StoreError) as caught:
        swept(project)
    same_words("gc-in-use", caught.value, (str(child.pid), "PID"))
    child.communicate("\n", timeout=30)
    assert swept(project) == keys("poster")


def test_a_kill_in_the_middle_leaves_no_row_without_its_blob(project: Path) -> None:
    from .storing import die_at

    code = """
        from pathlib import Path
        from assetbuild.store.gc import gc
        from assetbuild.store import Store
        store = Store.open(Path(sys.argv[3]))
        arm()
        gc(store, delete=True)
    """
    step, died = 1, True
    while died:
        buy(project, "poster", "sticker", "card")
        died = die_at(step, "before", code, store_root(project, spec_store=None, environ={}))
        with Store.open(store_root(project, spec_store=None, environ={})) as store:
            assert store.verify().missing == ()
        step += 1
    assert swept(project) == []
