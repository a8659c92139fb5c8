"""Everything that happens in a run, as small frozen records. Reports switch over them; nothing else is told to a report."""

from __future__ import annotations

from typing import NamedTuple


class Started(NamedTuple):
    """A step is being made. `step` counts from 1. `where` says by whom when it isn't made here, `usual` how many seconds it takes
    there (0: not known).
    """

    id: str
    step: int
    steps: int
    word: str  # draw, buy, fetch, compose, cut
    reason: str
    where: str = ""
    usual: float = 0.0


class Finished(NamedTuple):
    """An asset's picture is in its place. `word` is drawn, bought, restored, fetched, composed, cut; `seconds` is how long it took."""

    id: str
    word: str
    outputs: tuple[str, ...]
    seconds: float
    note: str = ""


class StepFinished(NamedTuple):
    """An earlier step of an asset's chain has its picture."""

    id: str
    step: int
    steps: int
    word: str


class Exported(NamedTuple):
    """Files were made from an asset's picture, or put back: their paths."""

    id: str
    paths: tuple[str, ...]
    seconds: float


class Held(NamedTuple):
    """An asset waits for a person."""

    id: str
    text: str
    hint: str


class Skipped(NamedTuple):
    """An asset can't be made in this run since something before it wasn't."""

    id: str
    text: str


class Failed(NamedTuple):
    """An action failed; its dependents are skipped, the rest goes on."""

    id: str
    text: str
    hint: str


class Kept(NamedTuple):
    """A picture was made but not put in its place: the asset, its inputs or its output changed meanwhile. It stays in the store."""

    id: str
    text: str


class Said(NamedTuple):
    """A line for the user that belongs to no asset."""

    text: str


class Summed(NamedTuple):
    """The end of a run, counted in assets, not steps. `bought` is what this run asked for, `fetched` what an earlier one had paid for."""

    up_to_date: int
    drawn: int
    bought: int
    fetched: int
    restored: int
    held: int
    skipped: int
    failed: int
    not_needed: int
    seconds: float
    interrupted: bool = False
    exported: int = 0  # files that were made from pictures, or put back
    made: int = 0  # pictures that were composed or cut here


Event = Started | StepFinished | Finished | Exported | Held | Skipped | Failed | Kept | Said | Summed
