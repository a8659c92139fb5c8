"""`build` and `plan`: the two commands that decide what is to be done."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ..errors import ActionFailed, UsageError
from ..events import Event
from ..exports import frozen_allows as frozen_export
from ..facts import AssetPlan, Planner
from ..plan import Verb, frozen_allows
from ..project import Project
from ..selection import only_exports
from . import chosen, open_project, say, spec_options, tell
from .completing import complete_what

if TYPE_CHECKING:
    from ..leaves import ExportPlan
    from ..quoting import Quote
    from ..store.spending import Tally

EXIT_FAILED, EXIT_SETUP, EXIT_HELD, EXIT_STALE, EXIT_INTERRUPTED = 1, 4, 5, 3, 130


class Dollars(click.ParamType[int]):
    """A sum of money: `5`, `5.00`, `$0.25`; gives micro-USD."""

    name = "USD"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:  # noqa: ANN401 - click's own
        """Exactly; at most six decimals."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"\$?([0-9]{1,7})(?:\.([0-9]{1,6}))?", value.strip())
        if found is None:
            self.fail(f"`{value}` is no sum of money: write it like 5.00", param, ctx)
        return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0"))


def selection_options(command: Any) -> Any:  # noqa: ANN401 - click's decorators
    """What `build` and `plan` share."""
    for option in (
        click.option("--limit", type=click.IntRange(1), metavar="N", help="Only the first N of each pattern, with their bases."),
        click.option("--exclude", multiple=True, metavar="WHAT", help="Leave these out (same forms as WHAT)."),
        click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/)."),
    ):
        command = option(command)
    return spec_options(command)


@click.command("build", short_help="Make what changed.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@selection_options
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    metavar="N",
    help="Pictures in the making at once; otherwise one a core, and 50 at a vendor.",
)
@click.option("--fail-fast", is_flag=True, help="Stop at the first failure.")
@click.option(
    "--frozen",
    is_flag=True,
    help="Make nothing: fail (exit 3) unless everything is up to date or can be put back. No network, no money.",
)
@click.option(
    "--replace",
    multiple=True,
    metavar="ID",
    help="Put our picture over a file that was edited by hand (yours is kept in the store).",
)
@click.option(
    "--rebuy", multiple=True, metavar="ID", help="Make a new take of a picture that is lost, refused or in doubt: pays again."
)
@click.option("--re-export", is_flag=True, help="Encode the exports of WHAT anew, with the encoders of now.")
@click.option("-y", "--yes", is_flag=True, help="Agree to what the plan costs: don't ask.")
@click.option("--max-cost", type=Dollars(), metavar="USD", help="Agree to buy, up to this sum in this run.")
@click.option("-v", "--verbose", is_flag=True, help="A line when a picture is begun, too.")
def build_command(spec: str | None, profile: str | None, **given: Any) -> None:  # noqa: ANN401 - Asked has their types
    """Make what changed: bases before the edits that hang on them. Without WHAT, everything.

    WHAT is an id, a pattern (`poster-*`), an output's path, `tag:launch`, `locale=ja` or an export (`poster@print`); `X+` adds what hangs on X.
    """
    asked = Asked(**given)
    if asked.frozen and (asked.replace or asked.rebuy or asked.re_export):
        raise UsageError("--frozen makes nothing new, so it can't be joined with --replace, --rebuy or --re-export")
    project = open_project(spec, profile)
    try:
        raise click.exceptions.Exit(_build(project, asked))
    finally:
        project.close()


class Asked(NamedTuple):
    """What a command line of `build` asks for; each field is an option or an argument of that name."""

    what: tuple[str, ...]
    limit: int | None
    exclude: tuple[str, ...]
    as_json: bool
    jobs: int | None
    fail_fast: bool
    frozen: bool
    replace: tuple[str, ...]
    rebuy: tuple[str, ...]
    verbose: bool
    yes: bool = False
    max_cost: int | None = None
    re_export: bool = False
    reroll: tuple[tuple[str, int], ...] = ()  # id and number of the step, from 0, of which one more take is to be made


def build_with(project: Project, asked: Asked) -> int:
    """What `build` does when it is asked for this; gives the exit code. For commands that make something by its way."""
    return _build(project, asked)


