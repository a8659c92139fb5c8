"""Carries out a plan: bases before edits, independent work at once, a failure stops only what hangs on it, ^C stops what may be stopped. How one
step's picture is made is `making.py`'s; knows no provider, and says what happens only through events.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from .errors import AssetbuildError
from .events import Event, Failed, Finished, Held, Kept, Said, Skipped, Summed
from .exporting import Exporter
from .facts import AssetPlan, Planner, StepPlan
from .making import Maker
from .placing import Ledger, OutputChanged, Placer, Threads
from .plan import Verb
from .project import Project
from .spec.model import Asset
from .store.cas import CorruptBlob
from .store.spending import Caps, Tally


class Options(NamedTuple):
    """How a build is carried out. `jobs` is how many pictures are made at once, here (None: one a core) and at each
    vendor (None: as many as the spec allows); `frozen` leaves the lockfile alone; `caps` are
    what it may spend; `run` is the name that its purchases have in the journal ("": a new one).
    """

    jobs: int | None = None
    fail_fast: bool = False
    frozen: bool = False
    caps: Caps = Caps()
    run: str = ""


class Built(NamedTuple):
    """What came of a build: the last plan of each asset and what was said about it."""

    summary: Summed
    words: dict[str, str]  # id → drawn, bought, restored, fetched
    failed: dict[str, str]
    held: dict[str, str]
    skipped: dict[str, str]
    exported: frozenset[str] = frozenset()  # files that were made from pictures, or put back
    setup: str = ""  # a key or credit that was missing
    money: Tally = Tally()


ONE_PRESS = 0.3  # seconds; a terminal and a wrapper may both pass on one ^C
TO_WRITE = 3.0  # seconds for lock lines after a second ^C

_WORK = (Verb.RESTORE, Verb.RESUME, Verb.GENERATE, Verb.WAITING)
_ENDS = (Verb.HELD, Verb.SKIPPED, Verb.FAILED, Verb.WAITING)


def _at_rest(plan: AssetPlan) -> bool:
    """Whether nothing is to be done for its exports, nor said of them."""
    return all(one.decision.verb in (Verb.UP_TO_DATE, Verb.SKIPPED) and not one.to_note for one in plan.exports)


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
        self.ended: set[str] = set()  # of which was said before anything began that nothing is to be done
        self.maker = Maker(self)
        self.exporter = Exporter(self)
        self.stopping = False
        self.interrupted = False
        self.cut_off = False  # by a second ^C: threads may be at work yet, so the process has to be ended
        self._pressed = 0.0
        self.setup = ""

    def run(self, plans: Sequence[AssetPlan]) -> Built:
        """Does everything that the plan says may be done. Raises nothing that belongs to a single asset."""
        todo = [p for p in plans if p.verb in _WORK or not _at_rest(p) or (self._line_is_old(p) and not self.options.frozen)]
        redrawn = [p.asset.id for p in plans if any(s.decision.verb is Verb.GENERATE and s.decision.accepted for s in p.steps)]
        if redrawn:  # should a drawing come out otherwise than it was, those made from it are decided again
            users = self.project.graph.with_users(redrawn)
            known = {p.asset.id for p in todo}
            todo = [p for p in plans if p.asset.id in known or (p.asset.id in users and p.verb is Verb.UP_TO_DATE)]
        for plan in plans:
            if plan.verb in _ENDS and plan.verb is not Verb.WAITING:
                self.ended.add(plan.asset.id)
                self.end(plan.leading)
        if todo:
            usual = gc.get_threshold()
            gc.set_threshold(50_000, *usual[1:])  # a run makes many small things and no rings of them
            try:
                asyncio.run(self._run(todo))
            except asyncio.CancelledError:
                if not self.cut_off:
                    raise
            finally:
                gc.set_threshold(*usual)
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
        self.loop = asyncio.get_running_loop()
        # Windows' loop takes no handlers: ^C is Python's KeyboardInterrupt there. In a thread, signals are the business of who started us.
        ours = sys.platform != "win32" and threading.current_thread() is threading.main_thread()
        stopped = (signal.SIGINT, signal.SIGTERM) if ours else ()
        for name in stopped:
            self.loop.add_signal_handler(name, self._interrupt)
        with Threads(jobs, "draw") as self.draw, Threads(2, "file") as self.files:
            self.slots = asyncio.Semaphore(jobs)
            self.placer = Placer(self.project, self.planner)
            self.ledger = Ledger(self.project, self.loop, self.files, self.placer, frozen=self.options.frozen)
            self._done = {p.asset.id: asyncio.Event() for p in todo}
            self._work = {p.asset.id: asyncio.ensure_future(self._asset(p.asset)) for p in todo}
            work = list(self._work.values())
            flusher = asyncio.ensure_future(self.ledger.keep_flushing())
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
                    await asyncio.wait_for(self.ledger.close(), TO_WRITE if self.cut_off else None)
                if self.maker.buyer is not None:
                    if self.maker.buyer.goes_on and not self.cut_off:
                        self.say(Said(elsewhere(self.maker.buyer.goes_on)))
                    await self.maker.buyer.close()
                for undone in self.ledger.undone:
                    self.say(Kept(undone, "another picture was chosen for it meanwhile; that choice stays"))
                for name in stopped:
                    self.loop.remove_signal_handler(name)

    def interrupt(self) -> None:
        """^C, said from another thread; before the run has begun, nothing is begun."""
        if not hasattr(self, "loop"):
            self.stopping = self.interrupted = True
            return
        with contextlib.suppress(RuntimeError):  # it is over
            self.loop.call_soon_threadsafe(self._interrupt)

    def _interrupt(self) -> None:
        now = time.monotonic()
        if self.interrupted:
            if now - self._pressed > ONE_PRESS and not self.cut_off:
                self._end_at_once()
            return
        self._pressed = now
        self.stopping = self.interrupted = True
        if self.maker.buyer is not None:
            self.maker.buyer.stop.set()
        elsewhere = self.maker.buyer is not None and self.maker.buyer.goes_on
        what = "nothing more is asked for" if elsewhere else "what is being made now is finished and kept"
        self.say(Said(f"stopping: {what} (^C again ends at once)"))

    def _end_at_once(self) -> None:
        """^C for the second time: nothing is waited for. What was written down stays; what is at a provider goes on there, and is named."""
        self.cut_off = self.draw.at_once = self.files.at_once = True
        buyer = self.maker.buyer
        if buyer is not None and buyer.goes_on:
            self.say(Said(f"ended at once; {elsewhere(buyer.goes_on)}"))
        else:
            self.say(Said("ended at once; nothing goes on elsewhere"))
        for name, one in self._work.items():
            if buyer is None or name not in buyer.arrived:  # what came from a provider is here and paid for: it is written down
                one.cancel()
        self.loop.call_later(TO_WRITE, lambda: [one.cancel() for one in self._work.values()])

    # ── one asset ──

    async def _asset(self, asset: Asset) -> None:
        try:
            bases = [base for base in self.project.graph.bases[asset.id] if base in self._done]
            for base in bases:
                await self._done[base].wait()
            if bases:  # else it was decided just now
                self.planner.decide_asset(asset.id)
            word = await self._steps(asset) if asset.id not in self.ended else ""
            if word:
                self.words[asset.id] = word
                if (kept := self.ledger.kept.get(asset.id)) is not None:
                    self.say(Kept(asset.id, f"your file is in the store: `assetbuild use {asset.id} {kept[:8]}` puts it back"))
                self.say(Finished(asset.id, word, asset.outputs, self.maker.took.get(asset.id, 0.0)))
        except AssetbuildError as problem:
            self.fail(asset.id, problem.text, problem.hint or "")
        except OSError as problem:
            where = f"{problem.filename}: " if problem.filename is not None else ""  # none for a disk that fails while it is read
            self.fail(asset.id, f"{where}{problem.strerror or problem}", "")
        finally:
            self._done[asset.id].set()
        if asset.exports and asset.id not in self.maker.overtaken and not self.stopping:
            try:  # nothing is made from these: those that wait for the picture go on
                await self.exporter.make(asset)
            except AssetbuildError as problem:
                self.fail(asset.id, problem.text, problem.hint or "")
            except OSError as problem:
                self.fail(asset.id, f"{problem.filename}: {problem.strerror or problem}", "")

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
                            if (other := self.placer.take_of(line)) is not None:
                                await self.ledger.record(other, (), durable=True)
                        self.ledger.moved(plan)
                    break
                if plan.decision.row == "13" and (lost := self.planner.missed(plan)):
                    plan = self._lost(plan, lost)
                    verb = plan.decision.verb
                if verb in _ENDS or self.stopping:
                    self._after(asset)
                    if not self.stopping or verb in (Verb.HELD, Verb.FAILED):
                        self.end(plan)
                    return ""
                if verb is Verb.GENERATE:
                    made = await self.maker.make(plan)
                    if asset.id in self.maker.overtaken:
                        return ""
                    word = made or word
                    if made and plan.last:
                        break  # an earlier step is decided again, so that the next one sees its picture
                elif verb is Verb.RESTORE:
                    if not plan.last:
                        break
                    if await self._restore(plan):
                        word = "fetched" if asset.id in self.maker.fetched else word or "restored"
                        break
                else:
                    await self.maker.resume(plan)
                    if asset.id in self.maker.overtaken:
                        return ""
                    word = "fetched" if asset.id in self.maker.fetched else word
            else:
                self.fail(asset.id, "its files kept changing while it was made; try again", "")
                return ""
        self._after(asset)
        return word

    def _lost(self, plan: StepPlan, names: Sequence[str]) -> StepPlan:
        """Bytes that the plan counted on turned out to be damaged. Who has lost them says so, and the way out; gives what is to be said here."""
        for name in names:
            leading = self.planner.decide_asset(name).leading
            if name != plan.asset.id and leading.decision.verb is Verb.HELD and name not in self.held:
                self.end(leading)
        return self.planner.decide_asset(plan.asset.id).leading

    def _after(self, asset: Asset) -> None:
        self.planner.decide_asset(asset.id)

    async def _restore(self, plan: StepPlan) -> bool:
        assert plan.digests is not None  # noqa: S101 - RESTORE knows its bytes
        try:
            return await self.ledger.place(plan, plan.digests, plan.decision.take, durable=not plan.facts.reproducible)
        except (OutputChanged, CorruptBlob) as problem:  # a damaged blob was set aside: decide again without it
            self.maker.met(problem)
            return False

    # ── ends ──

    def end(self, plan: StepPlan) -> None:
        """Nothing more is to be done for this asset in this run: says why."""
        name, decision = plan.asset.id, plan.decision
        if decision.verb is Verb.HELD:
            self.held[name] = decision.text
            self.say(Held(name, decision.text, decision.hint))
        elif decision.verb is Verb.FAILED:
            self.fail(name, decision.text, decision.hint)
        else:
            self.skipped[name] = decision.text
            self.say(Skipped(name, decision.text))

    def fail(self, name: str, text: str, hint: str) -> None:
        """Says it once, the first reason."""
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
            kinds.count("bought"),
            kinds.count("fetched"),
            kinds.count("restored"),
            len(self.held),
            len(self.skipped),
            len(self.failed),
            missing,
            time.monotonic() - self.started,
            self.interrupted,
            self.exporter.made + self.exporter.restored,
            kinds.count("composed") + kinds.count("cut"),
        )
        exported = frozenset(self.exporter.paths)
        return Built(summary, self.words, self.failed, self.held, self.skipped, exported, self.setup, self.maker.money())


def elsewhere(goes_on: Mapping[str, str]) -> str:
    """Which pictures go on being made after the run, and where."""
    by_provider: dict[str, list[str]] = {}
    for name, provider in goes_on.items():
        by_provider.setdefault(provider, []).append(f"`{name}`")
    told = "; ".join(f"at {provider} this goes on and is paid for: {_listed(names)}" for provider, names in by_provider.items())
    return f"{told}\n  hint: the next `assetbuild build` fetches it; it isn't paid for twice"


def _listed(names: Sequence[str], most: int = 10) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")
