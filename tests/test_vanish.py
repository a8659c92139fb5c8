"""A cache that may vanish does so without a word, and one that somebody prepared runs no code and touches no file outside it."""

from __future__ import annotations

import pickle
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from assetbuild.vanish import LIMIT, Vanishing

BIG = "ü" * 200_000


def rows(folder: Path, sql: str, *values: object) -> list[Any]:
    db = sqlite3.connect(folder / "cache.db", isolation_level=None)
    try:
        return db.execute(sql, values).fetchall()
    finally:
        db.close()


def filled(folder: Path) -> Vanishing:
    cache = Vanishing(folder)
    cache.put("spec", "one", '{"accepted": true}')
    cache.put("thumbnail", "one", b"\x89PNG")
    cache.put("spec", "big", BIG)
    cache.put("thumbnail", "big", BIG.encode())
    return cache


def test_texts_and_bytes_come_back(tmp_path: Path) -> None:
    filled(tmp_path / "cache").close()
    cache = Vanishing(tmp_path / "cache")
    assert cache.get("spec", "one") == '{"accepted": true}'
    assert cache.get("thumbnail", "one") == b"\x89PNG"
    assert cache.get("spec", "big") == BIG
    assert cache.get("thumbnail", "big") == BIG.encode()
    assert cache.get("thumbnail", "two") is None
    cache.put("spec", "one", "newer")
    assert cache.get("spec", "one") == "newer"
    assert (tmp_path / "cache" / "cache.db").exists()


def test_looking_makes_nothing(tmp_path: Path) -> None:
    assert Vanishing(tmp_path / "cache").get("spec", "one") is None
    assert list(tmp_path.iterdir()) == []


