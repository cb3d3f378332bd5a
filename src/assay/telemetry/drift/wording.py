"""A look in words: the verdict, a sentence for each alarm, since when, which texts show it, what to do."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from assay.telemetry.drift.domain import Domain, Word
from assay.telemetry.drift.findings import ALPHA, HUGE_PSI, LARGE_PSI, LEAST_PSI, Finding, Since
from assay.telemetry.drift.look import Example, Look, Swap
from assay.telemetry.drift.sentences import percent

TITLES = {
    "label": "Labels",
    "decided_by": "Rules",
    "above": "Operating point",
    "near": "Doubtful texts",
    "score": "Scores",
    "confidence": "Confidence",
    "characters": "Length",
    "unknown": "Unknown words",
}
"""What a statistic is called."""
LABEL_SOME = "look at some (assay why ID), label some (POST /feedback)"
SOURCES = {
    "profile": "held out when it was trained",
    "rows": "that the task holds out now",
    "report": "of its report",
}


def name_of(look: Look) -> str:
    """Return what was looked at."""
    return f"{look.model} version {look.version}" if look.version else f"{look.task}, an artifact folder"


def verdict(look: Look) -> str:
    """Return in one line whether there is an alarm."""
    compared = [each for each in look.findings if each.told]
    if not compared:
        return f"{name_of(look)}: NOT COMPARED, there is nothing to compare its decisions with."
    count = f"{len(compared)} statistic{'s' if len(compared) > 1 else ''}"
    if look.alarms:
        others = "is" if len(look.alarms) == 1 else "are"
        return (
            f"{name_of(look)}: ALARM, {len(look.alarms)} of {count} {others} not as on the rows {held(look)}."
        )
    return f"{name_of(look)}: no alarm, {count} as on the rows {held(look)}."


def held(look: Look) -> str:
    """Return which rows the profile is of."""
    return SOURCES[look.source]


def what_was_read(look: Look) -> Iterator[str]:
    """Yield which decisions were compared with how many rows, and what a reader has to know of both."""
    logged = f", of which {look.logged:,} were logged" if look.decided != look.logged else ""
    yield (
        f"{look.decided:,} decisions{logged}, from {minute(look.first)} to {minute(look.last)}, against "
        f"{look.rows:,} rows."
    )
    if look.others:
        told = ", ".join(f"{version or 'a folder'}: {count:,}" for version, count in look.others.items())
        yield f"Other versions decided in this span too (version: decisions): {told}. See one: --version NUMBER"
    yield from look.notes


def what_changed(finding: Finding, look: Look) -> str:
    """Return in a sentence what changed."""
    told = finding.told
    if told is None:
        return "Nothing can be compared."
    of = "texts that the model decided" if finding.decisions < look.logged else "texts"
    return (
        f"{percent(told.now)} ({percent(told.low)} to {percent(told.high)}) of the {of} "
        f"{predicate(finding, look)}; it was {percent(told.then)} of the rows {held(look)}."
    )


def predicate(finding: Finding, look: Look) -> str:
    """Return what the texts have in common whose share tells most."""
    told = finding.told
    at = told.first if told else 0
    match finding.name:
        case "label":
            return f"are decided as {finding.labels[at]!r}"
        case "decided_by":
            return f"are decided by the rule {finding.labels[at]!r}" if at else "are decided by the model"
        case "above":
            return "score at or above the threshold"
        case "near":
            band = f" ({look.band[0]:.2g} to {look.band[1]:.2g})" if look.band else ""
            return f"score near the threshold{band}"
    if not finding.edges:
        return "have one value"
    below = at == 0
    edge = finding.edges[told.last if told and below else at - 1]
    match finding.name:
        case "characters":
            return (
                f"have fewer than {edge:,.0f} characters" if below else f"have {edge:,.0f} characters or more"
            )
        case "unknown":
            amount = f"fewer than {percent(edge)}" if below else f"{percent(edge)} or more"
            return f"have {amount} of words that the model does not know"
    return f"have a {finding.name} {'under' if below else 'of at least'} {edge:.3g}"


def how_far(finding: Finding) -> str:
    """Return how large a change is, and whether chance explains it."""
    size = (
        "another population"
        if finding.psi >= HUGE_PSI
        else "a large change"
        if finding.psi >= LARGE_PSI
        else "a change that counts"
    )
    p = f"p = {finding.corrected:.1g}" if finding.corrected >= 1e-12 else "p under 1e-12"
    return f"PSI {finding.psi:.3f}, {size}; chance alone makes {finding.chance:.3f} ({p} after correction)."


def since_when(since: Since, look: Look) -> str:
    """Return since when a statistic is as it is, and whether a swap came with it."""
    if since.at is None or since.low is None or since.high is None:
        began = f"All through the span, which began {minute(look.since)}"
        if (swap := _began_with(look)) is not None:
            return f"Since version {swap.after} took over{_from(swap)} at {minute(swap.at)}: with its first decision."
        return f"{began}: look further back with an earlier --since."
    about = f"{minute(since.at)} (surely between {minute(since.low)} and {minute(since.high)})"
    told = {
        "began": f"Since about {about}; before that it was as it should be.",
        "grew": f"It was so when the span began, and more so since about {about}.",
        "shrank": f"It was so when the span began, and less so since about {about}.",
        "ended": f"Until about {about}; since then it is as it should be again.",
    }
    found = [each for each in look.swaps if since.low <= each.at <= since.high]
    if not found:
        return told[since.kind]
    swap = found[-1]
    return (
        f"{told[since.kind]} Version {swap.after} took over{_from(swap)} at {minute(swap.at)}, in that range."
    )


def what_to_do(finding: Finding, look: Look) -> str:
    """Return what to do about a statistic that is in alarm."""
    task, told = look.task, finding.told
    rule = finding.labels[told.first] if finding.name == "decided_by" and told else ""
    advice = {
        "label": f"{LABEL_SOME}. Where the labels given are right, the traffic changed: weigh the threshold with "
        f"assay thresholds {task} --compare LOW HIGH. Where they are wrong: assay retrain {task}",
        "decided_by": f"see what the rule {rule!r} hits (assay log query {task} --rule {rule}) and whether it is "
        f"right on labelled rows: assay rules check {task}. A campaign may ask for a new rule.",
        "above": f"{LABEL_SOME}, then assay thresholds {task} --compare LOW HIGH: the threshold was chosen for "
        "another share of such texts.",
        "near": f"more texts than before are a close call; {LABEL_SOME}, and assay retrain {task}",
        "score": f"{LABEL_SOME}; scores that moved are calibrated no more: assay retrain {task}",
        "confidence": f"{LABEL_SOME}; the model is not as sure as it was: assay retrain {task}",
        "characters": "ask who sends texts of another length (assay log query --key NAME): a new client or a new "
        f"kind of text. The model was not measured on them; {LABEL_SOME}, and assay retrain {task}",
        "unknown": f"words have come that the model does not know; {LABEL_SOME}, then assay retrain {task}. If "
        "they are spelled to pass, a rule helps sooner: assay rules test TEXT",
    }
    if finding.name == "near" and told and told.now < told.then:
        advice["near"] = (
            f"fewer texts than before are a close call: no harm by itself; {LABEL_SOME} to be sure."
        )
    lines = advice[finding.name]
    if with_swap(finding.since, look):
        lines = f"if the texts are as ever, it is the version: assay rollback {task}. Else {lines}"
    elif finding.since and finding.since.kind == "ended":
        lines = f"it is over; find out what it was: {lines}"
    return lines


def with_swap(since: Since | None, look: Look) -> bool:
    """Return whether a change came when a version took over."""
    if since is None:
        return False
    if since.low is None or since.high is None:
        return _began_with(look) is not None
    return any(since.low <= each.at <= since.high for each in look.swaps)


def shown_by(example: Example) -> str:
    """Return one decision that shows a change."""
    score = "" if example.score is None else f" {example.score:.2f}"
    text = "" if example.excerpt is None else f'  "{example.excerpt}"'
    return f"{example.id}  {example.label}{score}{text}"


def no_texts(look: Look) -> str:
    """Return why no text is shown, empty where the log has texts."""
    if look.texts:
        return ""
    return (
        "The log has no texts of these decisions: ASSAY_DECISION_TEXT is 'hash', or was then. With 'redacted' or "
        "'full' it keeps them from then on."
    )


def domain_lines(look: Look) -> Iterator[str]:
    """Yield how live texts differ from the held-out ones, and the words that came and went."""
    domain = look.domain
    if domain is None:
        yield f"Words that came and went: not looked for, because {look.domain_absent}"
        return
    yield auc_sentence(domain)
    if domain.differs:
        yield f"Words that came: {words(domain.came)}"
        yield f"Words that went: {words(domain.went)}"


def auc_sentence(domain: Domain) -> str:
    """Return what the area under the classifier's curve tells, and what it cannot."""
    repeats = f" ({domain.repeated:,} repeats left out)" if domain.repeated else ""
    sure = "they differ" if domain.differs else "it sees no difference"
    return (
        f"By their words, a classifier tells {domain.live:,} live texts{repeats} from {domain.held_out:,} held-out "
        f"ones with ROC-AUC {domain.auc:.2f} ({domain.low:.2f} to {domain.high:.2f}; 0.5 is guessing): {sure}. It "
        "explains an alarm and raises none: one text in ten of another kind hardly moves it."
    )


