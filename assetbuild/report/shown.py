"""`show` as text for 80 columns, made from the record that its JSON is. Knows no store and no file."""

from __future__ import annotations

import textwrap
import time
from calendar import timegm
from collections.abc import Iterator
from typing import Any

from .ink import Ink
from .measures import count_text, cut, money_text, pad, size_text, when_text
from .words import word_diff

Record = dict[str, Any]
LABEL = 10  # columns of the names on the left
LETTERS = 8  # of a digest that are shown
HERE = "loopback"  # the host of what stands in for a vendor on this machine
MOST = 100  # columns of prompts, however wide the terminal is
CELL, CELLS = 30, 12  # columns of a matrix cell, and how many of a row are shown
_STYLES = {"up to date": "green", "waiting for you": "yellow", "failed": "red"}
_STATES = {"generate": "to be made", "restore": "to be put back", "resume": "to be fetched", "waiting": "to follow"}


def state_word(state: str) -> str:
    """A decision's verb as the state of a thing: `to be made`, `up to date`."""
    return _STATES.get(state, state)


def state_style(state: str) -> str:
    """The colour of a state."""
    return _STYLES.get(state, "cyan")


def asset_lines(asset: Record, ink: Ink, columns: int) -> Iterator[str]:
    """Everything about one asset."""
    columns = min(max(columns, 50), MOST)
    yield f"{ink('bold', asset['id'])}  {ink(state_style(asset['state']), state_word(asset['state']))}"
    yield from wrapped(asset["reason"], columns, "  ")
    if asset["hint"]:
        yield from wrapped(f"hint: {asset['hint']}", columns, "  ")
    yield from (
        line
        for text in asset["changes"]
        if text != asset["reason"] and text not in asset["reason"]
        for line in wrapped(text, columns, "  ")
    )
    yield ""
    if asset["description"]:
        yield from _row(ink, "what", asset["description"], columns)
    for number, one in enumerate(asset["outputs"]):
        yield from _row(ink, "output" if number == 0 else "", _output(one), columns)
    for number, one in enumerate(asset["exports"]):
        yield from _row(ink, "exports" if number == 0 else "", _export(one), columns)
    yield from _made(asset["made"], ink, columns)
    if asset["tags"]:
        yield from _row(ink, "tags", ", ".join(asset["tags"]), columns)
    if asset["axes"]:
        yield from _row(ink, "matrix", _cells(asset["axes"]), columns)
    yield from _row(ink, "spec", f"{asset['place']['file']}:{asset['place']['line']}", columns)
    if asset["used_by"]:
        names = asset["used_by"]
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""  # noqa: PLR2004 - a line or two
        yield from _row(ink, "used by", ", ".join(names[:8]) + more, columns)
    for note in asset["notes"]:
        yield from _row(ink, "note", note, columns)
    steps = asset["steps"]
    for step in steps:
        yield ""
        yield from step_lines(step, ink, columns, len(steps))
    if asset["diff"] is not None:
        yield ""
        yield ink("bold", "  the prompt since then")
        yield from _diff(asset["diff"], ink, columns)
    yield from _pictures(asset, ink)


def _cells(axes: dict[str, str]) -> str:
    """A row of a matrix: `l=de, t.slug=tafel-mond`; long cells are cut, of many the first are shown."""
    cells = [f"{name}={cut(' '.join(value.split()), CELL)}" for name, value in axes.items()]
    return ", ".join(cells[:CELLS]) + (f" and {len(cells) - CELLS} more" if len(cells) > CELLS else "")


