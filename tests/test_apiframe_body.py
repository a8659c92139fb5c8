"""What Apiframe is sent, byte for byte, and what is known to be wrong with a request before it is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from assetbuild.providers import apiframe

from .apiframing import PNG, URLS, picture, request, url

GOLDEN = Path(__file__).parent / "golden" / "apiframe_problems.txt"


def sent(*args: Any, **changes: Any) -> Any:
    return json.loads(apiframe.prepare(request(*args, **changes), URLS).body)


def test_the_plain_one() -> None:
    """Sorted keys, no spaces, UTF-8: a replay must be the same bytes, also on another machine."""
    payload = apiframe.prepare(request(prompt="ein Füchschen 🦊\nam See"), {})
    assert payload.path == "/v2/images/generate"
    assert (
        payload.body
        == (
            '{"gptImage2Params":{"aspect_ratio":"1:1","background":"auto","moderation":"auto","number_of_images":1,"output_format":"png",'
            '"quality":"medium"},"model":"gpt-image-2","prompt":"ein Füchschen 🦊\\nam See"}'
        ).encode()
    )
    assert payload == apiframe.prepare(request(prompt="ein Füchschen 🦊\nam See"), {})


def test_an_edit() -> None:
    """Base first, then references, in the order in which the prompt numbers them."""
    inputs = (picture(3, "base"), picture(1), picture(2, "style"))
    body = sent(op="edit", inputs=inputs, params={"quality": "high", "aspect_ratio": "2:3", "output_format": "jpg"})
    assert body["gptImage2Params"]["input_images"] == [url(3), url(1), url(2)]
    assert body["gptImage2Params"]["output_format"] == "jpeg"


@pytest.mark.parametrize(
    ("model", "changes", "count"),
    [
        ("gpt-image-2", {"images": 3}, {"number_of_images": 3}),
        ("gpt-image-2", {"members": ("bean", "roast")}, {"number_of_images": 2}),
        ("kling-image", {"images": 4}, {"n": 4}),
        ("qwen-image", {"images": 2}, {"num_images": 2}),
        ("nano-banana", {}, {}),
    ],
)
def test_how_many(model: str, changes: dict[str, Any], count: dict[str, int]) -> None:
    inside = next(value for value in sent(model, **changes).values() if isinstance(value, dict))
    assert {name: value for name, value in inside.items() if isinstance(value, int)} == count


@pytest.mark.parametrize(
    ("model", "op", "params", "inside"),
    [
        ("nano-banana", "generate", {"output_format": "jpeg"}, {"aspect_ratio": "1:1", "output_format": "jpg"}),
        ("imagen-4", "generate", {"output_format": "png", "image_size": "2K"}, {"aspect_ratio": "1:1", "output_format": "png", "image_size": "2K"}),
        ("dall-e-3", "generate", {"output_format": "webp"}, {"aspect_ratio": "1:1"}),
        ("flux-2-pro", "generate", {"seed": 7}, {"aspect_ratio": "1:1", "seed": 7, "output_format": "png"}),
        ("flux-1.1-pro", "edit", {}, {"aspect_ratio": "1:1", "image_prompt": url(0), "output_format": "png"}),
        ("qwen-image", "generate", {"aspect_ratio": "9:16"},
         {"image_size": "portrait_16_9", "num_images": 1, "output_format": "png", "task_type": "text-to-image"}),
        ("qwen-image", "edit", {"strength": 0.5},
         {"image_size": "square_hd", "image_url": url(0), "num_images": 1, "output_format": "png", "strength": 0.5, "task_type": "image-edit"}),
        ("ideogram-character", "generate", {}, {"aspect_ratio": "1:1", "character_reference_image": url(0), "rendering_speed": "default"}),
        ("topaz-image-upscale", "upscale", {}, {"image": url(0), "output_format": "png", "upscale_factor": 2}),
        ("clarity-upscale", "upscale", {"prompt": "fine linen"}, {"image": url(0), "output_format": "png", "prompt": "fine linen", "scale_factor": 2}),
        ("bria-bg-remove", "remove-background", {}, {"image": url(0)}),
        ("851-bg-remove", "remove-background", {"output_format": "jpg", "background_type": "white"},
         {"background_type": "white", "format": "jpg", "image": url(0)}),
    ],
)  # fmt: skip
def test_the_vendor_s_own_words(model: str, op: str, params: dict[str, Any], inside: dict[str, Any]) -> None:
    """Our names become each model's; what isn't set isn't sent, nor a file type that can't be asked for."""
    body = sent(model, op, params=params)
    assert next(value for value in body.values() if isinstance(value, dict)) == inside
    assert ("prompt" in body) == (op in ("generate", "edit"))


def test_a_mask() -> None:
    """Its model gets the prompt inside, and the mode that goes with a mask or without one."""
    base, mask = picture(0, "base"), picture(1, "mask")
    body = sent("flux-fill-pro", "edit", inputs=(base, mask))["fluxFillParams"]
    assert (body["image"], body["mask"], body["mode"], body["prompt"]) == (url(0), url(1), "inpaint", "a fox")
    outside = sent("flux-fill-pro", "edit", inputs=(base,), params={"outpaint": "Make square"})
    assert "prompt" not in outside
    assert (outside["fluxFillParams"]["mode"], outside["fluxFillParams"]["outpaint"]) == ("outpaint", "Make square")
    assert "mask" not in outside["fluxFillParams"]


def test_two_kinds_of_inputs() -> None:
    three = tuple(picture(n) for n in (4, 5, 6))
    character = sent("ideogram-character", inputs=three)["ideogramParams"]
    assert (character["character_reference_image"], character["style_reference_images"]) == (url(4), [url(5), url(6)])
    assert sent("ideogram-v2", inputs=three)["ideogramParams"]["style_reference_images"] == [url(4), url(5), url(6)]


def test_an_input_without_an_address_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        apiframe.prepare(request(op="edit"), {})


def test_problems(tmp_path: Path) -> None:
    """Each in one line, with the way out; the texts stand in a golden file."""
    good, text, large, huge = (tmp_path / name for name in ("good", "text", "large", "huge"))
    good.write_bytes(PNG)
    text.write_bytes(b"%PDF-1.7 not a picture")
    for path, size in ((large, 25 * 1024 * 1024), (huge, 25 * 1024 * 1024 + 1)):
        path.write_bytes(PNG)
        os.truncate(path, size)
    base = picture(0, "base", good, "photos/fox.png")
    fine = [
        request(prompt="x" * 2000),
        request(prompt="🦊" * 1000),
        request("wan-image-2.7", prompt="x" * 5000),
        request(op="edit", inputs=(base, *(picture(n) for n in range(1, 16)))),
        request(op="edit", inputs=(picture(0, "base", large),)),
        request(images=10),
        request(members=tuple("abcdefghij")),
        request("bria-bg-remove", "remove-background", inputs=(base,)),
    ]
    assert [apiframe.check(each) for each in fine] == [[]] * len(fine)
    wrong = [
        request(prompt="x" * 2001),
        request(prompt="🦊" * 1001),
        request(prompt=""),
        request()._replace(model="dall-e-3", op="edit"),
        request(op="edit", inputs=(base, picture(1, "mask"))),
        request("flux-fill-pro", "edit", inputs=(base, picture(1, "mask"))),
        request("flux-fill-pro", "edit", inputs=(base, picture(1, "mask"), picture(2, "mask")))._replace(params={}),
        request("flux-fill-pro", "edit", inputs=(base,))._replace(params={}),
        request("ideogram-character", inputs=()),
        request("dall-e-3", inputs=(picture(1),)),
        request("flux-2-pro", inputs=tuple(picture(n) for n in range(9))),
        request(images=11),
        request("kling-image", members=tuple("abcde")),
        request(op="edit", inputs=(picture(0, "base", text, "photos/fox.pdf"),)),
        request(op="edit", inputs=(picture(0, "base", huge, "photos/large.png"), picture(1, "reference", text))),
    ]
    lines = []
    for each in wrong:
        found = apiframe.check(each)
        assert found, each
        for problem in found:
            assert "\n" not in problem
            assert not problem.endswith(".")
            assert str(tmp_path) not in problem
        lines += found
    if os.environ.get("ASSETBUILD_UPDATE_GOLDEN"):
        GOLDEN.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    assert "\n".join(lines) + "\n" == GOLDEN.read_text(encoding="utf-8")
