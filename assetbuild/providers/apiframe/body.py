"""What Apiframe is sent: a request of ours as the JSON it takes, by the model table, and what can be known to be wrong with it offline.

Pure, but for the first bytes and the size of each input picture, which `problems` reads. Knows no network and no answer.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ..base import Payload, Picture, Request
from ..table import builtin

MOST = (
    25 * 1024 * 1024
)  # bytes of an upload: "max 25 MB image" (openapi.json, /v2/uploads); the vendor refuses what is in doubt, for nothing
_MEDIA = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def payload(request: Request, urls: Mapping[str, str]) -> Payload:
    """The request, ready to go; `urls` are the inputs' addresses by digest. Raises KeyError for an input without one, or a model that isn't
    in the table.
    """
    sends = builtin().sends("apiframe", request.model, request.op)
    inside: dict[str, Any] = dict(sends.get("fixed", {}))
    for name, value in request.params.items():
        if value is None:  # "not set" is the vendor's own default
            continue
        if name == "output_format":
            if "format" in sends:
                inside[sends["format"]] = sends.get("formats", {}).get(value, value)
        elif name == "aspect_ratio" and "ratio" in sends:
            inside[sends["ratio"]] = sends["ratios"][value]
        else:
            inside[name] = list(value) if isinstance(value, tuple) else value
    masks, pictures = _parted(request.inputs)
    if "mask" in sends:
        inside.update(sends["masked"] if masks else sends["unmasked"])
        if masks:
            inside[sends["mask"]] = urls[masks[0].digest]
    left = [urls[each.digest] for each in pictures]
    for field, how in sends.get("inputs", {}).items():
        if left:
            inside[field], left = (left[0], left[1:]) if how == "one" else (left, [])
    count = len(request.members) or request.images
    if "count" in sends:
        inside[sends["count"]] = count
    body: dict[str, Any] = {"model": request.model, sends["to"]: inside}
    if request.prompt is not None:
        (inside if sends.get("prompt") == "inside" else body)["prompt"] = request.prompt
    return Payload(sends["path"], json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


def problems(request: Request) -> list[str]:
    """What is wrong with a request, each one line with the way out. An input that isn't on this disk yet is left out."""
    table = builtin()
    sends = table.sends("apiframe", request.model, request.op)
    if not sends:
        return [f"`{request.model}` on apiframe can't `{request.op}`: name another model"]
    limits = table.limits("apiframe", request.model, request.op)
    found = list(_of_text(request, limits.get("prompt")))
    masks, pictures = _parted(request.inputs)
    if masks and "mask" not in sends:
        able = [name for name in table.models("apiframe") if table.mask("apiframe", name, request.op)]
        found.append(f"`{request.model}` on apiframe takes no mask: name a model that does ({', '.join(able) or 'none'})")
    elif len(masks) > 1:
        found.append(f"`{request.model}` on apiframe takes one mask, not {len(masks)}: leave the others out")
    if "instead" in sends:
        way = request.params.get(sends["instead"])
        if masks and way is not None:
            found.append(
                f"`{sends['instead']}: {way}` draws outside the picture, a mask changes its inside: leave one of them out"
            )
        if not masks and way is None:
            found.append(
                f"`{request.model}` on apiframe must know what may change: add `mask: {{file: …}}`, or `params: {{{sends['instead']}: …}}`"
            )
    if "needs" in sends and not pictures:
        found.append(f"`{request.model}` on apiframe needs a picture of {sends['needs']}: name it under `references`")
    takes = limits.get("inputs")
    if takes is not None and len(pictures) > takes:
        found.append(
            f"{_counted(len(pictures))} to look at, and `{request.model}` on apiframe takes {takes or 'none'}: leave some out, or name another model"
        )
    wanted, kind = (len(request.members), "members") if request.members else (request.images, "takes")
    if wanted > limits.get(kind, wanted):
        found.append(f"{_counted(wanted)} in one call, and `{request.model}` on apiframe makes {limits[kind]}: ask for fewer")
    for picture in request.inputs:
        found += of_file(picture)
    return found


def media(start: bytes) -> str | None:
    """The media type of a picture by its first bytes; None for what Apiframe takes no upload of."""
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "image/webp"
    return next((name for magic, name in _MEDIA if start.startswith(magic)), None)


def _counted(number: int) -> str:
    return f"{number} picture" + "s" * (number != 1)


def _parted(inputs: Iterable[Picture]) -> tuple[list[Picture], list[Picture]]:
    """Masks, and the pictures that are looked at."""
    masks: list[Picture] = []
    pictures: list[Picture] = []
    for each in inputs:
        (masks if each.role == "mask" else pictures).append(each)
    return masks, pictures


def _of_text(request: Request, most: int | None) -> Iterable[str]:
    """The vendor's server counts UTF-16 units (its checks are JavaScript's): an emoji is two of them."""
    if most is None:
        return
    if not request.prompt:
        yield f"`{request.model}` on apiframe needs a prompt: write one under `prompt: |`"
        return
    units = len(request.prompt.encode("utf-16-le")) // 2
    if units > most:
        counted = ", an emoji counted as two" if units != len(request.prompt) else ""
        yield f"the prompt has {units:,} characters{counted}, and `{request.model}` on apiframe takes {most:,}: shorten it by {units - most:,}"


def of_file(picture: Picture) -> list[str]:
    """What keeps a picture's file from being uploaded, each one line with the way out; nothing for a file that isn't there yet."""
    name = f"`{picture.shown}`" if picture.shown else "an input picture"
    try:
        with picture.path.open("rb") as file:
            start = file.read(16)
        size = picture.path.stat().st_size
    except OSError:  # not made yet
        return []
    found = []
    if media(start) is None:
        found.append(f"{name} can't be uploaded to apiframe: it takes PNG, JPEG, WebP and GIF; save it as one of them")
    if size > MOST:
        found.append(
            f"{name} has {size / 1e6:.1f} MB, and apiframe takes uploads of 25 MB: save it smaller, as JPEG or with fewer pixels"
        )
    return found
