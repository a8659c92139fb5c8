"""Small projects on disk, read as specs: what the tests of a spec's meaning share, and a shop that costs money, for their models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from assetbuild.errors import SpecError
from assetbuild.providers.table import Table, builtin
from assetbuild.reader import DiskReader
from assetbuild.spec import load
from assetbuild.spec.model import Asset, Spec

BOTH = {"enum": ["png", "webp"], "tokens": {"jpg": "jpeg"}}


OTHER = {
    "comp": builtin()._tree["comp"],
    "shop": {
        "default": {"generate": "fine-2", "edit": "fine-2", "upscale": "big-1"},
        "models": {
            "fine-2": {
                "ops": {
                    op: {
                        "limits": {"prompt": 200, "inputs": 3},
                        "params": {
                            "quality": {"enum": ["low", "medium", "high", "auto"]},
                            "aspect_ratio": {"ratio": ["1:1", "3:2", "2:3"]},
                            "output_format": BOTH,
                            "moderation": {"enum": ["auto", "low"]},
                            "late": {"integer": [0, 9]},
                        },
                        "defaults": {"quality": "medium", "aspect_ratio": "1:1", "output_format": "png", "moderation": "auto"},
                    }
                    for op in ("generate", "edit")
                }
            },
            "old-1": {"ops": {"generate": {"params": {"output_format": BOTH}, "defaults": {"output_format": "png"}}}},
            "big-1": {"ops": {"upscale": {"params": {"output_format": BOTH}, "defaults": {"output_format": "png"}}}},
        },
    },
}


PROFILES = """
profiles:
  draft: {provider: comp}
  proof: {quality: low, output: "proofs/${id}.png"}
  buys: {provider: shop}
  styled: {style: loud, tags: [t], output: "styled/${id}.png"}
defaults: {provider: shop, model: fine-2, quality: high}
styles: {loud: LOUD}
assets:
  a: {prompt: x, quality: auto, params: {moderation: low}}
  b: {base: a, prompt: y, then: [{op: upscale}]}
  s: {set: [l, r], prompt: x, output: "art/s-${member}.png"}
"""


def table() -> Table:
    return Table(OTHER)


def write(folder: Path, files: Mapping[str, str | bytes]) -> None:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content if isinstance(content, bytes) else content.encode())


def read(
    folder: Path, spec: str, profile: str | None = None, table: Any = None, files: Mapping[str, str | bytes] | None = None
) -> Spec:
    write(folder, {"assets.yaml": spec if "version: 1" in spec else "version: 1\n" + spec, **(files or {})})
    return load("assets.yaml", DiskReader(str(folder)), table or builtin(), profile=profile)


def by_id(spec: Spec) -> dict[str, Asset]:
    return {asset.id: asset for asset in spec.assets}


def prompts(spec: Spec) -> dict[str, str | None]:
    return {asset.id: asset.steps[0].prompt for asset in spec.assets}


def told(folder: Path, spec: str, profile: str | None = None, table: Any = None) -> str:
    with pytest.raises(SpecError) as caught:
        read(folder, spec, profile, table)
    return caught.value.render()


def picture(width: int, height: int) -> bytes:
    import io

    from PIL import Image

    out = io.BytesIO()
    Image.new("RGB", (width, height)).save(out, "PNG")
    return out.getvalue()
