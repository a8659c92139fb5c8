"""What each model can do, as `models.yaml` says it: which parameters, which values, which limits. Implements
`spec.model.ModelTable`.

It checks and normalises parameters offline; it sums no prices, knows no network and no spec, and imports no provider.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

Value = Any  # a parameter of any type
Rule = dict[str, Any]
_RATIO = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,4})?):([0-9]{1,6}(?:\.[0-9]{1,4})?)")
Fault = tuple[str, str, str | None]


class BadValue(Exception):
    """A value that a rule refuses: a sentence and the way out."""

    def __init__(self, text: str, hint: str | None = None) -> None:
        super().__init__(text)
        self.text, self.hint = text, hint


@cache
def builtin(others: Callable[[], dict[str, dict[str, Any]]] | None = None) -> Table:
    """The table of the package's own `models.yaml`, read once. Raises FileNotFoundError when the installation lost it."""
    return Table(_read("models.yaml")["providers"], others)


@cache
def _read(path: str) -> dict[str, Any]:
    """A YAML file beside this one, read once: never written by those who get it."""
    import yaml  # 20 ms

    loader = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
    with open(__file__.rsplit("table.py", 1)[0] + path, "rb") as file:
        found: dict[str, Any] = yaml.load(file, Loader=loader)  # noqa: S506 - both are safe
    return found


class Table:
    """The providers' models. `tree` is what stands under `providers:` in `models.yaml`."""

    def __init__(
        self, tree: Mapping[str, dict[str, Any] | str], others: Callable[[], dict[str, dict[str, Any]]] | None = None
    ) -> None:
        """`others` gives the providers that aren't built in, in the same form; asked once, and only when an unknown name is
        met."""
        self._tree, self._others = dict(tree), others

    def providers(self) -> tuple[str, ...]:
        """Names of all providers that are known."""
        self._ask_others()
        return tuple(name for name in self._tree if not self._here(name))

    def knows(self, provider: str) -> bool:
        """Whether a provider is known."""
        if provider not in self._tree:
            self._ask_others()
        return provider in self._tree and not self._here(provider)

    def _here(self, provider: str) -> bool:
        found = self._tree[provider]
        return isinstance(found, dict) and bool(found.get("here"))

    def _ask_others(self) -> None:
        if self._others is not None:
            others, self._others = self._others, None
            self._tree = {**others(), **self._tree}

    def _of(self, provider: str) -> dict[str, Any]:
        """What is known of a provider, {} for one that isn't. A table in a file of its own is read now: most specs name one provider."""
        found = self._tree.get(provider, {})
        if isinstance(found, str):
            self._tree[provider] = found = _read(found)
        return found

    def _model(self, provider: str, model: str) -> dict[str, Any]:
        found: dict[str, Any] = self._of(provider).get("models", {}).get(model, {})
        return found

    def models(self, provider: str) -> tuple[str, ...]:
        """Model names of a provider, () for one that isn't known."""
        return tuple(self._of(provider).get("models", ()))

    def default_model(self, provider: str, op: str) -> str | None:
        """The model an op has when none is named; None when the provider lacks the op."""
        found: str | None = self._of(provider).get("default", {}).get(op)
        return found

    def has(self, provider: str, model: str, op: str, param: str) -> bool:
        """Whether the model has this parameter for this op."""
        return param in self._op(provider, model, op).get("params", ())

    def names(self, provider: str, model: str, op: str) -> tuple[str, ...]:
        """Every parameter the model has for the op; () when it lacks the op (each op it has, has at least `output_format`)."""
        return tuple(self._op(provider, model, op).get("params", ()))

    def free(self, provider: str) -> bool:
        """True when nothing this provider makes costs money."""
        return bool(self._of(provider).get("free"))

    def reproducible(self, provider: str) -> bool:
        """True when the same request to this provider gives the same bytes, always."""
        return bool(self._of(provider).get("reproducible"))

    def limits(self, provider: str, model: str, op: str) -> dict[str, int]:
        """`prompt` (characters), `inputs` (pictures), `members` and `takes` (pictures in one call); a missing key is no limit."""
        found: dict[str, int] = self._op(provider, model, op).get("limits", {})
        return found

    def mask(self, provider: str, model: str, op: str) -> bool:
        """Whether the model takes a mask for this op."""
        return "mask" in self.sends(provider, model, op)

    def sends(self, provider: str, model: str, op: str) -> Mapping[str, Any]:
        """What the provider itself must know to send a request, {} when the model lacks the op."""
        found: dict[str, Any] = self._op(provider, model, op).get("sends", {})
        return found

    def prices(self, provider: str, model: str) -> Mapping[str, Any] | None:
        """`unit`, `date`, `source`, `each` (a number, or numbers by the value of the parameter `by`), `per`; None when not known."""
        found: dict[str, Any] | None = self._model(provider, model).get("prices")
        return found

    def ends(self, provider: str, model: str) -> tuple[str, str] | None:
        """The day on which the model's maker shuts it down (ISO 8601) and who says so; None when nothing is known."""
        found = self._model(provider, model)
        return (str(found["ends"]), str(found["ends_source"])) if "ends" in found else None

    def normalise(
        self, provider: str, model: str, op: str, params: dict[str, Any], *, members: int = 0
    ) -> tuple[dict[str, Any], list[Fault], list[str]]:
        """All parameters with defaults explicit and tokens normalised; problems as (param, text, hint); notes for the plan.

        An `aspect_ratio` that starts with `~` is inherited: the model's nearest one is taken, and a note says so if it is
        another. A parameter that the model lacks is a problem.
        """
        facts = self._op(provider, model, op)
        rules: dict[str, Rule] = facts.get("params", {})
        result: dict[str, Any] = dict(facts.get("defaults", {}))
        faults: list[Fault] = []
        notes: list[str] = []
        for name, value in params.items():
            rule = rules.get(name)
            if rule is None:
                near = difflib.get_close_matches(name, rules, 1)
                ask = f"; did you mean `{near[0]}`?" if near else ""
                faults.append(
                    (
                        name,
                        f"`{model}` on {provider} has no `{name}` for op {op}{ask}",
                        "it has " + ", ".join(f"`{each}`" for each in rules),
                    )
                )
                continue
            try:
                if "ratio" in rule:
                    result[name] = _ratio(rule["ratio"], str(value), model, provider, notes)
                else:
                    result[name] = _value(rule, name, value, model, provider)
            except BadValue as e:
                faults.append((name, e.text, e.hint))
        for name, rule in rules.items():
            if rule.get("required") and name not in params:
                faults.append((name, f"`{model}` on {provider} can't do without `{name}`", f"write `params: {{{name}: …}}`"))
            if rule.get("asked") is False:
                notes.append(
                    f"`{model}` on {provider} chooses the file type itself: if it isn't {result.get(name)}, the picture waits for your word"
                )
            said = rule.get("said")
            if said and result.get(name) in said:
                notes.append(said[result[name]])
        most = facts.get("limits", {}).get("members")
        if most is not None and members > most:
            alone = most == 1
            faults.append(
                (
                    "set",
                    f"`{model}` on {provider} makes {'one picture' if alone else f'at most {most} pictures'} in one call; the set has {members}",
                    "make them assets of their own, or name a model that draws several" if alone else "split the set",
                )
            )
        return result, faults, notes

    def _op(self, provider: str, model: str, op: str) -> dict[str, Any]:
        found: dict[str, Any] = self._model(provider, model).get("ops", {}).get(op, {})
        return found


