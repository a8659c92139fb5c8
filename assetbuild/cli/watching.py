"""`watch`: what a designer leaves open all day."""

from __future__ import annotations

import sys
import time

import click

from ..errors import UsageError
from . import open_project, say, spec_options
from .making import Dollars


@click.command("watch", short_help="Follow the spec: make what is free at once, buy by a key.")
@spec_options
@click.option("--auto", is_flag=True, help="Buy by itself what becomes stale, until --max-cost is spent.")
@click.option(
    "--max-cost", type=Dollars(), metavar="USD", help="Buy for no more than this while it is open, by key or by itself."
)
@click.option(
    "--at-most",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    metavar="N",
    help="A change that makes more than N assets stale waits for a key, with --auto too.",
)
@click.option(
    "--quiet",
    type=click.FloatRange(0.01, 60),
    default=0.25,
    show_default=True,
    metavar="SECONDS",
    help="How long nothing must change before it plans.",
)
@click.option("--poll/--no-poll", default=None, help="Look at all files every second. Chosen by the kind of disk otherwise.")
@click.option("--serve", is_flag=True, help="Serve a live page on this machine; its address is printed.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="Serve the page at this port (with --serve).")
@click.option("--no-drafts", is_flag=True, help="Don't draw what waits for a key in the profile `draft`.")
def watch_command(
    spec: str | None,
    profile: str | None,
    auto: bool,
    max_cost: int | None,
    at_most: int,
    quiet: float,
    poll: bool | None,
    no_drafts: bool,
    serve: bool,
    port: int,
) -> None:
    """Follow the spec and everything it is made of. What is free is made at once; what costs money waits for a key.

    A spec with a profile `draft` shows a free draft of what waits. A branch switch never spends, nor does a change that makes many assets stale.
    """
    if auto and max_cost is None:
        raise UsageError("--auto buys by itself, so it needs a limit", hint="`assetbuild watch --auto --max-cost 2.00`")
    from ..report.ink import Ink
    from ..watch.running import Place, Watch, press
    from ..watch.screen import Plain, Terminal
    from ..watch.state import Settings, Stopped

    project = open_project(spec, profile)
    env = project.env
    keys = env.stdout.isatty() and sys.stdin.isatty() and env.environ.get("TERM") != "dumb"
    settings = Settings(quiet, auto, max_cost, at_most, not no_drafts, keys)
    place = Place(project.root, project.spec_name, project.profile, env.environ)
    watch = Watch(place, settings, poll=poll)
    ink = Ink.of(env.environ, tty=env.stdout.isatty())

    def gone() -> None:
        watch.put(Stopped(time.monotonic()))

    served = None
    if serve:
        from ..review.server import Served  # 100 ms
        from ..watch.sights import Sights

        served = Served(Sights(watch), project.root / ".assetbuild" / "cache", port=port)
    try:
        if served is not None:
            click.echo(f"the page: {served.url}", err=True)  # in one piece, however narrow the terminal is
        if not keys:
            say(f"watching {project.spec_name}: no terminal, so there are no keys{'' if auto else ', and nothing is bought'}")
            raise click.exceptions.Exit(watch.run(Plain(env.stdout, ink, gone)))
        screen = Terminal(env.stdout, ink, lambda key: press(watch, key), gone)
        screen.open()
        raise click.exceptions.Exit(watch.run(screen))
    finally:
        if served is not None:
            served.close()
