"""What an overlay is where nothing is said: one table, part of the contract of action keys, frozen with the model `compose-1`. Knows nothing else."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

MODEL: Final = "compose-1"

USUAL: Final = MappingProxyType[
    str, Any
](
    {
        "at": "center",
        "margin": "4%",  # of the shorter side
        "size": "5%",  # of the shorter side: the em of the font
        "font": "",  # Noto Sans, and where that lacks a letter the Noto Sans of its script
        "weight": 400,
        "style": "normal",
        "color": "#000000",
        "opacity": 1,
        "leading": 1.2,  # lines of Latin, Greek, Cyrillic; as multiple of the size
        "leading_tall": 1.4,  # lines of any other script
        "tracking": 0,  # thousandths of the size; never between joined letters
        "direction": "auto",
        "digits": True,
        "rotate": 0,
        "file_width": "20%",  # of the picture's width, for a file that says neither width nor height
        "code_width": {"ean13": "30%", "ean8": "24%", "upca": "30%", "code128": "40%", "qr": "20%"},
        "code_background": "#ffffff",
        "code_ratio": 0.62,  # of bars and digits, height to width (GS1: 25.93 mm to 37.29 mm is 0.695; a little lower scans as well)
        "padding": (0.36, 0.48),  # of the size, around a text with a background: above and below, left and right
        "balanced": 4,  # a text of 2 to so many lines gets lines of even length
        "least_size": 6.0,  # pixels: `fit: shrink` goes no further down
        "least_readable": 3.0,  # pixels: a smaller text is a mistake
        "least_module": 2,  # pixels: the narrowest bar of a code
    }
)