def _build(project: Project, asked: Asked) -> int:
    from ..answers import orphans
    from ..build import Build, Options
    from ..earlier import Fetched, bring_in, fetch_paid
    from ..report.exported import enlarged
    from ..report.ink import Ink
    from ..report.words import summary
    from ..store.spending import Caps

    started = time.monotonic()
    what, frozen = [*asked.what, *asked.replace, *asked.rebuy], asked.frozen
    ids = chosen(project, what, exclude=asked.exclude, limit=asked.limit)
    replace, rebuy = _spelled_out(project, asked.replace), _spelled_out(project, asked.rebuy)
    for name in rebuy:
        if project.assets[name].pin and name in project.lock.lines:
            raise UsageError(
                f"`{name}` is pinned, so its picture stays", hint="take `pin: true` out of the spec to have it made again"
            )
    whole = not what and not asked.exclude and asked.limit is None
    left = orphans.just_left(project) if whole and not frozen else set()
    planner = Planner(project, rebuy=rebuy, replace=replace)
    planner.reroll.update(asked.reroll)
    planner.leaves.again = set(ids) if asked.re_export else set()
    planner.leaves.only = only_exports(project.graph, what)
    planner.check_disk(ids)
    if not frozen:
        bring_in(project, say)
    collected = Fetched() if frozen else fetch_paid(project, planner, say)
    if collected.interrupted:
        return EXIT_INTERRUPTED
    plans = planner.plan(ids)
    ink = Ink.of(project.env.environ, tty=project.env.tty)
    _shared(plans, project)
    if frozen:
        stale = [
            p
            for p in plans
            if not all(frozen_allows(s.decision, pinned=s.facts.pinned) for s in p.steps)
            or not all(frozen_export(one.facts, one.decision) for one in p.exports)
        ]
        if stale:
            return _stale(stale, len(plans), asked.as_json, ink, project)
    caps, lacking = Caps(), ""
    if not frozen and not all(map(project.table.free, {step.provider for one in plans for step in one.asset.steps})):
        from .consenting import agree  # only where something costs money

        plans, caps, lacking = agree(project, planner, plans, ids, yes=asked.yes, max_cost=asked.max_cost)
    if large := enlarged(plans):
        say(large)
    first = project.git is not None and not (project.root / project.spec.lock).exists()
    deaf: list[BrokenPipeError] = []  # nobody reads our talk any more (`2>&1 | head`)
    with _report(project, ink, plans, asked.verbose) as report:

        def heard(event: Event) -> None:
            try:
                if not deaf:
                    report(event)
            except BrokenPipeError as problem:  # no asset failed: what is being made is finished and kept, nothing more is begun
                deaf.append(problem)
                run.stopping = True

        run = Build(project, planner, ids, Options(asked.jobs, asked.fail_fast, frozen, caps), heard)
        run.started = started
        done = run.run(plans)
    if deaf:
        raise deaf[0]
    listed = _manifest(project, planner, frozen=frozen) if not run.cut_off and not done.summary.interrupted else 0
    sentence = summary(done.summary, _paid(done.money))
    if whole and not frozen and not run.cut_off:
        from ..remembering import remember

        kept = remember(
            project, planner, [planner.plans[name] for name in ids], sentence.rsplit(" in ", 1)[0], settled=not listed
        )
        count = sum(one.id in left for one in orphans.orphans(project, planner.lock)) if left and kept else 0
        if count:  # said once: what was remembered just now doesn't have them
            say(orphans.sentence(count))
    say(sentence)
    made = [name for name, word in done.words.items() if word in ("drawn", "bought", "fetched")]
    _to_choose([planner.plans[name] for name in made if not done.held.keys() & set(project.graph.users.get(name, ()))])
    if first:
        _attributes(project)
    if asked.as_json:
        click.echo(json.dumps(_build_json(done, [planner.plans[name] for name in ids]), ensure_ascii=False))
    if run.cut_off:  # the end of Python would wait for threads that are at work yet
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(EXIT_INTERRUPTED)
    setup = done.setup or lacking or collected.setup
    told = setup.split("\n", 1)[0]
    if setup and told not in done.held.values():
        say(setup)
    if done.summary.interrupted:
        return EXIT_INTERRUPTED
    if setup:
        return EXIT_SETUP
    if done.failed:
        return EXIT_FAILED
    if done.held or done.skipped:
        return EXIT_HELD
    return listed


def _manifest(project: Project, planner: Planner, *, frozen: bool) -> int:
    """The file for code says what the lockfile says now; gives what the run ends with if all else is well."""
    if project.spec.manifest is None:
        return 0
    from ..inventory import inventory, write

    found = inventory(project, planner)
    if found is None or found.right:
        return 0
    if frozen and found.now is not None:
        say(f"{found.path} isn't up to date (--frozen)")
        return EXIT_STALE
    try:
        write(project, found)
    except ActionFailed as problem:
        say(problem.render())
        return EXIT_HELD
    say(f"{'wrote':9} {found.path}")
    return 0