def _value(rule: Rule, name: str, value: Value, model: str, provider: str) -> Value:
    """One parameter, normalised: 3.0 where a whole number is meant is 3. Raises BadValue."""
    where = f"on `{model}` ({provider})"
    shown = str(value).lower() if isinstance(value, bool) else str(value)[:60]
    if value is None:
        if rule.get("nullable"):
            return None
        raise BadValue(f"`{name}` has no value", "write one, or remove the line")
    number = value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
    if "enum" in rule:
        token = rule.get("tokens", {}).get(value, value) if isinstance(value, str) else value
        for each in rule["enum"]:
            if token == each and isinstance(token, bool) == isinstance(each, bool):
                return each
        choices = ", ".join(f"`{each}`" for each in rule["enum"])
        near = difflib.get_close_matches(str(value), [str(each) for each in rule["enum"]], 1)
        way = rule.get("ways", {}).get(value) if isinstance(value, str) else None
        raise BadValue(
            f"`{name}: {shown}` is no choice {where}" + (f"; did you mean `{near[0]}`?" if near else ""),
            way or f"it has {choices}",
        )
    if "boolean" in rule:
        if isinstance(value, bool):
            return value
        raise BadValue(f"`{name}` must be true or false {where}, not `{shown}`", f"write `{name}: true`, without quotes")
    if "integer" in rule or "number" in rule:
        low, high = rule.get("integer") or rule["number"]
        if number is None or ("integer" in rule and number != int(number)):
            raise BadValue(
                f"`{name}` must be a {'whole ' if 'integer' in rule else ''}number {where}, not `{shown}`",
                f"it goes from {low} to {high}",
            )
        if not low <= number <= high:
            raise BadValue(f"`{name}: {shown}` is out of range {where}", f"it goes from {low} to {high}")
        return int(number) if number == int(number) else float(number)
    if "texts" in rule:
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            raise BadValue(f"`{name}` must be a list of texts {where}", f"write `{name}: [one, two]`")
        if len(value) > rule["texts"]:
            raise BadValue(f"`{name}` has {len(value)} entries; at most {rule['texts']} {where}", "take some out")
        return tuple(value)
    if not isinstance(value, str):
        raise BadValue(f"`{name}` must be a text {where}, not `{shown}`", f'quote it: `{name}: "{shown}"`')
    if len(value) > rule["text"]:
        raise BadValue(f"`{name}` has {len(value):,} characters; at most {rule['text']:,} {where}", "shorten it")
    return value


def ratio_of(text: str) -> Fraction:
    """Width over height of `W:H`. Raises BadValue for what is no ratio."""
    found = _RATIO.fullmatch(text)
    width, height = (Fraction(found[1]), Fraction(found[2])) if found is not None else (Fraction(0), Fraction(0))
    if not width or not height:
        raise BadValue(f"`{text[:40]}` is no aspect ratio", 'write width and height, as in `aspect_ratio: "2:3"`')
    return width / height


def _ratio(rule: Value, asked: str, model: str, provider: str, notes: list[str]) -> str:
    """A ratio that the model has, in lowest terms or as the model spells it. Raises BadValue."""
    inherited, asked = asked.startswith("~"), asked.removeprefix("~")
    wanted = ratio_of(asked)
    if isinstance(rule, dict):
        low, high = ratio_of(rule["from"]), ratio_of(rule["to"])
        nearest = min(max(wanted, low), high)
        spelt = f"{nearest.numerator}:{nearest.denominator}"
        offered = f"it has every ratio from {rule['from']} to {rule['to']}"
    else:
        spelt = min(rule, key=lambda each: abs(math.log(ratio_of(each) / wanted)))
        nearest = ratio_of(spelt)
        offered = f"it has {', '.join(rule)}; the nearest is {spelt}"
    if nearest != wanted:
        if not inherited:
            raise BadValue(f"{asked} isn't a ratio of `{model}` on {provider}", offered)
        notes.append(f"{asked} isn't a ratio of {model}; the nearest is {spelt}")
    return spelt
