"""Makes one step's picture, here or at a vendor, and gets it into its place: claim → decide again → inputs into the store, hashed there → make → pictures
into the store → record (one transaction) → look again at spec, inputs and output → put in place → lock line. DESIGN §5 says why in this
order. Which step, and when, is its run's business (`build.py`); it knows providers only by their contract.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .arriving import plain
from .digest import KEY_VERSION, Action
from .errors import AssetbuildError, StoreError
from .events import Kept, Said, Started, StepFinished
from .facts import StepPlan
from .placing import OutputChanged, Refused
from .plan import Decision, Verb
from .providers.base import Done, Kind, Picture, ProviderError, Request
from .spec.model import HERE, Asset, Step
from .store import Blob, Take, Written
from .store.cas import CorruptBlob
from .store.journal import OPEN, intervals
from .store.spending import Tally, tally

if TYPE_CHECKING:
    from .build import Build
    from .buying import Buyer
    from .pacing import Place


MOMENT = 0.01  # seconds


def doing(step: Step, *, free: bool) -> str:
    """The word for making a step's picture: draw, buy, compose, cut."""
    return step.op if step.provider == HERE else "draw" if free else "buy"


def done_word(step: Step, *, free: bool) -> str:
    """The same when it is done: drawn, bought, composed, cut."""
    if step.provider == HERE:
        return "cut" if step.op == "cut" else "composed"
    return "drawn" if free else "bought"


