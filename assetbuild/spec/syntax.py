"""Why a text is no YAML, in words that name the way out. It knows the parser's complaints and how people come by them; it does
not know what a spec is.

A text is mended where that can be done, so that one run tells of all such lines and of all else; what was mended is left out of the spec (`gaps`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .marks import Mark, Unreadable

NAME, LINE = 60, 2000  # characters of what may be a name, and of a line that is looked at
_ENTRY = re.compile(
    r"(?P<indent>[ ]*(?:- +)*)(?:(?P<key>[^\s#'\"{\[][^#'\"]*?|\"[^\"]*\"|'[^']*'):[ \t]+)?(?P<value>\S.*?)[ \t]*$"
)
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


class Mended(NamedTuple):
    """A text without its mistake, as long as before. It differs from `start` to `stop`; `lines` when whole lines had to go, so that
    nobody knows what they belonged to."""

    text: str
    start: int
    stop: int
    lines: bool = False


class Complaint(NamedTuple):
    """What is wrong at an index (`where`) of a text, and the way out.

    `mended` is the text without it; None where that can't be done.
    """

    where: int
    text: str
    hint: str
    length: int = 0
    mended: Mended | None = None
    comment: bool = False  # it tells of a comment after a text, which is told in better words where the text is known to be one


def reword(text: str, e: Unreadable) -> Complaint:
    """Why a text is no YAML."""
    if e.mark is None:
        found = _FORBIDDEN.search(text)
        if found is None:
            return Complaint(0, "this holds a character that YAML doesn't allow", "delete it; it is invisible in most editors", 1)
        index = found.start()
        mended = Mended(text[:index] + " " + text[index + 1 :], index, index)
        return Complaint(
            index,
            f"the character U+{ord(found[0]):04X} isn't allowed here",
            "delete it; it is invisible in most editors",
            1,
            mended,
        )
    index, length = e.mark.index, 1 + len(e.problem)
    match e.kind:
        case "depth":
            return Complaint(index, "this is nested more than 100 levels deep", "a spec needs fewer than ten levels", 1)
        case "bomb":
            return Complaint(
                index,
                f"the alias `*{e.problem}` makes the file many times as large",
                "write aliases that don't multiply each other",
                length,
            )
        case "many":
            return Complaint(
                index, "this file has more than 1,000 mistakes; from here on it isn't looked at", "mend the first ones", 1
            )
        case "loop":
            return Complaint(index, f"`*{e.problem}` stands inside what it names", "an alias can't hold itself", length)
        case "alias":
            hint = f"{way_out(text, index)}, if it is a text"
            return Complaint(
                index, f"`*{e.problem}` is a YAML alias, and no `&{e.problem}` stands before it", hint, length, _mend(text, index)
            )
    return _syntax(text, e, e.mark)


def _line(text: str, index: int) -> tuple[int, int]:
    """First index and end of the line that holds an index."""
    start = text.rfind("\n", 0, index) + 1
    end = text.find("\n", index)
    return start, len(text) if end < 0 else end


def _entry(text: str, index: int) -> tuple[str, str, int]:
    """Key (or ""), value and the value's index, of the line that holds an index."""
    start, end = _line(text, index)
    found = _ENTRY.match(text[start : min(end, start + LINE)].rstrip("\r"))
    if found is None:
        return "", "", index
    return found["key"] or "", found["value"], start + found.start("value")


def way_out(text: str, index: int) -> str:
    """How the text at an index can be written without YAML reading more into it."""
    key, _, start = _entry(text, index)
    before = text[start:index]
    if sum(map(before.count, "{[")) > sum(map(before.count, "}]")):
        return "quote it"  # inside `{…}` there are no blocks
    if key and len(key) <= NAME:
        return f"quote it or write `{key.strip()}: |`"
    return "quote it or write it as a block after `|`"


