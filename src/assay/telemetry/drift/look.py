"""A look at what one version decided in a span of time: all that ``drift.json`` holds."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from assay.estimators import Profile
from assay.exceptions import MissingExtra
from assay.frozen import Frozen
from assay.telemetry.drift.comparing import findings_of
from assay.telemetry.drift.domain import FEWEST, Domain, tell_apart
from assay.telemetry.drift.examples import Example, examples_of
from assay.telemetry.drift.findings import Finding
from assay.telemetry.drift.gathering import Gathered, Kept

NO_TEXTS = (
    "the log has no texts of these decisions: ASSAY_DECISION_TEXT is 'hash', or was when they were made. Set "
    "to 'redacted' or 'full', the log keeps texts from then on."
)


class Swap(Frozen):
    """A version that took over production, and the one that it took over from."""

    at: datetime
    after: str
    before: str | None


class Look(Frozen):
    """What one version decided in a span, against its profile."""

    format: Literal[1] = 1
    task: str
    model: str
    version: str
    """Empty for an artifact folder."""
    since: datetime
    until: datetime
    first: datetime
    last: datetime
    """Of the version's decisions in the span."""
    logged: int
    decided: int
    """What was decided, by the share that was logged then."""
    others: dict[str, int]
    """What other versions decided, logged decisions by version."""
    rows: int
    """Held-out rows that the profile is of."""
    source: Literal["profile", "rows", "report"]
    """Whether it was in the artifact, was made now from the task's rows, or is what the report says."""
    findings: tuple[Finding, ...]
    examples: dict[str, tuple[Example, ...]]
    """By statistic, for each alarm."""
    ruled: bool
    """Whether rules decided too."""
    texts: int
    """Logged decisions that have a text."""
    domain: Domain | None = None
    domain_absent: str = ""
    """Why there is no ``domain``."""
    swaps: tuple[Swap, ...] = ()
    """Those of the span."""
    band: tuple[float, float] | None = None
    """The scores that are near the operating point."""
    notes: tuple[str, ...] = ()
    """What a reader has to know: sentences."""

    @property
    def compared(self) -> tuple[Finding, ...]:
        """The statistics that could be compared."""
        return tuple(each for each in self.findings if each.told)

    @property
    def alarms(self) -> tuple[Finding, ...]:
        """The statistics that are in alarm, the largest change first."""
        return tuple(sorted((each for each in self.findings if each.alarm), key=lambda each: -each.psi))


def look_at(
    gathered: Gathered,
    profile: Profile,
    *,
    positive: str,
    held_out: Sequence[str],
    unread: str,
    notes: Sequence[str],
    **facts: Any,
) -> Look:
    """Return what gathered decisions are like against a profile.

    Parameters
    ----------
    gathered : the decisions of one version
    profile : what they are compared with
    positive : the task's positive label
    held_out : texts to compare the live ones with, word by word; none where they cannot be read
    unread : why they cannot be
    notes : sentences for those of the look
    facts : the fields of a look that say what was looked at

    Raises MissingExtra without scipy.
    """
    findings = findings_of(gathered, positive=positive)
    kept = gathered.sample()
    domain, absent = domain_of(kept, held_out, unread, began(findings))
    return Look(
        task=profile.task,
        first=_moment(gathered.edges[0]),
        last=_moment(gathered.edges[-1]),
        logged=gathered.records,
        decided=round(gathered.total),
        rows=profile.rows,
        findings=findings,
        examples=examples_of(findings, gathered.kept()),
        ruled=any(each.record.rule is not None for each in kept),
        texts=sum(each.record.text is not None for each in kept),
        domain=domain,
        domain_absent=absent,
        band=next((each.band for each in profile.statistics if each.band), None),
        notes=(*notes, *stray_notes(gathered)),
        **facts,
    )


def began(findings: Sequence[Finding]) -> datetime | None:
    """Return when the largest change began, None where none did within the span."""
    since = max((each for each in findings if each.alarm), key=lambda each: each.psi, default=None)
    if since is None or since.since is None or since.since.kind not in ("began", "grew"):
        return None
    return since.since.at


def domain_of(
    kept: Sequence[Kept], held_out: Sequence[str], unread: str, since: datetime | None
) -> tuple[Domain | None, str]:
    """Return how live texts differ from held-out ones, or why that is not known.

    The live ones are those since a change, where they are enough.
    """
    live = [(each.record.at, each.record.text) for each in kept if each.record.text is not None]
    if not live:
        return None, NO_TEXTS
    if not held_out:
        return None, unread
    changed = [text for at, text in live if since and at >= since.timestamp()]
    if len(set(changed)) < FEWEST:
        changed, since = [text for _, text in live], None
    try:
        return tell_apart(changed, held_out).model_copy(update={"since": since}), ""
    except (ValueError, MissingExtra) as error:
        return None, f"{error}."


def stray_notes(gathered: Gathered) -> Iterator[str]:
    """Yield a note about labels that the version does not have."""
    if gathered.strays:
        told = ", ".join(repr(label) for label in sorted(gathered.strays)[:5])
        yield (
            f"{sum(gathered.strays.values()):,} decisions have labels that the profile does not know "
            f"({told}): they count under no label."
        )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
