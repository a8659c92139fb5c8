"""Putting pictures where they belong: into the store, into their files, into the lockfile, in the order that survives a kill.

`Placer` works with files and runs in worker threads; `Ledger` gathers what many pictures have to write into few transactions and few
lockfile merges, and is used by the event loop only. Neither decides anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from . import lockfile, swap
from .digest import KEY_VERSION, sealed, sha256
from .errors import ActionFailed, AssetbuildError, SpecError, StoreError
from .facts import Planner, StepPlan
from .files import SWAPPED, private_folder
from .gathering import Gathered
from .lockfile import Line, LockedStep, Output
from .lockfile.former import note
from .natures import Natures, Told, mark
from .project import Project
from .providers.base import Done, Picture, Request
from .spec.model import HERE, Asset, FileInput, called
from .store import Blob, Take, Written
from .store.cas import CorruptBlob
from .store.claims import Claims
from .store.rescue import lay_aside

T = TypeVar("T")
W = TypeVar("W")
LOCK_SECONDS = 1.0  # the lockfile is merged at most this often; until then the results are the truth (row 8)


class Threads(ThreadPoolExecutor):
    """Threads that are waited for at the end, unless it is to come at once."""

    at_once = False

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=not self.at_once, cancel_futures=self.at_once)


class OutputChanged(Exception):
    """What lies at an output isn't what it was when the step was decided."""


class Refused(StoreError):
    """The store takes no pictures that can't be made again. `images` are those it refused, by digest."""

    def __init__(self, why: StoreError, done: Done, blobs: tuple[Blob, ...], images: dict[str, bytes]) -> None:
        super().__init__(why.text, hint=why.hint)
        self.done, self.blobs, self.images = done, blobs, images