def _goes_on(text: str, start: int, value: str, index: int) -> Complaint:
    """A quoted text with quotes of its own kind inside."""
    block = way_out(text, index).removeprefix("quote it").removeprefix(" or ")
    other = "double" if '"' not in value else "single" if "'" not in value else ""
    way = " or ".join(each for each in (f"put the whole text in {other} quotes" if other else "", block) if each)
    way = way or "double each `'` in it and put the whole in single quotes"
    return Complaint(start, "the text goes on after its closing quote", way, len(value), _mend(text, index))


def _mend(text: str, index: int) -> Mended | None:
    """The text with the value on this line made harmless, or only the entry of a `{…}` in which the index lies, or the key; of the
    same length, so that all marks stay true."""
    key, value, start = _entry(text, index)
    if not value:
        return None
    stop = start + len(value)
    entry = _in_flow(text, start, index, stop)
    if entry is not None:
        start, stop = entry
    elif index < start and key and text[index:start].lstrip()[:1] != ":":
        start = text.rindex(key, 0, start)
        stop = start + len(key)
    mended = text[:start] + "x".ljust(stop - start) + text[stop:]
    return Mended(mended, start, stop) if mended != text else None


def _in_flow(text: str, start: int, index: int, stop: int) -> tuple[int, int] | None:
    """Where the value around an index starts and stops, if it is that of one entry of a `{…}` or `[…]` on this line."""
    if text[start : start + 1] not in ("{", "[") or index <= start:
        return None
    begin = _last(text, ("{", "[", ", "), start, index)
    if text[begin - 2 : begin] == "${":
        begin = _last(text, ("{", "[", ", "), start, begin - 2)
    close = _next(text, index, stop)
    if text.rfind("${", begin, index + 2) >= 0 and text[close : close + 1] == "}":  # that `}` is the reference's own
        close = _next(text, close + 1, stop)
    if close <= begin:
        return None
    key = re.match(r" *[\w-]+: +(?=\S)", text[begin:close])
    if key is None and text[_unclosed(text, begin)] == "{":
        return None
    begin += key.end() if key is not None else len(text[begin:close]) - len(text[begin:close].lstrip(" "))
    return (begin, close) if text[begin:close].strip("x ") else None


def _last(text: str, signs: tuple[str, ...], start: int, index: int) -> int:
    """Behind the last of some signs before an index."""
    return max(text.rfind(sign, start, index) + len(sign) if sign in text[start:index] else start for sign in signs)


def _next(text: str, index: int, stop: int) -> int:
    """The next sign that ends an entry, -1 when there is none."""
    return min((each for each in (text.find(sign, index, stop) for sign in (", ", "}", "]")) if each >= 0), default=-1)


def _blank(text: str, index: int) -> Mended | None:
    """The text without the line that holds an index and what hangs below it: blanks instead, so that all marks stay true."""
    start, end = _line(text, index)
    above = next((line for line in reversed(text[:start].split("\n")) if line.strip()), "")
    depth = len(above) - len(above.lstrip(" "))
    while end < len(text):
        line = text[end + 1 : _line(text, end + 1)[1]]
        if line.strip() and line[0] != "\t" and len(line) - len(line.lstrip(" ")) <= depth:
            break
        end += 1 + len(line)
    gone = re.sub(r"[^\n\r]", " ", text[start:end])
    return Mended(text[:start] + gone + text[end:], start, end, lines=True) if gone != text[start:end] else None


