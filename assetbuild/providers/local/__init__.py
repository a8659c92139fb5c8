"""The provider `local`: what is made here, free and exactly: a picture with texts, files and barcodes laid over it (`compose`), and a sheet cut into its cells
(`cut`). No vendor, and no spec names it. Knows the contract; `composing` leads, and `pictures.cutting` cuts.

`compose-1` is raised when the same parameters give another picture: other defaults (`usual`), another way of placing or breaking lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import AssetbuildError
from ..base import Done, Image, Kind, ProviderError, Request

if TYPE_CHECKING:
    from PIL.Image import Image as Pixels

MODELS = ("compose-1", "cut-1")
OPS = ("compose", "cut")

replay_window: float | None = None
reproducible = True
free = True
base_url: str | None = None
key_variable: str | None = None


def check(request: Request) -> list[str]:
    """Problems that can be known before anything is made: a missing font or glyph, a file that can't be read; with the base at hand also what doesn't fit."""
    found = _wrong(request)
    if found or request.op != "compose":
        return found
    from . import composing

    return [f"{problem.text}: {problem.hint}" if problem.hint else problem.text for problem in composing.problems(request)]


def done(request: Request) -> Done:
    """The composed picture, or the pieces of a sheet, as PNG. Raises ProviderError (INVALID)."""
    for problem in _wrong(request):
        raise ProviderError(Kind.INVALID, problem)
    from . import composing

    if request.op == "cut":
        return _cut(request)
    picture = composing.composed(request)
    margin = request.params.get("trim")
    if margin is not None:
        picture = _trimmed(picture, float(margin))
    return Done((Image(composing.png(picture), "image/png"),))


def vector(request: Request) -> bytes:
    """The composed picture as a one-page PDF: a pixel of the base is a point, texts, bars and drawings are vectors. Raises
    ProviderError (INVALID), also for a picture that is trimmed."""
    from . import composing

    for problem in _wrong(request):
        raise ProviderError(Kind.INVALID, problem)
    if request.params.get("trim") is not None:
        raise ProviderError(
            Kind.INVALID, "a picture that is trimmed has no vectors", hint="lay the texts over the trimmed picture"
        )
    return composing.page(request)


def _wrong(request: Request) -> list[str]:
    if request.op not in OPS:
        return [f"local can't do `{request.op}`: it has {' and '.join(OPS)}"]
    if request.model != f"{request.op}-1":
        return [f"local has no model `{request.model}` for `{request.op}`: it has `{request.op}-1`"]
    return []


def _cut(request: Request) -> Done:
    from ...pictures import cutting
    from . import composing

    base = composing.opened_base(request)
    try:
        pieces = cutting.cut(base, request.params, len(request.members))
    except AssetbuildError as problem:
        raise ProviderError(Kind.INVALID, problem.text, hint=problem.hint) from problem
    images = (Image(composing.png(piece), "image/png", member) for piece, member in zip(pieces, request.members, strict=True))
    return Done(tuple(images))


def _trimmed(picture: Pixels, margin: float) -> Pixels:
    from ...pictures import cutting

    try:
        return cutting.trim(picture, margin)
    except AssetbuildError as problem:
        raise ProviderError(Kind.INVALID, problem.text, hint=problem.hint) from problem
