"""`doctor`: looks at everything a run leans on, one finding each, with the way out. Mends nothing, and a broken thing never
stops the next look.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from .. import __version__
from ..errors import AssetbuildError, SpecError
from ..files import PRIVATE, git_dirs, network_filesystem
from ..pricing import bill, credits_text, usd
from ..project import BUILT_IN, Env, Project, find_spec, load_provider
from ..report.measures import size_text
from ..verbs.starting import ATTRIBUTES, SCHEMA, hidden, schema_text
from .orphans import orphans, sentence

PACKAGES = ("pyyaml", "jsonschema", "rfc8785", "diskcache", "click", "rich", "pillow", "typst", "manimgx-fonts")
LOW = 1 << 30  # bytes of free disk below which a warning is due


class Finding(NamedTuple):
    """One thing that was looked at. `hint` is the way out when it isn't ok."""

    level: Literal["ok", "warn", "bad"]
    name: str
    text: str
    hint: str = ""


def examine(env: Env, spec: str | None = None, profile: str | None = None) -> Iterator[Finding]:
    """Everything, one after the other: first what is installed, then the project if there is one."""
    yield Finding("ok", "assetbuild", f"{__version__} in {Path(__file__).parent.parent}")
    yield _python()
    yield from _packages()
    yield _yaml()
    yield _drawing()
    git = _git_version()
    yield git
    try:
        path = find_spec(env.cwd, spec)
    except AssetbuildError as problem:
        yield Finding("warn", "project", problem.text, problem.hint or "")
        return
    project = Project(env, path, profile)
    try:
        yield from _project(project, with_git=git.level == "ok")
    finally:
        project.close()


# ── what is installed ──


def _python() -> Finding:
    return Finding("ok", "Python", f"{platform.python_version()} ({sys.executable})")  # an older one can't install us


def _packages() -> Iterator[Finding]:
    from importlib.metadata import PackageNotFoundError, requires, version

    try:
        rules = [rule.split(";")[0].replace(" ", "") for rule in requires("assetbuild") or () if "extra" not in rule]
        exact = {name: wanted for name, _, wanted in (rule.partition("==") for rule in rules) if wanted}
    except PackageNotFoundError:  # run from a checkout
        exact = {}
    found = []
    for name in PACKAGES:
        try:
            here = version(name)
        except PackageNotFoundError:
            yield Finding("bad", name, "isn't installed", "`pip install -U assetbuild` installs what it needs")
            continue
        wanted = exact.get(name)
        if wanted is not None and wanted != here:
            yield Finding(
                "bad", name, f"{here}, but the drawing of `comp` is that of {wanted}", f"`pip install '{name}=={wanted}'`"
            )
        else:
            found.append(f"{name} {here}")
    yield Finding("ok", "packages", ", ".join(found))


def _yaml() -> Finding:
    try:
        import yaml
    except ImportError:
        return Finding("bad", "YAML", "PyYAML can't be imported", "`pip install -U pyyaml`")
    if yaml.__with_libyaml__:
        return Finding("ok", "YAML", "read by libyaml")
    return Finding(
        "warn",
        "YAML",
        "PyYAML has no libyaml here, so specs are read ten times slower",
        "install a wheel of it: `pip install --force-reinstall --only-binary :all: pyyaml`",
    )


def _drawing() -> Finding:
    """Draws a small picture: fonts, typst and our own sources in one look."""
    import importlib.util

    from ..providers.base import Request

    params = {"aspect_ratio": "1:1", "quality": "low", "background": "auto", "seed": None, "output_format": "png"}
    try:
        draw = getattr(load_provider("comp"), "draw")  # noqa: B009 - a provider that draws here has it, the contract doesn't ask for it
        draw(Request("0" * 64, "generate", "comp-1", 'A poster, "Fika".', params, ()))
    except Exception as problem:  # whatever it is, it is what is to be told
        return Finding(
            "bad", "comp", f"can't draw: {problem}", "`pip install --force-reinstall typst manimgx-fonts` and look again"
        )
    wide = importlib.util.find_spec("manimgx_fonts_cjk") is not None
    return Finding(
        "ok",
        "comp",
        "draws; "
        + ("Chinese, Japanese and Korean too" if wide else "Chinese, Japanese and Korean with `pip install 'assetbuild[cjk]'`"),
    )


