"""What a spec says of money: its budget and its providers, exact to the micro-dollar, and no key in any message."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from assetbuild.errors import SpecError
from assetbuild.providers.table import builtin
from assetbuild.spec import load
from assetbuild.spec.model import Budget, Service, Spec
from assetbuild.spec.problems import veiled

from .reading import read, told
from .test_spec_anything import Memory

ONE = "assets: {a: {prompt: x}}\n"


def in_memory(spec: str) -> Spec:
    return load("assets.yaml", Memory({"assets.yaml": ("version: 1\n" + spec + ONE).encode()}), builtin())


def address(value: str) -> str:
    """What is wrong with a base URL, "" when nothing is."""
    quoted = yaml.safe_dump(value, default_style='"').strip()
    try:
        in_memory(f"providers: {{apiframe: {{base_url: {quoted}}}}}\n")
    except SpecError as e:
        return e.problems[0].text
    return ""


def test_a_spec_that_says_nothing(tmp_path: Path) -> None:
    """Nothing stated is not the same as nothing allowed."""
    spec = read(tmp_path, ONE)
    assert (spec.budget, spec.services) == (Budget(None, None, None), {})


def test_a_budget_and_a_provider(tmp_path: Path) -> None:
    spec = read(
        tmp_path,
        """
budget: {per_run: 5.00, per_day: 0, per_month: 1_000.1}
providers:
  apiframe:
    base_url: http://127.0.0.1:8787/v2/
    concurrency: 8
    requests_per_minute: 120.0
    credit_usd: 0.00383
    prices: {gpt-image-2: {low: 4, high: 23.5}, flux-2-pro: 7, nano-banana-pro: 0}
