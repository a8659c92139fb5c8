"""What goes wrong on purpose: which fault, at which request. Knows the words of `--fault` and of marks in prompts; does nothing itself."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from ...errors import UsageError

PLACES = ("submit", "poll", "list", "upload", "me", "models", "download", "any")


class Known(NamedTuple):
    """A fault: where it strikes (exchange: the answer to a request; job; upload; download), what its argument is when none is given
    (None: it has none), and what it does.
    """

    stage: str
    arg: str | None
    text: str


KNOWN: dict[str, Known] = {
    "rate-limit": Known("exchange", "1", "429, Retry-After: ARG seconds (`none`: without it)"),
    "rate-limit-date": Known("exchange", "1", "429, Retry-After: a date ARG seconds from now"),
    "unavailable": Known("exchange", None, "503, nothing accepted"),
    "blocked": Known("exchange", None, "403, the account is suspended"),
    "bad-gateway": Known("exchange", None, "502 with an HTML page, nothing accepted"),
    "bad-gateway-after": Known("exchange", None, "accepted, then 502 with an HTML page"),
    "cut-before": Known("exchange", None, "the connection is closed, nothing accepted"),
    "cut-after": Known("exchange", None, "accepted, then the connection is closed without an answer"),
    "conflict": Known("exchange", None, "409, nothing accepted"),
    "conflict-after": Known("exchange", None, "accepted, then 409"),
    "slow": Known("exchange", "1", "the answer comes ARG seconds late"),
    "fail": Known("job", "Provider returned an error: internal error", "the job ends FAILED; ARG is the text"),
    "refuse": Known("job", "Provider returned an error: content policy violation", "the job ends FAILED, refused by moderation"),
    "cancel": Known("job", None, "the job ends CANCELLED"),
    "stuck": Known("job", None, "the job stays PROCESSING"),
    "lost": Known("job", None, "GET of the job: 404"),
    "fewer": Known("job", None, "one picture fewer than asked"),
    "string-result": Known("job", None, "the result is a bare address"),
    "list-result": Known("job", None, "the result is a list of addresses"),
    "wrong-format": Known("job", None, "webp instead of what was asked (png instead of webp)"),
    "file-url": Known("job", None, "the result's address is file:///etc/passwd"),
    "private-url": Known("job", None, "the result's address is http://10.0.0.1/…"),
    "expired": Known("job", None, "COMPLETED, but the pictures are gone"),
    "no-cost": Known("job", None, "creditCost is null"),
    "cost": Known("job", "100", "ARG credits are billed, whatever the price"),
    "gone-input": Known("upload", None, "what was uploaded expires at once"),
    "truncated": Known("download", None, "half of the file, as if that were all"),
    "cut-body": Known("download", None, "the connection is closed after half of the file"),
    "garbage": Known("download", None, "no picture, under image/png"),
    "html-picture": Known("download", None, "an HTML page with status 200"),
    "oversized": Known("download", None, "a file without end"),
    "bomb": Known("download", None, "a small PNG of 400 million pixels"),
    "slow-body": Known("download", "5", "the file comes in small pieces over ARG seconds"),
    "redirect": Known("download", None, "302 to another address"),
}
_STAGES = {"job": "a job", "upload": "an upload", "download": "a download"}
ALIASES = {"me-down": "me/unavailable", "drop-poll": "poll/cut-before"}

_WRITTEN = re.compile(r"(?:(?P<place>[a-z]+)/)?(?P<name>[a-z-]+)(?::(?P<arg>[^@]*))?(?:@(?P<when>.+))?")
_WHEN = re.compile(r"(?P<word>odd|even)|(?P<first>\d+)(?P<on>\+|-(?P<last>\d+))?|(?P<percent>\d+)%")
_MARK = re.compile(r"\[fault:([^\]]*)\]")


@dataclass
class Fault:
    """One that was asked for. `seen` counts the requests it applies to."""

    written: str
    name: str
    place: str
    arg: str
    when: str
    seen: int = field(default=0, compare=False)

    def strikes(self, chance: random.Random) -> bool:
        """Counts one request more, and says whether this is one."""
        self.seen += 1
        found = _WHEN.fullmatch(self.when)
        if found is None:
            return True
        if found["word"]:
            return self.seen % 2 == (found["word"] == "odd")
        if found["percent"]:
            return chance.random() * 100 < int(found["percent"])
        first = int(found["first"])
        last = first if found["on"] is None else int(found["last"]) if found["last"] else self.seen
        return first <= self.seen <= max(last, first)


def parse(written: str) -> Fault:
    """A fault from its words: `[PLACE/]NAME[:ARG][@WHEN]`. Raises UsageError."""
    name, _, when = written.partition("@")
    whole = ALIASES.get(name, name) + (f"@{when}" if when else "")
    found = _WRITTEN.fullmatch(whole)
    if found is None or found["name"] not in KNOWN:
        import difflib

        near = difflib.get_close_matches(found["name"] if found else written, [*KNOWN, *ALIASES], n=1)
        hint = f"did you mean `{near[0]}`?" if near else "`assetbuild emulator --help` lists them"
        raise UsageError(f"the emulator has no fault `{written}`", hint=hint)
    known = KNOWN[found["name"]]
    if found["when"] is not None and not _WHEN.fullmatch(found["when"]):
        raise UsageError(
            f"`@{found['when']}` of the fault `{written}` says no time",
            hint="write `@2`, `@2+`, `@2-5`, `@odd`, `@even` or `@30%`",
        )
    if found["place"] is not None and known.stage != "exchange":
        text = f"the fault `{found['name']}` is about {_STAGES[known.stage]}: it has no place `{found['place']}`"
        raise UsageError(text, hint=f"write `{written.partition('/')[2]}`")
    if found["place"] is not None and found["place"] not in PLACES:
        raise UsageError(
            f"the fault `{written}` can't be at `{found['place']}`", hint="places are " + ", ".join(f"`{one}`" for one in PLACES)
        )
    if found["arg"] is not None and known.arg is None:
        raise UsageError(f"the fault `{found['name']}` takes no `:{found['arg']}`", hint=f"write `{found['name']}`: {known.text}")
    arg = found["arg"] if found["arg"] is not None else known.arg or ""
    counts = known.arg is not None and known.arg.isdigit()
    if counts and not re.fullmatch(r"\d+(\.\d+)?", arg) and not (found["name"] == "rate-limit" and arg == "none"):
        hint = f"write `{found['name']}:{known.arg}`: {known.text.replace('ARG', known.arg or '')}"
        raise UsageError(f"the fault `{written}` needs a number after `:`", hint=hint)
    place = found["place"] or ("submit" if known.stage == "exchange" else known.stage)
    return Fault(written, found["name"], place, arg, found["when"] or "")


class Faults:
    """All that were asked for: standing ones, and those that prompts ask for. Each counts for itself; a prompt's count by prompt."""

    def __init__(self, written: Iterable[str], chance: random.Random) -> None:
        self.standing = [parse(one) for one in written]
        self._chance = chance
        self._marked: dict[str, list[Fault]] = {}

    def add(self, written: str) -> None:
        """One more from now on. Raises UsageError."""
        self.standing.append(parse(written))

    def clear(self) -> None:
        """None any more, prompts' ones excepted; those begin to count anew."""
        self.standing.clear()
        self._marked.clear()

    def at(self, place: str, stage: str = "exchange", prompt: str = "") -> list[Fault]:
        """Those of a stage that strike at one more request to this place, about a job with this prompt. Raises UsageError for a
        prompt's mark that can't be read.
        """
        if "[fault:" not in prompt and not self.standing:
            return []
        asked = [*self.standing, *self._of(prompt)]
        met = [one for one in asked if KNOWN[one.name].stage == stage and one.place in (place, "any")]
        return [one for one in met if one.strikes(self._chance)]

    def _of(self, prompt: str) -> list[Fault]:
        if prompt not in self._marked:
            marks = [parse(one) for one in _MARK.findall(prompt)]
            if not marks:
                return []
            self._marked[prompt] = marks
        return self._marked[prompt]