def _git_version() -> Finding:
    try:
        done = subprocess.run(["git", "--version"], capture_output=True, text=True, check=False, timeout=20)  # noqa: S607 - as the user's shell finds it
    except (OSError, subprocess.SubprocessError):
        return Finding("warn", "git", "can't be started", "only `cache gc` needs it, and `use ID previous` in a fresh clone")
    return Finding("ok", "git", done.stdout.strip().removeprefix("git version "))


# ── the project ──


def _project(project: Project, *, with_git: bool) -> Iterator[Finding]:
    try:
        count = len(project.assets)
    except SpecError as problem:
        number = len(problem.problems)
        yield Finding(
            "bad", "spec", f"{project.spec_name} has {number} problem{'s' if number > 1 else ''}", "`assetbuild plan` shows them"
        )
        return
    except AssetbuildError as problem:
        yield Finding("bad", "spec", problem.text, problem.hint or "")
        return
    under = f", profile {project.profile}" if project.profile else ""
    yield Finding("ok", "spec", f"{project.root / project.spec_name}: {count:,} asset{'s' if count != 1 else ''}{under}")
    yield from _providers(project)
    yield from _accounts(project)
    yield _lock(project)
    yield from _disk(project)
    yield _store(project)
    yield from _orphans(project)
    yield from _git(project, with_git=with_git)
    yield _schema(project)


def _providers(project: Project) -> Iterator[Finding]:
    for name in sorted({step.provider for asset in project.assets.values() for step in asset.steps} - set(BUILT_IN)):
        try:
            project.provider(name)
            yield Finding("ok", "provider", name)
        except AssetbuildError as problem:
            yield Finding("bad", "provider", problem.text, problem.hint or "")


def _accounts(project: Project) -> Iterator[Finding]:
    """Is there a key, and credit? The key itself is never told."""
    from ..asking import account

    for name in sorted({step.provider for asset in project.assets.values() for step in asset.steps}):
        if project.table.free(name):
            continue
        try:
            settings = project.settings(name)
        except AssetbuildError:
            continue  # it was said that it can't be used
        at = f" at {settings.base_url}" if settings.host is not None else ""
        if settings.key_variable is not None and settings.key is None:
            hint = f"`export {settings.key_variable}=…` with the key from the vendor's dashboard"
            yield Finding("warn", name, f"{settings.key_variable} isn't set, so nothing can be bought{at}", hint)
            continue
        try:
            found = account(project, name)
        except AssetbuildError as problem:
            yield Finding("bad", name, problem.text, problem.hint or "")
            continue
        if found is None:
            yield Finding("warn", name, f"can't be reached{at}", "look again later; what is here already needs no network")
        elif found.balance is None:
            yield Finding("ok", name, f"the key is good{at}, for {found.name}")
        else:
            left = f"{credits_text(found.balance)} left ({usd(bill(found.balance, settings.credit_usd) or 0)})"
            text = f"the key is good{at}, for {found.name}: {left}"
            yield Finding("ok", name, text) if found.balance > 0 else Finding("warn", name, text, "top up before you buy")


def _lock(project: Project) -> Finding:
    from ..lockfile import render

    name = project.spec.lock
    path = project.root / name
    if not path.exists():
        return Finding("ok", "lockfile", f"{name} isn't there yet; the first build writes it")
    try:
        lock = project.read_lock()
    except AssetbuildError as problem:
        return Finding("bad", "lockfile", problem.text, problem.hint or "")
    if lock.doubles:
        first = next(iter(lock.doubles))
        return Finding(
            "warn",
            "lockfile",
            f"{len(lock.doubles)} assets have two lines since a merge, `{first}` first",
            "`assetbuild build` settles them",
        )
    content = path.read_bytes()
    if b"\r\n" in content:
        return Finding(
            "warn",
            "lockfile",
            f"{name} has CRLF line ends",
            f"write `{ATTRIBUTES}` into .gitattributes, then `git add --renormalize .`",
        )
    if content != render(lock.lines).encode():
        return Finding(
            "warn",
            "lockfile",
            f"{name} isn't in the form we write (edited by hand?); it is read all the same",
            "the next build that changes a line puts it right",
        )
    return Finding("ok", "lockfile", f"{name}: {len(lock.lines):,} line{'s' if len(lock.lines) != 1 else ''}, as we write it")