def _paid(money: Tally) -> str:
    """What the run has bought for: `$0.27 spent`, `up to $0.09 for what goes on`."""
    if not money.purchases:
        return ""
    from ..pricing import usd  # only where something was bought

    where = " at an emulator" if money.rehearsal else ""
    parts = [f"{usd(money.spent)} spent{where}"] if money.spent else []
    return ", ".join(parts + ([f"up to {usd(money.reserved)} for what goes on"] if money.reserved else []))


def _to_choose(plans: Sequence[AssetPlan]) -> None:
    """What was made to choose from, or for approval, and isn't waited for by anything that was told."""
    from ..report.planned import remark

    told = [(plan, note) for plan in plans if (note := remark(plan))]
    for plan, note in told[:10]:
        say(f"{plan.asset.id}: {note}\n  hint: {plan.leading.decision.hint}")
    if len(told) > 10:  # noqa: PLR2004 - a screen
        say(f"… and {len(told) - 10:,} more\n  hint: `assetbuild takes` lists them all")


def _attributes(project: Project) -> None:
    """The lockfile was made just now in a repository that `init` was never run in: git would meet a conflict where two branches only add lines."""
    from ..verbs.starting import unioned

    lock = project.root / project.spec.lock
    if lock.exists() and ".assetbuild" not in Path(project.spec.lock).parts and not unioned(lock):
        say(
            f"  hint: commit {project.spec.lock} with the pictures, and write `{lock.name} text eol=lf merge=union` into .gitattributes: "
            "two branches' lines then merge by themselves"
        )


def _say_waiting(project: Project) -> None:
    """What was laid aside isn't paid for again, whatever the plan has to say of it."""
    from ..earlier import short
    from ..store.rescue import waiting

    left = waiting(project.root, project.env.environ)
    if left:
        say(
            f"what was paid for when the store was full lies in {short(project, left[0].parent)}: the next build brings it in first"
        )


def _spelled_out(project: Project, words: Sequence[str]) -> tuple[str, ...]:
    """The ids that `--replace` and `--rebuy` name, also by pattern. Raises UsageError for a word that means nothing."""
    return tuple(chosen(project, list(words), bases=False)) if words else ()


