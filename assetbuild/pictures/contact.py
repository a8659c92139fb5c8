"""A contact sheet as pictures: cells of thumbnails with a few words below, row by row or page by page, so that ten thousand of them need no more memory than
one row. Knows files of pictures and words; not what an asset is, nor what becomes of the sheet.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from PIL import Image, ImageChops, ImageDraw, ImageOps

from .lettering import Lettering

Tone = Literal["good", "todo", "wait", "bad", "calm"]
PAPER, MAT, INK, DIM, LINE = "#FAF9F6", "#F0EEE9", "#1D1C1A", "#76726A", "#D6D2C9"
TONES: dict[Tone, str] = {"good": "#2E7D4F", "todo": "#2F6FB3", "wait": "#B26A00", "bad": "#B3261E", "calm": DIM}
CHECKS = "#FFFFFF", "#E4E1DA"
BOLD, PLAIN = 600, 400
STATE_LINES = 2  # that the words of a state may take
FLAT = 0.3  # of a cell's width: no row of pictures is lower, so that words have room in an empty frame
BROKEN = "can't be opened"
DOT = 8  # times


class Cell(NamedTuple):
    """One picture. `size` in pixels and `file` are None where there is none: then an empty frame says `state`, and `why` if there is more to say. `crossed`
    is struck through.
    """

    name: str
    facts: str = ""
    state: str = ""
    tone: Tone = "calm"
    why: str = ""
    file: Path | None = None
    size: tuple[int, int] | None = None
    crossed: bool = False


class Title(NamedTuple):
    """The line on top: a name, what is said of it, and how many cells are in which state."""

    name: str
    remark: str = ""
    tally: tuple[tuple[str, Tone], ...] = ()


class Measure(NamedTuple):
    """How large everything is, in pixels. `side` is the room of a picture both ways, `edge` the space around all of it."""

    columns: int
    side: int
    gap: int
    edge: int
    large: int  # letters of names
    small: int  # letters of all else
    title: int  # letters of the title
    paper: int = 0  # the width of a page, if it has one

    @property
    def width(self) -> int:
        """Of the whole sheet."""
        return self.paper or self.columns * self.side + (self.columns - 1) * self.gap + 2 * self.edge


class Row(NamedTuple):
    """Cells beside each other: `high` is the room of their pictures, `lines` how many the longest state takes."""

    cells: tuple[Cell, ...]
    high: int
    lines: int


class Sheet:
    """Cells on one tall sheet (`strips`), or on pages of one height (`pages`)."""

    def __init__(self, title: Title, cells: Sequence[Cell], measure: Measure, most: int | None = None) -> None:
        """`most` is the greatest height of a row's pictures, in pixels."""
        self.letters, self.title, self.m = Lettering(), title, measure
        self.most = min(measure.side, most or measure.side)
        columns = measure.columns
        self.rows = [self._row(tuple(cells[at : at + columns])) for at in range(0, len(cells), columns)]

    # ── how high ──

    @property
    def head(self) -> int:
        """The height of the title with the space around it."""
        return self.m.edge + round(self.m.title * 1.3) + self.m.gap

    def high(self, row: Row) -> int:
        """The height of a row with the space below it."""
        lead = _lead(self.m.small)
        return row.high + round(self.m.small * 0.9) + _lead(self.m.large) + lead * (1 + row.lines) + self.m.gap

    @property
    def size(self) -> tuple[int, int]:
        """Of all strips together, in pixels."""
        return self.m.width, self.head + sum(self.high(row) for row in self.rows) + self.m.edge - self.m.gap

    def _row(self, cells: tuple[Cell, ...]) -> Row:
        room = self.m.side - self._dot
        high = max(
            (_fitted(cell.size, self.m.side, self.most)[1] for cell in cells if cell.size is not None), default=self.most // 2
        )
        lines = [len(self.letters.wrapped(_said(cell), room, STATE_LINES, self.m.small)) for cell in cells]
        return Row(cells, max(high, round(self.most * FLAT)), max(lines, default=1))

    # ── drawing ──

    def strips(self) -> Iterator[Image.Image]:
        """The sheet from top to bottom, in pieces."""
        yield self._titled(self.head, "")
        for place, row in enumerate(self.rows):
            last = place == len(self.rows) - 1
            strip = Image.new("RGB", (self.m.width, self.high(row) + (self.m.edge - self.m.gap if last else 0)), PAPER)
            self._draw_row(strip, row, 0)
            yield strip

    def paged(self, height: int) -> list[list[Row]]:
        """The rows of each page of this height; each has one at least."""
        pages: list[list[Row]] = [[]]
        room = left = height - self.head - self.m.edge + self.m.gap
        for row in self.rows:
            if pages[-1] and self.high(row) > left:
                pages.append([])
                left = room
            pages[-1].append(row)
            left -= self.high(row)
        return pages

    def pages(self, height: int) -> Iterator[Image.Image]:
        """The sheet as pages of this height."""
        pages = self.paged(height)
        for number, rows in enumerate(pages, 1):
            page = Image.new("RGB", (self.m.width, height), PAPER)
            page.paste(self._titled(self.head, f"{number} / {len(pages)}" if len(pages) > 1 else ""), (0, 0))
            top = self.head
            for row in rows:
                self._draw_row(page, row, top)
                top += self.high(row)
            yield page

    def _titled(self, height: int, page: str) -> Image.Image:
        strip = Image.new("RGB", (self.m.width, height), PAPER)
        draw, m, letters = ImageDraw.Draw(strip), self.m, self.letters
        left, right, base = m.edge, m.width - m.edge, m.edge + m.title
        if page:
            right -= round(letters.width(page, m.small))
            letters.draw(draw, (right, base), page, m.small, DIM)
            right -= m.gap
        name = letters.middle_out(self.title.name, (right - left) * 0.6, m.title, BOLD)
        letters.draw(draw, (left, base), name, m.title, INK, BOLD)
        x = left + letters.width(name, m.title, BOLD) + m.gap
        said = (
            letters.middle_out(self.title.remark, max(0.0, right - x), m.small)
            if self.title.remark and right - x > m.side / 3
            else ""
        )
        letters.draw(draw, (x, base), said, m.small, DIM)
        x += letters.width(said, m.small) + m.gap
        tally = sum(self._dot + letters.width(words, m.small) + m.gap for words, _ in self.title.tally) - m.gap
        if x + tally <= right:
            x = right - tally
            for words, tone in self.title.tally:
                self._state(draw, x, base, words, tone)
                x += self._dot + letters.width(words, m.small) + m.gap
        return strip

    @property
    def _dot(self) -> int:
        """How far to the right of a state's dot its words begin."""
        return round(self.m.small * 0.95)

    def _state(self, draw: ImageDraw.ImageDraw, x: float, base: float, words: str, tone: Tone) -> None:
        size = self.m.small
        fine = Image.new("L", (size * DOT, size * DOT), 0)  # drawn large: an ellipse of a few pixels has corners
        ImageDraw.Draw(fine).ellipse((0, size * DOT // 2, size * DOT // 2 - 1, size * DOT - 1), 255)
        draw.bitmap((round(x), round(base - size * 1.1)), fine.resize((size, size), Image.Resampling.BOX), TONES[tone])
        self.letters.draw(draw, (x + self._dot, base), words, size, DIM if tone in ("good", "calm") else TONES[tone])

    def _draw_row(self, on: Image.Image, row: Row, top: int) -> None:
        m, draw, letters = self.m, ImageDraw.Draw(on), self.letters
        for place, cell in enumerate(row.cells):
            left = m.edge + place * (m.side + m.gap)
            box = (left, top, left + m.side, top + row.high)
            shown = None if cell.file is None or cell.size is None else _thumbnail(cell.file, m.side, row.high)
            if shown is None:
                self._frame(draw, box, cell)
            else:
                self._picture(on, draw, box, shown)
            if cell.crossed:
                for line in ((box[0], box[1], box[2] - 1, box[3] - 1), (box[0], box[3] - 1, box[2] - 1, box[1])):
                    draw.line(line, TONES["bad"], max(2, m.side // 120))
            base = top + row.high + round(m.small * 0.9) + m.large
            letters.draw(draw, (left, base), letters.middle_out(cell.name, m.side, m.large, BOLD), m.large, INK, BOLD)
            base += _lead(m.small) + round((_lead(m.large) - m.large) / 2)
            letters.draw(draw, (left, base), letters.middle_out(cell.facts, m.side, m.small), m.small, DIM)
            for number, words in enumerate(letters.wrapped(_said(cell), m.side - self._dot, STATE_LINES, m.small)):
                base += _lead(m.small)
                if number == 0:
                    self._state(draw, left, base, words, cell.tone)
                else:
                    ink = DIM if cell.tone in ("good", "calm") else TONES[cell.tone]
                    letters.draw(draw, (left + self._dot, base), words, m.small, ink)

    def _picture(self, on: Image.Image, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], shown: Image.Image) -> None:
        draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), MAT)
        x, y = box[0] + (box[2] - box[0] - shown.width) // 2, box[1] + (box[3] - box[1] - shown.height) // 2
        if shown.mode == "RGBA":
            on.paste(_checked(shown.size, max(4, self.m.side // 32)), (x, y))
            on.paste(shown, (x, y), shown)
        else:
            on.paste(shown, (x, y))
        # A picture on a light ground needs an edge to be seen as one.
        area = (x, y, x + shown.width, y + shown.height)
        edge = Image.new("L", shown.size, 0)
        ImageDraw.Draw(edge).rectangle((0, 0, shown.width - 1, shown.height - 1), outline=26)
        on.paste(Image.composite(Image.new("RGB", shown.size, INK), on.crop(area), edge), (x, y))

    def _frame(self, draw: ImageDraw.ImageDraw, box: tuple[int, int, int, int], cell: Cell) -> None:
        """Where no picture is: a broken line around what is to be said."""
        m, letters = self.m, self.letters
        dash, thick = max(4, m.side // 40), max(1, m.side // 200)
        left, top, right, bottom = box[0], box[1], box[2] - 1, box[3] - 1
        for x in range(left, right, 2 * dash):
            draw.rectangle((x, top, min(x + dash, right), top + thick - 1), LINE)
            draw.rectangle((x, bottom - thick + 1, min(x + dash, right), bottom), LINE)
        for y in range(top, bottom, 2 * dash):
            draw.rectangle((left, y, left + thick - 1, min(y + dash, bottom)), LINE)
            draw.rectangle((right - thick + 1, y, right, min(y + dash, bottom)), LINE)
        room = m.side - 4 * dash
        head = letters.wrapped(BROKEN if cell.file is not None else cell.state, room, 2, m.large, BOLD)
        lines = max(0, (box[3] - box[1] - 4 * dash - len(head) * _lead(m.large)) // _lead(m.small))
        more = letters.wrapped(cell.why, room, min(4, lines), m.small) if cell.file is None and lines else []
        level = (top + bottom - len(head) * _lead(m.large) - len(more) * _lead(m.small)) / 2 + m.large
        tone = "bad" if cell.file is not None else cell.tone
        for line in head:
            letters.draw(
                draw, (left + (m.side - letters.width(line, m.large, BOLD)) / 2, level), line, m.large, TONES[tone], BOLD
            )
            level += _lead(m.large)
        for line in more:
            letters.draw(draw, (left + (m.side - letters.width(line, m.small)) / 2, level), line, m.small, DIM)
            level += _lead(m.small)


def _lead(size: int) -> int:
    """From one base line to the next."""
    return round(size * 1.45)


def _said(cell: Cell) -> str:
    """What the state of a cell is, below its picture; an empty frame has said it already."""
    if cell.file is None:
        return ""
    return f"{cell.state}: {cell.why}" if cell.why else cell.state


def _fitted(size: tuple[int, int], wide: int, high: int) -> tuple[int, int]:
    """A size that fits, never larger than it is."""
    scale = min(wide / size[0], high / size[1], 1.0)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _thumbnail(file: Path, wide: int, high: int) -> Image.Image | None:
    """A picture made small, in RGB, or RGBA if something of it is transparent; None where it can't be opened. Its first frame, turned as EXIF says."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # large pictures are what it is for; a bomb is an error
            with Image.open(file) as picture:
                picture.draft("RGB", (wide * 2, high * 2))
                seen = ImageOps.exif_transpose(picture)
                if seen.mode.startswith("I"):
                    seen = seen.convert("I").point(lambda value: value * (1 / 256)).convert("L")
                clear = seen.has_transparency_data
                shown = seen.convert("RGBA" if clear else "RGB")
                shown = shown.resize(_fitted(shown.size, wide, high), Image.Resampling.LANCZOS, reducing_gap=3.0)
    except (OSError, ValueError, SyntaxError, MemoryError, Image.DecompressionBombError):
        return None
    return shown.convert("RGB") if clear and shown.getchannel("A").getextrema() == (255, 255) else shown


def _checked(size: tuple[int, int], square: int) -> Image.Image:
    """The chequered ground that stands for "transparent"."""
    across = Image.new("L", size, 0)
    draw = ImageDraw.Draw(across)
    for x in range(0, size[0], 2 * square):
        draw.rectangle((x, 0, x + square - 1, size[1]), 255)
    down = Image.new("L", size, 0)
    draw = ImageDraw.Draw(down)
    for y in range(0, size[1], 2 * square):
        draw.rectangle((0, y, size[0], y + square - 1), 255)
    return Image.composite(
        Image.new("RGB", size, CHECKS[0]), Image.new("RGB", size, CHECKS[1]), ImageChops.difference(across, down)
    )