def _syntax(text: str, e: Unreadable, mark: Mark) -> Complaint:
    """The parser's complaint in our words."""
    index = mark.index
    char = text[index : index + 1]
    words = e.problem
    opened = e.start.index if e.start is not None else index
    key, value, start = _entry(text, index)
    first, sign = text[opened : opened + 1], text[index : index + 1]
    way = way_out(text, opened if e.context and "mapping" not in e.context else index)
    if char == "\t" or "tab character" in words:
        hint = "indent with spaces; YAML knows no tabs"
        if re.search(r"(?m)^ +\S", text) is None:  # tabs throughout: each stands for one level
            spaced = re.sub(r"(?m)^\t+", lambda tabs: " " * len(tabs[0]), text)
            return Complaint(index, "a tab indents this line", hint, 1, Mended(spaced, index, index))
        return Complaint(index, "a tab indents this line", hint, 1, _blank(text, index))
    if "cannot start any token" in words:
        sign = f"`{sign}`" if sign != "`" else "a backtick"
        return Complaint(index, f"a text can't start with {sign}", way, 1, _mend(text, index))
    if "alias" in e.context or "anchor" in e.context or "tag" in e.context:
        return Complaint(opened, f"a text can't start with `{first}`", way, 1, _mend(text, opened))
    if "sequence entries are not allowed" in words:
        return Complaint(index, "a text can't start with `- `; a list starts on a line of its own", way, 1, _mend(text, index))
    if "block scalar" in e.context:
        return Complaint(
            opened,
            f"a text can't stand on the line of its `{first}`",
            "put it on the next line, indented",
            1,
            _mend(text, opened),
        )
    if "escape" in words or "hexdecimal" in words or "hexadecimal" in words:
        slash = max(0, text.rfind("\\", 0, index + 1))
        hint = "write `\\\\` for a backslash, or use single quotes"
        return Complaint(slash, f"`{text[slash : slash + 2]}` means nothing in double quotes", hint, 2, _mend(text, slash))
    if "quoted scalar" in e.context:
        return Complaint(
            opened, f"the quote {first} that opens here is never closed", "close it, or write the text as a block after `|`", 1
        )
    if "mapping values are not allowed" in words:
        inside = start <= index < start + len(value)
        if inside and key and "\n" not in text[start:index]:
            return Complaint(
                start, f"the text of `{key}` holds a `: `, which starts a new entry", way, len(value), _mend(text, index)
            )
        return _indented(text, index)
    if "flow" in e.context:
        return _flow(text, opened, index)
    if "expected key" in words or "block end" in words or "'-' indicator" in words:
        return _block_end(text, index)
    if "simple key" in e.context or "':'" in words:
        hint = "write `name: value`, with a space after the colon"
        return Complaint(opened, "this line has no `: `", hint, 0, _blank(text, opened))
    if "document start" in words or "directive" in e.context or "directive" in words:
        return Complaint(index, "nothing may follow here", "a spec is one YAML document, without `%` directives and `...`")
    if value[:2] == "? ":
        return Complaint(start, "a text can't start with `? `", way, 1, _mend(text, index))
    return Complaint(index, "this can't be read as YAML", "look at quotes, colons and indentation of this line and the one above")


def _indented(text: str, index: int) -> Complaint:
    """A `:` where no entry may start: the line above lacks its own, or this one is too far to the right."""
    start, _ = _line(text, index)
    above_start, above_end = _line(text, max(0, start - 1))
    above = text[above_start:above_end].strip()
    if start and above and ":" not in above and not above.startswith(("#", "- ")):
        place = above_start + text[above_start:above_end].index(above)
        hint = "write `name:` or `name: value`"
        return Complaint(place, f"`{above[:40]}` has no `:` after it", hint, len(above), _blank(text, place))
    first = start + len(text[start:index]) - len(text[start:index].lstrip())
    hint = "indent it like the line above, or write the value above as a block after `|`"
    said = "this line is indented below an entry that already has a value"
    return Complaint(first, said, hint, 0, _blank(text, first))