class Placer:
    """The file work of a run. Every method may run in a worker thread."""

    def __init__(self, project: Project, planner: Planner) -> None:
        self.project, self.planner = project, planner
        self.cas = project.store.cas
        self._assets: dict[str, Asset] = dict(project.assets)
        self._spec_stamp = project.spec_read
        self._staged: Path | None = None
        self.natures = Natures(project, planner.known)
        self._reading = threading.Lock()

    # ── inputs and results ──

    def inputs(self, plan: StepPlan) -> tuple[Picture, ...]:
        """The step's input pictures as files of the store, whose bytes can't change under the provider. Raises OutputChanged when one did, CorruptBlob
        when the store has lost one."""
        pictures = []
        for one, fact in zip(plan.step.inputs, plan.facts.inputs, strict=True):
            assert fact.digest is not None  # noqa: S101 - decided to be made
            there = self.cas.has(fact.digest)
            if not self.cas.intact(fact.digest):
                path = one.source.path if type(one.source) is FileInput else self.planner.known.file_with(fact.digest)
                if path is None:
                    raise CorruptBlob(fact.digest, missing=not there)
                try:
                    if self.cas.put_file(self.project.root / path, durable=False) != fact.digest:
                        raise OutputChanged
                except FileNotFoundError:
                    raise OutputChanged from None
            shown = called(one.source)
            pictures.append(Picture(fact.digest, self.cas.path(fact.digest), one.role, one.name, one.hint, shown))
        return tuple(pictures)

    def note(self, plan: StepPlan) -> None:
        """Keeps the full manifest, whose sha256 is the key, so that `show` can tell of a picture long after its spec has gone."""
        if plan.action is not None and not self.cas.has(plan.action.key):
            self.cas.put(plan.action.text.encode(), durable=False)

    def drawn(
        self, plan: StepPlan, asked: Callable[[tuple[Picture, ...]], Request], draw: Callable[[Request], Done], durable: bool
    ) -> tuple[tuple[Blob, ...], Done]:
        """Draws here and keeps the pictures, in one go. Raises OutputChanged when an input did, and what the provider raises."""
        self.note(plan)
        request = asked(self.inputs(plan))
        done = draw(request)
        if plan.step.provider == HERE and plan.asset.provenance == "keep":
            done = self._marked(plan, done)
        return self.keep(done, request, durable), done

    def _marked(self, plan: StepPlan, done: Done) -> Done:
        """Pictures that were made here, with what they are written into them. No id: several assets may share one."""
        from .pictures.marking import into_png, packet

        with self._reading:
            words = packet(mark(self.natures.before(plan.asset, plan.number), None))
        return done._replace(images=tuple(one._replace(data=into_png(one.data, words)) for one in done.images))

    def told(self, asset: Asset) -> Told:
        """What an asset's picture is, for what is made from it."""
        with self._reading:
            return self.natures.of(asset)

    def keep(self, done: Done, request: Request, durable: bool) -> tuple[Blob, ...]:
        """The pictures as blobs of the store, in the order of the set's members. Raises ActionFailed when one is missing, Refused when the disk
        refuses what is `durable`, else StoreError.
        """
        by_member = {image.member: image for image in done.images}
        wanted = request.members or ("",)
        blobs, refused = [], dict[str, bytes]()
        problem: StoreError | None = None
        for member in wanted:
            if member not in by_member:
                raise ActionFailed(f"the provider gave {len(done.images)} of {len(wanted)} pictures")
            image = by_member[member]
            try:
                digest = self.cas.put(image.data, durable=durable)
            except StoreError as why:
                if not durable:
                    raise
                digest, problem = sha256(image.data), why
                refused[digest] = image.data
            blobs.append(Blob(member, digest, len(image.data), image.media))
        if problem is not None:
            raise Refused(problem, done, tuple(blobs), refused)
        return tuple(blobs)

    def lay_aside(self, name: str, take: Take, images: dict[str, bytes]) -> list[Path]:
        """A second place for a take that the store refused (see `rescue.lay_aside`)."""
        return lay_aside(self.project.root, self.project.env.environ, name, take, images)

    # ── outputs ──

    def preserved(self, plan: StepPlan, digests: Sequence[str]) -> tuple[Take | None, tuple[Take, Line] | None]:
        """What `preserve` and `hand_made` give."""
        return self.preserve(plan, digests), self.hand_made(plan, digests)

    def preserve(self, plan: StepPlan, digests: Sequence[str]) -> Take | None:
        """Before an output is replaced its old bytes are in the store (invariant 5). Gives its lock line as a take, if the store doesn't know it."""
        for output, digest in zip(plan.facts.outputs, digests, strict=True):
            if output.found is None or output.found == digest:
                continue
            now = self.project.digests.look(output.path)
            if now is not None and now.pointer:
                continue  # its bytes aren't here; git has the pointer
            if not self.cas.intact(output.found):
                kept = self.cas.put_file(self.project.root / output.path, durable=True)
                if kept != output.found:
                    raise OutputChanged
        line = self.planner.lock.lines.get(plan.asset.id)
        return self.take_of(line) if line is not None and tuple(o.digest for o in line.outputs) != tuple(digests) else None

    def hand_made(self, plan: StepPlan, digests: Sequence[str]) -> tuple[Take, Line] | None:
        """A person's files that are about to be replaced as they were told: as a take that no gc drops, and as a former line for `use`."""
        pairs = list(zip(plan.facts.outputs, digests, strict=True))
        if not any(o.found is not None and o.found not in (digest, o.locked) and not o.ours for o, digest in pairs):
            return None
        members = plan.step.members or ("",)
        files = [
            (o.path, m, o.found)
            for (o, _), m in zip(pairs, members, strict=True)
            if o.found is not None and self.cas.has(o.found)
        ]
        if not files:  # nothing but Git LFS pointers: their bytes aren't here, git has them
            return None
        outputs = tuple(Output(path, member, digest, self.cas.path(digest).stat().st_size) for path, member, digest in files)
        blobs = tuple(Blob(o.member, o.digest, o.size, _media(o.path)) for o in outputs)
        take = self._by_hand(blobs, plan.asset.id)
        return take, Line(plan.asset.id, take.key, KEY_VERSION, {}, outputs, by_hand=True)

    def _by_hand(self, blobs: tuple[Blob, ...], *names: str) -> Take:
        """A person's pictures as a take. Their key is one that no action has, so that they never come back by themselves."""
        key = sha256("\0".join(["by hand", *names, *(b.digest for b in blobs)]).encode())
        return Take(key, 1, KEY_VERSION, blobs, "by hand", None, None, self.project.env.now(), {}, None, True)

    def take_of(self, line: Line) -> Take | None:
        """A lock line's picture as a take, if its bytes are in the store and no such take is."""
        old = tuple(o.digest for o in line.outputs)
        for digest in old:
            if not self.cas.has(digest) and (path := self.planner.known.file_with(digest)) is not None:
                self.cas.put_file(self.project.root / path, durable=True)
        if not old or not all(self.cas.has(d) for d in old):
            return None
        known = self.project.store.takes(line.key)
        same = [
            take for take in known if sorted(b.digest for b in take.blobs) == sorted(old)
        ]  # a set's members may have been reordered since
        if same:
            if line.rejected is not None and same[0].rejected is None:  # by somebody who has another store
                self.project.store.reject(line.key, same[0].take, line.rejected)
            return None
        blobs = tuple(Blob(o.member, o.digest, o.size, _media(o.path)) for o in line.outputs)
        made_by = f"{line.manifest.get('provider', '?')}/{line.manifest.get('model', '?')}"
        return Take(
            line.key,
            line.take,
            line.key_version,
            blobs,
            made_by,
            line.host,
            None,
            self.project.env.now(),
            {},
            line.rejected,
            line.by_hand,
        )

    def put_in_place(self, plan: StepPlan, digests: Sequence[str], durable: bool) -> None:
        """Replaces the outputs, each at once. Raises OutputChanged when somebody wrote there since the step was decided."""
        self.note(plan)
        for output, digest in zip(plan.facts.outputs, digests, strict=True):
            self.put(output.path, digest, output.found, durable)

    def put(self, path: str, digest: str, expected: str | None, durable: bool) -> None:
        """Puts bytes of the store (or of a file that a lock line names) where `expected` lay at the last look. Raises OutputChanged when something else
        does.
        """
        target = self.project.root / path
        now = self.project.digests.look(path)
        found = None if now is None else now.digest
        if found == digest and now is not None and not now.pointer:
            return
        if found != expected:
            raise OutputChanged
        if not self.cas.has(digest):
            other = self.planner.known.file_with(digest)
            if other is None or self.cas.put_file(self.project.root / other, durable=durable) != digest:
                raise OutputChanged

        def last_look() -> swap.Seen | None:
            there = swap.seen(target)
            now = None if there is None else self.project.digests.look(path)  # what somebody saved while we copied
            if (None if now is None else now.digest) != expected:
                raise OutputChanged
            return there

        try:
            written = self.cas.copy_out(
                digest, target, durable=durable, staging=self._staging(), last_look=last_look, keep=self._keep
            )
        except swap.Changed:  # or in the moment after that
            raise OutputChanged from None
        self.project.digests.placed(path, digest, written)

    def fetching_folder(self) -> Path:
        """Where pictures lie while they are fetched: beside the store's blobs, so that giving them to the store is a rename."""
        return self.cas.root / "tmp"

    def _staging(self) -> Path | None:
        """Where half-written outputs lie: in a folder of ours, so that a kill leaves nothing among the user's files."""
        if self._staged is None:
            try:
                self._staged = private_folder(self.project.root) / "tmp"
                self._staged.mkdir(exist_ok=True)
                self._sweep(self._staged)
            except (OSError, StoreError):
                return None
        return self._staged

    def _sweep(self, folder: Path) -> None:
        """What killed runs left, a day later; a run that is alive never needs a file that long."""
        for path in folder.iterdir():
            if path.stat().st_ctime < self.project.env.now() - 86_400:
                if path.suffix == SWAPPED:  # ours, or what somebody saved in the moment of the kill
                    self._keep(path)
                path.unlink(missing_ok=True)

    def keep_file(self, path: str, digest: str | None) -> None:
        """A person's file that is about to be replaced as told gets into the store. Raises OutputChanged when it is another by now."""
        seen = self.project.digests.look(path)
        if seen is None or seen.digest != digest:
            raise OutputChanged
        if not seen.pointer:
            self._keep(self.project.root / path)

    def size(self, digest: str, path: str) -> int:
        """Bytes of a blob, or of the file that has them."""
        try:
            return self.cas.path(digest).stat().st_size
        except OSError:
            return (self.project.root / path).stat().st_size

    def _keep(self, path: Path) -> None:
        """A file that may be what somebody saved gets into the store; if nothing there names its bytes, as a person's, so that no gc drops it."""
        digest = self.cas.put_file(path, durable=True)
        if not self.project.store.by_digest(digest):
            blob = Blob("", digest, self.cas.path(digest).stat().st_size, _media(path.name))
            self.project.store.record([self._by_hand((blob,))])

    # ── the spec, looked at again ──

    def look_at_spec(self) -> None:
        """Reads the spec anew if one of its files changed. An unreadable spec wants nothing."""
        stamp = self.project.spec_stamp()
        if stamp == self._spec_stamp:
            return
        self._spec_stamp = stamp
        try:
            self._assets = {asset.id: asset for asset in self.project.load_spec().assets}
        except SpecError:
            self._assets = {}

    def wants(self, asset: Asset) -> bool:
        """Whether the spec, as it was last looked at, still says this of the asset."""
        now = self._assets.get(asset.id)
        return now is asset or (now is not None and _essence(now) == _essence(asset))


