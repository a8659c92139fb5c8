"""The child process of a watch: does one thing (plan, or make) and tells of it in lines of JSON on stdout. What is asked stands in the first line of stdin;
further lines take purchases back or stop it, and the end of stdin means that the watch is gone.

A process of its own, so that the watch stays small, a crash here ends nothing else, and what was begun at a vendor is in the journal like any build's.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

ALONE = 3  # seconds that a child without a watch has for what is being written


class Talk:
    """Both ends of the pipe. `withdrawn` are the marks of purchases that aren't wanted any more."""

    def __init__(self) -> None:
        self.withdrawn: set[str] = set()
        self.stops = 0
        self.on_stop: Any = None
        self._out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
        self._lock = threading.Lock()
        os.dup2(2, 1)  # whatever prints to stdout isn't meant for the watch

    def request(self) -> dict[str, Any]:
        """What is asked."""
        line = sys.stdin.readline()
        if not line:
            raise SystemExit(0)
        threading.Thread(target=self._listen, name="listen", daemon=True).start()
        found: dict[str, Any] = json.loads(line)
        return found

    def _listen(self) -> None:
        for line in sys.stdin:
            said = json.loads(line)
            if "withdraw" in said:
                self.withdrawn.update(said["withdraw"])
            else:
                self.stop()
        self.stop()  # the watch is gone: nothing new is sent, what is at a vendor goes on and is fetched later

    def stop(self) -> None:
        """^C, said by the watch."""
        self.stops += 1
        if self.on_stop is not None:
            self.on_stop()

    def say(self, kind: str, what: Any) -> None:  # noqa: ANN401 - anything that is JSON
        """One line for the watch. A watch that is gone is no reason to drop what is being kept."""
        try:
            with self._lock:
                self._out.write(json.dumps([kind, what], ensure_ascii=False, separators=(",", ":")) + "\n")
                self._out.flush()
        except (BrokenPipeError, OSError):
            return


def main() -> int:
    """Answers one request."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's ^C reaches us too; the watch says what is to be done
    talk = Talk()
    asked = talk.request()
    from ..errors import AssetbuildError

    try:
        {"look": _look, "make": _make}[asked["do"]](talk, asked)
    except AssetbuildError as problem:
        talk.say("broken", problem.render())
    except OSError as problem:
        talk.say("broken", f"{problem.filename or 'a file'}: {problem.strerror or problem}")
    except MemoryError:
        talk.say("broken", "there isn't enough memory")
    except Exception:
        talk.say("bug", traceback.format_exc())
        return 70
    return 0


def _project(asked: dict[str, Any]) -> Any:  # noqa: ANN401 - a Project
    from ..project import Env, Project

    root, spec = Path(asked["root"]), asked["spec"]
    env = Env(root, os.environ, sys.stderr, sys.stderr)
    return Project(env, root / spec, asked["profile"])


def _look(talk: Talk, asked: dict[str, Any]) -> None:
    from .outlook import to_json
    from .surveying import survey

    project = _project(asked)
    try:
        found, planner = survey(project, runs=asked["runs"], shown=asked["shown"])
        talk.say("outlook", to_json(found) | {"outline": _outline(project, planner)})
    finally:
        project.close()


def _outline(project: Any, planner: Any) -> str | None:  # noqa: ANN401 - Project, Planner
    """What lets the watch plan an edit by itself, see `near`; None when the spec isn't written so, or has changed meanwhile."""
    from .. import outline
    from ..outlining import drawn

    parts = drawn(project, planner, [planner.plans[name] for name in project.graph.order])
    if parts is None or project.spec_stamp() != project.spec_read:
        return None
    return outline.put_together(*parts).decode("latin-1")


def _make(talk: Talk, asked: dict[str, Any]) -> None:
    from ..errors import AssetbuildError, SpecError

    project = _project(asked)
    try:
        _made(talk, asked, project)
    except SpecError:  # it was changed just now: the look that follows says it, and nothing failed
        talk.say("end", {"interrupted": True, **_spent(project, asked["run"])})
    except AssetbuildError as problem:
        talk.say("end", {"setup": problem.render(), **_spent(project, asked["run"])})
    finally:
        project.close()


def _spent(project: Any, run: str) -> dict[str, int]:  # noqa: ANN401 - a Project
    """What the journal knows of a run that came to an early end: with a spec that can't be read, nothing was sent."""
    from ..errors import AssetbuildError
    from ..store.spending import tally

    try:
        store = project.look_store()
    except AssetbuildError:
        return {"spent": 0, "reserved": 0}
    if store is None:
        return {"spent": 0, "reserved": 0}
    with store.reading() as db:
        found = tally(db, run)
    return {"spent": found.spent, "reserved": found.reserved}


