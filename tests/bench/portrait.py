"""Draws the README's pictures of `watch` from a real session: the terminal as an animation, the page as a screenshot. Needs Chromium.

    python -m tests.bench.portrait

Writes examples/pictures/watch.webp and examples/pictures/watch-page.webp. The vendor is the emulator, so the bought pictures are drawn ones.
"""

from __future__ import annotations

import html
import io
import re
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

from PIL import Image

from tests import emulating
from tests.test_watch import Desk, number_of
from tests.watching import Watching

HERE = Path(__file__).parent.parent.parent / "examples" / "pictures"
SPEC = """\
version: 1
project: fika
defaults: {provider: apiframe, model: gpt-image-2, output: "art/${id}.png"}
profiles:
  draft: {provider: comp}
assets:
  poster:
    prompt: |
      A poster for a small coffee roastery. Beans fall from the top right. Headline "Slow mornings".
    tags: [launch, print]
  poster-de:
    base: poster
    prompt: Set the headline to "Langsame Morgen".
    tags: [launch]
  poster-fr:
    base: poster
    prompt: Set the headline to "Matins lents".
    tags: [launch]
  cup:
    prompt: A cup on a wooden table, seen from above.
    takes: 3
  cup-blue:
    base: cup
    prompt: Make the cup blue.
  bag:
    prompt: A paper bag of coffee that says "Fika".
  menu:
    provider: comp
    prompt: A menu with four drinks and their prices.
"""
COLOURS = {"green": "#7fd3a3", "red": "#ff9a90", "brown": "#f0bd6a", "yellow": "#f0bd6a", "cyan": "#7cc7e8", "default": "#e8e6e1"}


class Painted(Watching):
    """A watch in colour, as pictures."""

    def html(self) -> str:
        with self._lock:
            rows = []
            for y in range(self.rows):
                cells = [self._screen.buffer[y][x] for x in range(self.columns)]
                rows.append(
                    "".join(
                        f'<span style="color:{COLOURS.get(c.fg, "#e8e6e1")};font-weight:{700 if c.bold else 400}">{html.escape(c.data)}</span>'
                        for c in cells
                    )
                )
        style = "margin:0;padding:18px 22px;background:#1a1a19;font:15px/1.45 'DejaVu Sans Mono',monospace;width:max-content"
        return f'<body style="margin:0"><pre style="{style}">' + "\n".join(rows) + "</pre>"


def main() -> None:
    from playwright.sync_api import sync_playwright

    HERE.mkdir(exist_ok=True)
    program = shutil.which("chromium") or shutil.which("google-chrome")
    with (
        tempfile.TemporaryDirectory() as folder,
        emulating.emulator(pictures="comps", latency=2) as apiframe,
        sync_playwright() as player,
    ):
        browser = player.chromium.launch(executable_path=program, args=["--no-sandbox"])
        desk = Desk(Path(folder), apiframe, SPEC)
        desk.space.run("build", "poster", "poster-de", "cup", "--yes", env=apiframe.env())
        painter = browser.new_page(viewport={"width": 1000, "height": 560})
        frames: list[tuple[Image.Image, int]] = []

        def frame(watch: Painted, ms: int) -> None:
            painter.set_content(watch.html())
            frames.append((Image.open(io.BytesIO(painter.locator("pre").screenshot())).convert("RGB"), ms))

        env = {**apiframe.env(), "FORCE_COLOR": "1", "NO_COLOR": ""}
        with Painted(desk.space, "--serve", env=env, columns=84, rows=18) as watch:
            watch.says("#t=")
            found = re.search(r"http://127\S+(\n\S+)?", watch.text)
            assert found is not None
            url = found[0].replace("\n", "")
            watch.settled()
            desk.space.run("use", "cup", "2", env=apiframe.env())
            watch.settled()
            film(watch, desk, frame)
            watch.settled()
            desk.edit("Leaves fall", "Petals fall")
            watch.settled()
            portrait(browser, url)
        browser.close()
    first, *rest = [image for image, _ in frames]
    first.save(
        HERE / "watch.webp", save_all=True, append_images=rest, duration=[ms for _, ms in frames], loop=0, quality=70, method=6
    )
    for path in sorted(HERE.iterdir()):
        print(path.name, path.stat().st_size // 1024, "KiB")


def film(watch: Painted, desk: Desk, frame: Any) -> None:
    frame(watch, 1800)
    desk.edit("Beans fall", "Leaves fall")
    for _ in range(8):
        time.sleep(0.12)
        frame(watch, 150)
    watch.settled()
    frame(watch, 2600)
    time.sleep(1)
    watch.press(number_of(watch, "poster-de"))
    for _ in range(12):
        time.sleep(0.4)
        frame(watch, 400)
    watch.settled()
    frame(watch, 3500)


def portrait(browser: Any, url: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 820})
    page.goto(url)
    page.wait_for_selector(".card img")
    time.sleep(2)
    Image.open(io.BytesIO(page.screenshot())).convert("RGB").save(HERE / "watch-page.webp", quality=82, method=6)
    page.close()


if __name__ == "__main__":
    main()
