"""Which provider, model and parameters a step has, from layers of settings: profile over asset over its file's defaults over the
root's.

Knows the model table; it does not know prompts or pictures. Provider and model are found together: a model that a weaker layer
set than the one that set the provider counts only if that provider has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from .model import ModelTable, Op, Param
from .problems import suggest
from .templates import has_reference

FIELDS = ("quality", "aspect_ratio", "background", "seed")
_SHARED = ("profile", "file", "root")  # layers that many assets have in common: none of their names can be put in
DOES = {
    "generate": "draw from a prompt",
    "edit": "edit a picture",
    "upscale": "upscale a picture",
    "remove-background": "remove a background",
}


class Layer(NamedTuple):
    """Settings from one place. `role`: profile, step, asset, file, root. A `strict` layer may not name what the model lacks."""

    role: str
    values: Mapping[str, Any]
    strict: bool = False


class Wrong(NamedTuple):
    """A mistake in a layer's field (for `params`, in the entry `param`)."""

    role: str
    field: str
    text: str
    hint: str | None
    param: str | None = None
    on: Literal["key", "value"] = "value"


class Settled(NamedTuple):
    """What a step has. `params` is shared between steps and never written. `ratio` is its width to height when the op has one. `bare`: this
    provider draws without the step's mask.
    """

    provider: str
    model: str
    params: dict[str, Param]
    notes: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    ratio: str | None
    bare: bool = False


def settle(
    table: ModelTable,
    op: Op,
    layers: tuple[Layer, ...],
    *,
    ratio: str | None,
    ending: str,
    members: int,
    masked: bool = False,
    lenient: bool = False,
) -> Settled:
    """Provider, model and parameters of a step. `layers` from strongest to weakest; `ratio` is that of the base, for a step that
    has one.

    `ending` is the output's format token; `masked` when it has a mask; `lenient` leaves out what the model refuses in a layer below
    the profile: such a value was meant for the provider that the profile replaces.
    """
    wrong: list[Wrong] = []
    provider, level = "comp", len(layers)
    for index, layer in enumerate(layers):
        if "provider" in layer.values:
            provider, level = str(layer.values["provider"]), index
            break
    if not table.knows(provider):
        known = table.providers()
        text = f"no provider is called `{provider}`{suggest(provider, known)}"
        wrong.append(Wrong(layers[level].role, "provider", text, "known: " + ", ".join(f"`{each}`" for each in known)))
        return Settled(provider, "", {}, (), tuple(wrong), None)
    # Who draws for nothing draws the same wherever it may: a mask has no meaning there, and a draft none the less.
    bare = masked and drafts_only(table, provider) and not maskers(table, provider, op)
    model = _model(table, op, layers, provider, level, masked=masked and not bare, lenient=lenient, wrong=wrong)
    if model is None:
        return Settled(provider, "", {}, (), tuple(wrong), None)

    params: dict[str, Any] = {}
    origin: dict[str, tuple[str, str]] = {}  # parameter → role of its layer, field
    for layer in reversed(layers):
        for name, value in (layer.values.get("params") or {}).items():
            if table.has(provider, model, op, name) or (layer.strict and not lenient):
                if layer.role in _SHARED and has_reference(value):
                    text = f"`${{…}}` isn't put in here, so `{name}` would be sent with it"
                    wrong.append(Wrong(layer.role, "params", text, "write it on the assets themselves", name))
                    continue
                params[name] = value
                origin[name] = (layer.role, "params")
    for field in FIELDS:
        if field == "aspect_ratio" and ratio is not None and not any(layer.strict and field in layer.values for layer in layers):
            if table.has(provider, model, op, field):
                params[field] = "~" + ratio
            continue
        for layer in layers:
            if field in layer.values:
                if table.has(provider, model, op, field) or (layer.strict and not lenient):
                    params[field] = layer.values[field]
                    origin[field] = (layer.role, field)
                break
    if "output_format" in origin:
        role, field = origin["output_format"]
        wrong.append(
            Wrong(
                role,
                field,
                "`output_format` follows the ending of `output`",
                "write `output: NAME.webp` for webp",
                "output_format",
            )
        )
    params["output_format"] = ending
    done, faults, notes = table.normalise(provider, model, op, params, members=members)
    if lenient and faults:
        spared = {name for name, _, _ in faults if name in origin and origin[name][0] != "profile"}
        params = {name: value for name, value in params.items() if name not in spared}
        if "aspect_ratio" in spared and ratio is not None and table.has(provider, model, op, "aspect_ratio"):
            params["aspect_ratio"] = "~" + ratio
        done, faults, notes = table.normalise(provider, model, op, params, members=members)
    for name, said, hint in faults:
        role, field = origin.get(name, ("asset", name))
        text = said
        if name == "output_format":
            field, text = "output", f"`{model}` on {provider} can't {DOES[op]} as {ending}"
        lacks = field in FIELDS and not table.has(provider, model, op, name)
        way = _with_ratio(table, op, provider, model, params[name], hint) if name == "aspect_ratio" and not lacks else hint
        wrong.append(Wrong(role, field, text, way, name if field == "params" else None, "key" if lacks else "value"))
    shape = done.get("aspect_ratio")
    if bare:
        notes.append(f"{provider} draws without a mask")
    return Settled(provider, model, done, tuple(notes), tuple(wrong), shape if isinstance(shape, str) else None, bare)


