"""A gate's decision as a version's tags, and whether by them a version may take a seat: pure."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from assay.exceptions import PromotionRefused
from assay.registry.versions import PRODUCTION, Model, Version

if TYPE_CHECKING:
    from assay.gate import GateDecision

ROWS = "assay.rows"
"""Tag of the registered model: the fingerprint of the rows that the task's latest gating was made on."""
OUTCOME = "assay.gate"
LONGEST_REASONS = 5000
"""Characters; the whole decision is in ``gate.json``."""


def gate_tags(gate: "GateDecision | None", at: datetime) -> dict[str, str]:
    """Return a gate decision as tags; the outcome comes last."""
    if gate is None:
        return {OUTCOME: "none"}
    return {
        "assay.gate.rows": gate.rows_fingerprint,
        "assay.gate.champion": gate.champion_version or "",
        "assay.gate.policy": policy_fingerprint(gate.terms()),
        "assay.gate.at": at.isoformat(timespec="seconds"),
        "assay.gate.reasons": "\n".join(gate.reasons())[:LONGEST_REASONS],
        OUTCOME: "passed" if gate.passed else "blocked",
    }


def policy_fingerprint(policy: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what a gate asks, plain JSON values as ``terms_of`` gives them."""
    text = json.dumps(dict(policy), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def evidence_of(version: Version) -> dict[str, Any]:
    """Return what the audit log keeps of a version: its identity, and what its gate said of it."""
    judged = {key: value for key, value in version.tags.items() if key.startswith(OUTCOME)}
    return {"digest": version.digest, "manifest": version.manifest, "run": version.run_id, **judged}


def refuse_ungated(version: Version, model: Model, policy: Mapping[str, Any] | None) -> None:
    """Raise PromotionRefused unless a version's gate passed on what is current.

    That is the task's current rows, the version in production now and, where one is given, the policy.
    ``data["stale"]`` says that the decision should be made again without being asked for: not about a version
    that was blocked on these rows against this version, whatever the policy is now.
    """
    name = f"Version {version.number} of {version.model!r}"
    how = f"Gate it now: assay gate {version.task} {version.number}; or promote it with --override REASON."
    moved = [*_moved(version, model)]
    changed = "; and ".join([*moved, *_other_policy(version, policy)])
    if version.gate == "passed" and not changed:
        return
    if version.gate == "passed":
        text = f"{name} passed its gate {changed}. {how}"
    elif version.gate == "blocked":
        where = f" {changed}" if changed else ""
        text = f"{name} was blocked by its gate{where}, so it may not be promoted. {how}"
    else:
        text = f"{name} has no gate decision, so it may not be promoted. {how}"
    stale = version.gate != "blocked" or bool(moved)
    raise PromotionRefused(text, version=version, stale=stale)


def _moved(version: Version, model: Model) -> Iterator[str]:
    tags, current = version.tags, model.number(PRODUCTION)
    compared = tags.get("assay.gate.champion", "")
    if current is not None and current not in (compared, version.number):
        against = f"version {compared}" if compared else "no version"
        yield f"against {against}, but version {current} is now in production"
    rows, wanted = tags.get("assay.gate.rows", ""), model.tags.get(ROWS, "")
    if rows != wanted:
        yield f"on the rows {rows[:12]!r}, but the task's current rows are {wanted[:12]!r}"


def _other_policy(version: Version, policy: Mapping[str, Any] | None) -> Iterator[str]:
    tags = version.tags
    if policy is not None and policy_fingerprint(policy) != tags.get("assay.gate.policy", ""):
        yield "under another policy than the task's of today"
