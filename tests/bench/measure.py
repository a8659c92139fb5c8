"""Times programs in turns and prints them as ratios. Knows commands, not what they do."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

STOPWATCH = str(Path(__file__).with_name("stopwatch.py"))


class Contender(NamedTuple):
    """A program to time: its command, and what has to be done before each run (None: nothing)."""

    command: Sequence[str]
    before: Callable[[], object] | None = None


class Took(NamedTuple):
    """Medians over the runs: wall seconds, and the highest peak of resident MiB."""

    seconds: float
    peak: float


def in_turns(
    contenders: Mapping[str, Contender], *, cwd: Path, runs: int, environ: Mapping[str, str] | None = None
) -> dict[str, Took]:
    """Each contender once uncounted, then `runs` rounds in turn, so that a busy moment of the machine hits them all. Raises
    SystemExit when one fails."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    peaks: dict[str, float] = dict.fromkeys(contenders, 0.0)
    for round_ in range(runs + 1):
        for name, contender in contenders.items():
            if contender.before is not None:
                contender.before()
            watch = [sys.executable, "-I", "-S", STOPWATCH, *contender.command]
            said = subprocess.run(watch, cwd=cwd, env=environ, capture_output=True, text=True, check=True).stdout
            took, peak, code = said.split()
            if code != "0":
                raise SystemExit(f"{name}: {' '.join(contender.command)} ended with {code} in {cwd}")
            if round_:
                seconds[name].append(float(took))
                peaks[name] = max(peaks[name], int(peak) / 1024)
    return {name: Took(median(values), peaks[name]) for name, values in seconds.items()}


def table(took: Mapping[str, Took], *, against: str) -> str:
    """Lines of name, ratio to `against`, milliseconds and peak MiB."""
    unit = took[against].seconds
    width = max(map(len, took))
    return "\n".join(
        f"  {name:<{width}}  {one.seconds / unit:7.2f} x  {one.seconds * 1000:9.1f} ms  {one.peak:7.1f} MiB"
        for name, one in took.items()
    )


def machine() -> str:
    """What the ratios were measured on, in one line."""
    try:
        model = next(
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        )
    except (OSError, StopIteration):
        model = platform.processor() or platform.machine()
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}{load}"