def _shared(plans: Sequence[AssetPlan], project: Project) -> None:
    """Ten assets with one manifest share one take; said once."""
    by_key: dict[str, list[str]] = {}
    for plan in plans:
        one = plan.leading
        if one.decision.verb is Verb.GENERATE and one.last and one.action is not None:
            by_key.setdefault(one.action.key, []).append(plan.asset.id)
    for names in by_key.values():
        if len(names) > 1:
            shown = ", ".join(f"`{n}`" for n in names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")  # noqa: PLR2004
            say(f"{shown} are the same picture: it is made once (`variant:` would make them differ)")


def _stale(stale: list[AssetPlan], count: int, as_json: bool, ink: Any, project: Project) -> int:  # noqa: ANN401
    from ..report.planned import plan_json, plan_lines

    if as_json:
        click.echo(json.dumps(plan_json(stale, project), ensure_ascii=False))
    for line in plan_lines(stale, project, ink, everything=False):
        say(line)
    say(f"{len(stale):,} of {count:,} aren't up to date (--frozen)")
    return EXIT_STALE


def _report(project: Project, ink: Any, plans: Sequence[AssetPlan], verbose: bool) -> Any:  # noqa: ANN401
    count = len(plans)
    whole = count == len(project.assets)
    if project.env.tty and project.env.environ.get("TERM") != "dumb" and not project.env.environ.get("CI"):
        from ..report.live import Live

        busy = sum(not plan.settled for plan in plans)
        return Live(project.env.stderr, ink, count, verbose=verbose, whole=whole, columns=project.env.width, busy=busy)
    from ..report.lines import Lines

    return Lines(say, ink, verbose=verbose, count=count if whole else 0)


def _build_json(done: Any, plans: Sequence[AssetPlan]) -> dict[str, Any]:  # noqa: ANN401
    assets = []
    for plan in plans:
        name = plan.asset.id
        if name in done.failed:
            result, text = "failed", done.failed[name]
        elif name in done.held:
            result, text = "held", done.held[name]
        elif name in done.skipped:
            result, text = "skipped", done.skipped[name]
        else:
            result, text = (
                done.words.get(name, "up to date" if plan.verb is Verb.UP_TO_DATE else "not done"),
                plan.leading.decision.text,
            )
        entry: dict[str, Any] = {"id": name, "result": result, "outputs": list(plan.asset.outputs), "text": text}
        if plan.exports:
            entry["exports"] = [_export_json(done, one) for one in plan.exports]
        assets.append(entry)
    counts = done.summary._asdict()
    counts["seconds"] = round(counts["seconds"], 3)
    money = done.money
    spent = {
        "purchases": money.purchases,
        "spent_usd": money.spent / 1_000_000,
        "credits": money.credits,
        "going": money.going,
        "reserved_usd": money.reserved / 1_000_000,
        "unknown": money.unknown,
        "rehearsal": money.rehearsal,
    }
    return {"version": 1, "summary": counts, "assets": assets, **({"money": spent} if money.purchases else {})}


def _export_json(done: Any, one: ExportPlan) -> dict[str, Any]:  # noqa: ANN401
    verb = one.decision.verb
    made = one.export.path in done.exported
    results = {Verb.UP_TO_DATE: "up to date", Verb.HELD: "held", Verb.SKIPPED: "skipped", Verb.FAILED: "failed"}
    result = "exported" if made else results.get(verb, "not done")
    entry = {"name": one.export.name, "path": one.export.path, "result": result, "text": "" if made else one.decision.text}
    return {**entry, "member": one.export.member} if one.export.member else entry


def _quoted(project: Project, plans: Sequence[AssetPlan]) -> Quote | None:
    """What the plan costs; None when nothing of it is to be bought."""
    busy = (Verb.GENERATE, Verb.WAITING)
    if not any(s.decision.verb in busy and not project.table.free(s.step.provider) for plan in plans for s in plan.steps):
        return None
    from ..quoting import quote  # only where something costs money

    return quote(plans, Planner(project))


@click.command("plan", short_help="Say what build would do, and why. Changes nothing.")
@click.argument("what", nargs=-1, shell_complete=complete_what)
@selection_options
@click.option("--exit-code", is_flag=True, help="Exit 3 when there is something to do.")
@click.option("-a", "--all", "everything", is_flag=True, help="Every asset, also what is up to date and what repeats itself.")
def plan_command(
    what: tuple[str, ...],
    spec: str | None,
    profile: str | None,
    limit: int | None,
    exclude: tuple[str, ...],
    as_json: bool,
    exit_code: bool,
    everything: bool,
) -> None:
    """Say what `build` would do, and why: which line of each picture's recipe differs. Changes nothing."""
    project = open_project(spec, profile)
    try:
        from .. import partial
        from ..answers.cautions import cautions
        from ..report.exported import enlarged
        from ..report.ink import Ink
        from ..report.planned import plan_json, plan_lines, plan_summary

        found = None if what or exclude or limit or as_json or everything else partial.plans(project)
        if found is not None:
            plans, project = found
        else:
            ids = chosen(project, list(what), exclude=exclude, limit=limit)
            planner = Planner(project)
            planner.leaves.only = only_exports(project.graph, what)
            planner.check_disk(ids)
            plans = planner.plan(ids)
        _say_waiting(project)
        _shared(plans, project)
        money = _quoted(project, plans)
        for line in (*cautions(plans, money, project), *filter(None, [enlarged(plans)])):
            say(line)
        if as_json:
            from ..quoting import quote_json

            told = quote_json(money) if money is not None else None
            if money is not None and told is not None:
                from .consenting import budgeted, no_room

                told["over_budget"] = no_room(money, budgeted(project, money))
            click.echo(json.dumps(plan_json(plans, project, told), ensure_ascii=False))
        else:
            ink = Ink.of(project.env.environ, tty=project.env.stdout.isatty())
            columns = project.env.width if project.env.stdout.isatty() else 0
            costs: dict[str, str] = {}
            if money is not None:
                from ..quoting import prices, sentence

                costs = prices(money)
            for line in plan_lines(plans, project, ink, everything=everything, columns=columns, prices=costs):
                click.echo(line)
            # What is bought stands in the sentence of the money.
            words = plan_summary(plans, project, priced=money is not None)
            for line in [words] * bool(words) + ([sentence(money)] if money is not None else []):
                tell(line, project.env.stdout)
            if money is not None:
                from .consenting import foot

                for line in foot(project, money):
                    tell(line, project.env.stdout)
        pending = any(not p.settled for p in plans)
        if not pending and not found and project.spec.manifest is not None:
            from ..inventory import inventory

            seen = inventory(project, planner)
            if seen is not None and not seen.right:
                pending = True
                say(f"{seen.path} is to be written anew")
        raise click.exceptions.Exit(EXIT_STALE if exit_code and pending else 0)
    finally:
        project.close()
