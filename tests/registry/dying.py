"""A process that is killed at every step of a promotion or a rollback, one after the other.

``python -m tests.registry.dying CONFIG`` forks for each step: the child kills itself there with SIGKILL, the
parent looks at what it left and goes on as the next command would. It writes a line of JSON for each step.
"""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import psycopg

from assay.database import Database
from assay.exceptions import AssayError
from assay.registry import Registry, tenures

States = dict[str, tuple[str, tuple[str, ...]]]
FIRST, SECOND = "2", "3"
"""The two versions that take turns in production; both have served, and each was gated against the other."""

READING = ("SELECT", "PRAGMA", "GET")


class Steps:
    """Counts what is done to the outside world, and dies at one step of it; none when it is 0."""

    def __init__(self, fatal: int, tell: int) -> None:
        self.fatal, self.tell, self.done = fatal, tell, 0

    def step(self, what: str, act: Callable[[], Any]) -> Any:
        """Do one thing, or die before or after it; after mere reading is before what comes next."""
        self._reach(f"before {what}")
        result = act()
        if not what.lstrip().startswith(READING):
            self._reach(f"after {what}")
        return result

    def _reach(self, what: str) -> None:
        self.done += 1
        if self.done == self.fatal:
            os.write(self.tell, " ".join(what.split())[:70].encode())
            os.kill(os.getpid(), signal.SIGKILL)


def watch(steps: Steps, *, statements: bool) -> None:
    """Send every request, and every statement where wanted, through the steps."""
    send = httpx.Client.send

    def sent(client: httpx.Client, request: httpx.Request, **options: Any) -> httpx.Response:
        what = f"{request.method} {request.url.path}"
        return steps.step(what, lambda: send(client, request, **options))  # type: ignore[no-any-return]

    httpx.Client.send = sent  # type: ignore[method-assign, assignment]
    if not statements:
        return

    class Watched(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:  # type: ignore[override]
            act = super().execute
            return steps.step(sql, lambda: act(sql, *values))  # type: ignore[no-any-return]

        def commit(self) -> None:
            steps.step("commit()", super().commit)

    connect, execute = sqlite3.connect, psycopg.Connection.execute
    sqlite3.connect = lambda *given, **options: connect(*given, factory=Watched, **options)  # type: ignore[assignment]
    psycopg.Connection.execute = lambda self, sql, *values, **options: steps.step(  # type: ignore[method-assign, assignment]
        str(sql), lambda: execute(self, sql, *values, **options)
    )


class Trial:
    """A model whose production changes hands between two versions."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.model, self.way, self.statements = values["model"], values["way"], values["statements"]
        self.registry = Registry(values["uri"], Path(values["home"]), Database(values["people"]))

    def states(self) -> States:
        return {each.number: (each.stage, each.aliases) for each in self.registry.versions(self.model)}

    def begin(self) -> str:
        """Return the version that is to come; on its way to a promotion it is in staging."""
        [holder] = [number for number, (_, aliases) in self.states().items() if "production" in aliases]
        target = SECOND if holder == FIRST else FIRST
        if self.way == "promote":
            self.registry.promote(self.model, target, to="staging", who="ann")
        return target

    def act(self, target: str) -> None:
        if self.way == "promote":
            self.registry.promote(self.model, target, who="ann")
        else:
            self.registry.rollback(self.model, target, who="ann")

    def die(self, target: str, fatal: int) -> str:
        """Return where a child died; empty when it came to its end."""
        end, tell = os.pipe()
        child = os.fork()
        if not child:
            watch(Steps(fatal, tell), statements=self.statements)
            try:
                self.act(target)
            except BaseException as error:  # noqa: BLE001 - the edge of the child
                sys.stderr.write(f"{error!r}\n")
                os._exit(1)
            os._exit(0)
        os.close(tell)
        with os.fdopen(end, "rb") as told:
            where = told.read().decode(errors="replace")
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        assert code == (-signal.SIGKILL if where else 0), (code, where)
        return where


def moved(before: States, target: str) -> States:
    """Return the states after a version came to production."""
    after: States = {}
    for number, (stage, aliases) in before.items():
        if number == target:
            after[number] = ("Production", ("production",))
        elif "production" in aliases:
            after[number] = ("Archived", ("previous",))
        else:
            after[number] = ("None" if stage == "None" else "Archived", ())
    return after


def look(trial: Trial, before: States, target: str) -> dict[str, Any]:
    """Check what a death left: wholly the old or the new, by its alias at once, after settling in all."""
    seen = trial.states()
    holders = [number for number, (_, aliases) in seen.items() if "production" in aliases]
    [was] = [number for number, (_, aliases) in before.items() if "production" in aliases]
    assert holders in ([was], [target]), seen
    check_log(trial)
    said = trial.registry.settle(trial.model, who="bob")
    came = holders == [target]
    assert trial.states() == (moved(before, target) if came else before), (seen, said)
    assert all("cut off" in line for line in said), said
    assert trial.registry.settle(trial.model, who="bob") == []
    check_log(trial)
    history = trial.registry.history(trial.model)
    assert sum(each.action == "promoting" for each in history) == sum(
        each.action in ("promoted", "abandoned")
        and each.evidence.get("intent") is not None
        and each.after is not None
        for each in history
    )
    last = tenures(history)[-1]
    assert (last.version, last.until) == (holders[0], None)
    return {"came": came, "settled": bool(said)}


def check_log(trial: Trial) -> None:
    """Check that the chain is whole, and holds the anchors of this model."""
    assert not [
        fault for fault in trial.registry.verify().faults if trial.model in fault or "names an" not in fault
    ]


def main() -> None:
    """Kill, look, go on as the next command, until an operation ends unharmed."""
    trial = Trial(json.loads(sys.argv[1]))
    for fatal in count(1):
        target = trial.begin()
        before = trial.states()
        where = trial.die(target, fatal)
        found = look(trial, before, target)
        sys.stdout.write(json.dumps({"where": where, **found}) + "\n")
        sys.stdout.flush()
        if not where:
            return
        if not found["came"]:
            # The lock died with its holder: the same command works at once.
            trial.act(target)
            assert trial.states() == moved(before, target)


if __name__ == "__main__":
    try:
        main()
    except AssayError as error:
        sys.exit(f"{type(error).__name__}: {error}")
