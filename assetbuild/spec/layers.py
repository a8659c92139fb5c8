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

FIELDS = ("quality", "aspect_ratio", "background", "seed")
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
    """What a step has. `params` is shared between steps and never written. `ratio` is its width to height when the op has one."""

    provider: str
    model: str
    params: dict[str, Param]
    notes: tuple[str, ...]
    wrong: tuple[Wrong, ...]
    ratio: str | None


def settle(
    table: ModelTable, op: Op, layers: tuple[Layer, ...], *, ratio: str | None, ending: str, members: int, lenient: bool = False
) -> Settled:
    """Provider, model and parameters of a step. `layers` from strongest to weakest; `ratio` is that of the base, for a step that
    has one.

    `ending` is the output's format token; `lenient` leaves out what the model refuses in a layer below the profile: such a value
    was meant for the provider that the profile replaces.
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
    model = _model(table, op, layers, provider, level, lenient=lenient, wrong=wrong)
    if model is None:
        return Settled(provider, "", {}, (), tuple(wrong), None)

    params: dict[str, Any] = {}
    origin: dict[str, tuple[str, str]] = {}  # parameter → role of its layer, field
    for layer in reversed(layers):
        for name, value in (layer.values.get("params") or {}).items():
            if table.has(provider, model, op, name) or (layer.strict and not lenient):
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
        wrong.append(Wrong(role, field, text, hint, name if field == "params" else None, "key" if lacks else "value"))
    shape = done.get("aspect_ratio")
    return Settled(provider, model, done, tuple(notes), tuple(wrong), shape if isinstance(shape, str) else None)


def _model(
    table: ModelTable, op: Op, layers: tuple[Layer, ...], provider: str, level: int, *, lenient: bool, wrong: list[Wrong]
) -> str | None:
    """The model of a step; None when there is none, which is a mistake unless a weaker setting was merely left out."""
    for index, layer in enumerate(layers):
        if "model" not in layer.values:
            continue
        name = str(layer.values["model"])
        known = name in table.models(provider)
        able = known and bool(table.names(provider, name, op))
        if able:
            return name
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
                    "it has "
                    + ", ".join(f"`{each}`" for each in table.models(provider)[:8])
                    + "; leave `model` out, or name its provider beside it",
                )
            )
            return None
        if layer.strict:
            other = table.default_model(provider, op)
            hint = f"leave `model` out: then it is `{other}`" if other else "choose another provider for this asset"
            wrong.append(Wrong(layer.role, "model", f"`{name}` on {provider} can't {DOES[op]}", hint))
            return None
    found = table.default_model(provider, op)
    if found is None:
        own = next((layer for layer in layers if layer.strict), layers[0])
        field = "provider" if "provider" in own.values else "op"
        wrong.append(Wrong(own.role, field, f"`{provider}` can't {DOES[op]}", "name another `provider` for it"))
    return found
