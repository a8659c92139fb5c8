"""A picture of the user's that can't be read is named by its path, whatever a prompt calls it."""

from __future__ import annotations

from assetbuild.testing.space import TestSpace

from .saying import Story

SPEC = """version: 1
styles:
  brand: {text: Flat., references: [{file: brand/board.png, as: board}]}
assets:
  named: {prompt: A poster, references: [{file: refs/logo.png, as: logo}]}
  gone: {prompt: A poster, references: [{file: refs/gone.png, as: gone}]}
  styled: {prompt: A poster, style: brand}
  based: {base: {file: refs/logo.png}, prompt: Larger}
  bare: {prompt: Larger, references: [{file: refs/plain.txt}]}
"""


def test_pictures_that_cannot_be_read(space: TestSpace) -> None:
    """Files that are no pictures or aren't there, and what the build says of each."""
    space.write("assets.yaml", SPEC)
    for path in ("brand/board.png", "refs/logo.png", "refs/plain.txt"):
        space.write(path, "no picture")
    story = Story(space, "unreadable-pictures")
    story.run("build", "--jobs", "1", code=1)
    story.check()
