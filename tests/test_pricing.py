"""Credits become money without a float in between, rounded up; and money becomes text that says no less than it is."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assetbuild.pricing import FREE, UNKNOWN, Price, Total, bill, credits_text, price, share, total, usd
from assetbuild.providers.table import builtin
from assetbuild.quoting import refusal
from assetbuild.spec.model import Service
from assetbuild.store.spending import Over

QUALITY = {"unit": "credits", "by": "quality", "each": {"low": 4, "medium": 9, "high": 23, "auto": 23}}


class Table:
    """Three models, as `models.yaml` would have them."""

    rows: Mapping[str, Any] = {
        "gpt-image-2": QUALITY,
        "topaz": {"unit": "credits", "each": 6},
        "turbo": {"unit": "credits", "by": "fast", "each": {"true": 1, "false": 2}},
        "midjourney": {"unit": "credits", "each": 16, "per": "call"},
        "odd": {"unit": "credits"},
    }

    def prices(self, provider: str, model: str) -> Mapping[str, Any] | None:
        return self.rows.get(model)

    def free(self, provider: str) -> bool:
        return provider == "comp"


PLAIN = Service()


def ask(model: str, service: Service = PLAIN, images: int = 1, catalogue: dict[str, float] | None = None, **params: Any) -> Price:
    return price(Table(), service, "apiframe", model, params, images, catalogue)


def test_what_the_table_says() -> None:
    assert ask("gpt-image-2", quality="low") == Price(40_000, Fraction(4), "table")
    assert ask("gpt-image-2", quality="medium", images=3) == Price(270_000, Fraction(27), "table")
    assert ask("topaz", scale=2).cost == 60_000
    assert ask("turbo", fast=True).cost == 10_000
    assert ask("midjourney", images=4).cost == 160_000
    assert price(Table(), Service(), "comp", "comp-1", {}) == FREE
    assert FREE.cost == 0


def test_auto_costs_as_much_as_high() -> None:
    assert ask("gpt-image-2", quality="auto").cost == ask("gpt-image-2", quality="high").cost == 230_000


def test_a_price_that_nobody_knows_is_never_nothing() -> None:
    assert ask("secret") == ask("odd") == ask("gpt-image-2", quality="ultra") == ask("gpt-image-2") == UNKNOWN
    assert UNKNOWN.cost is None


def test_the_users_own_price_beats_the_table_which_beats_the_catalogue() -> None:
    catalogue = {"gpt-image-2": 30.0, "secret": 7.5}
    own = Service(prices={"gpt-image-2": {"low": 3.0, "": 10.0}, "topaz": {"2": 5.0, "4": 11.0}})
    assert ask("gpt-image-2", own, catalogue=catalogue, quality="low") == Price(30_000, Fraction(3), "spec")
    assert ask("gpt-image-2", own, catalogue=catalogue, quality="high") == Price(100_000, Fraction(10), "spec")
    assert ask("gpt-image-2", catalogue=catalogue, quality="high").by == "table"
    assert ask("secret", catalogue=catalogue, images=2) == Price(150_000, Fraction(15), "catalogue")
    assert ask("topaz", own, scale=4) == Price(110_000, Fraction(11), "spec")
    assert ask("topaz", own, scale=8) == Price(60_000, Fraction(6), "table"), "the user's prices don't name it"
    only_low = Service(prices={"gpt-image-2": {"low": 3.0}})
    assert ask("gpt-image-2", only_low, quality="high").by == "table"
    assert ask("topaz", Service(prices={"topaz": {"": 0.0}})) == Price(0, Fraction(0), "spec")


def test_money_is_rounded_up_once_for_each_purchase() -> None:
    growth = Service(credit_usd=0.00383)
    assert ask("gpt-image-2", growth, quality="medium").cost == 34_470
    assert ask("topaz", Service(credit_usd=0.0000001)).cost == 1
    assert ask("topaz", Service(credit_usd=0.00000033), images=3).cost == 6, "5.94, not three times 1.98 rounded up"
    assert bill(0.1 + 0.2, 0.01) == 3001, "30000000000000004 is above 3"
    assert bill(0.3, 0.01) == 3000
    assert bill(69) == 690_000


@pytest.mark.parametrize("nonsense", [None, float("nan"), float("inf"), -1.0, 1e300, True, "69"])
def test_what_is_no_amount_is_no_bill(nonsense: Any) -> None:
    assert bill(nonsense) is None
    assert ask("secret", catalogue={"secret": nonsense}) == UNKNOWN


@given(some.floats(0, 1e6), some.floats(1e-6, 10))
def test_a_bill_is_never_less_than_what_is_owed_and_less_than_a_micro_dollar_more(credits: float, rate: float) -> None:
    owed = Fraction(str(credits)) * Fraction(str(rate)) * 1_000_000
    got = bill(credits, rate)
    assert got is not None
    assert owed <= got < owed + 1


def test_sums() -> None:
    low, high = ask("gpt-image-2", quality="low"), ask("gpt-image-2", quality="high")
    assert total([low, high], [high, UNKNOWN]) == Total(270_000, 500_000, 1, Fraction(27), Fraction(50))
    assert total([]) == Total()


@given(some.integers(0, 10**9), some.integers(1, 16))
def test_shares_add_up(cost: int, count: int) -> None:
    shares = share(cost, count)
    assert (sum(shares), len(shares)) == (cost, count)
    assert max(shares) - min(shares) <= 1


@pytest.mark.parametrize(
    ("cost", "text"),
    [
        (0, "$0"),
        (690_000, "$0.69"),
        (40_000, "$0.04"),
        (38_000, "$0.038"),
        (38_300, "$0.0383"),
        (34_470, "$0.0345"),
        (1, "$0.0001"),
        (999_999, "$1.00"),
        (5_000_000, "$5.00"),
        (1_204_500_000, "$1,204.50"),
        (-50_000, "-$0.05"),
    ],
)
def test_money_as_text(cost: int, text: str) -> None:
    assert usd(cost) == text


@given(some.integers(0, 10**10))
def test_text_says_no_less_than_it_is(cost: int) -> None:
    said = Fraction(usd(cost).removeprefix("$").replace(",", "")) * 1_000_000
    assert cost <= said < cost + 100
    assert said == cost or cost % 100


@pytest.mark.parametrize(
    ("credits", "text"),
    [
        (0, "0 credits"),
        (1, "1 credit"),
        (69, "69 credits"),
        (Fraction(1, 2), "0.5 credits"),
        (1204.5, "1,204.5 credits"),
        (Fraction(1, 3), "0.34 credits"),
    ],
)
def test_credits_as_text(credits: Any, text: str) -> None:
    assert credits_text(credits) == text


def test_each_price_of_our_table_can_be_asked_for() -> None:
    """A row whose `each` names no value of its `by` would be of unknown price, unseen."""
    table, priced = builtin(), 0
    for model in table.models("apiframe"):
        row = table.prices("apiframe", model)
        if row is None:
            continue
        for op in ("generate", "edit", "upscale", "remove-background"):
            if not table.names("apiframe", model, op):
                continue
            params, faults, _ = table.normalise("apiframe", model, op, {})
            assert not faults
            found = price(table, PLAIN, "apiframe", model, params)
            assert found.by == "table", (model, op)
            assert found.cost, (model, op)
            priced += 1
    assert priced > 5


@pytest.mark.parametrize(
    ("cap", "once_more", "never"),
    [
        (
            "per_run",
            "run it again for the rest, or raise `budget: {per_run: …}` in the spec",
            "raise `budget: {per_run: …}` in the spec",
        ),
        ("--max-cost", "raise --max-cost, or run it again for the rest", "raise --max-cost"),
        ("per_day", "wait, or raise `budget: {per_day: …}` in the spec", "raise `budget: {per_day: …}` in the spec"),
    ],
)
def test_the_way_out_of_a_cap(cap: str, once_more: str, never: str) -> None:
    """Another run is named only where it could help."""
    assert refusal(Over(cap, 100_000, 50_000, 90_000), "poster", "apiframe", "gpt-image-2")[1] == once_more
    assert refusal(Over(cap, 100_000, 0, 180_000), "poster", "apiframe", "gpt-image-2")[1] == never


def test_what_was_billed_above_the_table_is_the_price() -> None:
    """Of pictures that were expected to cost the same, and not where the user says the price."""
    table, terms = builtin(), Service()
    usual = price(table, terms, "apiframe", "gpt-image-2", {"quality": "low"})
    assert usual.cost == 40_000
    dear = price(table, terms, "apiframe", "gpt-image-2", {"quality": "low"}, 3, billed={40_000: 1_000_000})
    assert dear == Price(3_000_000, Fraction(300), "bills")
    assert price(table, terms, "apiframe", "gpt-image-2", {"quality": "low"}, billed={70_000: 1_000_000, 40_000: 30_000}) == usual
    again = {40_000: 50_000, 50_000: 90_000}
    assert price(table, terms, "apiframe", "gpt-image-2", {"quality": "low"}, billed=again) == Price(90_000, Fraction(9), "bills")
    own = Service(prices={"gpt-image-2": {"": 5.0}})
    assert price(table, own, "apiframe", "gpt-image-2", {"quality": "low"}, billed={50_000: 1_000_000}).cost == 50_000
