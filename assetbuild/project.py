"""One project on disk: where its spec is, what it says, and the stores that belong to it, each opened when first asked for.

Knows where things lie; knows nothing of what is to be done with them.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, TextIO, cast

from . import lockfile, stamptable
from .errors import ProviderSetupError, StoreError, UsageError
from .files import Stamp, git_dirs, stamp
from .graph import Graph
from .lockfile import Lock
from .providers.base import Provider
from .settings import Settings, settings
from .spec.model import HERE, Asset, ModelTable, Service, Spec
from .stamps import FileDigests
from .store import Store, store_root

SPEC_NAME = "assets.yaml"
BUILT_IN = {"comp": "assetbuild.providers.comp", "apiframe": "assetbuild.providers.apiframe"}
BUILT_IN[HERE] = "assetbuild.providers.local"
PATIENCE = 1200.0  # seconds that a vendor is waited for, with one job; ASSETBUILD_PATIENCE is another number


class Env(NamedTuple):
    """Everything a run takes from the world outside its files. Made once, in `cli`; tests make their own."""

    cwd: Path
    environ: Mapping[str, str]
    stdout: TextIO
    stderr: TextIO
    now: Callable[[], float] = time.time
    tty: bool = False
    width: int = 100
    cpus: int = os.cpu_count() or 1

    @property
    def patience(self) -> float:
        """Seconds that a vendor is waited for, with one job as with one question."""
        try:
            return float(self.environ["ASSETBUILD_PATIENCE"])
        except (KeyError, ValueError):
            return PATIENCE


def find_spec(cwd: Path, given: str | None = None) -> Path:
    """The spec's path: the given one, or the nearest `assets.yaml` from the working directory upward. Raises UsageError."""
    if given is not None:
        path = Path(os.path.abspath(cwd / given))
        if path.is_dir():
            path = path / SPEC_NAME
        if not path.exists():
            raise UsageError(f"there is no spec at {given}")
        return path
    for folder in (cwd, *cwd.parents):
        if (folder / SPEC_NAME).is_file():
            return folder / SPEC_NAME
    raise UsageError(f"there is no {SPEC_NAME} here or in a folder above", hint="`assetbuild init` writes one")


def load_provider(name: str) -> Provider:
    """A provider's module. Built-ins come from a dict: looking through entry points costs 50 ms. Raises ProviderSetupError."""
    if name in BUILT_IN:
        return cast(Provider, importlib.import_module(BUILT_IN[name]))
    from importlib.metadata import entry_points  # 50 ms, only for providers that others made

    for point in entry_points(group="assetbuild.providers"):
        if point.name == name:
            return cast(Provider, point.load())
    raise ProviderSetupError(f"provider `{name}` isn't installed", hint="`assetbuild providers` lists what is")


def installed_tables() -> dict[str, dict[str, Any]]:
    """The model tables (`MODELS`) of the providers that other packages have installed under `assetbuild.providers`, by name."""
    from importlib.metadata import entry_points  # 50 ms, only when a spec names a provider that isn't built in

    found: dict[str, dict[str, Any]] = {}
    for point in entry_points(group="assetbuild.providers"):
        with contextlib.suppress(
            Exception
        ):  # a stranger's broken module: its name is unknown then, and `assetbuild providers` says why
            found[point.name] = point.load().MODELS
    return found


