"""The whole way from a path to a `Spec`: files, expansion, links, then the rules that concern all assets together. It knows the
order of these rooms and the profiles; each step's work is theirs.
"""

from __future__ import annotations

import gc
import posixpath
import re

from ..errors import Place
from .drafts import Draft
from .expand import Expansion
from .gaps import ALL
from .link import Link
from .marks import Map
from .model import Asset, ModelTable, Reader, Spec
from .outputs import fold, output_fault, tidy
from .problems import Problems
from .sources import Document, Files, documents
from .terms import read_budget, read_services


def assemble(path: str, reader: Reader, table: ModelTable, profile: str | None) -> Spec:
    """See `assetbuild.spec.load`."""
    collecting = gc.isenabled()
    gc.disable()  # nothing here makes circles that matter; the collector would look at every record again and again
    try:
        return _assemble(path, reader, table, profile)
    finally:
        if collecting:
            gc.enable()


def _assemble(path: str, reader: Reader, table: ModelTable, profile: str | None) -> Spec:
    problems = Problems()
    files = Files(reader, problems)
    found = documents(path, files)
    if not found or found[0].path != path:
        problems.raise_if_any()
    settings = _profile(found[0], profile, problems)
    expansion = Expansion(found, files, settings)
    expansion.expand()
    if not expansion.drafts and not problems:
        problems.add(Place(path, 1, 1), f"`{path}` has no assets", "write one under `assets:`")
    root = found[0].root
    budget = read_budget(found[0], problems)
    services = read_services(found[0], table, problems)
    link = Link(expansion, table)
    link.link()
    problems.row, problems.among = None, ()

    tree, lock = "", posixpath.splitext(posixpath.basename(path))[0] + ".lock"
    if profile is not None and settings is not None:
        if "output" in settings:
            lock = f"{lock.removesuffix('.lock')}.{profile}.lock"
        elif all(table.free(each) for each in link.used if table.knows(each)):
            tree = f".assetbuild/{profile}"
            lock = f"{tree}/{lock}"
        elif problems.gaps.of(settings).isdisjoint(("output", ALL)):
            payer = sorted(each for each in link.used if table.knows(each) and not table.free(each))[0]
            problems.on(
                found[0].part("profiles"),
                profile,
                f"the profile `{profile}` can buy from {payer} and names no `output`",
                f'write `output: "{profile}/${{id}}.png"` into it, so that bought pictures have a place of their own',
                on="key",
            )
    manifest = _manifest(found[0], problems)
    if settings is not None and "output" in settings:
        manifest = None  # it is that of the finals
    _check_outputs(expansion, files, lock, tree, manifest, problems)
    problems.raise_if_any()

    prefix = f"{tree}/" if tree else ""
    assets = tuple([_asset(draft, prefix, bool(tree)) for draft in expansion.drafts.values()])
    profiles = root.get("profiles")
    store = root.get("store")
    name = root.get("project")
    return Spec(
        project=str(name) if name is not None else "",
        profile=profile,
        assets=assets,
        files=tuple(files.asked),
        pictures=tuple(expansion.steps.composer.pictures),
        globs=tuple(files.folders),
        tree=tree,
        lock=lock,
        path=path,
        store=str(store) if store is not None else None,
        profiles=tuple(profiles) if isinstance(profiles, dict) else (),
        budget=budget,
        services=services,
        manifest=None if manifest is None else f"{tree}/{manifest}" if tree else manifest,
        manifest_base=str(root["manifest"].get("base", "")) if manifest is not None else "",
    )


def _asset(draft: Draft, prefix: str, drafting: bool) -> Asset:
    """An asset as the other rooms see it. In a tree of drafts nothing waits for an approval: it is asked for before money is spent."""
    steps, notes = draft.steps
    outputs = draft.outputs
    if prefix:
        outputs = tuple([prefix + each for each in outputs])
    return Asset(
        draft.id,
        steps,
        outputs,
        steps[0].place,
        draft.tags,
        draft.pin,
        draft.axes or {},
        draft.description,
        notes,
        draft.takes,
        draft.approve and not drafting,
        tuple([one._replace(path=prefix + one.path) for one in draft.exports]) if prefix else draft.exports,
        draft.provenance,
    )