"""
        + ONE,
    )
    assert spec.budget == Budget(5_000_000, 0, 1_000_100_000)
    assert spec.services == {
        "apiframe": Service(
            "http://127.0.0.1:8787/v2",
            8,
            120,
            0.00383,
            {"gpt-image-2": {"low": 4.0, "high": 23.5}, "flux-2-pro": {"": 7.0}, "nano-banana-pro": {"": 0.0}},
        )
    }
    assert isinstance(spec.services["apiframe"].requests_per_minute, int)


def test_what_isnt_said_of_a_provider_is_none(tmp_path: Path) -> None:
    spec = read(tmp_path, "providers: {apiframe: {concurrency: 1}}\n" + ONE)
    assert spec.services == {"apiframe": Service(None, 1, None, None, {})}


@given(st.integers(0, 10**10))
@settings(max_examples=200, deadline=None)
def test_amounts_are_exact(tenths_of_cents: int) -> None:
    """Whatever amount stands there, that many micro-dollars are meant: 64 bits of a float have no 0.1."""
    amount = Decimal(tenths_of_cents) / 10_000
    spec = in_memory(f"budget: {{per_run: {amount:f}, per_day: {amount:.4f}}}\n")
    assert spec.budget == Budget(tenths_of_cents * 100, tenths_of_cents * 100)


@pytest.mark.parametrize("written", ["0.10", ".1", "1e-1", "1_0e-2"])
def test_other_ways_to_write_an_amount(written: str) -> None:
    assert in_memory(f"budget: {{per_day: {written}}}\n").budget.per_day == 100_000


@pytest.mark.parametrize("written", ["0.00001", "4.00004", "1e-5", "-1", "-0.0001", "1000000.0001", "1e400", ".inf", ".nan", "~"])
def test_amounts_that_are_none(written: str) -> None:
    with pytest.raises(SpecError):
        in_memory(f"budget: {{per_run: {written}}}\n")


def test_the_terms_stand_in_the_root_only(tmp_path: Path) -> None:
    """An included file could else raise what the root allows."""
    (tmp_path / "box.yaml").write_text("budget: {per_run: 500}\nproviders: {apiframe: {credit_usd: 1}}\n" + ONE)
    text = told(tmp_path, "include: [box.yaml]\nassets: {b: {prompt: x}}\n")
    assert "box.yaml:1:1: `budget` can't stand in an included file" in text
    assert "box.yaml:2:1: `providers` can't stand in an included file" in text


GOOD = [
    "https://api.apiframe.ai",
    "https://api.apiframe.ai:8443/proxy/a",
    "HTTPS://API.example",
    "http://127.0.0.1",
    "http://127.255.0.9:1",
    "http://localhost:3000",
    "http://LocalHost",
    "http://[::1]:8787",
    "https://[2001:db8::1]/x",
]
BAD = [
    *("http://api.apiframe.ai", "http://10.0.0.1", "http://0.0.0.0", "http://127.0.0.1.evil.example", "http://127.evil.example"),
    *("http://localhost.evil.example", "http://[::2]", "http://2130706433", "http://127.1", "http://localhost@evil.example"),
    *("https://me@api.example", "https://me:pw@api.example", "https://api.example?a=b", "https://api.example/?", "https://a/#"),
    *("api.example", "//api.example", "https:/api.example", "https://", "https:///x", "ftp://api.example", "file:///etc/passwd"),
    *("https://a b", "https://a\\b", "https://a\tb", "https://a\nb", "https://ä.example", "https://a:x", "https://a:70000"),
    *("https://[::1", "https://${host}", "javascript://x", "https://a\x7f", "${url}"),
]


@pytest.mark.parametrize("value", GOOD)
def test_addresses_that_keep_a_key_safe(value: str) -> None:
    assert address(value) == ""
    assert address(value + "/") == ""


@pytest.mark.parametrize("value", BAD)
def test_addresses_that_do_not(value: str) -> None:
    """Each would send the key in clear, elsewhere, or nowhere."""
    assert address(value)


SECRETS = ["afk_0123456789abcdef", "sk-live-0123456789abcdef0123", "hunter2secret"]
PLACES = [
    "providers: {{apiframe: {{api_key: {0}}}}}\n",
    "providers: {{apiframe: {{API-KEY: '{0}', concurrency: none, base_url: x, prices: {{a: 1}}}}}}\n",
    'providers:\n  apiframe:\n    token: "{0}"\n',
    "providers: {{apiframe: {{base_url: 'https://me:{0}@api.apiframe.ai'}}}}\n",
    "providers: {{apiframe: {{base_url: 'https://api.apiframe.ai/?key={0}'}}}}\n",
    "providers: {{apiframe: {{password: {0}, concurency: 1}}}}\n",
    "api_key: {0}\n",
    "defaults: {{api_key: {0}, quality: hihg}}\n",
    "defaults: {{quality: hihg}}   # api_key: {0}\n",
]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_key_in_the_spec_is_in_no_message(place: str, secret: str) -> None:
    """Messages show the line that is wrong, and are copied into tickets and logs of CI."""
    with pytest.raises(SpecError) as caught:
        in_memory(place.format(secret))
    said = caught.value.render() + repr(caught.value) + repr(caught.value.problems)
    assert secret not in said
    assert caught.value.problems


@pytest.mark.parametrize(
    "text",
    ["key: country", "  prompt: A key: brass, old", "a: {from: t.csv, key: sku}", "https://example.com/a.png", "style: brand"],
)
def test_what_is_no_secret_is_shown(text: str) -> None:
    assert veiled(text) == text


def test_a_veil_moves_nothing() -> None:
    """The marks below a line must still point at what is meant."""
    text = "  apiframe: {api_key: 'afk_123', base_url: https://me:pw@x.example/?a=b}"
    assert len(veiled(text)) == len(text)
    assert veiled(text) == "  apiframe: {api_key: '*******', base_url: https://*****@x.example/?***}"


def test_every_mistake_in_one_run(tmp_path: Path) -> None:
    """A field with a mistake hides none of its neighbours."""
    text = told(
        tmp_path,
        "budget: {per_run: -1, per_day: 0.00001, per_moth: 1}\n"
        "providers:\n  apiframe: {concurrency: 0, base_url: ftp://x, prices: {gpt-image-9: 1, gpt-image-2: {lwo: 1}, dall-e-3: x}}\n"
        "assets: {a: {prompt: x, tkaes: 2}}\n",
    )
    wanted: list[Any] = [
        "at least 0",
        "4 decimals",
        "per_moth",
        "at least 1",
        "ftp://",
        "gpt-image-9",
        "lwo",
        "dall-e-3",
        "tkaes",
    ]
    assert [each for each in wanted if each not in text] == []