def left_lines(left: Record, ink: Ink, columns: int) -> Iterator[str]:
    """What is still known of an asset whose id left the spec."""
    columns = min(max(columns, 50), MOST)
    yield f"{ink('bold', left['id'])}  {ink('yellow', 'left the spec')}"
    yield from wrapped(f"no asset is called so any more; its line is still in {left['lock']}", columns, "  ")
    yield ""
    for number, one in enumerate(left["outputs"]):
        facts = [lies_word(one["locked"], one["found"], one["now_of"]), kept_word(one["in_store"])]
        yield from _row(ink, "output" if number == 0 else "", f"{one['path']}  ({', '.join(facts)})", columns)
    yield from _made(left["made"], ink, columns)
    yield from _row(ink, "key", left["made"]["key"][:16], columns)
    if left["prompt"]:
        yield ""
        for paragraph in left["prompt"].split("\n"):
            yield from wrapped(paragraph, columns, "    ") if paragraph.strip() else [""]
    yield ""
    name = left["id"]
    hint = f"hint: the id `{name}` in the spec brings it back; `assetbuild rename {name} NEW` gives its picture to another id"
    yield from wrapped(hint, columns, "  ")


def lies_word(locked: str, found: str | None, now_of: str | None = None) -> str:
    """What lies where a picture was put."""
    if now_of is not None:
        return f"`{now_of}` has its picture there now"
    return "isn't here" if found is None else "here" if found == locked else "another file lies there"


def kept_word(in_store: bool) -> str:
    """Whether the store has a picture's bytes."""
    return "in the store" if in_store else "not in the store"


def _output(one: Record) -> str:
    facts = []
    if one["found"] is None:
        facts.append("isn't here")
    else:
        if one["pointer"]:
            facts.append("a Git LFS pointer")
        elif one["width"]:
            facts.append(f"{one['width']}×{one['height']}")
        facts.append(size_text(one["size"]))
        if one["locked"] is not None and one["found"] != one["locked"]:
            facts.append("not the picture of the lockfile")
    return f"{one['path']}  ({', '.join(facts)})"


def _export(one: Record) -> str:
    facts = []
    if one["found"] is None:
        facts.append("isn't here")
    else:
        facts += [f"{one['width']}×{one['height']}"] * bool(one["width"]) + [size_text(one["size"])]
    if one["state"] != "up to date":
        facts.append(f"{state_word(one['state'])}: {one['reason']}")
    return f"{one['path']}  ({', '.join(facts)})"


def _made(made: Record | None, ink: Ink, columns: int) -> Iterator[str]:
    if made is None:
        return
    if made["by"] == "hand":
        text = "by hand"
    else:
        text = f"{when(made['at'])} by {made['by']}" + (f", {money_text(made['cost'])}" if made["at"] is not None else "")
        if made["take"] > 1:
            text += f", take {made['take']}"
    if made["host"]:
        text += ", from an emulator on this machine" if made["host"] == HERE else f", through {made['host']}"
    yield from _row(ink, "made", text, columns)
    if made["rejected"] is not None:
        yield from _row(ink, "rejected", made["rejected"] or "without a note", columns)
    if made["approved"]:
        yield from _row(ink, "approved", made["note"] or "without a note", columns)


