"""Runs one command once and prints its wall seconds, peak resident KiB and exit status. Knows nothing of what it runs.

A process of its own, without site packages: a child's peak counts the memory of the process that started it until its exec, so
that one has to be small. Usage: python -I -S stopwatch.py COMMAND…
"""

import os
import sys
import time

null = os.open(os.devnull, os.O_RDWR)
quiet = [(os.POSIX_SPAWN_DUP2, null, 1), (os.POSIX_SPAWN_DUP2, null, 2)]
began = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=quiet)
_, status, used = os.wait4(child, 0)
print(time.perf_counter() - began, used.ru_maxrss, os.waitstatus_to_exitcode(status))