class Remembered(MutableMapping[str, list[int]]):
    """A small table that may vanish: read when first asked, written by `save` if something new is in it."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._old: dict[str, list[int]] | None = None
        self._used: dict[str, list[int]] = {}
        self._new = False

    def _table(self) -> dict[str, list[int]]:
        if self._old is None:
            self._old = {}
            if self._folder.is_dir():
                from .vanish import Vanishing  # diskcache is 25 ms

                cache = Vanishing(self._folder)
                text = cache.get(self._name, "1")
                cache.close()
                with contextlib.suppress(ValueError):
                    table = json.loads(text) if isinstance(text, str) else {}
                    pairs = table.items() if isinstance(table, dict) else ()
                    self._old = {k: v for k, v in pairs if isinstance(v, list) and len(v) == 2 and all(type(n) is int for n in v)}  # noqa: PLR2004
        return self._old

    def __getitem__(self, key: str) -> list[int]:
        found = self._table()[key]
        self._used[key] = found
        return found

    def __setitem__(self, key: str, value: list[int]) -> None:
        self._used[key] = value
        self._table()[key] = value
        self._new = True

    def __delitem__(self, key: str) -> None:
        del self._table()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table())

    def __len__(self) -> int:
        return len(self._table())

    def save(self) -> None:
        """Keeps what was used in this run, if any of it is new. Never raises."""
        if self._new:
            from .vanish import Vanishing

            cache = Vanishing(self._folder)
            cache.put(self._name, "1", json.dumps(self._used))
            cache.close()


class Project:
    """An open project under one profile. Nothing is written by opening it."""

    def __init__(self, env: Env, spec_path: Path, profile: str | None = None) -> None:
        self.env = env
        self.root = spec_path.parent
        self.spec_name = spec_path.name
        self.profile = profile
        self.git = git_dirs(self.root)
        self._providers: dict[str, Provider] = {}
        self._settings: dict[str, Settings] = {}
        self._catalogues: dict[str, dict[str, float]] = {}
        self._overbilled: dict[tuple[str, str], Mapping[int, int]] = {}
        self.spec_read: tuple[Stamp | None, ...] = ()
        self._store: Store | None = None
        self._registered = False

    @cached_property
    def table(self) -> ModelTable:
        """What is known of every provider's models."""
        from .providers.table import builtin

        return builtin(installed_tables)

    @cached_property
    def spec(self) -> Spec:
        """The spec under the profile. Raises SpecError with every problem."""
        spec = self.load_spec()
        self.spec_read = self._stamps(spec)
        return spec

    def spec_stamp(self) -> tuple[Stamp | None, ...]:
        """Changes when a file of the spec does; `spec_read` is what it was when `spec` was read."""
        return self._stamps(self.spec)

    def _stamps(self, spec: Spec) -> tuple[Stamp | None, ...]:
        return tuple(stamp(self.root / path) for path in spec.files)

    @cached_property
    def sizes(self) -> Remembered:
        """Pixel sizes of the user's pictures, kept where things may vanish."""
        return Remembered(self.root / ".assetbuild" / "cache", "picture sizes")

    def load_spec(self) -> Spec:
        """Reads the spec anew."""
        from .reader import DiskReader
        from .spec import load

        return load(self.spec_name, DiskReader(str(self.root), self.sizes), self.table, profile=self.profile)

    @cached_property
    def assets(self) -> dict[str, Asset]:
        """The assets by id."""
        return self.graph.assets

    @cached_property
    def graph(self) -> Graph:
        """The assets in building order."""
        return Graph(self.spec.assets)

    @property
    def tree(self) -> Path:
        """The folder in which this profile's `.assetbuild` things and outputs live."""
        return self.root / self.spec.tree

    @property
    def stamps_path(self) -> Path:
        """The table of the last look at this profile's files."""
        other = None if self.spec_name == SPEC_NAME else f"{self.spec_name}:{self.profile or ''}"
        return Path(stamptable.table_path(str(self.root), other or self.profile))

    @cached_property
    def digests(self) -> FileDigests:
        """Digests of files, through the table of stamps."""
        return FileDigests(str(self.root), str(self.stamps_path))

    @cached_property
    def lock(self) -> Lock:
        """The lockfile as it was when first asked for."""
        return self.read_lock()

    def read_lock(self) -> Lock:
        """Reads the lockfile anew."""
        return lockfile.read(self.root / self.spec.lock)

    def lock_stamp(self) -> Stamp | None:
        """Changes when the lockfile does."""
        return stamp(self.root / self.spec.lock)

    @cached_property
    def store_path(self) -> Path:
        """Where this project's store is, or would be."""
        return store_root(self.root, spec_store=self.spec.store, environ=self.env.environ)

    def store_exists(self) -> bool:
        """Whether there is a store to look into; looking never makes one."""
        return self._store is not None or (self.store_path / "store.db").exists()

    @property
    def store(self) -> Store:
        """The store, made if need be."""
        if self._store is None:
            self._store = Store.open(self.store_path)
        if not self._registered:  # `look_store` may have opened it; gc must know of everybody who writes here
            self._registered = True
            if not self._store.read_only:
                self._store.register_tree(str(self.root), [self.spec.lock])
        return self._store

    def look_store(self) -> Store | None:
        """The store if there is one already."""
        if self._store is not None:
            return self._store
        if not self.store_exists():
            return None
        self._store = Store.open(self.store_path)
        if not self._store.read_only and (self.root / self.spec.lock).exists():
            # What the lockfile of this clone names is needed from now on. A store that is busy for long has its own users for that.
            with contextlib.suppress(StoreError):
                self._store.register_tree(str(self.root), [self.spec.lock])
        return self._store

    def provider(self, name: str) -> Provider:
        """A provider's module, imported once."""
        if name not in self._providers:
            self._providers[name] = load_provider(name)
        return self._providers[name]

    def settings(self, name: str) -> Settings:
        """What a provider is asked with."""
        if name not in self._settings:
            service = self.spec.services.get(name, Service())
            self._settings[name] = settings(name, self.provider(name), service, self.env.environ)
        return self._settings[name]

    def catalogue(self, name: str) -> dict[str, float]:
        """What a vendor said lately that its models cost at most, in its own unit; {} when it wasn't asked."""
        return self._catalogues.get(name, {})

    def overbilled(self, provider: str, model: str) -> Mapping[int, int]:
        """Where the vendor's bills of the last month were above what was expected (see `journal.overbilled`): a wrong price isn't counted with twice."""
        if self.table.free(provider):
            return {}
        if (provider, model) not in self._overbilled:
            from .store.journal import overbilled  # only where something costs money
            from .store.spending import MONTH

            store, host = self.look_store(), self.settings(provider).host
            found: Mapping[int, int] = {}
            if store is not None:
                with store.reading() as db:
                    found = overbilled(db, provider, model, host, self.env.now() - MONTH)
            self._overbilled[provider, model] = found
        return self._overbilled[provider, model]

    def learn_catalogue(self, name: str, found: Mapping[str, float]) -> None:
        """The vendor has said it just now."""
        self._catalogues[name] = dict(found)

    def close(self) -> None:
        """Lets go of the store."""
        if self._store is not None:
            self._store.close()
            self._store = None
