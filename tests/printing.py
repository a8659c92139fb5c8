"""Colour profiles for tests, written by hand: ICC.1:2010, an output profile for CMYK with tables of the fewest points, and one for grey."""

from __future__ import annotations

import struct


def _tag(kind: bytes, body: bytes) -> bytes:
    data = kind + b"\0\0\0\0" + body
    return data + b"\0" * (-len(data) % 4)


def _lut16(inputs: int, outputs: int, points: int, table: list[int]) -> bytes:
    """`lut16Type` (10.10): linear curves around a table; values 0 to 65535."""
    unit = [65536, 0, 0, 0, 65536, 0, 0, 0, 65536]
    curve = struct.pack(">2H", 0, 65535)
    head = struct.pack(">3Bx9i2H", inputs, outputs, points, *unit, 2, 2)
    return _tag(b"mft2", head + curve * inputs + struct.pack(f">{len(table)}H", *table) + curve * outputs)


def _lab(red: float, green: float, blue: float) -> list[int]:
    """A colour of light as the profile counts Lab (16 bits, ICC version 2: L 0-100 is 0-65280, a and b -128 to 127)."""

    def cube(value: float) -> float:
        return value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116

    x = 0.4361 * red + 0.3851 * green + 0.1431 * blue
    y = 0.2225 * red + 0.7169 * green + 0.0606 * blue
    z = 0.0139 * red + 0.0971 * green + 0.7142 * blue
    fx, fy, fz = cube(x / 0.9642), cube(y), cube(z / 0.8249)
    lab = (116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz))
    low = max(0, min(65535, round(lab[0] * 652.8)))
    return [low, *(max(0, min(65535, round((each + 128) * 256))) for each in lab[1:])]


def cmyk_profile() -> bytes:
    """Each ink takes its part of the light, black all of it."""
    seen: list[int] = []
    for c in (0, 1):
        for m in (0, 1):
            for y in (0, 1):
                for k in (0, 1):
                    light = [(1 - 0.95 * ink) * (1 - 0.97 * k) for ink in (c, m, y)]
                    seen += _lab(*light)
    inks: list[int] = []
    points = 9
    for step in range(points**3):
        lightness, a, b = (step // points**2) / 8, (step // points % points) / 8 * 255 - 128, (step % points) / 8 * 255 - 128
        fy = (lightness * 100 + 16) / 116
        parts = zip((0.9642, 1, 0.8249), (fy + a / 500, fy, fy - b / 200), strict=True)
        xyz = [white * ((f**3) if f > 0.2069 else (f - 16 / 116) / 7.787) for white, f in parts]
        red = 3.1341 * xyz[0] - 1.6169 * xyz[1] - 0.4906 * xyz[2]
        green = -0.9788 * xyz[0] + 1.9161 * xyz[1] + 0.0335 * xyz[2]
        blue = 0.0719 * xyz[0] - 0.2290 * xyz[1] + 1.4052 * xyz[2]
        inks += [round(65535 * (1 - max(0.0, min(1.0, each)))) for each in (red, green, blue)] + [0]
    tags = {
        b"desc": _tag(b"desc", struct.pack(">I", 8) + b"printer\0" + b"\0" * 78),
        b"cprt": _tag(b"text", b"none\0"),
        b"wtpt": _tag(b"XYZ ", struct.pack(">3i", 63190, 65536, 54061)),
        b"A2B0": _lut16(4, 3, 2, seen),
        b"B2A0": _lut16(3, 4, points, inks),
    }
    return _profile(b"prtr", b"CMYK", b"Lab ", tags)


def grey_profile() -> bytes:
    """Grey in linear light: whoever overlooks it shows a picture that is far too dark."""
    tags = {
        b"desc": _tag(b"desc", struct.pack(">I", 5) + b"grey\0" + b"\0" * 78),
        b"cprt": _tag(b"text", b"none\0"),
        b"wtpt": _tag(b"XYZ ", struct.pack(">3i", 63190, 65536, 54061)),
        b"kTRC": _tag(b"curv", struct.pack(">IH", 1, 256)),
    }
    return _profile(b"mntr", b"GRAY", b"XYZ ", tags)


def _profile(kind: bytes, space: bytes, between: bytes, tags: dict[bytes, bytes]) -> bytes:
    offset, index, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, data in tags.items():
        index += name + struct.pack(">2I", offset + len(body), len(data))
        body += data
    whole = offset + len(body)
    head = struct.pack(">I4sI4s4s4s12x4s", whole, b"none", 0x02400000, kind, space, between, b"acsp")
    head += b"\0" * (68 - len(head)) + struct.pack(">3i", 63190, 65536, 54061)
    return head + b"\0" * (128 - len(head)) + struct.pack(">I", len(tags)) + index + body