def _essence(asset: Asset) -> tuple[object, ...]:
    exports = tuple((one.path, one.recipe, one.icc) for one in asset.exports)
    return asset.outputs, tuple(step._replace(place=None) for step in asset.steps), asset.pin, exports


def _media(path: str) -> str:
    ending = path.rpartition(".")[2].lower()
    return {"jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp"}.get(ending, "image/png")


def lock_line(planner: Planner, plan: StepPlan, digests: Sequence[str], take: int, sizes: Sequence[int]) -> Line:
    """The asset's line once these pictures are in their places. A line that is accepted keeps its key and decisions; any keeps what was approved, which
    counts again should that picture come back.
    """
    asset, step = plan.asset, plan.step
    members = step.members or ("",)
    outputs = tuple(
        Output(path, member, digest, size)
        for path, member, digest, size in zip(asset.outputs, members, digests, sizes, strict=True)
    )
    old = planner.lock.lines.get(asset.id)
    if old is not None and plan.decision.accepted and tuple(o.digest for o in old.outputs) == tuple(digests):
        return old._replace(outputs=outputs)
    assert plan.action is not None  # noqa: S101 - only an accepted picture may have no key
    earlier = []
    for number in range(len(asset.steps) - 1):
        one = planner.steps[asset.id, number]
        if one.action is not None and one.digests is not None:
            number_of_take = one.decision.take or (one.facts.locked.take if one.facts.locked is not None else 1)
            earlier.append(LockedStep(one.action.key, KEY_VERSION, one.digests, number_of_take))
    takes = plan.facts.store.takes if plan.facts.store is not None else ()
    by_hand = any(t.by_hand and t.digests == tuple(digests) for t in takes)  # a person's picture stays one when it comes back
    return Line(
        asset.id,
        plan.action.key,
        KEY_VERSION,
        sealed(plan.action.manifest),
        outputs,
        take,
        tuple(earlier),
        by_hand=by_hand,
        approved=old.approved if old is not None else None,
        note=old.note if old is not None else None,
        of=planner.to_choose_from(plan),
        host=planner.known.host(step.provider),
        exports=old.exports if old is not None else (),
    )


