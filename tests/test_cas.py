"""A blob is what its name says or isn't served; nothing that was bought is lost by a kill, a full disk or a bad sector."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assetbuild.errors import StoreError
from assetbuild.store.cas import Cas, CorruptBlob

from .storing import die_at, digest, same_words, start

PICTURE = b"\x89PNG one" * 3000


def damage(cas: Cas, name: str, content: bytes) -> None:
    cas.path(name).chmod(0o644)
    cas.path(name).write_bytes(content)


def test_put_read_and_copy_out(tmp_path: Path) -> None:
    cas = Cas(tmp_path / "cas")
    name = cas.put(PICTURE, durable=True)
    assert name == digest(PICTURE)
    assert cas.path(name) == tmp_path / "cas" / name[:2] / name[2:]
    assert cas.path(name).stat().st_mode & 0o333 == 0, "nobody writes a blob"
    assert (cas.has(name), cas.intact(name), cas.read(name), cas.size(name)) == (True, True, PICTURE, len(PICTURE))
    cas.copy_out(name, tmp_path / "art" / "a.png", durable=False)
    assert (tmp_path / "art" / "a.png").read_bytes() == PICTURE
    assert (tmp_path / "art" / "a.png").stat().st_mode & 0o200
    assert list(cas.digests()) == [name]
    assert cas.leftovers() == []


def test_nothing_but_a_digest_is_a_name(tmp_path: Path) -> None:
    cas = Cas(tmp_path / "cas")
    for name in ("", "../../../etc/passwd", "a" * 63, "A" * 64, "a" * 64 + "\n"):
        with pytest.raises(ValueError, match="not a digest"):
            cas.path(name)


def test_an_empty_cas_makes_no_folders(tmp_path: Path) -> None:
    cas = Cas(tmp_path / "cas")
    assert (cas.has("a" * 64), cas.intact("a" * 64), list(cas.digests()), cas.leftovers()) == (False, False, [], [])
    with pytest.raises(CorruptBlob) as caught:
        cas.read("a" * 64)
    assert caught.value.missing
    same_words("blob-missing", caught.value)
    assert not (tmp_path / "cas").exists()


@pytest.mark.parametrize("content", [b"", PICTURE[:100], b"x" + PICTURE[1:]], ids=["empty", "cut off", "altered"])
def test_a_damaged_blob_is_never_served_and_a_put_repairs_it(tmp_path: Path, content: bytes) -> None:
    cas, target = Cas(tmp_path / "cas"), tmp_path / "a.png"
    name = cas.put(PICTURE, durable=False)
    target.write_bytes(b"old")
    for ask in (lambda: cas.read(name), lambda: cas.copy_out(name, target, durable=False)):
        damage(cas, name, content)
        with pytest.raises(CorruptBlob) as caught:
            ask()
        assert not caught.value.missing
        assert not cas.has(name)
        assert target.read_bytes() == b"old"
        assert cas.put(PICTURE, durable=True) == name
        assert cas.intact(name)
    same_words("blob-damaged", caught.value)
    damage(cas, name, content)
    assert not cas.intact(name)
    cas.put(PICTURE, durable=False)
    damage(cas, name, content)
    assert cas.put(PICTURE, durable=False) == name, "a put alone repairs it, without a look before"
    assert cas.read(name) == PICTURE
    damage(cas, name, content)
    (tmp_path / "b.png").write_bytes(PICTURE)
    cas.put_file(tmp_path / "b.png", durable=False)
    assert cas.read(name) == PICTURE
    assert len(list((tmp_path / "cas" / "corrupt").iterdir())) == 5, "what was damaged is kept aside"
    assert [f.name for f in tmp_path.glob("*.tmp")] == []


def test_a_good_blob_that_another_process_just_repaired_is_put_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cas = Cas(tmp_path / "cas")
    name = cas.put(PICTURE, durable=False)
    damage(cas, name, b"bad")
    real = os.replace

    def repaired_meanwhile(source: Path, target: Path) -> None:
        if Path(target).parent.name == "corrupt":
            monkeypatch.setattr(os, "replace", real)
            damage(cas, name, PICTURE)
        real(source, target)

    monkeypatch.setattr(os, "replace", repaired_meanwhile)
    assert cas.intact(name)
    assert cas.read(name) == PICTURE


def test_a_file_that_changes_under_us_is_kept_under_the_digest_of_what_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cas, file = Cas(tmp_path / "cas"), tmp_path / "in.png"
    file.write_bytes(PICTURE)
    from assetbuild.store import cas as room

    def changed_meanwhile(path: Path) -> tuple[str, int]:
        found = real(path)
        file.write_bytes(b"changed")
        return found

    real = room.sha256_file
    monkeypatch.setattr(room, "sha256_file", changed_meanwhile)
    name = cas.put_file(file, durable=False)
    monkeypatch.undo()
    assert name == digest(b"changed")
    assert cas.read(name) == b"changed"


def test_a_draft_that_is_bought_later_is_synced_then(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cas = Cas(tmp_path / "cas")
    synced: list[int] = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(os.fstat(fd).st_ino), real(fd))[1])
    name = cas.put(PICTURE, durable=False)
    assert synced == []
    cas.put(PICTURE, durable=True)
    assert cas.path(name).stat().st_ino in synced


@pytest.mark.parametrize("half", ["before", "half"])
def test_a_kill_at_any_step_of_a_put_leaves_nothing_or_the_whole_blob(tmp_path: Path, half: str) -> None:
    code = """
        from pathlib import Path
        from assetbuild.store.cas import Cas
        cas = Cas(Path(sys.argv[3]))
        arm()
        cas.put(b"\\x89PNG one" * 3000, durable=True)
    """
    step = 1
    while die_at(step, half, code, tmp_path / str(step)):
        cas = Cas(tmp_path / str(step))
        found = list(cas.digests())
        assert found in ([], [digest(PICTURE)])
        assert all(cas.intact(name) for name in found)
        assert cas.put(PICTURE, durable=True) == digest(PICTURE)
        assert cas.read(digest(PICTURE)) == PICTURE
        assert not (cas.root / "corrupt").exists()
        step += 1
    assert step >= 10


def test_a_full_disk_says_so_and_keeps_what_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cas = Cas(tmp_path / "cas")
    first = cas.put(b"first", durable=True)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(StoreError, match="the disk is full"):
        cas.put(PICTURE, durable=True)
    (tmp_path / "in").write_bytes(PICTURE)
    with pytest.raises(StoreError, match="the disk is full"):
        cas.put_file(tmp_path / "in", durable=True)
    with pytest.raises(StoreError, match="the disk is full"):
        cas.copy_out(first, tmp_path / "out", durable=False)
    monkeypatch.undo()
    assert list(cas.digests()) == [first]
    assert cas.leftovers() == []
    assert not (tmp_path / "out").exists()


def test_eight_processes_put_the_same_pictures(tmp_path: Path) -> None:
    code = """
        import sys
        from pathlib import Path
        from assetbuild.store.cas import Cas
        cas = Cas(Path(sys.argv[1]))
        print("ready", flush=True)
        sys.stdin.readline()
        for n in range(40):
            cas.put(b"picture %d " % n * 500, durable=False)
    """
    children = [start(code, tmp_path / "cas") for _ in range(8)]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        _, errors = child.communicate(timeout=60)
        assert child.returncode == 0, errors
    cas = Cas(tmp_path / "cas")
    assert len(list(cas.digests())) == 40
    assert all(cas.intact(name) for name in cas.digests())
    assert cas.leftovers() == []
