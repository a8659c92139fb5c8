"""A provider for tests that behaves like one that costs money: never the same bytes twice, each call written down as a bill.

`COUNTING_BILLS` names the file that gets a line a call. A prompt with `[fail]` fails, with `[refuse]` is refused, with `[slow]` takes a second;
`COUNTING_GATE` names a file that must be there before any call returns. Nothing of it is used outside tests.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import struct
import zlib
from collections.abc import Mapping
from typing import Any

from ..providers.base import Done, Http, Image, Kind, Payload, ProviderError, Request, Submitted

replay_window: float | None = 3600.0
reproducible = False
free = True  # of money: what it counts are calls
base_url: str | None = None
key_variable: str | None = None

_ANY = {"ratio": {"from": "1:8", "to": "8:1"}}
_PARAMS = {
    "aspect_ratio": _ANY,
    "quality": {"enum": ["low", "medium", "high"]},
    "seed": {"integer": [0, 1000000]},
    "output_format": {"enum": ["png"]},
}
_DEFAULTS = {"aspect_ratio": "1:1", "quality": "medium", "output_format": "png"}
_OP = {"limits": {"prompt": 4000, "inputs": 16, "members": 16}, "params": _PARAMS, "defaults": _DEFAULTS}
_BARE = {"limits": {"inputs": 1}, "params": {"output_format": {"enum": ["png"]}}, "defaults": {"output_format": "png"}}

# The provider's own part of the model table, in the form of `providers/models.yaml`.
MODELS: dict[str, Any] = {
    "free": free,
    "reproducible": reproducible,
    "default": {"generate": "count-1", "edit": "count-1", "upscale": "count-1", "remove-background": "count-1"},
    "models": {
        "count-1": {"source": "tests", "ops": {"generate": _OP, "edit": _OP, "upscale": _BARE, "remove-background": _BARE}}
    },
}


def check(request: Request) -> list[str]:
    """Nothing is wrong."""
    return []


def prepare(request: Request, urls: Mapping[str, str]) -> Payload:
    """What `send` needs of it."""
    for picture in request.inputs:
        if not picture.path.is_file():
            raise ProviderError(Kind.INVALID, f"input {picture.digest} isn't there")
    members = request.members or tuple("" if n == 0 else str(n) for n in range(request.images))
    asked = {
        "key": request.key,
        "take": request.take,
        "prompt": request.prompt or "",
        "inputs": [p.digest for p in request.inputs],
    }
    return Payload("/", json.dumps({**asked, "members": members}).encode())


async def send(payload: Payload, http: Http, idempotency_key: str) -> Submitted | Done:
    """One bill, and pictures that no other call gives; the same pictures, and no bill, for an idempotency key that was used before."""
    asked = json.loads(payload.body)
    members = asked.pop("members")
    prompt = asked["prompt"]
    if "[fail]" in prompt:
        raise ProviderError(Kind.INVALID, "the provider said no")
    seed = _bill(idempotency_key, asked)
    if "[refuse]" in prompt:
        raise ProviderError(Kind.REFUSED, "refused by moderation")
    if "[slow]" in prompt:
        await asyncio.sleep(1)
    gate = os.environ.get("COUNTING_GATE")
    while gate and not os.path.exists(gate):
        await asyncio.sleep(0.02)
    return Done(tuple(Image(_png(f"{seed} {member}"), "image/png", member) for member in members))


def _bill(idempotency_key: str, asked: dict[str, Any]) -> str:
    """Writes a bill, in one go, or finds the one that was written for this key; gives what its pictures are made from."""
    path = os.environ["COUNTING_BILLS"]
    if os.path.exists(path):
        with open(path, encoding="utf-8") as bills:
            for line in bills:
                bill = json.loads(line)
                if bill["sent"] == idempotency_key:
                    return str(bill["seed"])
    seed = os.urandom(8).hex()
    with open(path, "a", encoding="utf-8") as bills:
        bills.write(json.dumps({**asked, "sent": idempotency_key, "seed": seed}) + "\n")
    return seed


def _png(seed: str) -> bytes:
    """A PNG of 8 x 8 pixels, of noise."""
    noise = hashlib.shake_256(seed.encode()).digest(192)
    rows = b"".join(b"\0" + noise[i * 24 : i * 24 + 24] for i in range(8))
    parts = ((b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in parts)
    return b"\x89PNG\r\n\x1a\n" + body
