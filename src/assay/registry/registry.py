"""The registry as the training side sees it: log, register, list, promote."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.config import Task
from assay.registry import promotion, runs, versions
from assay.registry.client import Client
from assay.registry.promotion import Seat
from assay.registry.resolve import PRODUCTION
from assay.registry.store import parse_store
from assay.registry.versions import Described, Version

if TYPE_CHECKING:
    from assay.gate import GateDecision


class Registry:
    """MLflow's tracking and registry store, opened on first use.

    Parameters
    ----------
    uri : ``sqlite:///path``, ``postgresql://...`` or the address of an MLflow server
    home : folder of local artifacts and of the lock file

    Every method raises RegistryUnavailable when the store cannot be reached, RegistryError when it refuses.
    """

    def __init__(self, uri: str, home: Path) -> None:
        self._client = Client(parse_store(uri), home)

    def __repr__(self) -> str:
        return f"Registry({self._client.store.shown!r})"

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
    ) -> str:
        """Log a run of the task's experiment with its files and return its id.

        ``artifact`` is an artifact folder, ``report`` the folder of ``write_report``, ``log`` the training
        log. An interrupted run is marked FAILED or KILLED. Raises ArtifactError.
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
        )

    def register(
        self, task: Task, run_id: str, *, manifest: Described, gate: "GateDecision | None"
    ) -> Version:
        """Return the new version of the task's model made from a finished run; it serves nothing yet."""
        return versions.register_version(self._client, task, run_id, manifest=manifest, gate=gate)

    def record_gate(self, model: str, reference: str, gate: "GateDecision") -> Version:
        """Keep a newer gate decision with a version and return the version."""
        return versions.record_gate(self._client, self.version(model, reference), gate)

    def versions(self, model: str) -> list[Version]:
        """Return the versions of a model, oldest first; none when the model does not exist."""
        return versions.list_versions(self._client, model)

    def version(self, model: str, reference: str) -> Version:
        """Return a version by number, alias or ``"latest"``; raises VersionNotFound listing what exists."""
        return versions.find(self._client, model, reference)

    def production(self, model: str) -> Version | None:
        """Return the version in production, or None."""
        return next((each for each in self.versions(model) if PRODUCTION in each.aliases), None)

    def promote(
        self, model: str, reference: str, *, to: Seat = "production", override: str | None = None
    ) -> Version:
        """Give a version the seat and return it; stages and the alias ``previous`` follow.

        Production takes a gate that passed against the version it replaces; ``override`` is a reason that
        stands in for it and is kept with the version. Raises PromotionRefused, VersionNotFound.
        """
        return promotion.promote_version(self._client, model, reference, to=to, override=override)

    def align_stages(self, model: str) -> list[Version]:
        """Bring stages that were edited elsewhere in step with the aliases; return the strays."""
        with self._client.exclusive():
            return promotion.align_stages(self._client, model)
