"""How large a contact sheet is, and which kind of file it becomes: one tall picture, or pages of paper. Knows sizes and kinds; `contact` draws the cells,
`spooling` writes the file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ..recipe import MM
from .contact import Cell, Measure, Sheet, Title
from .spooling import Write, check_size, write_pdf, write_png, write_whole

KINDS = {"png": "png", "pdf": "pdf", "jpg": "jpeg", "jpeg": "jpeg", "webp": "webp"}  # by the ending of a path
PAPERS = {"a4": (297.0, 210.0), "a3": (420.0, 297.0), "letter": (279.4, 215.9), "tabloid": (431.8, 279.4)}  # landscape, mm
DPI = 200  # of pages
FEW = 60  # cells for which several sizes are tried
PAPER_SIDE = 40.0  # mm: about how wide a picture is on paper
SIDES = (
    (24, 400, 21, 17),
    (150, 300, 18, 15),
    (1000, 220, 15, 13),
)  # up to so many cells: the side of one, and the letters, in pixels
SMALLEST = (160, 13, 11)
POINT = 72  # to the inch


def measured(count: int, columns: int | None = None) -> Measure:
    """Of one tall picture with so many cells: the more, the smaller each. Without `columns` as many as make it somewhat higher than wide."""
    side, large, small = next((row[1:] for row in SIDES if count <= row[0]), SMALLEST)
    across = columns or min(count, max(4, math.ceil(math.sqrt(count) * 0.9)))
    return Measure(max(1, across), side, max(16, side // 14), max(24, side // 8), large, small, round(large * 1.5))


def paper_measure(paper: str, columns: int | None = None) -> tuple[Measure, int]:
    """Of pages, and how high they are, in pixels at `DPI`."""
    wide, high = (round(side / MM * DPI) for side in PAPERS[paper])
    edge, gap = _mm(11), _mm(5)
    across = columns or max(1, round((wide - 2 * edge + gap) / (_mm(PAPER_SIDE) + gap)))
    side = max(1, (wide - 2 * edge - (across - 1) * gap) // across)
    scale = min(1.0, side / _mm(28))  # of letters, where the pictures are very small
    large, small, title = (max(8, round(points / POINT * DPI * scale)) for points in (8.5, 7, 15))
    return Measure(across, side, gap, edge, large, small, max(title, round(15 / POINT * DPI * 0.7)), wide), high


def _mm(value: float) -> int:
    return round(value / MM * DPI)


def print_sheet(
    kind: str, title: Title, cells: Sequence[Cell], write: Write, *, columns: int | None = None, paper: str = "a4"
) -> frozenset[str]:
    """Gives the bytes of a sheet of this kind (a value of `KINDS`) to `write`, piece by piece; gives the letters that no font had. Raises CantExport before
    the first piece where the format can't hold the sheet, OSError.
    """
    if kind == "pdf":
        sheet, high = _paged(title, cells, paper, columns)
        write_pdf(sheet.pages(high), DPI, title.name, write)
        return frozenset(sheet.letters.missing)
    sheet = Sheet(title, cells, measured(len(cells), columns))
    check_size(kind, sheet.size)
    if kind == "png":
        write_png(sheet.size, sheet.strips(), write)
    else:
        write_whole(kind, sheet.size, sheet.strips(), write)
    return frozenset(sheet.letters.missing)


def _paged(title: Title, cells: Sequence[Cell], paper: str, columns: int | None) -> tuple[Sheet, int]:
    """A sheet for pages, and how high they are. Few pictures are as large as one page lets them be; a page more for one row isn't wanted."""
    usual = paper_measure(paper)[0].columns
    if columns or len(cells) > FEW:
        sheet, high, _ = _tried(title, cells, paper, columns or usual)
        return sheet, high
    for across in range(1, usual):
        sheet, high, pages = _tried(title, cells, paper, across)
        if pages == 1:
            return sheet, high
    sheet, high, _ = min((_tried(title, cells, paper, across) for across in range(usual, usual + 3)), key=lambda each: each[2])
    return sheet, high


def _tried(title: Title, cells: Sequence[Cell], paper: str, columns: int) -> tuple[Sheet, int, int]:
    """The sheet with so many columns, how high a page is, and how many there would be."""
    measure, high = paper_measure(paper, columns)
    sheet = Sheet(title, cells, measure, most=round((high - 2 * measure.edge) * 0.6))
    return sheet, high, len(sheet.paged(high))