def when(at: str | None) -> str:
    """A time of the JSON in the reader's zone."""
    if at is None:
        return "elsewhere"
    return when_text(timegm(time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")))


def step_lines(step: Record, ink: Ink, columns: int, count: int = 1) -> Iterator[str]:
    """One step: what is asked of which model, with which pictures."""
    columns = min(max(columns, 50), MOST)
    head = f"{step['op']} with {step['provider']}/{step['model']}"
    yield "  " + ink("bold", f"step {step['number']} of {count}: {head}" if count > 1 else head)
    if step["prompt"]:
        yield ""
        for paragraph in step["prompt"].split("\n"):
            yield from wrapped(paragraph, columns, "    ") if paragraph.strip() else [""]
        yield ""
    for place, one in enumerate(step["inputs"], 1):
        label = f"`{one['label']}`" if one["kind"] == "asset" else one["label"]
        facts = [one["role"]] + ([f"as {one['name']}"] if one["name"] and one["name"] != one["role"] else [])
        if one["state"] not in (None, "ready"):
            facts.append(
                {
                    "waiting": "not made yet",
                    "failed": "isn't made",
                    "missing": "isn't there",
                    "held": "waits for you",
                    "pointer": "a Git LFS pointer",
                }.get(one["state"], one["state"])
            )
        yield from _row(ink, f"image {place}", f"{label}  ({', '.join(facts)})", columns)
    params = [f"{name} {_value(value)}" for name, value in sorted(step["params"].items()) if value is not None]
    if step["members"]:
        params.insert(0, f"set of {len(step['members'])}: {', '.join(step['members'])}")
    if step["variant"] is not None:
        params.append(f"variant {step['variant']}")
    if params:
        yield from _row(ink, "with", ", ".join(params), columns)
    yield from _row(ink, "key", step["key"][:16] if step["key"] else "unknown until its inputs are", columns)


def _value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _diff(diff: Record, ink: Ink, columns: int) -> Iterator[str]:
    words = []
    for kind, text in word_diff(diff["old"], diff["new"]):
        if kind == "gone":
            words.append(f"[-{text}-]")
        elif kind == "new":
            words.append(f"{{+{text}+}}")
        else:
            words.append(text)
    for line in wrapped(" ".join(words), columns, "    "):
        yield line if not ink.on else _painted(line, ink)


def _painted(line: str, ink: Ink) -> str:
    """The marks of a diff stay, and get a colour where they are whole on one line."""
    for start, end, style in (("[-", "-]", "red"), ("{+", "+}", "green")):
        at = 0
        while (begin := line.find(start, at)) >= 0 and (stop := line.find(end, begin)) >= 0:
            painted = ink(style, line[begin : stop + 2])
            line = line[:begin] + painted + line[stop + 2 :]
            at = begin + len(painted)
    return line


def _pictures(asset: Record, ink: Ink) -> Iterator[str]:
    takes, before = asset["takes"], asset["before"]
    if len(takes) > 1 or any(not t["chosen"] for t in takes):
        yield ""
        yield ink("bold", "  takes of this text")
        for one in takes:
            word = take_word(one)
            by = "by hand" if one["by_hand"] else money_text(one["cost"]) if one["at"] else ""
            yield _columns(f"{one['take']}", one["digests"], when(one["at"]) if one["at"] else "", by, word)
    if before:
        yield ""
        yield ink("bold", "  pictures it had before")
        for one in before[:8]:
            by = "by hand" if one["by"] == "hand" else one["by"]
            yield _columns("", one["digests"], f"until {when(one['until'])}", by, "" if one["here"] else "not here")
        if len(before) > 8:  # noqa: PLR2004
            yield f"    … and {count_text(len(before) - 8, 'older one')}"
    others = [t["digests"][0] for t in takes if t["here"] and not t["chosen"] and t["rejected"] is None]
    others += [one["digests"][0] for one in before if one["here"]]
    if others:
        yield ""
        first = others[0]
        yield f"  {ink('dim', 'hint:')} `assetbuild use {asset['id']} {first[:LETTERS]}` takes that one"


def take_word(take: Record) -> str:
    """What was said of a take, and where it is."""
    if take["rejected"] is not None:
        word = f"rejected: {take['rejected']}" if take["rejected"] else "rejected"
    elif take["approved"]:
        word = "approved"
    elif take["chosen"]:
        word = "chosen"
    elif not take["here"]:
        return "not here"
    else:
        return "lies there, not chosen" if take["lies_there"] else ""
    return word


def _columns(number: str, digests: list[str], at: str, by: str, word: str) -> str:
    return f"    {number:>2}  {digests[0][:LETTERS]}  {pad(at, 22)}  {pad(by, 16)}  {word}".rstrip()


# ── a file ──


def file_lines(file: Record, ink: Ink, columns: int, project: str) -> Iterator[str]:
    """What is known of a file by its bytes, or by its looks."""
    columns = min(max(columns, 50), MOST)
    shape = f"{file['kind']} {file['width']}×{file['height']}, " if file["width"] else ""
    yield ink("bold", file["path"])
    yield f"  {shape}{size_text(file['size'])}, sha256 {file['digest'][:16]}"
    yield ""
    for one in file["pictures"]:
        name = f"`{one['id'].rstrip('#')}#{one['member']}`" if one["member"] else f"`{one['id']}`"
        under = f" under profile {one['profile']}" if one["profile"] else ""
        gone = "" if one["in_spec"] else ", which left the spec"
        hand = ", put there by hand" if one["by"] == "hand" else ""
        yield from _row(ink, "it is", f"the picture of {name}{under}{gone}{hand}  ({one['path']})", columns)
    for one in file["exports"]:
        name = f"`{one['id'].rstrip('#')}#{one['member']}`" if one["member"] else f"`{one['id']}`"
        under = f" under profile {one['profile']}" if one["profile"] else ""
        gone = "" if one["in_spec"] else ", which left the spec"
        yield from _row(ink, "it is", f"the export `{one['name']}` of {name}{under}{gone}  ({one['path']})", columns)
    for one in file["steps"]:
        yield from _row(ink, "it is", f"step {one['step']} of `{one['id']}`", columns)
    shown = {one["id"] for one in file["pictures"]}
    for one in file["before"]:
        if one["id"] not in shown:
            shown.add(one["id"])
            yield from _row(ink, "it was", f"the picture of `{one['id']}` until {when(one['until'])}", columns)
    for one in file["inputs"]:
        names = one["used_by"]
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""  # noqa: PLR2004
        yield from _row(ink, "it is", f"your own {one['path']}, used by {', '.join(f'`{n}`' for n in names[:6])}{more}", columns)
    for take in file["takes"]:
        yield from take_lines(take, ink, columns)
    if file["in_store"] and not any(file[part] for part in ("pictures", "exports", "steps", "before", "inputs", "takes")):
        yield from _row(
            ink, "it is", f"kept in the store of {project}; what made it isn't known (a file that was replaced, perhaps)", columns
        )

    for one in file["alike"]:
        yield from _row(ink, "looks", f"like {_like(one)}: a re-encoded or resized copy, by likeness, not by content", columns)
        how = f"in {one['distance']} of 64 bits of the hash, in brightness by at most {one['light']} of 255"
        yield from _row(ink, "differs", how, columns)


def _like(one: Record) -> str:
    name = f"`{one['id'].rstrip('#')}#{one['member']}`" if one["member"] else f"`{one['id']}`"
    where = f" ({one['path']})" if one["path"] else ""
    under = f" under profile {one['profile']}" if one["profile"] else ""
    words = {
        "export": f"an export of {name}{where}",
        "take": f"take {one['number']} of {name}",
        "step": f"step {one['number']} of {name}",
        "before": f"a picture that {name} had before",
        "input": f"your own {one['path']}",
    }
    return words.get(one["what"], name + under + where)


def take_lines(take: Record, ink: Ink, columns: int) -> Iterator[str]:
    """What made a picture."""
    text = "by hand" if take["by"] == "hand" else f"{when(take['at'])} by {take['by']}, {money_text(take['cost'])}"
    if take["take"] > 1:
        text += f", take {take['take']}"
    yield from _row(ink, "made", text, columns)
    if take["rejected"] is not None:
        yield from _row(ink, "rejected", take["rejected"] or "without a note", columns)
    params = ", ".join(f"{name} {_value(value)}" for name, value in sorted(take["params"].items()) if value is not None)
    if params:
        yield from _row(ink, "with", params, columns)
    if take["inputs"]:
        yield from _row(ink, "from", ", ".join(f"picture {digest[:LETTERS]}" for digest in take["inputs"]), columns)
    yield from _row(ink, "key", take["key"][:16], columns)
    if take["prompt"]:
        yield ""
        for paragraph in take["prompt"].split("\n"):
            yield from wrapped(paragraph, columns, "    ") if paragraph.strip() else [""]
    yield ""


def _row(ink: Ink, label: str, text: str, columns: int) -> Iterator[str]:
    lines = list(wrapped(text, columns, " " * (LABEL + 2)))
    yield f"  {ink('dim', label.ljust(LABEL))}{lines[0].strip()}" if lines else f"  {label}"
    yield from lines[1:]


def wrapped(text: str, columns: int, indent: str) -> list[str]:
    """The text in lines of so many columns, each indented; a long word stays whole."""
    return textwrap.wrap(
        text, columns, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
