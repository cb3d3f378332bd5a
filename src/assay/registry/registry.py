"""The registry as commands see it: log, register, list, promote, roll back, and what it remembers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.audit import AuditLog, Entry, Seat, Verification
from assay.config import Task
from assay.database import Database
from assay.exceptions import RegistryError
from assay.registry import promotion, registration, runs, settling, sql
from assay.registry.books import Books
from assay.registry.client import Client
from assay.registry.registration import Described
from assay.registry.standing import ANCHOR
from assay.registry.store import parse_store
from assay.registry.versions import PRODUCTION, Model, Version, pick, read_model, tagged

if TYPE_CHECKING:
    from assay.gate import GateDecision


class Registry:
    """MLflow's tracking and registry store with the audit log of its seats, opened on first use.

    Parameters
    ----------
    uri : ``sqlite:///path``, ``postgresql://...`` or the address of an MLflow server
    home : folder of local artifacts, of fetched versions and of the file that guards the set-up
    database : the people's database, which holds the audit log and the locks

    Every method raises RegistryUnavailable when the store cannot be reached, RegistryError when it refuses,
    and those that change or read the log DatabaseError.
    """

    def __init__(self, uri: str, home: Path, database: Database) -> None:
        store = parse_store(uri)
        self._client = Client(store, home)
        self._books = Books(store, database, AuditLog(database), home / "cache")

    def __repr__(self) -> str:
        return f"Registry({self._books.store.shown!r})"

    def log_run(
        self,
        task: Task,
        *,
        artifact: Path,
        report: Path,
        metrics: Mapping[str, float],
        params: Mapping[str, Any],
        tags: Mapping[str, str],
        log: Path | None = None,
        history: Mapping[str, Sequence[tuple[int, float]]] | None = None,
        folders: Mapping[str, Path] | None = None,
    ) -> str:
        """Log a run of the task's experiment with its files and return its id.

        ``artifact`` is an artifact folder, ``report`` the folder of ``write_report``, ``log`` the training
        log; ``history`` holds metrics with a value at each of several steps, ``folders`` more files by the
        name of their folder in the run. An interrupted run is marked FAILED or KILLED. Raises ArtifactError.
        """
        return runs.log_run(
            self._client,
            task,
            artifact=artifact,
            report=report,
            metrics=metrics,
            params=params,
            tags=tags,
            log=log,
            history=history or {},
            folders=folders or {},
        )

    def register(
        self, task: Task, run_id: str, *, manifest: Described, gate: "GateDecision | None"
    ) -> Version:
        """Return the new version of the task's model made from a finished run; it serves nothing yet.

        The rows that the gate judged on become the task's current ones.
        """
        return registration.register_version(self._client, task, run_id, manifest=manifest, gate=gate)

    def record_gate(
        self, model: str, reference: str, gate: "GateDecision", *, current: bool = True
    ) -> Version:
        """Keep a newer gate decision with a version and return the version.

        The rows that it was made on become the task's ``current`` ones, unless they are other rows that
        somebody wanted to see it on: such a decision lets no version take a seat. Two decisions about one
        version are written one after the other, so that none passes by half of each. Raises DatabaseError.
        """
        version = self.version(model, reference)
        with self._books.deciding(model, version.number):
            return registration.record_gate(self._client, version, gate, current=current)

    def versions(self, model: str) -> list[Version]:
        """Return the versions of a model, oldest first; none when the model does not exist."""
        return list(self._read(model).versions)

    def version(self, model: str, reference: str) -> Version:
        """Return a version by number, alias or ``"latest"``; raises VersionNotFound listing what exists."""
        return pick(self._books.store, self._read(model), reference)

    def production(self, model: str) -> Version | None:
        """Return the version in production, or None."""
        return self._read(model).holder(PRODUCTION)

    def promote(
        self,
        model: str,
        reference: str,
        *,
        who: str,
        to: Seat = "production",
        override: str | None = None,
        policy: Mapping[str, Any] | None = None,
        expected: str | None = None,
    ) -> Version:
        """Give a version a seat and return it; stages and the alias ``previous`` follow.

        Either seat takes a gate that passed on the task's current rows, against the version in production
        now and, where a ``policy`` is given, under that; ``override`` is a reason that stands in for it.
        ``expected`` is the number in production when this was decided (empty: none); left out, the one that
        is found first. A version that has the seat keeps it, and nothing is written. Raises PromotionRefused
        (``data["stale"]``: gating again could help), VersionNotFound, ArtifactError when the version's
        artifact is not there or not whole, DatabaseError.
        """
        return promotion.promote(
            self._books,
            model,
            reference,
            to=to,
            override=override,
            who=who,
            policy=policy,
            expected=expected,
        )

    def rollback(self, model: str, reference: str | None = None, *, who: str, reason: str = "") -> Version:
        """Bring a version that was in production back and return it; without a reference the one before.

        It was gated then, so it waits for no evaluation. Raises PromotionRefused for one that never was in
        production, VersionNotFound, ArtifactError, DatabaseError.
        """
        return promotion.rollback(self._books, model, reference, who=who, reason=reason)

    def settle(self, model: str, *, who: str) -> list[str]:
        """Finish what was cut off and put right what was edited elsewhere; return a sentence for each.

        Promotions and rollbacks begin with it. Raises PromotionRefused while one is under way, DatabaseError.
        """
        found, (entries, unread) = self._read(model), self._books.audit.readable(model)
        if not unread and settling.is_in_step(found, entries):
            # Who only looks takes no lock: a promotion that begins meanwhile is not refused for it.
            return []
        with self._books.held(model, who):
            return settling.settle(self._books, model, who=who).said

    def history(self, model: str) -> list[Entry]:
        """Return the audit log's entries about a model, oldest first. Raises DatabaseError."""
        return self._books.audit.entries(model)

    def verify(self) -> Verification:
        """Check the audit log against itself and against the hashes kept with the versions."""
        found = {} if self._is_new() else tagged(self._books.store, ANCHOR)
        anchors = {f"{model} version {number}": value for (model, number), value in found.items()}
        return self._books.audit.verify(anchors)

    def _is_new(self) -> bool:
        return sql.is_new(self._books.store)

    def _read(self, model: str) -> Model:
        try:
            return read_model(self._books.store, model)
        except RegistryError:
            if self._is_new():
                # Nothing was trained yet: MLflow makes its tables when the first run is logged.
                return Model(name=model, versions=(), tags={})
            raise
