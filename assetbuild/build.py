"""Carries out a plan: bases before edits, independent work at once, a failure stops only what hangs on it.

For each step: decide → claim → decide again → inputs into the store, hashed there → make → pictures into the store → record (one
transaction, with the `written` rows) → look again at spec, inputs and output → put in place → lock line. DESIGN §5 says why in
this order. It knows providers only by their contract, and says what happens only through events.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .arriving import plain
from .digest import KEY_VERSION, Action
from .errors import AssetbuildError, StoreError
from .events import Event, Failed, Finished, Held, Kept, Said, Skipped, Started, StepFinished, Summed
from .facts import AssetPlan, Planner, StepPlan
from .placing import Ledger, OutputChanged, Placer, Refused, Threads
from .plan import Decision, Verb
from .project import Project
from .providers.base import Done, Kind, Picture, ProviderError, Request
from .spec.model import Asset, Step
from .store import Blob, Take, Written
from .store.cas import CorruptBlob
from .store.journal import OPEN, intervals
from .store.spending import Caps, Tally, tally

if TYPE_CHECKING:
    from .buying import Buyer


class Options(NamedTuple):
    """How a build is carried out. `jobs` is how many pictures are made at once, here (None: one a core) and at each
    vendor (None: as many as the spec allows); `frozen` leaves the lockfile alone; `caps` are
    what it may spend.
    """

    jobs: int | None = None
    fail_fast: bool = False
    frozen: bool = False
    caps: Caps = Caps()


class Built(NamedTuple):
    """What came of a build: the last plan of each asset and what was said about it."""

    summary: Summed
    words: dict[str, str]  # id → drawn, bought, restored, fetched
    failed: dict[str, str]
    held: dict[str, str]
    skipped: dict[str, str]
    setup: str = ""  # a key or credit that was missing
    money: Tally = Tally()


ONE_PRESS = 0.3  # seconds; a terminal and a wrapper may both pass on one ^C
TO_WRITE = 3.0  # seconds for lock lines after a second ^C

_WORK = (Verb.RESTORE, Verb.RESUME, Verb.GENERATE, Verb.WAITING)
_ENDS = (Verb.HELD, Verb.SKIPPED, Verb.FAILED, Verb.WAITING)


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
        self.setup = ""
        self._buyer: Buyer | None = None
        self._spec_looked = 0.0
        self._same_key: dict[str, asyncio.Event] = {}
        self._met_another = False
        self._overtaken: set[str] = set()
        self._rebought: set[str] = set()
        self._remade: dict[str, Take] = {}  # key → the take that `--rebuy` asked for
        self._failed_keys: dict[str, tuple[str, str]] = {}
        self._fetched: set[str] = set()  # ids whose picture an earlier run had paid for
        self._usually: dict[tuple[str, str], float] = {}
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
        with Threads(jobs, "draw") as self._draw, Threads(2, "file") as self._files:
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
                if self._buyer is not None:
                    if self._buyer.goes_on and not self.cut_off:
                        self.say(Said(elsewhere(self._buyer.goes_on)))
                    await self._buyer.close()
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
        if self._buyer is not None:
            self._buyer.stop.set()
        elsewhere = self._buyer is not None and self._buyer.goes_on
        what = "nothing more is asked for" if elsewhere else "what is being made now is finished and kept"
        self.say(Said(f"stopping: {what} (^C again ends at once)"))

    def _end_at_once(self) -> None:
        """^C for the second time: nothing is waited for. What was written down stays; what is at a provider goes on there, and is named."""
        self.cut_off = self._draw.at_once = self._files.at_once = True
        buyer = self._buyer
        if buyer is not None and buyer.goes_on:
            self.say(Said(f"ended at once; {elsewhere(buyer.goes_on)}"))
        else:
            self.say(Said("ended at once; nothing goes on elsewhere"))
        for name, one in self._work.items():
            if buyer is None or name not in buyer.arrived:  # what came from a provider is here and paid for: it is written down
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
                        word = "fetched" if asset.id in self._fetched else word or "restored"
                        break
                else:
                    await self._resume(plan)
                    if asset.id in self._overtaken:
                        return ""
                    word = "fetched" if asset.id in self._fetched else word
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
            if getattr(provider, "done", None) is not None:  # it makes pictures on this machine
                return await self._generate(again, act, provider, reproducible)
            return await self._buy(again, act)
        finally:
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
                blobs, done = await self._loop.run_in_executor(
                    self._draw, self._placer.drawn, plan, asked, provider.done, not reproducible
                )
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
        written = self._rows(plan, act, take)
        try:
            notes = take.notes
            take = await self._ledger.record(take, written, durable=not reproducible)
        except StoreError as full:
            return await self._lay_aside(plan, take, {}, full)
        self._note(asset.id, notes)
        return await self._settle(plan, act, take, written, word)

    def _rows(self, plan: StepPlan, act: Action, take: Take) -> tuple[Written, ...]:
        tree = str(self.project.root)
        pairs = zip(plan.asset.outputs, take.blobs, strict=True)
        return tuple(Written(tree, path, blob.digest, act.key) for path, blob in pairs)

    async def _settle(self, plan: StepPlan, act: Action, take: Take, written: tuple[Written, ...], word: str) -> str:
        """A recorded take of an asset's last step gets into its place, unless the world went on meanwhile."""
        asset, reproducible = plan.asset, plan.facts.reproducible
        if asset.id in self.planner.rebuy:
            self._rebought.add(asset.id)
            self._remade[act.key] = take
        self.planner.rebuy.discard(asset.id)
        if not self._still_wanted(asset):
            return self._overtake(asset, "the spec changed meanwhile: the picture is in the store, not in its place")
        rebought = asset.id in self._rebought or plan.facts.reroll
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

    # ── one step that is bought ──

    async def _buy(self, plan: StepPlan, act: Action) -> str:
        """Buys the step's picture, or as many takes as are wanted. "" if the decision must be made again."""
        from .buying import Order
        from .quoting import next_take, price_of, wanted

        asset, step, buyer = plan.asset, plan.step, self._purse()
        async with await buyer.turn(step.provider):
            if self.stopping:
                return ""
            if not self._still_wanted(asset):  # it may have waited long for its turn: the spec and the lock count as they are now
                return self._overtake(asset, "the spec changed meanwhile")
            self.planner.reread()
            plan = self.planner.decide_step(asset, plan.number)
            if plan.decision.verb is not Verb.GENERATE or plan.action is None or plan.action.key != act.key:
                return ""
            free = self.project.table.free(step.provider)
            self._tell_begun(plan, "draw" if free else "buy", plan.decision.text or "changed")
            began = time.monotonic()
            first, left, takes = next_take(self.planner, plan), wanted(plan), list[Take]()
            at_once = 1 if step.members else self.project.table.limits(step.provider, step.model, step.op).get("takes", 1)
            try:
                last = self.planner.known.last_job(act.key, step.provider)
                if last is not None and last.state not in OPEN:
                    last = None
                while left and not self.stopping:
                    count = min(left, at_once)
                    price = price_of(self.project, step, count * (len(step.members) or 1))
                    request = Request(
                        act.key, step.op, step.model, step.prompt, step.params, (), step.members, step.variant, first, count
                    )
                    order = Order(
                        asset.id,
                        plan.number + 1,
                        request,
                        step.provider,
                        price.cost,
                        asset.tags,
                        asset.axes,
                        instead_of=last,
                    )
                    last = None
                    bought = await buyer.buy(order, lambda: self._placer.inputs(plan))
                    takes += bought.takes
                    first, left = first + count, left - count
                    if bought.flaw:
                        break
            except Exception as problem:
                return await self._not_bought(plan, act, problem)
            self._took[asset.id] = self._took.get(asset.id, 0.0) + time.monotonic() - began
        return await self._came(plan, act, takes, "drawn" if free else "bought")

    async def _resume(self, plan: StepPlan) -> None:
        """Goes on with what an earlier run asked for. What comes is recorded; it is put in its place by the next decision."""
        act = plan.action
        assert act is not None  # noqa: S101 - RESUME has a key
        if act.key in self._same_key:
            await self._same_key[act.key].wait()
            if act.key in self._failed_keys:
                self._fail(plan.asset.id, *self._failed_keys[act.key])
            return
        self._same_key[act.key] = asyncio.Event()
        claimed = False
        try:
            claimed = await self._claim(act.key, plan.asset.id)
            again = self.planner.decide_step(plan.asset, plan.number)
            job = self.planner.known.last_job(act.key, plan.step.provider)
            if not claimed or again.decision.verb is not Verb.RESUME or job is None:
                return
            buyer = self._purse()
            async with await buyer.turn(plan.step.provider):
                self._tell_begun(again, "fetch", again.decision.text)
                try:
                    bought = await buyer.resume(job)
                except Exception as problem:
                    await self._not_bought(again, act, problem)
                    return
            self._fetched.add(plan.asset.id)
            if again.facts.reroll:  # the one more take that was asked for
                await self._came(again, act, bought.takes, "fetched")
        finally:
            try:
                if claimed:
                    await self._ledger.release(act.key)
            finally:
                self._same_key.pop(act.key).set()

    def _tell_begun(self, plan: StepPlan, word: str, why: str) -> None:
        asset, step = plan.asset, plan.step
        where, usual = f"{step.model} at {step.provider}", self._usual(step.provider, step.model)
        self.say(Started(asset.id, plan.number + 1, len(asset.steps), word, why, where, usual))

    async def _came(self, plan: StepPlan, act: Action, takes: Sequence[Take], word: str) -> str:
        """What was bought and is recorded now gets into its place."""
        asset = plan.asset
        for take in takes:
            self._note(asset.id, take.notes)
        good = [take for take in takes if "flaw" not in take.notes]
        if not good:
            self.planner.rebuy.discard(asset.id)
            return ""  # decided again: it waits for a person
        self.planner.got_one_more(plan, good[-1].take, tuple(b.digest for b in good[-1].blobs))
        if not plan.last:
            if not self._still_wanted(asset):
                return self._overtake(asset, "the spec changed meanwhile: the step's picture is in the store")
            self.say(StepFinished(asset.id, plan.number + 1, len(asset.steps), word))
            return word
        return await self._settle(plan, act, good[-1], (), word)

    async def _not_bought(self, plan: StepPlan, act: Action, problem: Exception) -> str:
        """Why a purchase gave nothing, told as what it is; gives "" so that the step is decided again."""
        from .buying import Again, GoesOn, Unkept, Wait

        name = plan.asset.id
        match problem:
            case OutputChanged() | CorruptBlob() | Again():
                self._met(problem)
                self.planner.reread()
            case GoesOn():
                self.stopping = True
            case Unkept():
                for take in problem.takes:
                    await self._lay_aside(plan, take, problem.images, problem.why)
            case Wait():
                self.planner.put_off[act.key] = Decision("14", Verb.HELD, problem.text, problem.hint or "")
            case ProviderError(kind=Kind.AUTH | Kind.NO_MONEY):
                self.setup = self.setup or problem.render()
                self.planner.put_off[act.key] = Decision("14", Verb.HELD, problem.text, problem.hint or "")
            case AssetbuildError():
                self._failed_keys[act.key] = (problem.text, problem.hint or "")
                self._fail(name, problem.text, problem.hint or "")
                if isinstance(problem, StoreError) and not self.stopping:
                    self.stopping = True
                    self.say(Said("nothing more is bought: the store can't keep it"))
            case _:
                raise problem
        return ""

    def _purse(self) -> Buyer:
        if self._buyer is None:
            from .buying import Buyer  # only where something is bought

            self._buyer = Buyer(
                self.project, self._ledger, self.options.caps, lambda text: self.say(Said(text)), self.options.jobs
            )
            if self.stopping:
                self._buyer.stop.set()
        return self._buyer

    def _new_take(self, act: Action, number: int, step: Step, blobs: tuple[Blob, ...], done: Done) -> Take:
        made_by, now = f"{step.provider}/{step.model}", self.project.env.now()
        return Take(act.key, number, KEY_VERSION, blobs, made_by, None, done.cost, now, plain(done.notes), None, False)

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
        return Built(summary, self.words, self.failed, self.held, self.skipped, self.setup, self._money())

    def _money(self) -> Tally:
        """What this run has bought, as the journal says."""
        if self._buyer is None:
            return Tally()
        try:
            with self.project.store.reading() as db:
                return tally(db, self._buyer.run)
        except StoreError:  # it fell ill in the middle, and that was said
            return Tally()

    def _usual(self, provider: str, model: str) -> float:
        """Seconds that the model takes, as far as it is known: the median of the last ones."""
        if (provider, model) not in self._usually:
            with self.project.store.reading() as db:
                found = sorted(intervals(db, provider, model))
            if found:
                self._usually[provider, model] = found[len(found) // 2]
        return self._usually.get((provider, model), 0.0)


def elsewhere(goes_on: Mapping[str, str]) -> str:
    """Which pictures go on being made after the run, and where."""
    by_provider: dict[str, list[str]] = {}
    for name, provider in goes_on.items():
        by_provider.setdefault(provider, []).append(f"`{name}`")
    told = "; ".join(f"at {provider} this goes on and is paid for: {_listed(names)}" for provider, names in by_provider.items())
    return f"{told}\n  hint: the next `assetbuild build` fetches it; it isn't paid for twice"


def _listed(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
