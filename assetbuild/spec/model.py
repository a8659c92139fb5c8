"""What a spec means, once every name is resolved: the records that `spec` gives to all other rooms. Knows no YAML and no disk.

All paths are relative to the project root (the folder of the root spec), with `/`, normalised. All texts are NFC with LF.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Protocol, assert_never

from ..errors import Place
from ..recipe import Recipe

Op = Literal["generate", "edit", "upscale", "remove-background", "compose", "cut"]
HERE = "assetbuild"  # the provider of what is made here: `compose` and `cut`; no spec can name it
PIECES = "#"  # ends the id of what is cut from an asset
Param = str | int | float | bool | None | tuple["Param", ...] | dict[str, "Param"]


class FileInput(NamedTuple):
    """A picture of the user's. It may be missing: that holds the one asset, it is no mistake of the spec."""

    path: str


class AssetInput(NamedTuple):
    """Another asset's output. `member` is "" unless the asset is a set (`story#bean` → asset "story", member "bean")."""

    asset: str
    member: str = ""


class StepInput(NamedTuple):
    """The result of the step before this one, in the same asset's chain (`then:`). Always the base of its step."""


Source = FileInput | AssetInput | StepInput


def called(source: Source) -> str:
    """What its owner calls an input picture: a file's path, an asset's id, with its member; "" for the step before."""
    match source:
        case FileInput(path):
            return path
        case AssetInput(asset, member):
            return f"{asset.rstrip('#')}#{member}" if member else asset
        case StepInput():
            return ""
    assert_never(source)


class Input(NamedTuple):
    """One input picture of a step. The place in `Step.inputs` is the place it is sent in: base first, then the mask, then references, then styles'.

    A mask (white is what may change) has no hint and no number in the prompt. What is laid over a picture and the fonts of its texts are inputs too.
    """

    source: Source
    role: Literal["base", "mask", "reference", "style", "overlay", "font"]
    name: str | None = None  # `as`
    hint: str | None = None


class Step(NamedTuple):
    """One action before its inputs' digests are known: everything else that shapes the result.

    `prompt` is exactly what is sent (hint lines, prompt, styles' texts; NFC, LF, no trailing space), None for ops without one.
    `params` are normalised by the model's table, each default explicit, only what the model has (quality, aspect_ratio,
    output_format, background, seed, vendor's own names).
    `members` are the names of a set, in order; () when the step gives a single picture.
    """

    op: Op
    provider: str
    model: str
    prompt: str | None
    inputs: tuple[Input, ...]
    params: dict[str, Param]
    members: tuple[str, ...] = ()
    variant: str | None = None
    place: Place | None = None  # where this step stands in the spec, for messages
    guessed: bool = False  # `aspect_ratio` is the base's, and the base is a file whose size can't be seen here (missing, or a Git LFS pointer)


class Export(NamedTuple):
    """A file that ships, made from one picture of an asset here and for nothing. `name` is unique in the asset and member; `group` is the name that the
    spec gives it where that stands for several files (a preset like `web`), else "". `member` is "" unless the asset is a set.

    `recipe` lacks the digest of the colour profile `icc`, a file of the user's, where there is one.
    """

    name: str
    member: str
    path: str
    recipe: Recipe
    place: Place
    icc: FileInput | None = None
    group: str = ""


class Asset(NamedTuple):
    """A thing the user wants on disk. `outputs` are its files, one per member of its last step (one if that is no set).

    `steps` has at least one step; step n's first input is StepInput for n > 0.
    `missing` names files of the user's that aren't there (FileInput paths), so that plan can say "waiting for photos/0007.png".
    `axes` are the matrix axes' values as text, for selection (`locale=ja`) and reports.
    `notes` are remarks for the plan, e.g. "16:9 isn't a ratio of gpt-image-2; the nearest is 3:2".
    """

    id: str
    steps: tuple[Step, ...]
    outputs: tuple[str, ...]
    place: Place
    tags: tuple[str, ...] = ()
    pin: bool = False
    axes: dict[str, str] = {}  # noqa: RUF012 - a NamedTuple default is shared and never written
    description: str | None = None
    notes: tuple[str, ...] = ()
    takes: int = 1  # how many candidates are bought before one is chosen (`takes:`)
    approve: bool = False  # `approve: required`: what is made from it waits for a person's approval
    exports: tuple[Export, ...] = ()
    provenance: str = "keep"  # where a picture that is made here says what it is: keep (in it), sidecar, strip


def files_of(asset: Asset) -> tuple[str, ...]:
    """Every file that an asset puts on disk: its pictures', then its exports'."""
    return (*asset.outputs, *(one.path for one in asset.exports)) if asset.exports else asset.outputs