class Maker:
    """The making of a run: who makes which key now, what came of it, what it took."""

    def __init__(self, run: Build) -> None:
        self.run, self.project, self.planner = run, run.project, run.planner
        self.buyer: Buyer | None = None
        self._spec_looked = self._looked = 0.0
        self._same_key: dict[str, asyncio.Event] = {}
        self._met_another = False
        self.overtaken: set[str] = set()
        self._rebought: set[str] = set()
        self._remade: dict[str, Take] = {}  # key → the take that `--rebuy` asked for
        self._failed_keys: dict[str, tuple[str, str]] = {}
        self.fetched: set[str] = set()  # ids whose picture an earlier run had paid for
        self._usually: dict[tuple[str, str], float] = {}
        self.took: dict[str, float] = {}  # seconds that an asset's pictures were being made, without the waiting

    async def make(self, plan: StepPlan) -> str:
        """Makes the step's picture. "" if the decision must be made again."""
        act = plan.action
        assert act is not None  # noqa: S101 - GENERATE has a key
        if act.key in self._same_key:  # ten assets with one manifest share one take
            await self._same_key[act.key].wait()
            if act.key in self._failed_keys:
                self.run.fail(plan.asset.id, *self._failed_keys[act.key])
            elif plan.asset.id in self.planner.rebuy and (take := self._remade.get(act.key)) is not None:
                self.planner.rebuy.discard(plan.asset.id)  # one more take was asked for, and there it is
                again = self.planner.decide_step(plan.asset, plan.number)
                if again.last and again.decision.row not in ("3a", "5", "10"):
                    try:
                        await self.run.ledger.place(again, tuple(b.digest for b in take.blobs), take.take, durable=True)
                    except (OutputChanged, CorruptBlob) as problem:
                        self.met(problem)
                        return ""
                    return "restored"
            return ""
        provider = self.project.provider(plan.step.provider)
        self._same_key[act.key] = asyncio.Event()
        try:
            if getattr(provider, "done", None) is not None:  # it makes pictures on this machine
                return await self._claimed(plan, act, lambda again: self._generate(again, act, provider))
            buyer = self._purse()
            async with await buyer.turn(
                plan.step.provider
            ) as turn:  # it may wait long here: what counts is what is decided after it
                if self.run.stopping:
                    return ""
                self._look_again()
                if not self.run.placer.wants(plan.asset):
                    return self._overtake(plan.asset, "the spec changed meanwhile")
                async with buyer.entering() as entry:
                    return await self._claimed(plan, act, lambda again: self._buy(again, act, entry, turn), entry)
        finally:
            self._same_key.pop(act.key).set()  # its twins wait for this

    async def _claimed(
        self, plan: StepPlan, act: Action, go_on: Callable[[StepPlan], Awaitable[str]], entry: Place | None = None
    ) -> str:
        """Goes on with the right to run this key, if it is still to be made then."""
        if not await self._claim(act.key, plan.asset.id, entry):
            return ""
        try:
            again = self.planner.decide_step(plan.asset, plan.number)  # look, claim, look again
            if again.decision.verb is not Verb.GENERATE or again.action is None or again.action.key != act.key:
                return ""
            return await go_on(again)
        finally:
            await self.run.ledger.release(act.key)

    async def _claim(self, key: str, name: str, entry: Place | None = None) -> bool:
        met = False
        while not await self.run.ledger.claim(key):
            if entry is not None:
                entry.leave()  # this may take minutes
            if not self._met_another:
                self.run.say(Said(f"another run is making `{name}`; waiting for it"))
                self._met_another = True
            met = True
            await asyncio.sleep(0.2)
            if self.run.stopping:
                return False
        if met:  # the other run may have made it: decide again with the right in hand
            await self.run.ledger.release(key)
            self.planner.reread()
            return not self.run.stopping and await self.run.ledger.claim(key)
        return True

    async def _generate(self, plan: StepPlan, act: Action, provider: Any) -> str:  # noqa: ANN401 - a module
        asset, step, reproducible = plan.asset, plan.step, bool(provider.reproducible)
        free = self.project.table.free(step.provider)
        async with self.run.slots:
            if self.run.stopping:
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
            self.run.say(Started(asset.id, plan.number + 1, len(asset.steps), doing(step, free=free), reason))
            take_number = self._take(plan, act)

            def asked(inputs: tuple[Picture, ...]) -> Request:
                return Request(
                    act.key, step.op, step.model, step.prompt, step.params, inputs, step.members, step.variant, take_number
                )

            try:
                blobs, done = await self.run.loop.run_in_executor(
                    self.run.draw, self.run.placer.drawn, plan, asked, provider.done, not reproducible
                )
            except (OutputChanged, CorruptBlob) as problem:
                self.met(problem)
                return ""
            except ProviderError as problem:
                self._failed_keys[act.key] = (problem.text, problem.hint or "")
                self.run.fail(asset.id, problem.text, problem.hint or "")
                return ""
            except Refused as full:
                take = self._new_take(act, take_number, step, full.blobs, full.done)
                return await self._lay_aside(plan, take, full.images, full)
            self.took[asset.id] = self.took.get(asset.id, 0.0) + time.monotonic() - began
        take = self._new_take(act, take_number, step, blobs, done)
        word = done_word(step, free=free)
        if not plan.last:
            try:
                await self.run.ledger.record(take, (), durable=not reproducible)
            except StoreError as full:
                return await self._lay_aside(plan, take, {}, full)
            self._note(asset.id, take.notes)
            if not reproducible and not self._still_wanted(asset):
                return self._overtake(asset, "the spec changed meanwhile: the step's picture is in the store")
            self.run.say(StepFinished(asset.id, plan.number + 1, len(asset.steps), word))
            return word
        written = self._rows(plan, act, take)
        try:
            notes = take.notes
            take = await self.run.ledger.record(take, written, durable=not reproducible)
        except StoreError as full:
            return await self._lay_aside(plan, take, {}, full)
        self._note(asset.id, notes)
        return await self._settle(plan, act, take, written, word)

    def _rows(self, plan: StepPlan, act: Action, take: Take) -> tuple[Written, ...]:
        tree = str(self.project.root)
        pairs = zip(plan.asset.outputs, take.blobs, strict=True)
        return tuple(Written(tree, path, blob.digest, act.key) for path, blob in pairs)

    async def _buy(self, plan: StepPlan, act: Action, entry: Place, turn: Place) -> str:
        """Buys the step's picture, or as many takes as are wanted. "" if the decision must be made again."""
        from .buying import Order, Told
        from .quoting import next_take, price_of, wanted
        from .receiving import nothing, nowhere

        asset, step, buyer = plan.asset, plan.step, self._purse()
        free = self.project.table.free(step.provider)
        self._tell_begun(plan, doing(step, free=free), plan.decision.text or "changed")
        began = time.monotonic()
        first, left, takes = next_take(self.planner, plan), wanted(plan), list[Take]()
        at_once = 1 if step.members else self.project.table.limits(step.provider, step.model, step.op).get("takes", 1)
        notes: list[asyncio.Future[None]] = []
        written: tuple[Written, ...] = ()

        async def note() -> None:  # in the vendor's time
            await buyer.quiet()
            with contextlib.suppress(StoreError):  # it is told when the picture is put in its place
                await self._in_files(self.run.placer.note, plan)

        def noted() -> None:
            notes.append(asyncio.ensure_future(note()))

        try:
            last = None
            if plan.facts.store is None or plan.facts.store.job is not None:
                last = self.planner.known.last_job(act.key, step.provider)
                if last is not None and last.state not in OPEN:
                    last = None
            while left and not self.run.stopping:
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
                leaves = left == count and self.run.options.jobs != 1  # `-j 1` is one after the other
                told = Told(
                    entry.leave, noted, turn.leave if leaves else nothing, self._going(plan, act) if left == count else nowhere
                )
                bought = await buyer.buy(order, (lambda: self.run.placer.inputs(plan)) if step.inputs else None, told)
                takes += bought.takes
                first, left = first + count, left - count
                written = bought.noted
                if bought.flaw:
                    break
            await asyncio.gather(*notes)
        except Exception as problem:
            return await self._not_bought(plan, act, problem)
        self.took[asset.id] = self.took.get(asset.id, 0.0) + time.monotonic() - began
        return await self._came(plan, act, takes, done_word(step, free=free), written)

    def _going(self, plan: StepPlan, act: Action) -> Callable[[Sequence[Take]], Sequence[Written]]:
        """Where what is bought will lie, if nothing lies there: else the old bytes must be in the store before."""

        def rows(takes: Sequence[Take]) -> Sequence[Written]:
            good = [take for take in takes if "flaw" not in take.notes]
            free = plan.last and all(output.found is None for output in plan.facts.outputs)
            return self._rows(plan, act, good[-1]) if good and free else ()

        return rows

    async def resume(self, plan: StepPlan) -> None:
        """Goes on with what an earlier run asked for. What comes is recorded; it is put in its place by the next decision."""
        act = plan.action
        assert act is not None  # noqa: S101 - RESUME has a key
        if act.key in self._same_key:
            await self._same_key[act.key].wait()
            if act.key in self._failed_keys:
                self.run.fail(plan.asset.id, *self._failed_keys[act.key])
            return
        self._same_key[act.key] = asyncio.Event()
        try:
            buyer = self._purse()
            # A turn first, then the right, as in `make`: two runs that each wait for what the other one has would wait for ever.
            async with await buyer.turn(plan.step.provider):
                if await self._claim(act.key, plan.asset.id):
                    try:
                        await self._resume(buyer, plan, act)
                    finally:
                        await self.run.ledger.release(act.key)
        finally:
            self._same_key.pop(act.key).set()

    async def _resume(self, buyer: Buyer, plan: StepPlan, act: Action) -> None:
        again = self.planner.decide_step(plan.asset, plan.number)
        job = self.planner.known.last_job(act.key, plan.step.provider)
        if again.decision.verb is not Verb.RESUME or job is None:
            return
        self._tell_begun(again, "fetch", again.decision.text)
        try:
            bought = await buyer.resume(job)
        except Exception as problem:
            await self._not_bought(again, act, problem)
            return
        self.fetched.add(plan.asset.id)
        if again.facts.reroll:  # the one more take that was asked for
            await self._came(again, act, bought.takes, "fetched")

    def _tell_begun(self, plan: StepPlan, word: str, why: str) -> None:
        asset, step = plan.asset, plan.step
        where, usual = f"{step.model} at {step.provider}", self._usual(step.provider, step.model)
        self.run.say(Started(asset.id, plan.number + 1, len(asset.steps), word, why, where, usual))

    async def _came(
        self, plan: StepPlan, act: Action, takes: Sequence[Take], word: str, written: tuple[Written, ...] = ()
    ) -> str:
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
            self.run.say(StepFinished(asset.id, plan.number + 1, len(asset.steps), word))
            return word
        if len(takes) > 1:  # all of them count when it comes to choosing
            plan = plan._replace(facts=plan.facts._replace(store=None))
        return await self._settle(plan, act, good[-1], written, word)

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
        again = None
        if not (rebought or reproducible or plan.step.members):
            again = self.planner.just_made(plan, take.take, tuple(b.digest for b in take.blobs))
        again = again or self.planner.decide_step(asset, plan.number)
        if again.action is None or again.action.key != act.key:
            return self._overtake(asset, "an input changed meanwhile: the picture is in the store, not in its place")
        if not rebought and not plan.decision.accepted and again.decision.accepted:
            return self._overtake(asset, "another picture was chosen meanwhile: this one is in the store, not in its place")
        if again.decision.row in ("3a", "5", "10") and not (rebought and again.decision.row == "3a"):
            self.run.end(again)
            return word
        try:
            digests = tuple(b.digest for b in take.blobs)
            await self.run.ledger.place(again, digests, take.take, durable=not reproducible, noted=written)
        except (OutputChanged, CorruptBlob) as problem:
            self.met(problem)
            return ""
        return word

    async def _not_bought(self, plan: StepPlan, act: Action, problem: Exception) -> str:
        """Why a purchase gave nothing, told as what it is; gives "" so that the step is decided again."""
        from .buying import Again
        from .receiving import GoesOn, Unkept, Wait

        name = plan.asset.id
        match problem:
            case OutputChanged() | CorruptBlob() | Again():
                self.met(problem)
                self.planner.reread()
            case GoesOn():
                self.run.stopping = True
            case Unkept():
                for take in problem.takes:
                    await self._lay_aside(plan, take, problem.images, problem.why)
            case Wait():
                self.planner.put_off[act.key] = Decision("14", Verb.HELD, problem.text, problem.hint or "")
            case ProviderError(kind=Kind.AUTH | Kind.NO_MONEY):
                self.run.setup = self.run.setup or problem.render()
                self.planner.put_off[act.key] = Decision("14", Verb.HELD, problem.text, problem.hint or "")
            case AssetbuildError():
                self._failed_keys[act.key] = (problem.text, problem.hint or "")
                self.run.fail(name, problem.text, problem.hint or "")
                if isinstance(problem, StoreError) and not self.run.stopping:
                    self.run.stopping = True
                    self.run.say(Said("nothing more is bought: the store can't keep it"))
            case _:
                raise problem
        return ""

    def _purse(self) -> Buyer:
        if self.buyer is None:
            from .buying import Buyer  # only where something is bought

            options = self.run.options
            self.buyer = Buyer(
                self.project, self.run.ledger, options.caps, lambda text: self.run.say(Said(text)), options.jobs, options.run
            )
            if self.run.stopping:
                self.buyer.stop.set()
        return self.buyer

    def money(self) -> Tally:
        """What this run has bought, as the journal says."""
        if self.buyer is None:
            return Tally()
        try:
            with self.project.store.reading() as db:
                return tally(db, self.buyer.run)
        except StoreError:  # it fell ill in the middle, and that was said
            return Tally()

    def _new_take(self, act: Action, number: int, step: Step, blobs: tuple[Blob, ...], done: Done) -> Take:
        made_by, now = f"{step.provider}/{step.model}", self.project.env.now()
        return Take(act.key, number, KEY_VERSION, blobs, made_by, None, done.cost, now, plain(done.notes), None, False)

    async def _lay_aside(self, plan: StepPlan, take: Take, images: dict[str, bytes], full: StoreError) -> str:
        """The store takes nothing more. What was paid for gets another place, and nothing more is bought in this run."""
        if plan.facts.reproducible:
            raise full
        name, self.run.stopping = plan.asset.id, True
        of = f"`{name}`" if plan.last else f"`{name}` (step {plan.number + 1})"
        try:
            files = await self._in_files(self.run.placer.lay_aside, name, take, images)
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
        self.run.fail(name, text, hint)
        self.run.say(Said("nothing more is bought: the store can't keep it"))
        return ""

    def _overtake(self, asset: Asset, text: str) -> str:
        """The world went on: nothing more is made for this asset or from it in this run."""
        self.overtaken.add(asset.id)
        self.planner.failed[asset.id] = self.run.skipped[asset.id] = text
        self.run.say(Kept(asset.id, text))
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
            self.run.say(Said(f"`{name}` has text whose letters aren't installed: {texts}\n  hint: {way}"))
        if left := notes.get("left_out"):
            texts = ", ".join(f'"{text}"' for text in left["texts"]) + (f" and {left['more']} more" if left["more"] else "")
            self.run.say(Said(f"`{name}` has no room for all words of its prompt, left out: {texts}\n  hint: {left['hint']}"))

    def _usual(self, provider: str, model: str) -> float:
        """Seconds that the model takes, as far as it is known: the median of the last ones."""
        if (provider, model) not in self._usually:
            with self.project.store.reading() as db:
                found = sorted(intervals(db, provider, model))
            if found:
                self._usually[provider, model] = found[len(found) // 2]
        return self._usually.get((provider, model), 0.0)

    def _look_again(self) -> None:
        """At the spec, and at what other runs wrote; once for all whose turn comes in the same moment."""
        now = time.monotonic()
        if now - self._looked >= MOMENT:
            self._looked = now
            self.run.placer.look_at_spec()
            self.planner.reread()

    def _still_wanted(self, asset: Asset) -> bool:
        """Looks at the spec again, not more than four times a second for pictures that cost nothing."""
        now = time.monotonic()
        if self.project.table.reproducible(asset.steps[-1].provider) and now - self._spec_looked < 0.25:  # noqa: PLR2004
            return self.run.placer.wants(asset)
        self._spec_looked = now
        self.run.placer.look_at_spec()
        return self.run.placer.wants(asset)

    async def _in_files(self, work: Callable[..., Any], *args: Any) -> Any:  # noqa: ANN401
        return await self.run.loop.run_in_executor(self.run.files, work, *args)

    def met(self, problem: Exception) -> None:
        """A picture of the store that turned out to be damaged is told; anything else only means: decide again."""
        if isinstance(problem, CorruptBlob):
            self.run.say(Said(problem.text))