def _made(talk: Talk, asked: dict[str, Any], project: Any) -> None:  # noqa: ANN401 - a Project
    from ..build import Build, Options
    from ..earlier import Fetched, bring_in, fetch_paid
    from ..facts import Planner
    from ..plan import Verb
    from ..store.spending import caps

    kind, order = asked["kind"], asked.get("order")
    planner = Planner(project)
    graph = project.graph
    ids = list(graph.order)
    if asked["ids"] is not None:
        chosen = graph.with_bases(set(asked["ids"]) & set(project.assets))
        ids = [name for name in ids if name in chosen]
    planner.check_disk(ids)
    collected = Fetched()
    if kind in ("fetch", "buy"):
        bring_in(project, lambda text: talk.say("said", text))
        collected = fetch_paid(project, planner, lambda text: talk.say("said", text))
    planner.consent = _consent(talk, order)
    plans = planner.plan(ids)
    if kind in ("free", "draft"):  # what is at a vendor is another child's business, with all that hangs on it
        going = graph.with_users([p.asset.id for p in plans if any(s.decision.verb is Verb.RESUME for s in p.steps)])
        plans = [plan for plan in plans if plan.asset.id not in going]
    elif kind == "buy" and order is not None:
        plans = [
            p
            for p in plans
            if not any(
                s.decision.verb is Verb.RESUME and (s.action is None or s.action.key not in order["keys"]) for s in p.steps
            )
        ]
    limits = caps(project.spec.budget, max_cost=None, consent=0)
    if order is not None:
        limits = caps(project.spec.budget, max_cost=order["max_cost"], consent=order["most"])
    run = Build(
        project,
        planner,
        [p.asset.id for p in plans],
        Options(caps=limits, run=asked["run"]),
        lambda event: _tell(talk, kind, event),
    )
    talk.on_stop = run.interrupt
    if talk.stops:
        run.interrupt()
    done = run.run(plans)
    _after(project, planner, asked, talk, [planner.plans[p.asset.id] for p in plans], done)
    money = done.money
    talk.say(
        "end",
        {
            "words": done.words,
            "failed": done.failed,
            "held": done.held if order is not None else {},
            "exported": sorted(done.exported),
            "spent": money.spent,
            "reserved": money.reserved,
            "rehearsal": money.rehearsal,
            "setup": done.setup or collected.setup,
            "interrupted": done.summary.interrupted,
            "drafts": _pictures(project, planner, ids) if kind == "draft" else {},
        },
    )
    if run.cut_off:  # threads may be at work yet
        os._exit(0)


def _consent(talk: Talk, order: dict[str, Any] | None) -> Any:  # noqa: ANN401 - a function for the planner
    from ..plan import Consent
    from ..spec.model import Asset
    from .surveying import sign

    if order is None:
        return lambda *_: Consent(False, "it costs money: it waits for a key")
    keys, steps = set(order["keys"]), {(name, number, said) for name, number, said in order["steps"]}

    def allowed(asset: Asset, number: int, key: str | None) -> Consent:
        step = (asset.id, number, sign(asset.steps[number]))
        if key in talk.withdrawn or f"{asset.id}:{number}" in talk.withdrawn:
            return Consent(False, "it was changed or taken back before it was sent")
        if key in keys or step in steps:
            return Consent()
        return Consent(False, "it isn't what was shown when the key was pressed")

    return allowed


def _tell(talk: Talk, kind: str, event: Any) -> None:  # noqa: ANN401 - an Event
    from ..events import Held, Skipped

    if isinstance(event, Held | Skipped) and kind != "buy":
        return  # that is on the list of what waits
    talk.say("event", [type(event).__name__, event])


def _after(project: Any, planner: Any, asked: dict[str, Any], talk: Talk, plans: Any, done: Any) -> None:  # noqa: ANN401
    """The file for code, and what makes the next plan quick, as after any build."""
    if talk.stops or asked["kind"] == "draft":
        return
    if project.spec.manifest is not None:
        from ..inventory import inventory, write

        found = inventory(project, planner)
        if found is not None and not found.right:
            write(project, found)
            talk.say("said", f"wrote     {found.path}")
    if asked["ids"] is None and len(plans) == len(project.assets):
        from ..remembering import remember
        from ..report.words import summary

        remember(project, planner, plans, summary(done.summary, "").rsplit(" in ", 1)[0])


def _pictures(project: Any, planner: Any, ids: Any) -> dict[str, Any]:  # noqa: ANN401
    """The drafts that lie there now."""
    found = {}
    for name in ids:
        line = planner.lock.lines.get(name)
        if line is not None and line.outputs and planner.plans[name].steps[-1].decision.row == "4":
            found[name] = {"path": line.outputs[0].path, "digest": line.outputs[0].digest}
    return found


if __name__ == "__main__":
    raise SystemExit(main())