class Budget(NamedTuple):
    """The standing limits, in micro-USD; None where none is stated. `per_day` is any 24 hours, `per_month` any 30 days, over store and project."""

    per_run: int | None = None
    per_day: int | None = None
    per_month: int | None = None


class Service(NamedTuple):
    """What the spec says of a provider under `providers:`; None where it says nothing. `credit_usd` is USD per credit. `prices` are the user's own, in
    credits for one picture: by model, then by the value of the parameter that decides ("" when none does).
    """

    base_url: str | None = None
    concurrency: int | None = None  # jobs open at the vendor
    requests_per_minute: int | None = None
    credit_usd: float | None = None
    prices: dict[str, dict[str, float]] = {}  # noqa: RUF012 - a NamedTuple default is shared and never written


class Spec(NamedTuple):
    """A whole spec under one profile.

    `assets` in the order of the file (matrix rows in order), each id once. `files` is every file that was read or asked
    for to make this Spec (specs, includes, tables, prompt files), `pictures` each FileInput path, `globs` each folder whose listing mattered:
    if none of them changes, this Spec doesn't change. `tree` is the folder the outputs and the lock of this profile live in
    ("" = the project root, ".assetbuild/draft" for a profile that has its own tree); asset outputs already include it.
    `lock` is the lockfile's path.
    """

    project: str
    profile: str | None
    assets: tuple[Asset, ...]
    files: tuple[str, ...]
    pictures: tuple[str, ...]
    globs: tuple[str, ...]
    tree: str
    lock: str
    path: str  # the root spec's own path, usually "assets.yaml"
    store: str | None = None  # `store:` of the spec
    profiles: tuple[str, ...] = ()
    budget: Budget = Budget()
    services: dict[str, Service] = {}  # noqa: RUF012 - by provider
    manifest: str | None = None  # the file for code, below the tree
    manifest_base: str = ""  # what stands before each URL in it


class Reader(Protocol):
    """How the spec room sees the disk. Paths are relative to the project root with `/`, may start with `../` (inside the git top level)."""

    def read(self, path: str) -> bytes:
        """The bytes of a file. Raises FileNotFoundError, IsADirectoryError, PermissionError, OSError; ValueError when the path leads outside
        the git top level (or the project without git) after symlinks; OverflowError when the file is larger than 64 MiB."""

    def exists(self, path: str) -> bool:
        """Whether a file is there (a symlink to a file counts)."""

    def glob(self, pattern: str) -> tuple[list[str], list[str]]:
        """The files that match, sorted, and the folders whose listings were looked at."""

    def font_families(self, path: str) -> tuple[str, ...]:
        """The families of the faces in a font file, () when it isn't there or is none."""

    def picture_size(self, path: str) -> tuple[int, int] | None:
        """Width and height in pixels of a picture, None when it isn't there or is no picture."""


class ModelTable(Protocol):
    """What the spec room must know of providers; made from `providers/models.yaml` and the provider modules' facts, without importing them."""

    def providers(self) -> tuple[str, ...]:
        """Names of all providers that are known."""

    def knows(self, provider: str) -> bool:
        """Whether a provider is known; one that isn't built in is looked for now."""

    def models(self, provider: str) -> tuple[str, ...]:
        """Model names of a provider."""

    def default_model(self, provider: str, op: Op) -> str | None:
        """The model an op has when none is named; None when the provider lacks the op."""

    def has(self, provider: str, model: str, op: Op, param: str) -> bool:
        """Whether the model has this parameter (a common field or a vendor's own) for this op."""

    def names(self, provider: str, model: str, op: Op) -> tuple[str, ...]:
        """Every parameter the model has for the op, for did-you-mean."""

    def mask(self, provider: str, model: str, op: Op) -> bool:
        """Whether the model takes a mask for this op."""

    def prices(self, provider: str, model: str) -> Mapping[str, Any] | None:
        """What one picture costs: `unit`, and `each`, a number or numbers by the value of the parameter `by`; None when that isn't known."""

    def ends(self, provider: str, model: str) -> tuple[str, str] | None:
        """The day on which the model's maker shuts it down (ISO 8601) and who says so; None when nothing is known."""

    def free(self, provider: str) -> bool:
        """True when nothing this provider makes costs money (comp)."""

    def reproducible(self, provider: str) -> bool:
        """True when the same request gives the same bytes again, always (comp)."""

    def normalise(
        self, provider: str, model: str, op: Op, params: dict[str, Param], *, members: int = 0
    ) -> tuple[dict[str, Param], list[tuple[str, str, str | None]], list[str]]:
        """All parameters with defaults explicit and tokens normalised (jpg → jpeg, 3.0 → 3); problems as (param, text, hint); notes for the plan."""

    def limits(self, provider: str, model: str, op: Op) -> dict[str, int]:
        """`prompt` (characters), `inputs` (pictures), `members` (pictures in one call); a missing key is no limit."""
