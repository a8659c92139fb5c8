"""Carries out a plan: bases before edits, independent work at once, a failure stops only what hangs on it.

For each step: decide → claim → decide again → inputs into the store, hashed there → make → pictures into the store → record (one
transaction, with the `written` rows) → look again at spec, inputs and output → put in place → lock line. DESIGN §5 says why in
this order. It knows providers only by their contract, and says what happens only through events.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from .digest import KEY_VERSION, Action
from .errors import AssetbuildError, StoreError
from .events import Event, Failed, Finished, Held, Kept, Said, Skipped, Started, StepFinished, Summed
from .facts import AssetPlan, Planner, StepPlan
from .placing import Ledger, OutputChanged, Placer, Refused
from .plan import Verb
from .project import Project
from .providers.base import Done, Picture, ProviderError, Request
from .spec.model import Asset, Step
from .store import Blob, Take, Written
from .store.cas import CorruptBlob


class Options(NamedTuple):
    """How a build is carried out. `jobs` is how many pictures are made here at once (None: one a core); `frozen` leaves the lockfile alone."""

    jobs: int | None = None
    fail_fast: bool = False
    frozen: bool = False


class Built(NamedTuple):
    """What came of a build: the last plan of each asset and what was said about it."""

    summary: Summed
    words: dict[str, str]  # id → drawn, bought, restored, fetched
    failed: dict[str, str]
    held: dict[str, str]
    skipped: dict[str, str]


ONE_PRESS = 0.3  # seconds; a terminal and a wrapper may both pass on one ^C
TO_WRITE = 3.0  # seconds for lock lines after a second ^C

_WORK = (Verb.RESTORE, Verb.RESUME, Verb.GENERATE, Verb.WAITING)
_ENDS = (Verb.HELD, Verb.SKIPPED, Verb.FAILED, Verb.WAITING)


class _Threads(ThreadPoolExecutor):
    """Threads that are waited for at the end, unless it is to come at once."""

    at_once = False

    def __exit__(self, *_: object) -> None:
        self.shutdown(wait=not self.at_once, cancel_futures=self.at_once)


class Build:
    """One run over the chosen assets. `say` gets every event, in the loop's thread."""

    def __init__(
        self, project: Project, planner: Planner, ids: Sequence[str], options: Options, say: Callable[[Event], None]
    ) -> None:
        self.project, self.planner, self.options, self.say = project, planner, options, say
        self.ids = list(ids)
        self.started = time.monotonic()
        self.words: dict[str, str] = {}
        self.failed: dict[str, str] = {}
        self.held: dict[str, str] = {}
        self.skipped: dict[str, str] = {}
        self.stopping = False
        self.interrupted = False
        self.cut_off = False  # by a second ^C: threads may be at work yet, so the process has to be ended
        self._pressed = 0.0
        self._elsewhere: dict[str, None] = {}  # ids whose picture is being made at a provider
        self._arrived: set[str] = set()  # ids whose picture came from there and isn't recorded yet
        self._spec_looked = 0.0
        self._same_key: dict[str, asyncio.Event] = {}
        self._met_another = False
        self._overtaken: set[str] = set()
        self._rebought: set[str] = set()
        self._remade: dict[str, Take] = {}  # key → the take that `--rebuy` asked for
        self._failed_keys: dict[str, tuple[str, str]] = {}
        self._took: dict[str, float] = {}  # seconds that an asset's pictures were being made, without the waiting

    def run(self, plans: Sequence[AssetPlan]) -> Built:
        """Does everything that the plan says may be done. Raises nothing that belongs to a single asset."""
        todo = [p for p in plans if p.verb in _WORK or (self._line_is_old(p) and not self.options.frozen)]
        redrawn = [p.asset.id for p in plans if any(s.decision.verb is Verb.GENERATE and s.decision.accepted for s in p.steps)]
        if redrawn:  # should a drawing come out otherwise than it was, those made from it are decided again
            users = self.project.graph.with_users(redrawn)
            known = {p.asset.id for p in todo}
            todo = [p for p in plans if p.asset.id in known or (p.asset.id in users and p.verb is Verb.UP_TO_DATE)]
        for plan in plans:
            if plan.verb in _ENDS and plan.verb is not Verb.WAITING:
                self._end(plan.leading)
        if todo:
            try:
                asyncio.run(self._run(todo))
            except asyncio.CancelledError:
                if not self.cut_off:
                    raise
        return self._built(plans)

    def _line_is_old(self, plan: AssetPlan) -> bool:
        """Up to date, but its lock line names another path (the output was moved by hand) or stands there twice (a union merge)."""
        line = self.planner.lock.lines.get(plan.asset.id)
        if plan.asset.id in self.planner.resolved:
            return plan.verb is Verb.UP_TO_DATE
        return plan.verb is Verb.UP_TO_DATE and line is not None and tuple(o.path for o in line.outputs) != plan.asset.outputs

    async def _run(self, todo: list[AssetPlan]) -> None:
        import signal  # only on this path

        jobs = self.options.jobs or self.project.env.cpus
        self._loop = asyncio.get_running_loop()
        # Windows' loop takes no handlers: ^C is Python's KeyboardInterrupt there. In a thread, signals are the business of who started us.
        ours = sys.platform != "win32" and threading.current_thread() is threading.main_thread()
        stopped = (signal.SIGINT, signal.SIGTERM) if ours else ()
        for name in stopped:
            self._loop.add_signal_handler(name, self._interrupt)
        with _Threads(jobs, "draw") as self._draw, _Threads(2, "file") as self._files:
            self._slots = asyncio.Semaphore(jobs)
            self._placer = Placer(self.project, self.planner)
            self._ledger = Ledger(self.project, self._loop, self._files, self._placer, frozen=self.options.frozen)
            self._done = {p.asset.id: asyncio.Event() for p in todo}
            self._work = {p.asset.id: asyncio.ensure_future(self._asset(p.asset)) for p in todo}
            work = list(self._work.values())
            flusher = asyncio.ensure_future(self._ledger.keep_flushing())
            try:
                done = await asyncio.gather(
                    *work, return_exceptions=True
                )  # what is at a provider is paid for: it is waited for and kept
                for problem in done:
                    if isinstance(problem, BaseException):
                        raise problem
            finally:
                for one in work:
                    one.cancel()
                flusher.cancel()
                await asyncio.gather(flusher, *work, return_exceptions=True)
                with contextlib.suppress(*((TimeoutError, AssetbuildError) if self.cut_off else ())):
                    await asyncio.wait_for(self._ledger.close(), TO_WRITE if self.cut_off else None)
                for undone in self._ledger.undone:
                    self.say(Kept(undone, "another picture was chosen for it meanwhile; that choice stays"))
                for name in stopped:
                    self._loop.remove_signal_handler(name)

    def _interrupt(self) -> None:
        now = time.monotonic()
        if self.interrupted:
            if now - self._pressed > ONE_PRESS and not self.cut_off:
                self._end_at_once()
            return
        self._pressed = now
        self.stopping = self.interrupted = True
        self.say(Said("stopping: what is being made now is finished and kept (^C again ends at once)"))

    def _end_at_once(self) -> None:
        """^C for the second time: nothing is waited for. What was written down stays; what is at a provider goes on there, and is named."""
        self.cut_off = self._draw.at_once = self._files.at_once = True
        if self._elsewhere:
            names = ", ".join(f"`{name}`" for name in self._elsewhere)
            way = "what comes of it isn't fetched by this run, and the next one asks for it again"
            self.say(Said(f"ended at once; at the provider this goes on and may be paid for: {names}\n  hint: {way}"))
        else:
            self.say(Said("ended at once; nothing goes on elsewhere"))
        for name, one in self._work.items():
            if name not in self._arrived:  # what came from a provider is here and paid for: it is written down
                one.cancel()
        self._loop.call_later(TO_WRITE, lambda: [one.cancel() for one in self._work.values()])

    # ── one asset ──

    async def _asset(self, asset: Asset) -> None:
        try:
            bases = [base for base in self.project.graph.bases[asset.id] if base in self._done]
            for base in bases:
                await self._done[base].wait()
            if bases:  # else it was decided just now
                self.planner.decide_asset(asset.id)
            word = await self._steps(asset)
            if word:
                self.words[asset.id] = word
                if (kept := self._ledger.kept.get(asset.id)) is not None:
                    self.say(Kept(asset.id, f"your file is in the store: `assetbuild use {asset.id} {kept[:8]}` puts it back"))
                self.say(Finished(asset.id, word, asset.outputs, self._took.get(asset.id, 0.0)))
        except AssetbuildError as problem:
            self._fail(asset.id, problem.text, problem.hint or "")
        except OSError as problem:
            where = f"{problem.filename}: " if problem.filename is not None else ""  # none for a disk that fails while it is read
            self._fail(asset.id, f"{where}{problem.strerror or problem}", "")
        finally:
            self._done[asset.id].set()

    async def _steps(self, asset: Asset) -> str:
        word = ""
        first = self.planner.plans[asset.id].steps[0].number
        decided: StepPlan | None = self.planner.steps[asset.id, first]
        for number in range(first, len(asset.steps)):
            for _ in range(4):  # a decision that the world overtakes is made again, not for ever
                plan = decided if decided is not None else self.planner.decide_step(asset, number)
                decided = None
                verb = plan.decision.verb
                if verb is Verb.UP_TO_DATE:
                    if plan.last and plan.decision.row == "4":
                        for line in self.planner.resolved.get(asset.id, ()):
                            if (other := self._placer.take_of(line)) is not None:
                                await self._ledger.record(other, (), durable=True)
                        self._ledger.moved(plan)
                    break
                if plan.decision.row == "13" and (lost := self.planner.missed(plan)):
                    plan = self._lost(plan, lost)
                    verb = plan.decision.verb
                if verb in _ENDS or self.stopping:
                    self._after(asset)
                    if not self.stopping or verb in (Verb.HELD, Verb.FAILED):
                        self._end(plan)
                    return ""
                if verb is Verb.GENERATE:
                    made = await self._make(plan)
                    if asset.id in self._overtaken:
                        return ""
                    word = made or word
                    if made and plan.last:
                        break  # an earlier step is decided again, so that the next one sees its picture
                elif verb is Verb.RESTORE:
                    if not plan.last:
                        break
                    if await self._restore(plan):
                        word = word or "restored"
                        break
                else:
                    raise AssetbuildError(f"`{asset.id}` has an open job, and this release can't fetch it")
            else:
                self._fail(asset.id, "its files kept changing while it was made; try again", "")
                return ""
        self._after(asset)
        return word

    def _lost(self, plan: StepPlan, names: Sequence[str]) -> StepPlan:
        """Bytes that the plan counted on turned out to be damaged. Who has lost them says so, and the way out; gives what is to be said here."""
        for name in names:
            leading = self.planner.decide_asset(name).leading
            if name != plan.asset.id and leading.decision.verb is Verb.HELD and name not in self.held:
                self._end(leading)
        return self.planner.decide_asset(plan.asset.id).leading

    def _met(self, problem: Exception) -> None:
        if isinstance(problem, CorruptBlob):
            self.say(Said(problem.text))

    def _after(self, asset: Asset) -> None:
        self.planner.decide_asset(asset.id)

    async def _restore(self, plan: StepPlan) -> bool:
        assert plan.digests is not None  # noqa: S101 - RESTORE knows its bytes
        try:
            return await self._ledger.place(plan, plan.digests, plan.decision.take, durable=not plan.facts.reproducible)
        except (OutputChanged, CorruptBlob) as problem:  # a damaged blob was set aside: decide again without it
            self._met(problem)
            return False

    # ── one step that is made ──

    async def _make(self, plan: StepPlan) -> str:
        """Makes the step's picture. "" if the decision must be made again."""
        act = plan.action
        assert act is not None  # noqa: S101 - GENERATE has a key
        if act.key in self._same_key:  # ten assets with one manifest share one take
            await self._same_key[act.key].wait()
            if act.key in self._failed_keys:
                self._fail(plan.asset.id, *self._failed_keys[act.key])
            elif plan.asset.id in self.planner.rebuy and (take := self._remade.get(act.key)) is not None:
                self.planner.rebuy.discard(plan.asset.id)  # one more take was asked for, and there it is
                again = self.planner.decide_step(plan.asset, plan.number)
                if again.last and again.decision.row not in ("3a", "5", "10"):
                    try:
                        await self._ledger.place(again, tuple(b.digest for b in take.blobs), take.take, durable=True)
                    except (OutputChanged, CorruptBlob) as problem:
                        self._met(problem)
                        return ""
                    return "restored"
            return ""
        provider = self.project.provider(plan.step.provider)
        reproducible = bool(provider.reproducible)
        self._same_key[act.key] = asyncio.Event()
        claimed = False
        try:
            if not await self._claim(act.key, plan.asset.id):
                return ""
            claimed = True
            again = self.planner.decide_step(plan.asset, plan.number)  # look, claim, look again
            if again.decision.verb is not Verb.GENERATE or again.action is None or again.action.key != act.key:
                return ""
            plan = again
            return await self._generate(plan, act, provider, reproducible)
        finally:
            self._arrived.discard(plan.asset.id)
            try:
                if claimed:
                    await self._ledger.release(act.key)
            finally:
                self._same_key.pop(act.key).set()  # its twins wait for this

    async def _claim(self, key: str, name: str) -> bool:
        met = False
        while not await self._ledger.claim(key):
            if not self._met_another:
                self.say(Said(f"another run is making `{name}`; waiting for it"))
                self._met_another = True
            met = True
            await asyncio.sleep(0.2)
            if self.stopping:
                return False
        if met:  # the other run may have made it: decide again with the right in hand
            await self._ledger.release(key)
            self.planner.reread()
            return not self.stopping and await self._ledger.claim(key)
        return True

    async def _generate(self, plan: StepPlan, act: Action, provider: Any, reproducible: bool) -> str:  # noqa: ANN401 - a module
        asset, step = plan.asset, plan.step
        free = self.project.table.free(step.provider)
        async with self._slots:
            if self.stopping:
                return ""
            if not reproducible:  # it may have waited long for its turn: the spec and the lock count as they are now
                if not self._still_wanted(asset):
                    return self._overtake(asset, "the spec changed meanwhile")
                self.planner.reread()
                again = self.planner.decide_step(asset, plan.number)
                if again.decision.verb is not Verb.GENERATE or again.action is None or again.action.key != act.key:
                    return ""
                plan = again
            reason = plan.decision.text or "changed"
            began = time.monotonic()
            self.say(Started(asset.id, plan.number + 1, len(asset.steps), "draw" if free else "buy", reason))
            take_number = self._take(plan, act)

            def asked(inputs: tuple[Picture, ...]) -> Request:
                return Request(
                    act.key, step.op, step.model, step.prompt, step.params, inputs, step.members, step.variant, take_number
                )

            try:
                blobs, done = await self._pictures(provider, plan, asked, durable=not reproducible)
            except (OutputChanged, CorruptBlob) as problem:
                self._met(problem)
                return ""
            except ProviderError as problem:
                self._failed_keys[act.key] = (problem.text, problem.hint or "")
                self._fail(asset.id, problem.text, problem.hint or "")
                return ""
            except Refused as full:
                take = self._new_take(act, take_number, step, full.blobs, full.done)
                return await self._lay_aside(plan, take, full.images, full)
            self._took[asset.id] = self._took.get(asset.id, 0.0) + time.monotonic() - began
        take = self._new_take(act, take_number, step, blobs, done)
        word = "drawn" if free else "bought"
        if not plan.last:
            try:
                await self._ledger.record(take, (), durable=not reproducible)
            except StoreError as full:
                return await self._lay_aside(plan, take, {}, full)
            self._note(asset.id, take.notes)
            if not reproducible and not self._still_wanted(asset):
                return self._overtake(asset, "the spec changed meanwhile: the step's picture is in the store")
            self.say(StepFinished(asset.id, plan.number + 1, len(asset.steps), word))
            return word
        tree = str(self.project.root)
        written = tuple(Written(tree, path, blob.digest, act.key) for path, blob in zip(asset.outputs, blobs, strict=True))
        try:
            notes = take.notes
            take = await self._ledger.record(take, written, durable=not reproducible)
        except StoreError as full:
            return await self._lay_aside(plan, take, {}, full)
        self._note(asset.id, notes)
        if asset.id in self.planner.rebuy:
            self._rebought.add(asset.id)
            self._remade[act.key] = take
        self.planner.rebuy.discard(asset.id)
        if not self._still_wanted(asset):
            return self._overtake(asset, "the spec changed meanwhile: the picture is in the store, not in its place")
        rebought = asset.id in self._rebought
        self.planner.reread()
        again = self.planner.decide_step(asset, plan.number)
        if again.action is None or again.action.key != act.key:
            return self._overtake(asset, "an input changed meanwhile: the picture is in the store, not in its place")
        if not rebought and not plan.decision.accepted and again.decision.accepted:
            return self._overtake(asset, "another picture was chosen meanwhile: this one is in the store, not in its place")
        if again.decision.row in ("3a", "5", "10") and not (rebought and again.decision.row == "3a"):
            self._end(again)
            return word
        try:
            digests = tuple(b.digest for b in take.blobs)
            await self._ledger.place(again, digests, take.take, durable=not reproducible, noted=written)
        except (OutputChanged, CorruptBlob) as problem:
            self._met(problem)
            return ""
        return word

    def _new_take(self, act: Action, number: int, step: Step, blobs: tuple[Blob, ...], done: Done) -> Take:
        made_by, now = f"{step.provider}/{step.model}", self.project.env.now()
        return Take(act.key, number, KEY_VERSION, blobs, made_by, None, done.cost, now, _plain(done.notes), None, False)

    async def _lay_aside(self, plan: StepPlan, take: Take, images: dict[str, bytes], full: StoreError) -> str:
        """The store takes nothing more. What was paid for gets another place, and nothing more is bought in this run."""
        if plan.facts.reproducible:
            raise full
        name, self.stopping = plan.asset.id, True
        of = f"`{name}`" if plan.last else f"`{name}` (step {plan.number + 1})"
        try:
            files = await self._in_files(self._placer.lay_aside, name, take, images)
        except StoreError as problem:
            text = f"the picture of {of} was paid for and is lost: {full.text}; {problem.text}"
            hint = "make room first; then `assetbuild build` pays for it again"
        else:
            root = self.project.root
            shown = [os.path.relpath(file, root) if root in file.parents else str(file) for file in files]
            there = "it is" if len(shown) == 1 else "they are"
            text = f"{full.text}; {of} was paid for, and {there} in {', '.join(shown)}"
            hint = "make room and run `assetbuild build` again: it brings in what was paid for"
            if plan.last and not plan.step.members and images:
                hint += f"; or `assetbuild use {name} {shown[0]}`"
        self._failed_keys[take.key] = (text, hint)
        self._fail(name, text, hint)
        self.say(Said("nothing more is bought: the store can't keep it"))
        return ""

    def _overtake(self, asset: Asset, text: str) -> str:
        """The world went on: nothing more is made for this asset or from it in this run."""
        self._overtaken.add(asset.id)
        self.planner.failed[asset.id] = self.skipped[asset.id] = text
        self.say(Kept(asset.id, text))
        return ""

    def _take(self, plan: StepPlan, act: Action) -> int:
        takes = [t.take for t in (plan.facts.store.takes if plan.facts.store else ())]
        if plan.facts.locked is not None and plan.facts.locked.key == act.key and not plan.facts.reproducible:
            takes.append(plan.facts.locked.take)
        return max(takes, default=0) + 1 if not plan.facts.reproducible else 1

    async def _pictures(
        self,
        provider: Any,  # noqa: ANN401 - a module
        plan: StepPlan,
        asked: Callable[[tuple[Picture, ...]], Request],
        *,
        durable: bool,
    ) -> tuple[tuple[Blob, ...], Done]:
        draw = getattr(provider, "done", None)  # it makes pictures on this machine: in a worker thread then
        if draw is not None:
            return await self._loop.run_in_executor(self._draw, self._placer.drawn, plan, asked, draw, durable)
        request = asked(await self._in_files(self._placer.inputs, plan))
        self._elsewhere[plan.asset.id] = None
        try:
            done = await provider.submit(request, None, f"{request.key}-{request.take}")
            self._arrived.add(plan.asset.id)
        finally:
            self._elsewhere.pop(plan.asset.id, None)
        if not isinstance(done, Done):
            raise AssetbuildError("this release can't wait for remote jobs")
        return await self._in_files(self._placer.keep, done, request, durable), done

    def _note(self, name: str, notes: Mapping[str, Any]) -> None:
        """What the provider wants people to know of this picture."""
        missing = notes.get("missing_fonts")
        if missing:
            texts = ", ".join(missing["texts"])
            way = f"{missing['hint']}; then `assetbuild build --rebuy {name}`"
            self.say(Said(f"`{name}` has text whose letters aren't installed: {texts}\n  hint: {way}"))
        if left := notes.get("left_out"):
            texts = ", ".join(f'"{text}"' for text in left["texts"]) + (f" and {left['more']} more" if left["more"] else "")
            self.say(Said(f"`{name}` has no room for all words of its prompt, left out: {texts}\n  hint: {left['hint']}"))

    async def _in_files(self, work: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        return await self._loop.run_in_executor(self._files, work, *args)

    def _still_wanted(self, asset: Asset) -> bool:
        """Looks at the spec again, not more than four times a second for pictures that cost nothing."""
        now = time.monotonic()
        if self.project.table.reproducible(asset.steps[-1].provider) and now - self._spec_looked < 0.25:  # noqa: PLR2004
            return self._placer.wants(asset)
        self._spec_looked = now
        self._placer.look_at_spec()
        return self._placer.wants(asset)

    # ── ends ──

    def _end(self, plan: StepPlan) -> None:
        name, decision = plan.asset.id, plan.decision
        if decision.verb is Verb.HELD:
            self.held[name] = decision.text
            self.say(Held(name, decision.text, decision.hint))
        elif decision.verb is Verb.FAILED:
            self._fail(name, decision.text, decision.hint)
        else:
            self.skipped[name] = decision.text
            self.say(Skipped(name, decision.text))

    def _fail(self, name: str, text: str, hint: str) -> None:
        if name in self.failed:
            return
        self.failed[name] = text
        self.planner.failed[name] = text
        self.say(Failed(name, text, hint))
        if self.options.fail_fast:
            self.stopping = True

    def _built(self, plans: Sequence[AssetPlan]) -> Built:
        kinds = list(self.words.values())
        now = {p.asset.id: self.planner.plans[p.asset.id] for p in plans}
        quiet = [p for name, p in now.items() if name not in self.words and p.verb is Verb.UP_TO_DATE]
        missing = sum(1 for p in quiet if p.leading.decision.row == "9")
        summary = Summed(
            len(quiet) - missing,
            kinds.count("drawn"),
            kinds.count("bought") + kinds.count("fetched"),
            kinds.count("restored"),
            len(self.held),
            len(self.skipped),
            len(self.failed),
            missing,
            time.monotonic() - self.started,
            self.interrupted,
        )
        return Built(summary, self.words, self.failed, self.held, self.skipped)


def _plain(notes: object) -> dict[str, Any]:
    """A provider's notes as JSON can say them: a slip there must not cost the picture that they came with."""
    try:
        text = json.dumps(dict(notes), default=str, skipkeys=True, ensure_ascii=False)  # type: ignore[call-overload]
        found: dict[str, Any] = json.loads(text.encode("utf-8", "replace"))
    except (TypeError, ValueError, RecursionError):
        return {"unreadable": ascii(notes)[:1000]}
    return found
