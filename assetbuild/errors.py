"""Every way a run can fail that a user may meet. Knows exit codes and how a message is laid out; knows no spec, no store, no terminal.

Each class owns its exit code (DESIGN §3). A message is: one sentence, aligned facts, the way out.
"""

from __future__ import annotations

from typing import NamedTuple

LINE_MOST = 110  # characters of a source line that are shown


class Place(NamedTuple):
    """A place in a user's file. `file` is relative to the project root with `/`; `line` and `column` count from 1; `length` in characters."""

    file: str
    line: int = 0
    column: int = 0
    length: int = 1


class Problem(NamedTuple):
    """One mistake in a spec, worded for its author.

    `text` is one line without a full stop; `source` is the line of the file it stands in (None: no line to show); `hint` is the way out.
    """

    text: str
    place: Place | None = None
    source: str | None = None
    hint: str | None = None

    def render(self) -> str:
        """The message as it is printed: place and sentence, the source line, a squiggle below it, the hint."""
        where = ""
        if self.place is not None:
            where = self.place.file + (f":{self.place.line}:{self.place.column}" if self.place.line else "") + ": "
        lines = [f"{where}{self.text}"]
        if self.place is not None and self.place.line and self.source is not None:
            shown, column = self.source.rstrip("\r\n"), self.place.column
            shown = shown if shown.isprintable() else "".join(c if c.isprintable() else " " for c in shown)
            if len(shown) > LINE_MOST:  # a long line is cut so that the squiggle stays in sight
                cut = max(0, column - 40)
                shown, column = ("…" if cut else "") + shown[cut : cut + LINE_MOST - 2] + "…", column - cut + (1 if cut else 0)
            number = str(self.place.line)
            lines.append(f"  {number} | {shown}")
            room = max(1, min(self.place.length, len(shown) - column + 1))
            lines.append(f"  {' ' * len(number)} | {' ' * (column - 1)}{'~' * room}")
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class AssetbuildError(Exception):
    """What a user is told in one message; `exit_code` is what the process ends with. `hint` is the way out."""

    exit_code = 70

    def __init__(self, text: str, *, facts: tuple[tuple[str, str], ...] = (), hint: str | None = None) -> None:
        super().__init__(text)
        self.text, self.facts, self.hint = text, facts, hint

    def render(self) -> str:
        """Sentence, aligned facts, hint."""
        lines = [self.text]
        if self.facts:
            width = max(len(name) for name, _ in self.facts)
            lines += [f"  {name:<{width}}  {value}" for name, value in self.facts]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class SpecError(AssetbuildError):
    """The spec can't be used. Holds every problem found in one run. Nothing was changed on disk."""

    exit_code = 2

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n\n".join(p.render() for p in problems))


class UsageError(AssetbuildError):
    """A command was called in a way that has no meaning (an unknown asset, options that exclude each other). Nothing was changed."""

    exit_code = 2


class StoreError(AssetbuildError):
    """The store, the lockfile or the disk can't be used as they are: newer version, corrupt, full, read-only. Found before any work."""

    exit_code = 2


class ProviderSetupError(AssetbuildError):
    """A provider can't be used: no key, not installed, no credit."""

    exit_code = 4


class ActionFailed(AssetbuildError):
    """One action failed; the others went on."""

    exit_code = 1
