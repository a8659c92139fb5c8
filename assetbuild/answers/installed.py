"""Which providers there are: ours, and those that other packages bring. Imports each once, to see whether it can be."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from ..errors import AssetbuildError
from ..project import BUILT_IN, load_provider
from ..providers.table import Table
from ..spec.model import HERE, Op

OPS: tuple[Op, ...] = ("generate", "edit", "upscale", "remove-background")


def providers(table: Table) -> list[dict[str, Any]]:
    """Each as `schemas/providers.schema.json` has it: built-in ones first, then by name."""
    points = {point.name: point for point in entry_points(group="assetbuild.providers") if point.name not in BUILT_IN}
    found = []
    for name in [
        *(n for n in BUILT_IN if n != HERE),
        *sorted(points),
        *(n for n in table.providers() if n not in BUILT_IN and n not in points),
    ]:
        point = points.get(name)
        problem = None
        if name in BUILT_IN or point is not None:
            try:
                load_provider(name)
            except AssetbuildError as error:
                problem = error.text
            except Exception as error:  # a stranger's module may fail in any way
                problem = f"{type(error).__name__}: {error}"
        else:
            problem = "isn't installed"
        package = point.dist.name if point is not None and point.dist is not None else None
        found.append(
            {
                "name": name,
                "installed": problem is None,
                "problem": problem,
                "from": "built in" if name in BUILT_IN else package or "another package",
                "free": table.free(name),
                "reproducible": table.reproducible(name),
                "models": [_model(table, name, model) for model in table.models(name)],
            }
        )
    return found


def _model(table: Table, provider: str, name: str) -> dict[str, Any]:
    """One model: what it can do, what it costs as far as that is known, and when it ends."""
    prices, ends = table.prices(provider, name), table.ends(provider, name)
    return {
        "name": name,
        "ops": [op for op in OPS if table.names(provider, name, op)],
        "default": [op for op in OPS if table.default_model(provider, op) == name],
        "mask": any(table.mask(provider, name, op) for op in OPS),
        "price": prices
        and {
            "unit": prices["unit"],
            "per": prices.get("per", "picture"),
            "by": prices.get("by"),
            "each": dict(prices["each"]) if "by" in prices else {"": prices["each"]},
            "date": prices["date"],
            "source": prices["source"],
        },
        "ends": ends and {"date": ends[0], "source": ends[1]},
    }


def lines(models: list[dict[str, Any]], today: str) -> list[str]:
    """A provider's models for people, a line each: what it can do, its price, its end. `today` is a day as `2026-11-22`."""
    width = max((len(model["name"]) for model in models), default=0)
    return [f"{model['name']:<{width}}  {_told(model, today)}" for model in models]


def _told(model: dict[str, Any], today: str) -> str:
    price, ends = model["price"], model["ends"]
    parts = [", ".join(model["ops"]) + (" (with a mask)" if model["mask"] else "")]
    if model["default"]:
        parts.append("the default")
    if price:
        least, most = min(price["each"].values()), max(price["each"].values())
        parts.append(f"{least:g}{f' to {most:g}' if most > least else ''} {price['unit']} a {price['per']}")
    if ends:
        parts.append(f"{'ended' if ends['date'] < today else 'ends'} on {ends['date']}")
    return "; ".join(parts)
