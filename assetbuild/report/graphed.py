"""What hangs on what, as a Mermaid flowchart: bases as full arrows, references as dotted ones, the steps of a chain in a
frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..spec.model import Asset, AssetInput, FileInput


def graph_lines(assets: Sequence[Asset]) -> Iterator[str]:
    """The chart of these assets; bases that aren't among them are drawn as names only."""
    nodes: dict[str, str] = {}
    yield "flowchart LR"
    for asset in assets:
        yield from _asset(nodes, asset)
    edges = [edge for asset in assets for edge in _edges(nodes, asset)]
    named = {a.id for a in assets}
    others = [key for key in nodes if key[:1] in "af" and (key[0] == "f" or (key[2:] not in named and "\n" not in key))]
    for key in others:
        yield f'  {nodes[key]}(["{_escaped(key[2:])}"]):::file' if key[0] == "f" else f'  {nodes[key]}["{_escaped(key[2:])}"]'
    yield from edges
    if any(key[0] == "f" for key in others):
        yield "  classDef file fill:none,stroke-dasharray:4 3"


def _node(nodes: dict[str, str], key: str) -> str:
    return nodes.setdefault(key, f"n{len(nodes)}")


def _asset(nodes: dict[str, str], asset: Asset) -> Iterator[str]:
    last, name = asset.steps[-1], _escaped(asset.id)
    if len(asset.steps) == 1:
        me = _node(nodes, f"a:{asset.id}")
        if last.members:
            shown = ", ".join(last.members[:6]) + (", …" if len(last.members) > 6 else "")  # noqa: PLR2004 - what a box holds
            yield f'  {me}[["{name}<br/>{len(last.members)} pictures: {_escaped(shown)}"]]'
        else:
            yield f'  {me}["{name}{"" if last.op in ("generate", "edit") else "<br/>" + last.op}"]'
        return
    frame = _node(nodes, f"g:{asset.id}")
    yield f'  subgraph {frame}["{name}"]'
    yield "    direction LR"
    for number, step in enumerate(asset.steps):
        label = f"{number + 1} {step.op}"
        yield f'    {_node(nodes, _step_key(asset, number))}["{label}"]'
    for number in range(1, len(asset.steps)):
        yield f"    {nodes[_step_key(asset, number - 1)]} --> {nodes[_step_key(asset, number)]}"
    yield "  end"


def _step_key(asset: Asset, number: int) -> str:
    """The last step's node is the one that others hang on."""
    return f"a:{asset.id}" if number == len(asset.steps) - 1 else f"s:{asset.id}\n{number}"


def _edges(nodes: dict[str, str], asset: Asset) -> Iterator[str]:
    for number, step in enumerate(asset.steps):
        here = _node(nodes, _step_key(asset, number))
        for one in step.inputs:
            if type(one.source) is AssetInput:
                start, member = _node(nodes, f"a:{one.source.asset}"), one.source.member
            elif type(one.source) is FileInput:
                start, member = _node(nodes, f"f:{one.source.path}"), ""
            else:
                continue
            called = "" if one.role == "base" else one.name or one.role
            words = " ".join(part for part in (f"#{member}" if member else "", called) if part)
            arrow = "-->" if one.role == "base" else "-.->"
            yield f'  {start} {arrow}|"{_escaped(words)}"| {here}' if words else f"  {start} {arrow} {here}"


def _escaped(text: str) -> str:
    """A label as Mermaid takes it: quotes, hashes, angles and backticks are entities."""
    out = "".join(f"#{ord(c)};" if c in '"#<>&`' else c for c in text)
    return "".join(c if c.isprintable() else " " for c in out)
