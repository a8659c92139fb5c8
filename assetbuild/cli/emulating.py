"""`emulator`: Apiframe v2 on this machine, to test pipelines against without money. Knows the emulator and how to say where it is."""

from __future__ import annotations

import json
import signal
import threading
from types import FrameType
from typing import Any

import click

from . import say


class WithFaults(click.Command):
    """Its help ends with the faults it knows."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Faults and the control API."""
        from ..testing.emulator.faults import ALIASES, KNOWN, PLACES

        with formatter.section("Faults"):
            formatter.write_dl([(name + (":ARG" if one.arg is not None else ""), one.text) for name, one in KNOWN.items()])
            formatter.write_dl([(name, f"= {whole}") for name, whole in ALIASES.items()])
        exchanges = ", ".join(name for name, one in KNOWN.items() if one.stage == "exchange")
        with formatter.section("When and where"):
            formatter.write_text(
                "NAME@2: only the second request that it applies to; @2+ from then on; @2-5; @odd; @even; @30% by chance."
            )
            formatter.write_text(f"PLACE/NAME, of {exchanges}: {', '.join(PLACES)}. Without a place: submit.")
            formatter.write_text("In a prompt: [fault:refuse], [fault:cut-after@1], counted for that prompt alone.")
        with formatter.section("Control"):
            formatter.write_text("JSON, no key: GET /emulator, /emulator/bills, /calls, /leaks, /faults, /clock.")
            formatter.write_text(
                'POST /emulator/faults {"fault": "fail@odd"}, /clock {"advance": 3600}, /credits {"credits": 20}, /reset. '
                "DELETE /emulator/faults."
            )


@click.command("emulator", cls=WithFaults, short_help="Run an Apiframe of your own, to test against without money.")
@click.option("--port", type=click.IntRange(0, 65535), default=8787, show_default=True, help="0 takes a free one.")
@click.option("--latency", metavar="SECONDS", default="2", show_default=True, help="How long a job takes: `2`, or `1-4`.")
@click.option("--fault", "faults", metavar="FAULT", multiple=True, help="What goes wrong, see below. Repeatable.")
@click.option("--credits", "credit", type=click.IntRange(0), default=1000, show_default=True, help="What each key may spend.")
@click.option("--seed", type=int, help="The same times, chances and pictures in the same order.")
@click.option("--bills", metavar="FILE", type=click.Path(dir_okay=False), help="Append a line of JSON for each accepted job.")
@click.option(
    "--key", "keys", metavar="KEY", multiple=True, help="An API key; otherwise one is made up. Repeatable: each an account."
)
@click.option(
    "--inactive-key", "inactive", metavar="KEY", multiple=True, help="A key that is known and refused (403). Repeatable."
)
@click.option(
    "--pictures", type=click.Choice(("comps", "tiny", "2mb")), default="comps", show_default=True, help="What its pictures are."
)
@click.option("--deterministic", is_flag=True, help="The same request gives the same bytes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON to stdout (its shape is in schemas/).")
def emulator_command(
    port: int,
    latency: str,
    faults: tuple[str, ...],
    credit: int,
    seed: int | None,
    bills: str | None,
    keys: tuple[str, ...],
    inactive: tuple[str, ...],
    pictures: str,
    deterministic: bool,
    as_json: bool,
) -> None:
    """Run Apiframe v2 on 127.0.0.1, until ^C: as strict as the real one, and nothing is bought.

    It keeps a bill for each accepted job, and gives comps for pictures, never the same twice. Generate, edit, upscale and
    remove-background, uploads, jobs and the account are there; webhooks, Midjourney's actions, video and music aren't.
    """
    from ..testing.emulator import Emulator

    end = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        end.set()

    running = Emulator(
        port=port,
        latency=latency,
        faults=faults,
        credits=credit,
        seed=seed,
        bills=bills,
        key=keys[0] if keys else None,
        keys=keys[1:],
        inactive=inactive,
        pictures=pictures,
        deterministic=deterministic,
        told=_tell,
    )
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, stop)
    with running:
        where = running.env()
        if as_json:
            click.echo(json.dumps({"version": 1, "url": running.url, "cdn": running.cdn, "key": running.key, "env": where}))
        else:
            click.echo(running.url)
            click.echo(" ".join(f"{name}={value}" for name, value in where.items()) + " assetbuild build")
        end.wait()
        count, spent = len(running.bills), running.spent
    say(f"{count:,} {'job' if count == 1 else 'jobs'}, {spent:,} credits; nothing was bought")


def _tell(bill: dict[str, Any]) -> None:
    """A line for an accepted job."""
    images = "" if bill["images"] == 1 else f" × {bill['images']}"
    say(f"{bill['key']}…  {bill['model']}{images}  {bill['credits']} credits  {' '.join(bill['prompt'].split())[:60]}".rstrip())