def _profile(root: Document, name: str | None, problems: Problems) -> Map | None:
    """The settings of the profile that was asked for."""
    profiles = root.part("profiles")
    for each in profiles:
        if not re.fullmatch(r"[^\W_][\w.-]*", each) or each.endswith("."):
            problems.on(
                profiles,
                each,
                f"`{each}` can't name a profile: it is part of file names",
                "use letters, digits, `.`, `_` and `-`",
                on="key",
            )
    if name is None:
        return None
    if problems.gaps.of(profiles) & {name, ALL} or "profiles" in problems.gaps.of(root.root):
        return None
    if name not in profiles:
        near = problems.near(name, profiles)
        known = ", ".join(f"`{each}`" for each in profiles)
        problems.add(
            Place(root.path), f"no profile is called `{name}`{near}", f"known: {known}" if known else "write it under `profiles:`"
        )
        return None
    found = profiles[name]
    return found if isinstance(found, Map) else None


def _manifest(root: Document, problems: Problems) -> str | None:
    """The path of the file for code."""
    held = root.part("manifest")
    if "path" not in held:
        return None
    path = tidy(str(held["path"]).strip())
    fault = output_fault(path, ("json", "ts", "mts", "js", "mjs"), "manifest")
    if fault is not None:
        problems.on(held, "path", *fault)
    return path


def _check_outputs(expansion: Expansion, files: Files, lock: str, tree: str, manifest: str | None, problems: Problems) -> None:
    """No two outputs are one file, on any disk; none is an input, the spec, a lock, or the folder of another."""
    owners: dict[str, Draft] = {}
    parents: dict[str, Draft] = {}
    for draft in expansion.drafts.values():
        problems.row, problems.among = draft.row, draft.among
        paths = [*draft.outputs, *[one.path for one in draft.exports]] if draft.exports else draft.outputs
        for path in paths:
            folded = path.lower() if path.isascii() else fold(path)
            first = owners.setdefault(folded, draft)
            if first is not draft or (len(paths) > 1 and [fold(each) for each in paths].count(folded) > 1):
                _tell_twins(draft, first, path, problems)
            folder = folded.rpartition("/")[0]
            if folder not in parents:
                parents[folder] = draft
    problems.row, problems.among = None, ()
    for below, draft in parents.items():
        folder = below
        while folder:
            if folder in owners:
                problems.at(
                    owners[folder].output or owners[folder].mark,
                    f"the output of `{owners[folder].id}` is the folder of `{draft.id}`",
                    "give one of them another output",
                    kind="folder",
                )
            folder = folder.rpartition("/")[0]
    if manifest is not None and fold(manifest) in owners:
        draft = owners[fold(manifest)]
        problems.at(draft.output or draft.mark, f"a file of `{draft.id}` is the manifest", "give one of them another path")
    if tree:
        return
    taken = {fold(each): "a lockfile" for each in (lock, "assets.lock")}
    taken |= {fold(each): "a file that this spec is made from" for each in files.asked}
    taken |= {fold(each): "a picture that is an input" for each in expansion.steps.composer.pictures}
    if manifest is not None and fold(manifest) in taken:
        problems.on(
            expansion.documents[0].part("manifest"), "path", f"the manifest is {taken[fold(manifest)]}", "give it another path"
        )
    for folded, what in taken.items():
        if folded in owners:
            draft = owners[folded]
            mark = draft.output or draft.mark
            problems.at(
                mark,
                f"{_what(draft, folded)} of `{draft.id}` is {what}",
                "give it another `output`" if _what(draft, folded) == "the output" else "give it another `path`",
                length=len(draft.key) if mark is draft.mark else 0,
            )


def _what(draft: Draft, folded: str) -> str:
    name = next((one.name for one in draft.exports if fold(one.path) == folded), None)
    return "the output" if name is None else f"the export `{name}`"


def _tell_twins(draft: Draft, first: Draft, path: str, problems: Problems) -> None:
    """Two pictures would be one file."""
    mark = draft.output or draft.mark
    length = len(draft.key) if mark is draft.mark else 0
    if first is draft:
        problems.at(
            mark,
            f"two pictures of `{draft.id}` are one file, `{path}`",
            "let the path of each export hold `${export}`" if draft.exports else "let the output hold `${member}`",
            length=length,
            kind="twin",
        )
        return
    same = path in first.outputs
    more = "" if same else " where upper and lower case are the same"
    problems.at(
        mark,
        f"`{first.id}` and `{draft.id}` are one file, `{path}`{more}",
        "let each output hold `${id}`",
        length=length,
        kind="twin",
    )
