"""What to do about a statistic that is in alarm."""

from assay.telemetry.drift.findings import Finding
from assay.telemetry.drift.look import Look
from assay.telemetry.drift.wording import with_swap

LABEL_SOME = "look at some (assay why ID) and label some (POST /feedback)"
ADVICE = {
    "label": (
        "{some}. Where the labels given are right, the traffic changed: weigh the threshold anew with assay "
        "thresholds {task} --compare LOW HIGH. Where they are wrong: assay retrain {task}"
    ),
    "decided_by": (
        "see what it hits (assay log query {task}{rule}) and whether it is right on labelled rows (assay "
        "rules check {task}). A campaign may ask for a new rule."
    ),
    "above": (
        "{some}, then assay thresholds {task} --compare LOW HIGH: the threshold was chosen for another share "
        "of such texts."
    ),
    "near": "{some}, and assay retrain {task}: the model is less sure at its threshold than it was.",
    "score": "{some}, and assay retrain {task}: scores that moved may not be calibrated any more.",
    "confidence": "{some}, and assay retrain {task}: the model is not as sure as it was.",
    "characters": (
        "ask who sends texts of another length (assay log query {task} --key NAME): a new client, or a new "
        "kind of text, on which the model was not measured. Then {some}, and assay retrain {task}"
    ),
    "unknown": (
        "{some}, and assay retrain {task}: the model does not know these words. Where they are spelled so as "
        "to pass, a rule helps sooner: assay rules test TEXT"
    ),
}
FEWER_DOUBTS = "no harm by itself, since fewer texts are a close call; {some} to be sure."


def what_to_do(finding: Finding, look: Look) -> str:
    """Return what to do about a statistic that is in alarm."""
    told, rule = finding.told, ""
    advice = ADVICE[finding.name]
    if finding.name == "decided_by" and told and told.first:
        rule = f" --rule {finding.labels[told.first]}"
    if finding.name == "near" and told and told.now < told.then:
        advice = FEWER_DOUBTS
    lines = advice.format(some=LABEL_SOME, task=look.task, rule=rule)
    if with_swap(finding.since, look):
        return f"if the texts are as ever, it is the version: assay rollback {look.task}. Else {lines}"
    if finding.since and finding.since.kind == "ended":
        return f"it is over; find out what it was: {lines}"
    return lines