def test_size_and_eviction_are_set_at_every_open(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    filled(folder).close()
    rows(folder, "UPDATE Settings SET value = 1 WHERE key = 'size_limit'")
    rows(folder, "UPDATE Settings SET value = 'none' WHERE key = 'eviction_policy'")
    rows(folder, "UPDATE Settings SET value = 9 WHERE key = 'cull_limit'")
    cache = Vanishing(folder)
    assert cache.get("spec", "big") == BIG
    cache.put("spec", "more", "x")
    cache.close()
    settings = dict(rows(folder, "SELECT key, value FROM Settings"))
    assert (settings["size_limit"], settings["eviction_policy"], settings["cull_limit"]) == (LIMIT, "least-recently-stored", 10)


def test_everything_may_be_deleted_at_any_time(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = filled(folder)
    for file in folder.rglob("*.val"):
        file.unlink()
    assert cache.get("spec", "big") is None
    assert cache.get("spec", "one") == '{"accepted": true}'
    cache.close()
    for file in folder.glob("cache.db*"):
        file.unlink()
    cache = Vanishing(folder)
    assert cache.get("spec", "one") is None
    cache.put("spec", "one", "again")
    assert cache.get("spec", "one") == "again"


@pytest.mark.parametrize("content", [b"", b"garbage" * 1000])
def test_a_broken_cache_is_dropped_and_made_anew(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "cache"
    filled(folder).close()
    (folder / "mine.txt").write_text("not the cache's")
    (folder / "cache.db").write_bytes(content)
    cache = Vanishing(folder)
    assert cache.get("spec", "one") is None
    cache.put("spec", "one", "new")
    assert cache.get("spec", "one") == "new"
    assert (folder / "mine.txt").exists(), "nothing else in the folder is touched"


def test_a_disk_that_refuses_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    cache = Vanishing(tmp_path / "cache")
    cache.put("spec", "one", "x")
    assert cache.get("spec", "one") is None
    assert (tmp_path / "cache").read_text() == "a file"
    odd = Vanishing(tmp_path / "other")
    odd.put("spec", "one", "\ud800")
    odd.put("spec", "two", 3)  # type: ignore[arg-type]
    odd.put("spec", "three", {"a": 1})  # type: ignore[arg-type]
    assert [odd.get("spec", key) for key in ("one", "two", "three")] == [None] * 3
    odd.put("spec", "one", "fine")
    assert odd.get("spec", "one") == "fine"


class Bomb:
    """What a pickle can do."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


KEY = "spec\0one"


@pytest.mark.parametrize("where", ["value", "file", "key"])
def test_a_prepared_pickle_isnt_loaded(tmp_path: Path, where: str) -> None:
    folder, trace = tmp_path / "cache", tmp_path / "executed"
    filled(folder).close()
    bomb = pickle.dumps(Bomb(trace))
    pickle.loads(bomb)  # noqa: S301 - our own
    assert trace.exists(), "the bomb does work"
    trace.unlink()
    if where == "value":
        rows(folder, "UPDATE Cache SET mode = 4, value = ? WHERE key = ?", bomb, KEY)
    elif where == "file":
        (folder / "ab" / "cd").mkdir(parents=True, exist_ok=True)
        (folder / "ab" / "cd" / ("0" * 28 + ".val")).write_bytes(bomb)
        rows(folder, "UPDATE Cache SET mode = 4, filename = ?, value = NULL WHERE key = ?", f"ab/cd/{'0' * 28}.val", KEY)
    else:
        rows(folder, "INSERT INTO Cache (key, raw, store_time, mode, value) VALUES (?, 0, 0, 1, 'x')", bomb)
    cache = Vanishing(folder)
    cache.get("spec", "one")
    cache.put("spec", "one", "mine")
    assert cache.get("spec", "one") == "mine"
    assert not trace.exists()


@pytest.mark.parametrize("name", ["../secret.val", "../../secret.val", "ab/cd/../../../secret.val", "/etc/hostname", "cache.db"])
def test_a_prepared_path_isnt_read_or_deleted(tmp_path: Path, name: str) -> None:
    folder, secret = tmp_path / "cache", tmp_path / "secret.val"
    secret.write_text("secret")
    for act in ("get", "put"):
        filled(folder).close()
        rows(folder, "UPDATE Cache SET mode = 3, filename = ?, value = NULL WHERE key = ?", name, KEY)
        cache = Vanishing(folder)
        if act == "get":
            assert cache.get("spec", "one") is None
        cache.put("spec", "one", "mine")
        cache.put("spec", "one", "mine")
        assert cache.get("spec", "one") == "mine"
        assert secret.read_text() == "secret"
        cache.close()


def test_links_lead_nowhere(tmp_path: Path) -> None:
    folder, secret = tmp_path / "project" / ".assetbuild" / "cache", tmp_path / "outside"
    (secret / "cd").mkdir(parents=True)
    (secret / "cd" / ("0" * 28 + ".val")).write_text("secret")
    filled(folder).close()
    free = next(name for name in ("aa", "ab", "ac") if not (folder / name).exists())  # diskcache's own names are random
    (folder / free).symlink_to(secret)
    rows(folder, "UPDATE Cache SET mode = 3, filename = ?, value = NULL WHERE key = ?", f"{free}/cd/{'0' * 28}.val", KEY)
    cache = Vanishing(folder)
    assert cache.get("spec", "one") is None
    cache.close()
    assert (secret / "cd" / ("0" * 28 + ".val")).exists()
    # The folder itself, the one above, or the database is a link.
    (tmp_path / "link").symlink_to(secret)
    for place in (tmp_path / "link", tmp_path / "link" / "cache"):
        linked = Vanishing(place)
        linked.put("spec", "one", "x")
        assert linked.get("spec", "one") is None
    filled(tmp_path / "theirs").close()
    before = (tmp_path / "theirs" / "cache.db").read_bytes()
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "cache.db").symlink_to(tmp_path / "theirs" / "cache.db")
    linked = Vanishing(tmp_path / "c")
    linked.put("spec", "one", "x")
    linked.put("spec", "one", "y")
    assert linked.get("spec", "one") == "y"
    assert (tmp_path / "theirs" / "cache.db").read_bytes() == before
    assert sorted(f.name for f in secret.iterdir()) == ["cd"]


@pytest.mark.parametrize(
    "prepared",
    [
        "INSERT INTO Settings VALUES ('sqlite_temp_store_directory', '/tmp')",
        "INSERT INTO Settings VALUES ('disk_directory', '/etc')",
        "UPDATE Settings SET value = 'wal; DROP TABLE Cache' WHERE key = 'sqlite_journal_mode'",
        "CREATE TRIGGER theirs AFTER INSERT ON Cache BEGIN DELETE FROM Cache; END",
        "CREATE VIEW theirs AS SELECT 1",
        "CREATE TABLE theirs (x)",
    ],
)
def test_prepared_settings_and_triggers_drop_the_cache(tmp_path: Path, prepared: str) -> None:
    folder = tmp_path / "cache"
    filled(folder).close()
    rows(folder, prepared)
    cache = Vanishing(folder)
    assert cache.get("spec", "one") is None
    cache.put("spec", "one", "mine")
    assert cache.get("spec", "one") == "mine"
    cache.close()
    assert rows(folder, "SELECT count(*) FROM Settings WHERE key IN ('sqlite_temp_store_directory', 'disk_directory')") == [(0,)]
    assert rows(folder, "SELECT count(*) FROM sqlite_master WHERE name = 'theirs'") == [(0,)]


def test_a_dollar_in_the_path_isnt_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ELSEWHERE", str(tmp_path / "elsewhere"))
    cache = filled(tmp_path / "$ELSEWHERE" / "cache")
    assert cache.get("spec", "one") is None
    assert list(tmp_path.iterdir()) == []