class _Entry(NamedTuple):
    act: Callable[[sqlite3.Connection, list[Any]], Sequence[Any]]
    wish: Any
    durable: bool


class Ledger:
    """What a run writes down, gathered: one transaction for all pictures that wait for one, one lockfile merge a second."""

    def __init__(
        self, project: Project, loop: asyncio.AbstractEventLoop, files: Executor, placer: Placer, *, frozen: bool = False
    ) -> None:
        self.project, self.loop, self.files, self.placer = project, loop, files, placer
        self.planner = placer.planner
        self.frozen = frozen
        self._writer = Gathered(loop, files, self._write, StoreError)
        self._claimer = Gathered(loop, files, self._claim, StoreError)
        self._releaser = Gathered(loop, files, self._release, StoreError)
        self._flushing: asyncio.Future[None] | None = None
        self._lines: dict[str, Line | None] = {}
        self._based: dict[str, Line | None] = {}  # id → the line that ours was made from
        self.undone: list[str] = []  # ids whose line somebody else changed meanwhile: theirs stays
        self._former: list[Line] = []  # lines that are replaced, for `use ID previous`
        self.kept: dict[str, str] = {}  # id → digest of a person's file that was replaced as told
        self._claims: Claims | None = None

    # ── takes and `written` rows ──

    async def write(self, act: Callable[[sqlite3.Connection, list[W]], Sequence[T]], wish: W, *, durable: bool) -> T:
        """Does something in the store's database: `act` gets all wishes of its kind that came together, and gives an answer to each. What many ask for at
        once is one transaction.
        """
        answer: T = await self._writer.ask(_Entry(act, wish, durable))
        return answer

    def _write(self, asked: list[_Entry]) -> list[Any]:
        kinds: dict[Any, list[int]] = {}
        for nth, entry in enumerate(asked):
            kinds.setdefault(entry.act, []).append(nth)
        answers: list[Any] = [None] * len(asked)
        with self.project.store.transaction(durable=any(entry.durable for entry in asked)) as db:
            for act, places in kinds.items():
                for nth, answer in zip(places, act(db, [asked[nth].wish for nth in places]), strict=True):
                    answers[nth] = answer
        return answers

    async def record(self, take: Take | None, written: Sequence[Written], *, durable: bool) -> Take:
        """Writes a take and where its pictures will go, in one transaction. Gives the take as recorded."""
        recorded = await self.write(self._record, (take, written), durable=durable)
        return recorded  # type: ignore[return-value]

    def _record(self, db: sqlite3.Connection, asked: list[tuple[Take | None, Sequence[Written]]]) -> list[Take | None]:
        takes = [take for take, _ in asked if take is not None]
        recorded = iter(self.project.store.record_in(db, takes, [row for _, rows in asked for row in rows]))
        return [None if take is None else next(recorded) for take, _ in asked]

    # ── outputs and lock lines ──

    async def place(
        self, plan: StepPlan, digests: Sequence[str], take: int, *, durable: bool, noted: Sequence[Written] = ()
    ) -> bool:
        """Old bytes into the store → rows → outputs → lock line. `noted`: rows that are in the store already. Raises OutputChanged."""
        old = mine = None
        if plan.asset.id in self.planner.lock.lines or any(o.found is not None for o in plan.facts.outputs):
            old, mine = await self.loop.run_in_executor(self.files, self.placer.preserved, plan, digests)
        if mine is not None:
            await self.record(mine[0], (), durable=True)
        tree = str(self.project.root)
        wrong = [(o, d) for o, d in zip(plan.facts.outputs, digests, strict=True) if o.found != d]
        if not wrong and old is not None:
            await self.record(old, (), durable=True)
        if wrong:
            rows = [Written(tree, o.path, d, plan.action.key if plan.action else None) for o, d in wrong]
            if old is not None or not set(rows) <= set(noted):
                await self.record(old, rows, durable=durable or old is not None)
            await self.loop.run_in_executor(self.files, self.placer.put_in_place, plan, digests, durable)
        sizes = [self.placer.size(d, o.path) for o, d in zip(plan.facts.outputs, digests, strict=True)]
        self.own(lock_line(self.planner, plan, digests, take or self._locked_take(plan), sizes))
        if mine is not None:
            self._former.append(mine[1])  # after the locked one: it is the picture before
            self.kept[plan.asset.id] = mine[1].outputs[0].digest
        return True

    def _locked_take(self, plan: StepPlan) -> int:
        return plan.facts.locked.take if plan.facts.locked is not None else 1

    def own(self, line: Line) -> None:
        """This line is written with the next merge."""
        old = self.planner.lock.lines.get(line.id)
        if self.frozen or old == line:
            return
        if old is not None and old.picture != line.picture:
            self._former.append(old)
        self._lines[line.id] = line
        self._based.setdefault(line.id, old)
        self.planner.learned_line(line)

    def moved(self, plan: StepPlan) -> None:
        """An up-to-date asset whose line names other paths, or stands there twice, gets one line with its own."""
        line = self.planner.lock.lines.get(plan.asset.id)
        if line is None or len(line.outputs) != len(plan.asset.outputs):
            return
        if plan.asset.id in self.planner.resolved:  # a doubled line becomes one; the picture that lost stays in the results
            self._lines[line.id] = line
        if tuple(o.path for o in line.outputs) == plan.asset.outputs:
            return
        by_digest = {o.digest: o for o in line.outputs}
        digests = [o.found for o in plan.facts.outputs]
        members = plan.step.members or ("",)
        if any(d not in by_digest for d in digests):
            return
        outputs = tuple(
            Output(path, member, str(digest), by_digest[str(digest)].size)
            for path, member, digest in zip(plan.asset.outputs, members, digests, strict=True)
        )
        self.own(line._replace(outputs=outputs))

    async def keep_flushing(self) -> None:
        """Merges own lines into the lockfile once a second, until cancelled; less often where a merge takes long (100,000 lines)."""
        pause = LOCK_SECONDS
        while True:
            await asyncio.sleep(pause)
            began = self.loop.time()
            self._flushing = asyncio.ensure_future(self.flush())
            with contextlib.suppress(AssetbuildError):  # `close` tries again, and says what is wrong
                await asyncio.shield(self._flushing)
            pause = max(LOCK_SECONDS, 30 * (self.loop.time() - began))

    async def flush(self) -> None:
        """Merges what is new."""
        if self._lines or self._former:
            # Taken together and here: a line that comes while the merge waits for a thread must not lose what it was made from.
            lines, self._lines = self._lines, {}
            based, self._based = self._based, {}
            replaced, self._former = self._former, []
            try:
                done = await self.loop.run_in_executor(self.files, self._merge, lines, based, replaced)
            except BaseException:
                self._lines = {**lines, **self._lines}  # the next merge has them, the last one tells
                self._based = {**self._based, **based}
                raise
            self._merged(lines, done)

    def _merge(
        self, lines: Mapping[str, Line | None], based: Mapping[str, Line | None], replaced: Sequence[Line]
    ) -> lockfile.Merged:
        note(self.project.root, self.project.spec.lock, replaced, self.project.env.now())
        return merge_lines(self.project, lines, based)

    def _merged(self, lines: Mapping[str, Line | None], done: lockfile.Merged) -> None:
        self.undone += done.left
        if not done.left:
            self.planner.merged(done.before, done.after)
        for name, line in lines.items():
            if self.planner.own.get(name) is line:
                self.planner.own.pop(name, None)  # merged: from now on the file says it

    async def close(self) -> None:
        """The last rows and lines; claims are let go."""
        for one in (self._claimer, self._writer, self._releaser):
            await one.close()
        if self._flushing is not None:  # two merges at once: the second wouldn't know what its lines were made from
            await asyncio.gather(self._flushing, return_exceptions=True)
        await self.flush()
        if self._claims is not None:
            with contextlib.suppress(StoreError):  # a full disk; they die with this process anyway
                self._claims.close()

    # ── claims ──

    async def claim(self, key: str) -> bool:
        """The right to make this key now, over all processes."""
        return await self._claimer.ask(key)

    def _claim(self, keys: list[str]) -> list[bool]:
        if self._claims is None:
            self._claims = Claims(self.project.store)
        got = self._claims.claim_all(keys)
        return [key in got for key in keys]

    async def release(self, key: str) -> None:
        """Gives it back. On a disk that takes nothing more it ends with this process."""
        with contextlib.suppress(StoreError):
            await self._releaser.ask(key)

    def _release(self, keys: list[str]) -> list[None]:
        if self._claims is not None:
            self._claims.release(*keys)
        return [None] * len(keys)


def merge_lines(
    project: Project, lines: Mapping[str, Line | None], based: Mapping[str, Line | None] | None = None
) -> lockfile.Merged:
    """Merges own lines into the lockfile of the project's profile, under its lock; others' lines stay as they are.

    A line that isn't any more the one that ours was made from (`based`: a `use` of this second, a branch switch) stays too.
    """
    return lockfile.merge(project.root / project.spec.lock, lines, based, differs=based is not None)
