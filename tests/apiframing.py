"""What the tests of Apiframe share: requests by the model table, the vendor's own schema where it lies beside the checkout, and a stand-in for HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from assetbuild.providers.base import Answer, Picture, Request
from assetbuild.providers.table import builtin

CONTRACT = Path(__file__).parent.parent.parent / "shared" / "contracts" / "apiframe-openapi.json"
OPS = ("generate", "edit", "upscale", "remove-background")
# What a plain request can't do without, by model.
NEEDED = {"flux-lora": {"loraId": "7c9e6679-7425-40de-944b-e07fc1f90ae7"}, "flux-fill-pro": {"outpaint": "Zoom out 2x"}}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(60)


@cache
def contract() -> dict[str, Any]:
    """The vendor's OpenAPI file. It isn't ours to commit: where it doesn't lie beside the checkout, its tests are skipped, and what is left are those
    against our own table of shapes (`testing/emulator/shapes.yaml`), which was held against it where it does.
    """
    if not CONTRACT.is_file():
        pytest.skip("the vendor's openapi.json isn't beside this checkout")
    found: dict[str, Any] = json.loads(CONTRACT.read_text("utf-8"))
    return found


def alternatives() -> dict[tuple[str, str], dict[str, Any]]:
    """The vendor's schema of a request, by path and model."""
    schemas = contract()["components"]["schemas"]
    found = {}
    for path, name in (
        ("/v2/images/generate", "GenerateImageRequest"),
        ("/v2/images/edit", "ImageEditRequest"),
        ("/v2/images/upscale", "ImageUpscaleRequest"),
        ("/v2/images/background-remove", "ImageBackgroundRemoveRequest"),
    ):
        for each in schemas[name]["oneOf"]:
            for model in each["properties"]["model"]["enum"]:
                found[path, model] = each
    return found


def rows() -> Iterator[tuple[str, str]]:
    """Each model with each of its ops."""
    table = builtin()
    for model in table.models("apiframe"):
        for op in OPS:
            if table.names("apiframe", model, op):
                yield model, op


def picture(number: int = 0, role: str = "reference", path: Path = Path("nowhere.png"), shown: str = "") -> Picture:
    return Picture(f"{number:064x}", path, role, None, None, shown)


def url(number: int) -> str:
    return f"https://cdn2.apiframe.ai/uploads/{number}.png"


URLS = {f"{number:064x}": url(number) for number in range(40)}


def request(model: str = "gpt-image-2", op: str = "generate", **changes: Any) -> Request:
    """A request as the core makes it: parameters normalised, a base where the op has one."""
    table = builtin()
    params, faults, _ = table.normalise("apiframe", model, op, {**NEEDED.get(model, {}), **changes.pop("params", {})})
    assert not faults, faults
    text = None if "prompt" not in table.limits("apiframe", model, op) else "a fox"
    inputs = (picture(0, "base"),) if op != "generate" else ()
    made = Request("ab" * 32, op, model, text, params, inputs)
    if table.sends("apiframe", model, op).get("needs") and "inputs" not in changes:
        changes["inputs"] = (picture(0),)
    return made._replace(**changes)


class Canned:
    """HTTP that answers what it was given, one after the other, and keeps what it was asked."""

    def __init__(self, *given: Answer | Exception) -> None:
        self.given, self.asked = list(given), list[tuple[Any, ...]]()

    async def request(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        file: tuple[str, Path, str] | None = None,
    ) -> Answer:
        self.asked.append((method, path, body, dict(params or {}), dict(headers or {}), file))
        answer = self.given.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def said(status: int, body: object = None, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)