def words(found: tuple[Word, ...]) -> str:
    """Return words with the shares of texts that have them now and then."""
    told = [f"{each.word} ({percent(each.now)}, was {percent(each.then)})" for each in found]
    return ", ".join(told) or "none that stands out"


def quiet_lines(look: Look) -> Iterator[str]:
    """Yield the statistics that are not in alarm, and those that could not be compared."""
    calm = [each for each in look.findings if each.told and not each.alarm]
    small = [each for each in calm if each.corrected < ALPHA]
    if same := [each for each in calm if each not in small]:
        yield f"As it was: {', '.join(f'{title(each).lower()} (PSI {each.psi:.3f})' for each in same)}."
    for each in small:
        least = f"under {LEAST_PSI:g} beyond chance, which is no alarm"
        yield f"Changed a little: {title(each).lower()} (PSI {each.psi:.3f}, {least}). {what_changed(each, look)}"
    if absent := [each for each in look.findings if not each.told]:
        yield f"Not compared, since no decision or no row has it: {', '.join(title(each).lower() for each in absent)}."


def title(finding: Finding) -> str:
    """Return what a statistic is called."""
    return TITLES.get(finding.name, finding.name)


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


def minute(moment: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{moment + timedelta(seconds=30):%Y-%m-%d %H:%M} UTC"


def _began_with(look: Look) -> Swap | None:
    """Return the swap of the span after which the version made its first decision, None where there is none."""
    own = [each for each in look.swaps if each.after == look.version and each.at <= look.first]
    return own[-1] if own else None


def _from(swap: Swap) -> str:
    return f" from version {swap.before}" if swap.before else ""
