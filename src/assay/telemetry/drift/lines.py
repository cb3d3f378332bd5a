"""A look for people at a terminal."""

from collections.abc import Iterator

from assay.telemetry.drift.advice import what_to_do
from assay.telemetry.drift.look import Look
from assay.telemetry.drift.wording import (
    domain_lines,
    how_far,
    no_texts,
    quiet_lines,
    shown_by,
    since_when,
    title,
    verdict,
    what_changed,
    what_was_read,
)


def lines_of(look: Look) -> Iterator[str]:
    """Yield a look for people at a terminal, the verdict first."""
    yield verdict(look)
    yield from what_was_read(look)
    shown_before: dict[tuple[str, ...], str] = {}
    for finding in look.alarms:
        yield ""
        yield f"ALARM {title(finding)}: {what_changed(finding, look)}"
        yield f"  how far  {how_far(finding)}"
        if finding.since:
            yield f"  since    {since_when(finding.since, look)}"
        examples = look.examples.get(finding.name, ())
        ids = tuple(each.id for each in examples)
        if ids in shown_before:
            yield f"  see      the same decisions as under {shown_before[ids]}"
        else:
            yield from (f"  see      {shown_by(each)}" for each in examples)
            shown_before[ids] = title(finding)
        yield f"  do       {what_to_do(finding, look)}"
    yield ""
    if look.alarms and (absent := no_texts(look)):
        yield absent
    yield from quiet_lines(look)
    yield from domain_lines(look)