def _flow(text: str, opened: int, index: int) -> Complaint:
    """A mistake inside `{…}` or `[…]`."""
    at_end = not text[opened:].strip()
    if at_end:
        opened = _unclosed(text, opened)
    sign = text[opened : opened + 1]
    pair, close = ("`{…}`", "}") if sign == "{" else ("`[…]`", "]")
    start, _ = _line(text, index)
    mended = _mend(text, index) if start <= opened else None
    for found in re.finditer(r"[ \t\[{,](#\S+)", text[opened:index] if start > opened or at_end else ""):
        if text[opened : opened + found.start()].count('"') % 2 == 0:
            shown = found[1].rstrip(",]}")
            place = opened + found.start(1)
            mended = Mended(text[:place] + "x" + text[place + 1 :], place, place + 1)
            return Complaint(place, f"`{shown}` is a comment", f'quote it: `"{shown}"`', len(shown), mended)
    dollar = text.rfind("${", max(opened, start), index + 2)
    if dollar >= 0 and index - dollar <= 1:
        stop = text.find("}", dollar)
        length = stop - dollar + 1 if 0 <= stop - dollar <= NAME else 2
        mended = mended and _mend(text, dollar)
        return Complaint(dollar, f"`${{…}}` inside {pair} must be quoted", "quote the whole text that holds it", length, mended)
    if start <= opened and not at_end:
        entry = _in_flow(text, opened, index, _line(text, opened)[1])
        if entry is not None and text[entry[0]] in "\"'":
            return _goes_on(text, entry[0], text[entry[0] : entry[1]], index)
        hint = "quote the whole text, or give each entry a line of its own"
        return Complaint(index, f"inside {pair} a text with `: `, a quote or a bracket must be quoted", hint, 1, mended)
    return Complaint(opened, f"the `{sign}` that opens here is never closed", f"close it with `{close}`, or quote the text", 1)


def _unclosed(text: str, end: int) -> int:
    """The last bracket before an index that nothing closes; the index itself when there is none near."""
    first = max(0, end - LINE)
    near = re.sub(r"(?<=[\s\[{,])#[^\n]*", lambda comment: " " * len(comment[0]), text[first:end])
    depth = 0
    for place in range(len(near) - 1, -1, -1):
        if near[place] in "]}":
            depth += 1
        elif near[place] in "[{":
            if not depth:
                return first + place
            depth -= 1
    return end


def _block_end(text: str, index: int) -> Complaint:
    """Something stands where an entry should begin."""
    _, value, start = _entry(text, index)
    line_start, line_end = _line(text, index)
    if value and start < index and value[0] in "\"'":
        return _goes_on(text, start, value, index)
    if value and start < index and value[0] in "[{" and text[index] in "}]":
        return Complaint(
            index, f"this `{text[index]}` closes nothing", "delete it, or quote the whole text", 1, _mend(text, index)
        )
    if value and start < index and value[0] in "[{*&!":
        return Complaint(start, f"a text can't start with `{value[0]}`", way_out(text, index), 1, _mend(text, index))
    above_start, above_end = _line(text, max(0, line_start - 1))
    comment = re.search(r"[^\s:#][ \t]+#", text[above_start:above_end])
    if line_start and comment and ":" not in text[line_start:line_end]:
        blank = Mended(text[:line_start] + " " * (line_end - line_start) + text[line_end:], line_start, line_start)
        place = above_start + comment.end() - 1
        hint = way_out(text, above_start)
        return Complaint(place, "the text ends here: what follows is a comment", hint, above_end - place, blank, comment=True)
    if text[index : index + 1] == ":":
        return Complaint(index, "a name is missing before this `:`", "write `name: value`", 1, _blank(text, index))
    if text[index : index + 2] in ("- ", "-\n"):
        said = "a list item stands where an entry `name: value` was expected"
        return Complaint(index, said, "indent the list below its name", 1, _blank(text, index))
    if ":" not in text[index:line_end]:
        hint, length = "indent it below its entry, or write `name: value`", line_end - index
        return Complaint(index, "this line belongs to nothing", hint, length, _blank(text, index))
    hint = "indent it like the entries it belongs to"
    return Complaint(index, "this line's indentation fits no line above", hint, 0, _blank(text, index))
