"""What our own tests use of the emulator: one in a thread of the test process, its clients in child processes.

`emulator(...)` gives an `Emulator` (see `assetbuild.testing.emulator`) with tiny pictures and no latency, unless told otherwise:
`.env()`, `.bills`, `.spent`, `.leaks`, `.calls`, `.fault(name)`, `.no_faults()`, `.advance(seconds)`, `.job(id)`, `.pay(credits)`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from assetbuild.testing.emulator import Emulator


@contextlib.contextmanager
def emulator(**options: Any) -> Iterator[Emulator]:
    """One that listens on a free port, until the end of the block."""
    with Emulator(**{"pictures": "tiny", **options}) as running:
        yield running
