"""Imports go down only, and pure rooms touch no disk, clock, chance or network. Read from the source with `ast`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "assetbuild"

# From the bottom up; a room may import rooms of its own layer and below.
LAYERS = [
    ["errors", "events", "recipe", "__init__"],
    ["geometry"],
    ["spec"],
    ["digest", "graph", "selection", "blocks", "pricing", "polling", "hosts"],
    ["plan", "exports"],
    ["pictures"],
    ["manifesting"],
    ["providers"],
    [
        "oslock",
        "swap",
        "files",
        "hashing",
        "stamptable",
        "stamps",
        "outline",
        "reader",
        "vanish",
        "store",
        "lockfile",
        "overlaps",
        "forms",
        "gathering",
        "retrying",
        "pacing",
        "settings",
        "wire",
        "fetching",
        "looking",
    ],
    ["project"],
    ["known"],
    ["natures"],
    ["facts", "leaves"],
    ["placing", "outlining", "partial", "remembering", "quoting", "allotting", "asking", "arriving", "desk"],
    ["receiving"],
    ["buying"],
    ["making", "exporting", "build", "collecting", "inventory"],
    ["earlier"],
    ["verbs"],
    ["report"],
    ["answers"],
    ["testing"],
    ["watch", "review"],
    ["cli"],
    ["__main__"],
]
LEVEL = {room: level for level, rooms in enumerate(LAYERS) for room in rooms}
PURE = [
    "errors",
    "events",
    "recipe",
    "geometry",
    "spec",
    "digest",
    "graph",
    "selection",
    "blocks",
    "pricing",
    "polling",
    "hosts",
    "plan",
    "exports",
    "manifesting",
]
FORBIDDEN = {"os", "time", "random", "asyncio", "httpx", "pathlib", "subprocess", "socket", "tempfile", "shutil", "io", "sqlite3"}
PROVIDERS_MAY = {"providers", "errors", "pictures"}  # the last only for `local`, which is no vendor


def imports(path: Path) -> list[tuple[str, str]]:
    """(room or "", module) of every import in a file, relative ones resolved; those under TYPE_CHECKING count too."""
    found: list[tuple[str, str]] = []
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    package = ["assetbuild", *parts[:-1]]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [("", name.name) for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level == 0:
                module = node.module or ""
                found.append(("", module))
                continue
            base = package[: len(package) - node.level + 1]
            whole = [*base, *((node.module or "").split(".") if node.module else [])]
            if len(whole) > 1:
                found.append((whole[1], ".".join(whole)))
            else:
                found += [(name.name, f"assetbuild.{name.name}") for name in node.names]
    return [(m.split(".")[1] if m.startswith("assetbuild.") and not room else room, m) for room, m in found]


def room_of(path: Path) -> str:
    """The room a file belongs to."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


FILES = sorted(p for p in PACKAGE.rglob("*.py") if "__pycache__" not in p.parts)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    """Every room is on the map, and imports nothing above itself."""
    room = room_of(path)
    assert room in LEVEL, f"{room} isn't on the map: add it to LAYERS and to assetbuild/README.md"
    for target, module in imports(path):
        if not module.startswith("assetbuild") or target in ("", "__version__"):
            continue
        assert target in LEVEL, f"{path.name} imports {module}, which isn't on the map"
        assert LEVEL[target] <= LEVEL[room], f"{path.relative_to(PACKAGE)} imports {module} from above"
        if room == "providers":
            assert target in PROVIDERS_MAY, f"a provider may not know {module}"
        if room == "report":
            assert target in ("events", "plan", "digest", "errors", "report", "facts", "leaves", "project", "spec", "pricing"), (
                f"a report may not know {module}"
            )


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in PURE], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_pure_rooms_are_pure(path: Path) -> None:
    """No disk, clock, chance or network."""
    for _, module in imports(path):
        assert module.split(".")[0] not in FORBIDDEN, f"{path.relative_to(PACKAGE)} imports {module}"


def test_the_map_names_every_room() -> None:
    """`assetbuild/README.md` is the map."""
    text = (PACKAGE / "README.md").read_text("utf-8")
    for path in FILES:
        room = room_of(path)
        if room != "__init__":
            assert room in text, f"{room} isn't in assetbuild/README.md"
