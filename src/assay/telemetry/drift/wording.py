"""A look in words: the verdict, a sentence for each alarm, since when, which texts show it, what to do."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from assay.telemetry.drift.comparing import FEWEST_DECISIONS
from assay.telemetry.drift.domain import Domain, Word
from assay.telemetry.drift.examples import Example
from assay.telemetry.drift.findings import ALPHA, HUGE_PSI, LARGE_PSI, Finding, Share, Since
from assay.telemetry.drift.look import NO_TEXTS, Look, Swap
from assay.telemetry.drift.sentences import percent
from assay.telemetry.drift.watch import FEWEST_ROWS

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
OF_THE_MODEL = ("above", "near", "score", "confidence")
"""Statistics that a text has only where the model decided."""
NOTHING = 1e-9
"""An edge below this parts texts without unknown words from those with some."""
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
    if not look.compared:
        return f"{name_of(look)}: NOT COMPARED, there is nothing to compare its decisions with."
    count = f"{len(look.compared)} statistic{'s' if len(look.compared) > 1 else ''}"
    if look.alarms:
        named = ", ".join(title(each).lower() for each in look.alarms)
        return f"{name_of(look)}: ALARM, {named}: not as on the rows {held(look)}."
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
        yield f"Other versions decided too (version: decisions): {told}. Look at one: --version NUMBER"
    yield from look.notes


def what_changed(finding: Finding, look: Look) -> str:
    """Return in a sentence what changed."""
    told = finding.told
    if told is None:
        return "Nothing can be compared."
    since = finding.since if finding.since and finding.since.kind in ("began", "grew") else None
    of = "texts that the model decided" if finding.name in OF_THE_MODEL and look.ruled else "texts"
    when = f" since {minute(since.at)}" if since and since.at else ""
    return (
        f"{interval(told)} of the {finding.decisions:,} {of}{when} {predicate(finding, look)}; it was "
        f"{percent(told.then)} of the rows {held(look)}."
    )


def interval(told: Share) -> str:
    """Return a share with its interval, with as many digits as the interval is wide.

    >>> interval(Share(first=0, last=0, now=0.3124, low=0.29, high=0.333, then=0.1))
    '31 % (29 to 33)'
    >>> interval(Share(first=0, last=0, now=0.0524, low=0.0481, high=0.057, then=0.1))
    '5.2 % (4.8 to 5.7)'
    """
    digits = 0 if told.high - told.low >= 0.03 else 1 if told.high - told.low >= 0.003 else 2
    now, low, high = (f"{100 * each:.{digits}f}" for each in (told.now, told.low, told.high))
    return f"{now} % ({low} to {high})"


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
        case "unknown" if edge < NOTHING:
            return f"have {'no' if below else 'a'} word that the model does not know"
        case "unknown":
            amount = f"fewer than {percent(edge)}" if below else f"{percent(edge)} or more"
            return f"have {amount} of words that the model does not know"
    return f"have a {finding.name} {'under' if below else 'of at least'} {edge:.3g}"


def how_far(finding: Finding) -> str:
    """Return how large a change is, and how likely by chance."""
    p = f"p = {finding.corrected:.1g}" if finding.corrected >= 1e-12 else "p under 1e-12"
    return (
        f"PSI {finding.psi:.3f} ({LARGE_PSI:g} is large, {HUGE_PSI:g} very large; chance alone makes "
        f"{finding.chance:.3f}), {p} after correction."
    )


def since_when(since: Since, look: Look) -> str:
    """Return since when a statistic is as it is, and whether a swap came with it."""
    if since.at is None or since.low is None or since.high is None:
        if (swap := _began_with(look)) is not None:
            return f"With its first decision: {took_over(swap)}."
        return f"All through, from {minute(look.first)} on: look further back with an earlier --since."
    about = f"{minute(since.at)} (between {minute(since.low)} and {minute(since.high)})"
    told = {
        "began": f"About {about}; before that it was as when it was trained.",
        "grew": f"It was so when the span began, and more so since about {about}.",
        "shrank": f"It was so when the span began, and less so since about {about}.",
        "ended": f"Until about {about}; since then it is as when it was trained.",
    }
    found = [each for each in look.swaps if since.low <= each.at <= since.high]
    if not found:
        return told[since.kind]
    return f"{told[since.kind]} In that range {took_over(found[-1])}."


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
    return f"{NO_TEXTS[0].upper()}{NO_TEXTS[1:]}"


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
    when = f" since {minute(domain.since)}" if domain.since else ""
    repeats = f" ({domain.left_out:,} repeats left out)" if domain.left_out else ""
    sure = "they differ" if domain.differs else "it sees no difference"
    return (
        f"By their words alone, a classifier tells {domain.live:,} live texts{when}{repeats} from "
        f"{domain.held_out:,} held-out ones with ROC-AUC {domain.auc:.2f} ({domain.low:.2f} to "
        f"{domain.high:.2f}; 0.5 is guessing): {sure}. It explains alarms and raises none: one text in ten "
        "of another kind hardly moves it."
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
        size = f"PSI {each.psi:.3f}, less than {each.least:g} beyond chance: no alarm"
        yield f"Changed a little ({size}): {title(each).lower()}. {what_changed(each, look)}"
    for each in look.findings:
        if not each.told:
            had = f"{each.decisions:,} decisions and {sum(each.then):,} rows have it"
            takes = f"{FEWEST_DECISIONS} and {FEWEST_ROWS}"
            yield f"Not compared: {title(each).lower()}; {had}, and it takes {takes}."


def title(finding: Finding) -> str:
    """Return what a statistic is called."""
    return TITLES.get(finding.name, finding.name)


def minute(moment: datetime) -> str:
    """Return a moment to the minute, in UTC."""
    return f"{moment + timedelta(seconds=30):%Y-%m-%d %H:%M} UTC"


def _began_with(look: Look) -> Swap | None:
    """Return the swap of the span with which the version began to decide, None where there is none."""
    own = [each for each in look.swaps if each.after == look.version and each.at <= look.first]
    return own[-1] if own else None


def took_over(swap: Swap) -> str:
    """Return which version took over from which, and when."""
    before = f" from version {swap.before}" if swap.before else ""
    return f"version {swap.after} took over{before} at {minute(swap.at)}"
