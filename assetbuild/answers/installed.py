"""Which providers there are: ours, and those that other packages bring. Imports each once, to see whether it can be."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from ..errors import AssetbuildError
from ..project import BUILT_IN, load_provider
from ..spec.model import ModelTable, Op

OPS: tuple[Op, ...] = ("generate", "edit", "upscale", "remove-background")


def providers(table: ModelTable) -> list[dict[str, Any]]:
    """Each as `schemas/providers.schema.json` has it: built-in ones first, then by name."""
    points = {point.name: point for point in entry_points(group="assetbuild.providers") if point.name not in BUILT_IN}
    found = []
    for name in [*BUILT_IN, *sorted(points), *(n for n in table.providers() if n not in BUILT_IN and n not in points)]:
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
                "models": [
                    {"name": model, "ops": [op for op in OPS if table.names(name, model, op)]} for model in table.models(name)
                ],
            }
        )
    return found
