"""One process makes one key at a time; a process that dies, however, frees what it claimed."""

from __future__ import annotations

import signal
from collections import Counter
from pathlib import Path

from assetbuild.store import Store
from assetbuild.store.claims import Claims

from .storing import digest, run, start

KEY, OTHER = digest("poster"), digest("sticker")

HOLD = """
import sys
from pathlib import Path
from assetbuild.store.claims import Claims
from assetbuild.store import Store
store = Store.open(Path(sys.argv[1]))
claims = Claims(store)
print(claims.claim(sys.argv[2]), flush=True)
sys.stdin.readline()
"""


def said(child: object) -> str:
    return str(child.stdout.readline()).strip()  # type: ignore[attr-defined]


def test_a_claim_is_taken_once_and_can_be_given_back(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store, Store.open(tmp_path) as second:
        ours, theirs = Claims(store), Claims(second)
        assert ours.holder(KEY) is None
        assert ours.claim(KEY)
        assert not ours.claim(KEY), "also not twice by the same process"
        assert not theirs.claim(KEY)
        assert isinstance(theirs.holder(KEY), int)
        assert theirs.claim_all([KEY, OTHER, OTHER]) == {OTHER}
        theirs.release(KEY)
        assert not theirs.claim(KEY), "what isn't ours can't be released"
        ours.release(KEY)
        assert theirs.claim(KEY)
        theirs.close()
        assert ours.claim_all([KEY, OTHER]) == {KEY, OTHER}


def test_disjoint_builds_dont_wait_and_a_killed_one_is_taken_over(tmp_path: Path) -> None:
    child = start(HOLD, tmp_path, KEY)
    assert said(child) == "True"
    with Store.open(tmp_path) as store:
        claims = Claims(store)
        assert claims.claim(OTHER)
        assert not claims.claim(KEY)
        assert claims.holder(KEY) == child.pid
        assert store.others() == [child.pid]
        child.send_signal(signal.SIGSTOP)
        assert not claims.claim(KEY), "a process that stands still is alive"
        child.send_signal(signal.SIGKILL)
        child.communicate()
        assert claims.holder(KEY) is None
        assert claims.claim(KEY)
        assert store.others() == []
        again = start(HOLD, tmp_path, KEY)
        assert said(again) == "False"
        again.communicate("\n", timeout=30)
    Store.open(tmp_path).close()
    assert list((tmp_path / "claims").iterdir()) == [], "the next run sweeps what dead ones left"


def test_a_claim_ends_with_its_owner_even_if_a_forked_child_lives_on(tmp_path: Path) -> None:
    parent = start(
        """
        import os, sys, time
        from pathlib import Path
        from assetbuild.store.claims import Claims
        from assetbuild.store import Store
        claims = Claims(Store.open(Path(sys.argv[1])))
        claims.claim(sys.argv[2])
        child = os.fork()
        if not child:
            print(os.getpid(), flush=True)  # said here: only now has the child let go of what it inherited
            time.sleep(30)
            os._exit(0)
        sys.stdin.readline()
        """,
        tmp_path,
        KEY,
    )
    import os

    child = int(said(parent))
    try:
        with Store.open(tmp_path) as store:
            claims = Claims(store)
            assert not claims.claim(KEY)
            parent.kill()
            parent.wait()
            assert claims.claim(KEY)
    finally:
        os.kill(child, signal.SIGKILL)
        parent.communicate()


def test_a_forked_child_claims_for_itself(tmp_path: Path) -> None:
    done = run(
        """
        import os, sys
        from pathlib import Path
        from assetbuild.store.claims import Claims
        from assetbuild.store import Store
        store = Store.open(Path(sys.argv[1]))
        claims = Claims(store)
        assert claims.claim("a" * 64)
        child = os.fork()
        if not child:
            ok = not claims.claim("a" * 64) and claims.claim("b" * 64)
            print(ok, claims.holder("a" * 64) == os.getppid(), claims.holder("b" * 64) == os.getpid(), flush=True)
            store.close()
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        print(claims.holder("a" * 64) == os.getpid(), claims.claim("b" * 64), flush=True)
        """,
        tmp_path,
    )
    assert done.stdout.split() == ["True"] * 5, done.stderr


def test_eight_processes_race_for_the_same_keys(tmp_path: Path) -> None:
    code = """
        import hashlib, os, sys
        from pathlib import Path
        from assetbuild.store.claims import Claims
        from assetbuild.store import Store
        print("ready", flush=True)
        sys.stdin.readline()
        claims = Claims(Store.open(Path(sys.argv[1])))
        for n in range(30):
            key = hashlib.sha256(str(n).encode()).hexdigest()
            if claims.claim(key):
                print(key, flush=True)
        print("done", flush=True)
        sys.stdin.readline()
        os._exit(9)
    """
    dead = start(HOLD, tmp_path, digest("0"))
    assert said(dead) == "True"
    dead.kill()
    dead.communicate()
    children = [start(code, tmp_path) for _ in range(8)]
    for child in children:
        assert said(child) == "ready"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    got: Counter[str] = Counter()
    for child in children:
        while (word := said(child)) != "done":
            assert word, child.stderr and child.stderr.read()
            got[word] += 1
    for child in children:
        child.communicate("\n", timeout=30)
    assert got == Counter(digest(str(n)) for n in range(30)), "each key once, the dead process's too"
    with Store.open(tmp_path) as store:
        assert len(Claims(store).claim_all(got)) == 30
