"""Where a store is, and that it moves with all it has."""

from __future__ import annotations

import subprocess
from pathlib import Path

from assetbuild.store import Store, Written, store_root
from assetbuild.store.journal import open_jobs

from .storing import digest, kept, send, start

KEY = digest("poster")


def _repository(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def test_where_the_store_is(tmp_path: Path) -> None:
    plain, top = tmp_path / "plain", _repository(tmp_path / "repo")
    inner = top / "design"
    inner.mkdir()
    assert store_root(plain, spec_store=None, environ={}) == plain / ".assetbuild" / "store"
    assert store_root(inner, spec_store=None, environ={}) == top / ".git" / "assetbuild" / "v1"
    assert store_root(inner, spec_store="../shared", environ={"ASSETBUILD_STORE": ""}) == top / "shared"
    assert store_root(inner, spec_store="../shared", environ={"ASSETBUILD_STORE": "/mnt/store"}) == Path("/mnt/store")
    assert store_root(inner, spec_store="~/pictures", environ={}) == Path.home() / "pictures"
    assert not (top / ".git" / "assetbuild").exists(), "asking makes nothing"


def _bought(project: Path, content: bytes = b"bought") -> Path:
    root = store_root(project, spec_store=None, environ={})
    with Store.open(root) as store:
        store.record([kept(store, "poster", content)], [Written(str(project), "a.png", digest(content), KEY)])
        store.register_tree(str(project), ["assets.lock"])
        send(store, KEY, remote_id=content.decode(), intent_at=float(len(content)))
    return root


def test_the_store_moves_into_git_with_all_it_has(tmp_path: Path) -> None:
    project = tmp_path / "fika"
    project.mkdir()
    old = _bought(project)
    assert old == project / ".assetbuild" / "store"
    _repository(project)
    new = store_root(project, spec_store=None, environ={})
    assert new == project / ".git" / "assetbuild" / "v1"
    assert not (old / "store.db").exists()
    with Store.open(new) as store:
        assert [t.blobs[0].digest for t in store.takes(KEY)] == [digest("bought")]
        assert store.cas.read(digest("bought")) == b"bought"
        assert store.written(str(project)) == {"a.png": digest("bought")}
        assert list(store.trees()) == [str(project)]
        assert [job.remote_id for job in open_jobs(store.database.db())] == ["bought"]
    assert store_root(project, spec_store=None, environ={}) == new


def test_two_projects_stores_become_one_and_no_debt_is_lost(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for project, content in ((one, b"bought"), (two, b"bought too")):
        project.mkdir()
        _bought(project, content)
    _repository(tmp_path)
    roots = {store_root(project, spec_store=None, environ={}) for project in (one, two)}
    assert roots == {tmp_path / ".git" / "assetbuild" / "v1"}
    with Store.open(roots.pop()) as store:
        assert [(t.take, t.blobs[0].digest) for t in store.takes(KEY)] == [(1, digest("bought")), (2, digest("bought too"))]
        assert [(job.attempt, job.remote_id) for job in open_jobs(store.database.db())] == [(1, "bought"), (2, "bought too")]
        assert list(store.trees()) == [str(one), str(two)]


def test_a_store_in_use_isnt_moved_under_its_user(tmp_path: Path) -> None:
    old = _bought(tmp_path)
    child = start(
        "import sys; from pathlib import Path; from assetbuild.store import Store; s = Store.open(Path(sys.argv[1]));"
        "print('ready', flush=True); sys.stdin.readline()",
        old,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    _repository(tmp_path)
    assert store_root(tmp_path, spec_store=None, environ={}) == old
    child.kill()  # and a run that was killed is no user
    child.communicate()
    assert store_root(tmp_path, spec_store=None, environ={}) == tmp_path / ".git" / "assetbuild" / "v1"


def test_a_kill_while_moving_loses_nothing(tmp_path: Path) -> None:
    from .storing import die_at

    code = """
        import shutil
        from pathlib import Path
        from assetbuild.store import Store, store_root
        import assetbuild.store.moving
        arm()
        store_root(Path(sys.argv[3]), spec_store=None, environ={})
    """
    step = 1
    while True:
        project = tmp_path / str(step)
        project.mkdir()
        _bought(project)
        _repository(project)
        died = die_at(step, "half", code, project)
        with Store.open(store_root(project, spec_store=None, environ={})) as store:
            assert store.root == project / ".git" / "assetbuild" / "v1"
            assert [t.take for t in store.takes(KEY)] == [1]
            assert store.cas.read(digest("bought")) == b"bought"
            assert [job.attempt for job in open_jobs(store.database.db())] == [1]
        if not died:
            break
        step += 3
    assert step > 15