def _disk(project: Project) -> Iterator[Finding]:
    kind = network_filesystem(project.root)
    if kind is not None:
        yield Finding(
            "warn",
            "disk",
            f"the project is on a network disk ({kind})",
            "name a store on a disk of this machine: `store:` in the spec, or ASSETBUILD_STORE",
        )
    try:
        free = shutil.disk_usage(project.root).free
    except OSError:
        return
    if free < LOW:
        yield Finding(
            "warn",
            "disk",
            f"{free >> 20} MiB are free",
            "make room: a disk that fills up stops a build (nothing that was made is lost)",
        )


def _store(project: Project) -> Finding:
    try:
        place = project.store_path
        if not project.store_exists():
            return Finding("ok", "store", f"{place}, made by the first build")
        store = project.look_store()
        assert store is not None  # noqa: S101 - it exists
        stats = store.stats()
    except AssetbuildError as problem:
        return Finding("bad", "store", problem.text, problem.hint or "")
    text = f"{place}: {stats.blobs:,} files, {size_text(stats.size)}"
    if store.network is not None:
        return Finding(
            "warn",
            "store",
            f"{text}, on a network disk ({store.network}), where nothing may be bought",
            "name another with `store:` or ASSETBUILD_STORE",
        )
    if store.read_only:
        return Finding(
            "warn",
            "store",
            f"{text}, can't be written by this user",
            "whoever owns it can; or name another with ASSETBUILD_STORE",
        )
    if stats.damaged:
        return Finding("warn", "store", f"{text}, {stats.damaged} damaged", "`assetbuild cache verify` says which")
    return Finding("ok", "store", text)


def _orphans(project: Project) -> Iterator[Finding]:
    try:
        count = len(orphans(project))
    except (AssetbuildError, OSError):
        return  # lockfile or store, and that was said
    if count:
        text, way = sentence(count).split(": ", 1)
        yield Finding("ok", "orphans", text, f"{way} names them; nothing deletes them")


def _git(project: Project, *, with_git: bool) -> Iterator[Finding]:
    if git_dirs(project.root) is None:
        yield Finding(
            "warn",
            "repository",
            "the project isn't in git, so the lockfile and what it remembers are in one place only",
            "`git init`; the store moves into it by itself",
        )
        return
    if not with_git:
        return
    if hidden(project.root, project.spec.lock) and not project.spec.tree:
        yield Finding(
            "bad",
            "repository",
            f"git ignores {project.spec.lock}, without which a clone makes every picture again",
            f"add `!{project.spec.lock}` to .gitignore",
        )
    told = _attributes(project)
    if told.get("merge") == "union" and told.get("eol") == "lf":
        yield Finding("ok", "repository", "git keeps the lockfile's line ends and joins the lines of two branches")
    else:
        yield Finding("warn", "repository", "git doesn't know how to merge the lockfile", f"add to .gitattributes: {ATTRIBUTES}")


def _attributes(project: Project) -> dict[str, str]:
    name = Path(project.spec.lock).name
    asked = subprocess.run(  # noqa: S603 - fixed words
        ["git", "-C", str(project.root), "check-attr", "-z", "merge", "eol", "--", name],  # noqa: S607 - as the user's shell finds it
        capture_output=True,
        text=True,
        check=False,
    )
    parts = asked.stdout.split("\0")
    return dict(zip(parts[1::3], parts[2::3], strict=False))


def _schema(project: Project) -> Finding:
    path = project.root / PRIVATE / SCHEMA
    named = f"{PRIVATE}/{SCHEMA}" in (project.root / project.spec_name).read_text("utf-8", "replace")[:1000]
    if named and (not path.exists() or path.read_text("utf-8", "replace") != schema_text("assetbuild")):
        return Finding(
            "warn",
            "editor",
            f"the spec's first line names {PRIVATE}/{SCHEMA}, which isn't there or is another release's",
            "`assetbuild schema --install` writes it",
        )
    return Finding(
        "ok",
        "editor",
        "completes and explains the spec" if named else "`assetbuild schema` prints the schema for an editor that completes",
    )
