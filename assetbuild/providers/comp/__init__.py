"""The `comp` provider: layout drafts drawn here, free and offline, in place of a bought picture. Knows the contract; the
rooms below it draw.

`drafting` leads: `reading` (prompt → what is asked) → `layout` (→ pages) → `press` (typst → PNG); `pictures` looks at inputs,
`scripts` knows fonts and scripts, `palette` colours, `lexicon` words, that `nouns` and `hues` find in a prompt; `seats` says where
a kind of picture sets quoted words, `sizes` how large it is, `seed` what chance decides; `wardrobe` a figure's looks, `references`
what a reference is for. `emblem` makes a sign for what has no pictogram. On an edit `change` reads what is asked; a comp tells
in its file what words stand where (`record`), and `swap` puts new ones in their place; on other pictures `lines` finds the words and
`spots` the bare places; `retouch` says what goes where, `cutting` takes a ground away. The drawing itself is typst, in `drawing/`. The same
request gives the same PNG bytes on every machine, in every thread and process. Two exceptions, both told: words in Chinese,
Japanese or Korean need the `[cjk]` extra (`Done.notes["missing_fonts"]` where it isn't installed), and JPEG and WebP bytes
follow the installed Pillow. Model `comp-1` is raised whenever the drawing changes.
"""

from __future__ import annotations

from ..base import Done, Image, Kind, ProviderError, Request

MODELS = ("comp-1",)
OPS = ("generate", "edit", "upscale", "remove-background")
MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}

replay_window: float | None = None
reproducible = True
free = True
base_url: str | None = None
key_variable: str | None = None


def check(request: Request) -> list[str]:
    """Problems that can be known offline."""
    problems = []
    if request.model not in MODELS:
        problems.append(f"comp has no model `{request.model}`: use `{MODELS[-1]}`")
    if request.op not in OPS:
        problems.append(f"comp can't do `{request.op}`: it has {', '.join(OPS)}")
    elif request.op != "generate" and not any(picture.role == "base" for picture in request.inputs):
        problems.append(f"`{request.op}` needs a base picture: name one with `base:`")
    if str(request.params.get("output_format", "png")) not in MEDIA:
        problems.append(f"comp can't write `{request.params['output_format']}`: use png, jpeg or webp")
    return problems


def draw(request: Request) -> tuple[Image, ...]:
    """The action's pictures. Takes 20 to 100 ms of one core a picture and lets other threads run. Raises ProviderError
    (INVALID).
    """
    return done(request).images


def done(request: Request) -> Done:
    """As `draw`, with the notes: `missing_fonts` and `left_out`, each with the texts and the way out. Raises ProviderError
    (INVALID).
    """
    from . import drafting  # typst and Pillow come with it

    for problem in check(request):
        raise ProviderError(Kind.INVALID, problem)
    return drafting.draft(request)
