"""What moved the score of a logged decision, worked out again by the version that made it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from assay.estimators import Decision, fault_of, load_artifact
from assay.exceptions import AssayError, VersionNotFound
from assay.lifecycle import printable
from assay.registry import open_version
from assay.settings import Settings
from assay.telemetry import Record, hash_of, read_key

if TYPE_CHECKING:
    from assay.estimators import Cascade, Explanation

SAME = 1e-6
"""How far a score may be from the one that was logged."""
MOST_SHOWN = 10
"""How many n-grams are shown to people."""


def tell_text(record: Record, settings: Settings) -> tuple[dict[str, Any], list[str]]:
    """Return the rule that decided and the words that moved the score, for programs and for people."""
    try:
        cascade = _cascade(record, settings)
    except AssayError as error:
        said = f"What moved it cannot be worked out: the version cannot be opened. {error.message}"
        return {"text": record.text, "unavailable": error.message}, [said]
    data, lines = _rule(record, cascade)
    more, told = _explained(record, cascade, settings)
    return {**data, "text": record.text, **more}, lines + told


def _cascade(record: Record, settings: Settings) -> "Cascade":
    if record.version:
        _, folder = open_version(settings.store, record.model, record.version, settings.cache)
        return load_artifact(folder).at_version(record.version)
    for part in filter(None, map(str.strip, settings.models.split(","))):
        cascade = load_artifact(Path(part))
        if cascade.task.name == record.task:
            return cascade
    raise VersionNotFound(
        f"It came from an artifact folder, and ASSAY_MODELS names none of the task {record.task!r} here."
    )


def _rule(record: Record, cascade: "Cascade") -> tuple[dict[str, Any], list[str]]:
    if record.rule is None:
        return {}, []
    rule = next((each for each in cascade.rules.all if each.id == record.rule), None)
    if rule is None:
        said = f"The version has no rule {record.rule!r}: the log and the registry are not of one service."
        return {"rule": {"id": record.rule, "unavailable": said}}, [said]
    note = f": {printable(rule.note)}" if rule.note else ""
    data = {"id": rule.id, "pattern": rule.pattern, "view": rule.view, "label": rule.label, "note": rule.note}
    return {"rule": data}, [
        f"Rule {rule.id}{note}",
        f"  finds {printable(rule.pattern)} in the {rule.view} text and decides {printable(rule.label)}",
    ]


def _explained(record: Record, cascade: "Cascade", settings: Settings) -> tuple[dict[str, Any], list[str]]:
    if record.text is None:
        said = _no_text(settings)
        return {"unavailable": said}, [f"Words: {said}"]
    if fault := fault_of(record.text):
        said = f"the logged text {fault}, so that it cannot be decided again"
        return {"unavailable": said}, [f"Words: {said}."]
    [now] = cascade.decide([record.text], explain=True)
    redacted = _is_redacted(record, settings)
    differs = _difference(record, now)
    data = {
        "redacted": redacted,
        "differs": bool(differs),
        "now": {"label": now.label, "score": now.score},
        "explanation": now.explanation.to_dict() if now.explanation else None,
    }
    return data, [*_about(record, redacted, differs), *_words(now.explanation)]


def _no_text(settings: Settings) -> str:
    if settings.decision_text == "hash":
        return (
            "the log has no texts, because ASSAY_DECISION_TEXT is 'hash'. The words that move a score are "
            "told with redacted or full, of decisions from then on."
        )
    return (
        "the log does not have this text: ASSAY_DECISION_TEXT was 'hash' then, or the request asked that its "
        "texts are not kept."
    )


def _is_redacted(record: Record, settings: Settings) -> bool | None:
    """Return whether something of the text was replaced; None where the hash's key is not there to tell."""
    try:
        key = read_key(settings.decisions, settings.decision_key)
    except AssayError:
        return None
    return hash_of(key, record.text or "") != record.text_hash if record.text_hash else None


def _difference(record: Record, now: Decision) -> str:
    """Return how the decision comes out now, empty where as logged."""
    apart = (now.score is None) != (record.score is None)
    if now.score is not None and record.score is not None:
        apart = abs(now.score - record.score) > SAME
    if not apart and (now.label, now.rule) == (record.label, record.rule):
        return ""
    score = "no score" if now.score is None else f"score {now.score:.4f}"
    by = f", by the rule {now.rule}" if now.rule else ""
    return f"{now.label} with {score}{by}"


def _about(record: Record, redacted: bool | None, differs: str) -> list[str]:
    kind = {True: "redacted text", False: "text", None: "text, perhaps redacted,"}[redacted]
    lines = [f"Words of the logged {kind}: {printable(record.text or '')}"]
    if differs and redacted is not False:
        lines.append(f"  It comes out as {differs} now: what was replaced had a part in the decision.")
    elif differs:
        lines.append(
            f"  It comes out as {differs} now, from the same text: what decided then was another artifact "
            "than the one that is there now."
        )
    elif redacted:
        lines.append("  Redacted as it is, it comes out the same; what was replaced is not among the words.")
    return lines


def _words(explanation: "Explanation | None") -> list[str]:
    if explanation is None:
        return []
    lines = []
    for rule in explanation.rules:
        weight = "" if rule.weight is None else f", {rule.weight:+.4f}"
        lines.append(f"  rule {rule.id} ({rule.action} {printable(rule.label)}{weight})")
    if explanation.logit is None:
        return lines
    lines += [
        f"  {each.weight:+9.4f}  {printable(each.text)!r} ({each.kind})"
        for each in explanation.ngrams[:MOST_SHOWN]
    ]
    rest = sum(each.weight for each in explanation.ngrams[MOST_SHOWN:]) + explanation.other
    lines.append(f"  {rest:+9.4f}  all other words")
    lines.append(f"  {explanation.bias:+9.4f}  before any word")
    lines.append(f"  {explanation.logit:+9.4f}  together, the logit of {printable(explanation.label)}")
    return lines
