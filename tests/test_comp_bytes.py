"""The same request gives the same bytes, and nothing of its machine."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import subprocess
import sys
import threading
from pathlib import Path

from assetbuild.providers import comp
from assetbuild.providers.base import Request

from .comping import BRAND, KINDS, POSTER, asked, drawn, golden, stored


def known_requests(folder: Path) -> dict[str, Request]:
    """The pictures whose bytes are pinned. Their inputs are files of typst's making, so that Pillow has no part in them."""
    base = stored(folder, drawn(POSTER))
    logo = stored(folder, drawn(asked('Logo "fika" with a bean' + BRAND, aspect_ratio="1:1")), "reference", "logo")
    return {
        "poster": POSTER._replace(params={**POSTER.params, "quality": "medium"}),
        "box": asked(KINDS["box"], aspect_ratio="1:1"),
        "browser": asked(KINDS["browser"], aspect_ratio="3:2"),
        "character": asked(KINDS["character"], aspect_ratio="3:2", seed=3),
        "scripts": asked('Poster "Медленный кофе" "قهوة على مهل" "धीमी कॉफ़ी" "กาแฟช้าๆ"'),
        "missing": asked('Poster "𒀀𒀁"'),
        "cjk": asked('Poster "ゆっくり淹れた" "慢慢冲泡" "천천히 내린"'),
        "foot": asked('A pouch "Oat", "Honey", "Nuts", "500 g", "See back", "No sugar", "Since 1984"'),
        "set": asked("Panels: bean, cup" + BRAND, members=("bean", "cup"), aspect_ratio="1:1"),
        "edit": asked('Set the headline to "Langsam gebrüht".', "edit", inputs=(base, logo)),
        "upscale": asked(None, "upscale", inputs=(base,)),
    }


def digests(folder: Path) -> dict[str, list[str]]:
    return {
        name: [hashlib.sha256(image.data).hexdigest() for image in comp.draw(request)]
        for name, request in known_requests(folder).items()
    }


def test_the_bytes_are_the_golden_ones(tmp_path: Path) -> None:
    golden("digests", digests(tmp_path))


def test_another_process_hash_seed_locale_and_time_zone_give_the_same_bytes(tmp_path: Path) -> None:
    code = (
        "import json, pathlib, sys; sys.path[:0] = sys.argv[2:]; from tests import test_comp_bytes; "
        "print(json.dumps(test_comp_bytes.digests(pathlib.Path(sys.argv[1]))))"
    )
    env = {
        **os.environ,
        "PYTHONHASHSEED": "4242",
        "TZ": "Asia/Kathmandu",
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "tr_TR.UTF-8",
        "SOURCE_DATE_EPOCH": "1",
        "TYPST_FONT_PATHS": "/",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "other"), str(Path(__file__).parent.parent)],
        env=env,
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert json.loads(done.stdout) == digests(tmp_path / "one")


def test_two_threads_at_once_give_the_same_bytes() -> None:
    requests = [asked(f'Poster "Brewed slowly" no. {"abcdefgh"[n]}') for n in range(8)]
    alone = [drawn(request) for request in requests]
    together: dict[int, list[bytes]] = {}
    threads = [
        threading.Thread(target=lambda n=n: together.__setitem__(n, [drawn(request) for request in requests])) for n in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert together == {0: alone, 1: alone}


def test_a_png_holds_no_time_or_path_and_no_text_but_its_record() -> None:
    data = drawn(POSTER)
    chunks, text, at = [], [], 8
    while at < len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        chunks.append(kind)
        if kind == b"tEXt":
            text.append(data[at + 8 : at + 8 + length])
        at += 12 + length
    assert set(chunks) <= {b"IHDR", b"IDAT", b"IEND", b"pHYs", b"sRGB", b"gAMA", b"tEXt"}
    (one,) = text
    keyword, _, body = one.partition(b"\0")
    assert keyword == b"assetbuild-comp"
    assert json.loads(body).keys() == {"v", "pixels", "five", "words"}
    assert len(one) < 2000
