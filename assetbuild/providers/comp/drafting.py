"""One action from request to bytes: looks at the inputs, has the pages laid out and printed, encodes. Knows the order, draws
nothing itself.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Any

from ..base import Done, Image, Kind, ProviderError, Request
from . import MEDIA, cutting, layout, pictures, press, record, scripts
from .pictures import Seen
from .references import use
from .sizes import strip_share

LARGEST = 64_000_000  # pixels of a picture that upscale makes


def draft(request: Request) -> Done:
    """The pictures of a request that `check` found right. Raises ProviderError (INVALID)."""
    try:
        wheels = scripts.wheels()
    except LookupError as error:
        hint = "`pip install assetbuild` installs `manimgx-fonts` with it"
        raise ProviderError(Kind.INVALID, "the fonts of comp aren't installed", hint=hint) from error
    with contextlib.ExitStack() as open_folders:
        made, root = _pages(request, wheels.cjk is not None, open_folders)
        try:
            *pngs, row = press.pages({"pages": made.pages}, wheels if made.cjk else wheels._replace(cjk=None), root)
        except ProviderError:
            for picture in request.inputs:  # which one was it? Pillow, looking closely, names it
                pictures.look(picture, closely=True)
            raise
    form = str(request.params.get("output_format") or "png")
    files = pngs if form == "png" else [pictures.encode(png, form) for png in pngs]
    drawn = _recorded(files, record.row(row), made)
    return Done(
        tuple(Image(data, MEDIA[form], name) for data, name in zip(drawn, request.members or ("",), strict=True)), 0, made.notes
    )


def _recorded(files: list[bytes], told: list[dict[str, Any]], made: layout.Pages) -> list[bytes]:
    """The pictures with what they tell of themselves: the words that stay from their base, and those that are new."""
    found = []
    for n, (file, page) in enumerate(zip(files, made.pages, strict=True), 1):
        found.append(record.write(file, record.Record(page["five"], made.kept + record.stands(told, n, (page["w"], page["h"])))))
    return found


def _pages(request: Request, cjk: bool, open_folders: contextlib.ExitStack) -> tuple[layout.Pages, Path | None]:
    """The pages and the folder that their pictures are named from."""
    base = next((picture for picture in request.inputs if picture.role == "base"), None) if request.op != "generate" else None
    if base is not None and request.op == "upscale":
        seen = pictures.look(base, closely=True)
        scale = int(request.params.get("scale") or 2)
        if seen.w * seen.h * scale * scale > LARGEST:
            text = f"{seen.w} x {seen.h} pixels enlarged {scale} times are more than {LARGEST // 1_000_000} million"
            raise ProviderError(Kind.INVALID, text, hint="use `scale: 2`, or a smaller base")
        root, (placed,) = _place([seen], open_folders)
        return layout.copy(request, placed, (seen.w * scale, seen.h * scale), f"×{scale}"), root
    if base is not None and request.op == "remove-background":
        seen = pictures.look(base, closely=True)
        cut, w, h = cutting.cut_out(seen, strip_share(seen.w, seen.h))
        root, (placed,) = _place([seen._replace(held=cut, format="png")], open_folders)
        return layout.copy(request, placed, (w, h), "", transparent=True), root
    shown = [(picture, use(request, picture)) for picture in request.inputs if picture.role == "reference"]
    looked = [pictures.look(base, closely=True)] if base else []
    for picture, its in shown:
        seen = pictures.look(picture)
        looked.append(cutting.cut_small(seen, strip_share(seen.w, seen.h)) if its.role == "logo" else seen)
    boards = (pictures.look(picture, closely=True).colours for picture in request.inputs if picture.role == "style")
    root, all_placed = _place(looked, open_folders)
    insets = tuple(
        zip(
            all_placed[1:] if base else all_placed, [picture.name for picture, _ in shown], [its for _, its in shown], strict=True
        )
    )
    return layout.pages(request, cjk=cjk, base=all_placed[0] if base else None, insets=insets, board=next(boards, ())), root


def _place(seen: list[Seen], open_folders: contextlib.ExitStack) -> tuple[Path | None, list[Seen]]:
    """Where typst reads pictures from, and the pictures with their paths from there: where they lie, or as copies in a folder
    that goes with `open_folders` when one has to be converted or was cut out, or they share no folder (Windows drives).
    """
    if not seen:
        return None, []
    if not any(one.convert or one.held for one in seen):
        lies = [one.path.resolve() for one in seen]
        with contextlib.suppress(ValueError):
            root = Path(os.path.commonpath([press.DRAWING, *(path.parent for path in lies)]))
            return root, [one._replace(path=path.relative_to(root)) for one, path in zip(seen, lies, strict=True)]
    folder = Path(open_folders.enter_context(tempfile.TemporaryDirectory(prefix="comp-"))).resolve()
    root, placed = press.home(folder), []
    for n, one in enumerate(seen):
        copy = folder / str(n)
        copy.write_bytes(one.held or (pictures.as_png(one) if one.convert else one.path.read_bytes()))
        placed.append(one._replace(path=copy.relative_to(root), format="png" if one.convert else one.format))
    return root, placed
