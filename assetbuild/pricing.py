"""What a purchase costs, before it is made and when the bill comes: credits → micro-USD, rounded up, and sums of them. Pure; knows the
form of the table's `prices` and of the spec's, no model by name, no provider and no budget.

Money is integer micro-USD; credits are the vendor's unit and may have a fraction, so they are turned into money as exact fractions,
once for each purchase, and never summed as floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple, Protocol

CREDIT_USD = 0.01  # of a provider whose spec says nothing: Apiframe's top-up price (its other plans sell a credit for less)
MICRO = 1_000_000
_BELIEVED = 10**9  # credits; a bill above that is no number that a vendor meant


class Prices(Protocol):
    """What the model table must know."""

    def prices(self, provider: str, model: str) -> Mapping[str, Any] | None:
        """`{unit, date, source, by, each, per}` of a model; None when its price isn't known."""

    def free(self, provider: str) -> bool:
        """True when nothing this provider makes costs money."""


class Terms(Protocol):
    """What the spec says of a provider: `spec.model.Service`, or the settings made from it."""

    @property
    def credit_usd(self) -> float | None:
        """USD per credit."""

    @property
    def prices(self) -> Mapping[str, Mapping[str, float]]:
        """The user's own, in credits for one picture: by model, then by the deciding parameter's value ("" when none does)."""


class Price(NamedTuple):
    """Of one purchase. `cost` in micro-USD, None when it isn't known; `credits` in the vendor's unit, exact; `by` is who says so: "spec",
    "table", "catalogue" (there it is the most that it can be), "bills" (the vendor's last ones, above the table), "free", or "" when nobody does.
    """

    cost: int | None
    credits: Fraction | None = None
    by: str = ""


FREE = Price(0, Fraction(0), "free")
UNKNOWN = Price(None)


class Total(NamedTuple):
    """Of many purchases. `certain` and `most` in micro-USD: what is to be bought now, and with what may follow; `credits` and
    `most_credits` likewise. `unknown` is how many of all of them have no known price: they are in none of the sums.
    """

    certain: int = 0
    most: int = 0
    unknown: int = 0
    credits: Fraction = Fraction(0)
    most_credits: Fraction = Fraction(0)


def price(
    table: Prices,
    terms: Terms,
    provider: str,
    model: str,
    params: Mapping[str, object],
    images: int = 1,
    catalogue: Mapping[str, float] | None = None,
    billed: Mapping[int, int] | None = None,
) -> Price:
    """The price of one call that asks for this many pictures: the spec's own, else the table's, else the most that the vendor's own list
    names for one picture (`catalogue`, credits by model; None = not asked). `billed`: where the vendor lately asked for more than these
    two said, by what they said, micro-USD of one picture; then that is the price.
    """
    if table.free(provider):
        return FREE
    row = table.prices(provider, model) or {}
    times = 1 if row.get("per") == "call" else images  # one that always gives four asks for them all at once
    own = terms.prices.get(model)
    ways = (
        ("spec", _own(own, row, params) if own else None),
        ("table", _listed(row, params)),
        ("catalogue", (catalogue or {}).get(model)),
    )
    for by, one in ways:
        if (credits := believed(one)) is not None:
            said = each = bill(credits, terms.credit_usd) or 0
            while (
                by != "spec" and billed and billed.get(each, 0) > each
            ):  # what was counted with after one bill may have been too little as well
                each = billed[each]
            if each > said:
                return Price(each * times, credits * times * Fraction(each, said), "bills")
            return Price(bill(credits * times, terms.credit_usd), credits * times, by)
    return UNKNOWN


def _listed(row: Mapping[str, Any], params: Mapping[str, object]) -> float | None:
    each = row.get("each")
    if not isinstance(each, Mapping):
        return each
    return each.get(_word(params.get(row.get("by", ""))))


def _own(own: Mapping[str, float], row: Mapping[str, Any], params: Mapping[str, object]) -> float | None:
    """By the parameter that decides in the table; where the table has none, by whichever has a value that is named."""
    if "by" in row:
        found = own.get(_word(params.get(row["by"])))
    else:
        found = max((own[word] for value in params.values() if (word := _word(value)) in own and word), default=None)
    return own.get("") if found is None else found


def _word(value: object) -> str:
    """A parameter's value as a YAML key says it."""
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def believed(credits: float | int | Fraction | None) -> Fraction | None:
    """A vendor's number of credits, exactly as it is written (0.1 is a tenth); None for what is no amount of money."""
    if credits is None or isinstance(credits, bool) or not isinstance(credits, (int, float, Fraction)):
        return None
    if isinstance(credits, float) and not math.isfinite(credits):
        return None
    return Fraction(str(credits)) if 0 <= credits <= _BELIEVED else None


def bill(credits: float | Fraction | None, credit_usd: float | None = None) -> int | None:
    """Micro-USD, rounded up; `credit_usd` is USD per credit. None when the vendor didn't say, or said what is no amount: then what was
    reserved stands.
    """
    exact = believed(credits)
    return None if exact is None else math.ceil(exact * Fraction(str(CREDIT_USD if credit_usd is None else credit_usd)) * MICRO)


def total(now: Iterable[Price], later: Iterable[Price] = ()) -> Total:
    """`now` is bought as soon as somebody agrees, `later` may have to be bought after it."""
    first, then = list(now), list(later)
    certain, more = (sum(one.cost or 0 for one in some) for some in (first, then))
    credits, more_credits = (sum((one.credits for one in some if one.credits is not None), Fraction(0)) for some in (first, then))
    unknown = sum(one.cost is None for one in (*first, *then))
    return Total(certain, certain + more, unknown, credits, credits + more_credits)


def share(cost: int, count: int) -> list[int]:
    """One bill for several takes, to the micro-dollar: the first ones bear what is left over."""
    each, rest = divmod(cost, count)
    return [each + (place < rest) for place in range(count)]


def usd(cost: int) -> str:
    """`$0.69`, `$0.038`, `$1,204.50`, `$0`: exact up to a hundredth of a cent, else rounded up to one."""
    if cost == 0:
        return "$0"
    sign, units = ("-" if cost < 0 else ""), -(-abs(cost) // 100)
    whole, part = divmod(units, 10_000)
    return f"{sign}${whole:,}.{f'{part:04}'[:2]}{f'{part:04}'[2:].rstrip('0')}"


def credits_text(credits: Fraction | float) -> str:
    """`69 credits`, `1 credit`, `1,204.5 credits`; rounded up to a hundredth."""
    units = math.ceil(Fraction(str(credits)) * 100)
    whole, part = divmod(units, 100)
    text = f"{whole:,}" + (f".{part:02}".rstrip("0") if part else "")
    return f"{text} {'credit' if units == 100 else 'credits'}"  # noqa: PLR2004 - hundredths