def maskers(table: ModelTable, provider: str, op: Op) -> list[str]:
    """The models of a provider that take a mask for an op; the op's default first, if it is one."""
    found = [name for name in table.models(provider) if table.mask(provider, name, op)]
    return sorted(found, key=lambda name: name != table.default_model(provider, op))


def drafts_only(table: ModelTable, provider: str) -> bool:
    """Whether a provider draws for nothing, and the same each time: what is about choosing and paying has no meaning there."""
    return table.free(provider) and table.reproducible(provider)


def _model(
    table: ModelTable,
    op: Op,
    layers: tuple[Layer, ...],
    provider: str,
    level: int,
    *,
    masked: bool,
    lenient: bool,
    wrong: list[Wrong],
) -> str | None:
    """The model of a step; None when there is none, which is a mistake unless a weaker setting was merely left out."""
    for index, layer in enumerate(layers):
        if "model" not in layer.values:
            continue
        name = str(layer.values["model"])
        known = name in table.models(provider)
        able = known and bool(table.names(provider, name, op))
        if able and not (masked and not table.mask(provider, name, op)):
            return name
        if able:
            if not layer.strict or lenient:
                continue  # it was meant for the pictures without a mask
            wrong.append(Wrong(layer.role, "model", f"`{name}` on {provider} takes no mask", _with_masks(table, op, provider)))
            return None
        if index > level or (lenient and layer.role != "profile"):
            continue
        if not known:
            ask = suggest(name, table.models(provider))
            if layer.role != "profile" and not layer.strict and not ask and table.free(provider):
                continue  # a default for another provider, while this one drafts: nothing is bought by mistake
            wrong.append(
                Wrong(
                    layer.role,
                    "model",
                    f"`{provider}` has no model `{name}`{ask}",
                    _with_model(table, provider, name),
                )
            )
            return None
        if layer.strict:
            other = table.default_model(provider, op)
            hint = f"leave `model` out: then it is `{other}`" if other else "choose another provider for this asset"
            wrong.append(Wrong(layer.role, "model", f"`{name}` on {provider} can't {DOES[op]}", hint))
            return None
    found = table.default_model(provider, op)
    if masked and found is not None:
        able_ones = maskers(table, provider, op)
        if able_ones:
            return able_ones[0]
        own = next((layer for layer in layers if layer.strict), layers[0])
        text = f"no model of {provider} takes a mask"
        wrong.append(Wrong(own.role, "mask", text, _with_masks(table, op, provider), on="key"))
        return None
    if found is None:
        own = next((layer for layer in layers if layer.strict), layers[0])
        field = "provider" if "provider" in own.values else "op"
        wrong.append(Wrong(own.role, field, f"`{provider}` can't {DOES[op]}", "name another `provider` for it"))
    return found


def _with_masks(table: ModelTable, op: Op, provider: str) -> str:
    """The way out where a model takes no mask: those that do."""
    own = maskers(table, provider, op)
    if own:
        return f"leave `model` out: then it is `{own[0]}`"
    others = [(other, name) for other in table.providers() if other != provider for name in maskers(table, other, op)[:1]]
    if not others:
        return "take the mask out, and say in the prompt what must stay"
    return "name one that does: " + " or ".join(f"`provider: {other}` with `model: {name}`" for other, name in others[:3])


def _with_ratio(table: ModelTable, op: Op, provider: str, model: str, ratio: Param, hint: str | None) -> str | None:
    """The way out where a model lacks a ratio: what it has, and which of its provider's models have this one."""
    others = [
        name
        for name in table.models(provider)
        if name != model
        and table.has(provider, name, op, "aspect_ratio")
        and not table.normalise(provider, name, op, {"aspect_ratio": ratio})[1]
    ]
    if not others or hint is None:
        return hint
    some = f"`{others[0]}` has" if len(others) == 1 else f"`{others[0]}` and {len(others) - 1} more of its models have"
    return f"{hint}; {some} {ratio}"


def _with_model(table: ModelTable, provider: str, model: str) -> str:
    """The way out where a provider has no such model: whose it is, or what the provider has."""
    for other in table.providers():
        if model in table.models(other):
            return f"it is a model of {other}: write `provider: {other}` beside it, or leave `model` out"
    known = table.models(provider)
    return f"it has {', '.join(f'`{each}`' for each in known[:8])}{' …' if known[8:] else ''}; leave `model` out, or name its provider beside it"
