"""Named ways to export: those that come with assetbuild, read from `presets.yaml`, under a project's own. Data only; what a field means is `exports`'
business.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any


@cache
def builtin() -> Mapping[str, Mapping[str, Any]]:
    """The presets that come with assetbuild, by name. Raises FileNotFoundError when the installation lost them."""
    import yaml

    path = __file__.replace("\\", "/").rsplit("/", 2)[0] + "/presets.yaml"
    with open(path, encoding="utf-8") as file:
        found: dict[str, dict[str, Any]] = yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe loaders both
    return found
