"""`resume`: fetches what was paid for and isn't here yet. Never sends anything that can buy."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

import click

from ..collecting import Collected, collect
from ..errors import AssetbuildError
from ..project import Project
from ..store.journal import Job
from . import open_project, say, spec_options

SHOWN = 6  # names


@click.command("resume", short_help="Fetch what was paid for and isn't here yet; buys nothing.")
@click.option("--scan", is_flag=True, help="Also list the vendor's jobs of the last 24 hours that aren't in our records.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
@spec_options
def resume_command(scan: bool, as_json: bool, spec: str | None, profile: str | None) -> None:
    """Fetch what earlier runs have paid for: waits for jobs that go on, and looks for those whose answer never came.

    The pictures go into the store; `assetbuild build` then puts them in their places, free. Nothing is bought here, ever.
    """
    project = open_project(spec, profile)
    try:
        found = collect(project, say, wait=True, doubtful=True, begun=_begun)
        strange, setup = _scan(project) if scan and not found.interrupted else ([], "")
        if as_json:
            click.echo(json.dumps(_json(found, strange if scan else None), ensure_ascii=False))
        else:
            _tell(found)
            if scan and not found.interrupted and not setup:
                _tell_scan(strange)
        for problem in dict.fromkeys(one for one in (found.setup, setup) if one):
            say(problem)
        if found.interrupted:
            raise click.exceptions.Exit(130)
        raise click.exceptions.Exit(4 if found.setup or setup else 5 if found.told or found.goes_on else 0)
    finally:
        project.close()


def _begun(jobs: Sequence[Job]) -> None:
    """It may take a while."""
    by_provider: dict[str, list[str]] = {}
    for job in jobs:
        by_provider.setdefault(job.provider, []).append(job.asset)
    for provider, names in by_provider.items():
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        say(f"asking {provider} for {', '.join(f'`{name}`' for name in names[:SHOWN])}{more}")


def _tell(found: Collected) -> None:
    for job, came in found.came:
        say(f"fetched   {job.asset}" + (f": {came.flaw}" if came.flaw else ""))
    for job in found.goes_on:
        say(f"goes on   {job.asset}: {job.provider} is still making it")
    for job, problem in found.told:
        say(f"waiting   {job.asset}: {problem.text}" + (f"\n          hint: {problem.hint}" if problem.hint else ""))
    if found.came:
        count = len(found.came)
        say(f"{count:,} fetched into the store; `assetbuild build` puts {'it' if count == 1 else 'them'} in place")
    elif not (found.goes_on or found.told or found.setup):
        say("nothing is to be fetched")


def _scan(project: Project) -> tuple[list[tuple[str, str, str, str, float]], str]:
    """Jobs of the vendors that no record of ours knows: provider, id, status, model, when. And the sentence when a key is missing."""
    from ..asking import ask
    from ..store.journal import known_ids

    found: list[tuple[str, str, str, str, float]] = []
    setup = ""
    since = project.env.now() - 86_400
    for name in sorted({step.provider for asset in project.assets.values() for step in asset.steps}):
        if project.table.free(name) or getattr(project.provider(name), "jobs", None) is None:
            continue
        known: frozenset[str] = frozenset()
        if (store := project.look_store()) is not None:
            with store.reading() as db:
                known = known_ids(db, name)
        try:
            listed = ask(project, name, lambda module, http: module.jobs(http, since))
        except AssetbuildError as problem:
            setup = problem.render()
            continue
        found += [(name, *one) for one in listed if one[0] not in known]
    return found, setup


def _tell_scan(strange: list[tuple[str, str, str, str, float]]) -> None:
    if not strange:
        say("the vendors' jobs of the last 24 hours are all in our records")
        return
    for provider, job, status, model, when in strange:
        at = datetime.datetime.fromtimestamp(when).astimezone().strftime("%Y-%m-%d %H:%M")
        say(f"unknown   {provider} {job}  {status.lower()}  {model}  {at}")
    jobs = "1 job" if len(strange) == 1 else f"{len(strange):,} jobs"
    say(f"{jobs} at the vendors that this store has no record of: another folder's or machine's, or made by hand")


def _json(found: Collected, strange: list[tuple[str, str, str, str, float]] | None) -> dict[str, Any]:
    out: dict[str, Any] = {
        "version": 1,
        "fetched": [{"asset": job.asset, "job": job.remote_id, "flaw": came.flaw} for job, came in found.came],
        "goes_on": [{"asset": job.asset, "job": job.remote_id} for job in found.goes_on],
        "waiting": [{"asset": job.asset, "job": job.remote_id, "text": problem.text} for job, problem in found.told],
    }
    if strange is not None:
        out["unknown"] = [
            {"provider": p, "job": job, "status": status, "model": model, "at": when} for p, job, status, model, when in strange
        ]
    return out
