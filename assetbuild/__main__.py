"""The command `assetbuild`. Answers `assetbuild build` by itself when nothing has changed since the last one; all else is
`cli`'s.

Knows one file, the stamp table, and no spec: nothing is imported here that Python hasn't loaded already, since imports are what a
start costs. Whatever is unusual, an option, a damaged table, an exception, is left to the command line proper, which looks at
everything.
"""

import os
import sys
import time

SPEC = "assets.yaml"
BROKEN_PIPE = 141  # what a shell reports for SIGPIPE


def main() -> int:
    """Run the command line of this process. Returns its exit code (DESIGN §3)."""
    try:
        if nothing_to_do(sys.argv[1:]):
            return 0
    except KeyboardInterrupt:
        return 130
    except Exception:  # noqa: S110 - any doubt means: look properly
        pass
    try:
        from .cli import main as command_line  # click and the rest

        return command_line()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output left (`| head`)
        return BROKEN_PIPE
    finally:
        _close_output()


def nothing_to_do(arguments: list[str]) -> bool:
    """Whether these arguments are a plain `build` whose every file is as the last build left it; if so, its closing line is
    printed."""
    began = time.perf_counter()
    if not arguments or arguments[0] != "build":
        return False
    plain, profile = _options(arguments[1:])
    above = _way_up()
    if not plain or above is None:
        return False
    from . import __version__, stamptable

    expected = stamptable.header(tool=__version__, profile=profile, spec=SPEC, environ=os.environ)
    try:
        summary = stamptable.unchanged(stamptable.table_path(above, profile), os.fsencode(above), expected)
    except stamptable.Changed:
        return False
    try:
        sys.stderr.write(stamptable.closing_line(summary, time.perf_counter() - began) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # closed, or nobody reads it: no reason to build
        pass
    return True


def _options(options: list[str]) -> tuple[bool, str | None]:
    """Whether there is nothing but `--profile NAME` and `--frozen`, each at most once; and the profile that is named, None
    without one."""
    rest, profile = list(options), None
    if "--frozen" in rest:  # a build that has nothing to do is green
        rest.remove("--frozen")
    if rest and rest[0].startswith("--profile="):
        profile = rest.pop(0)[len("--profile=") :]
    elif rest[:1] == ["--profile"]:
        profile = rest.pop(1)
        rest.pop(0)
    plain = not rest and (profile is None or (profile != "" and not profile.startswith("-")))
    return plain, profile


def _way_up() -> str | None:
    """The relative way from here to the nearest folder, this one or above it, with a spec: "", "../", "../../" …; None without
    one."""
    above, here = "", os.getcwd()
    while not os.path.isfile(above + SPEC):
        parent = os.path.dirname(here)
        if parent == here:
            return None
        above, here = above + "../", parent
    return above


def _close_output() -> None:
    """Flush what was printed while a reader that left can still be forgiven; at the exit of Python it would be a message and code
    120."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError):
            pass


def run() -> None:
    """The entry point of the installed command: `main`, but when there was nothing to do Python isn't taken down piece by piece
    (2 ms)."""
    code = main()
    if "assetbuild.cli" not in sys.modules:
        os._exit(code)  # one line was written, and that is flushed
    sys.exit(code)


if __name__ == "__main__":
    run()
