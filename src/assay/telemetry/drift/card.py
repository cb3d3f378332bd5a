"""A look as Markdown, which its page shows too."""

from collections.abc import Iterator

from assay.telemetry.drift.advice import what_to_do
from assay.telemetry.drift.domain import Word
from assay.telemetry.drift.findings import ALPHA, LEAST_PSI, Finding
from assay.telemetry.drift.look import Look
from assay.telemetry.drift.plots import shown_over_time
from assay.telemetry.drift.sentences import percent
from assay.telemetry.drift.wording import (
    auc_sentence,
    how_far,
    name_of,
    no_texts,
    shown_by,
    since_when,
    title,
    took_over,
    verdict,
    what_changed,
    what_was_read,
)


def card_of(look: Look) -> str:
    """Return a look as Markdown; its plots are expected in the folder ``plots`` beside it."""
    return "\n".join(_lines(look)) + "\n"


def _lines(look: Look) -> Iterator[str]:
    from assay.evaluation import markdown

    yield f"# Drift of {markdown.plain(name_of(look))}"
    yield f"\n**{markdown.plain(verdict(look).partition(': ')[2])}**\n"
    yield from (f"{markdown.plain(line)}\n" for line in what_was_read(look))
    for finding in look.alarms:
        yield from _alarm(finding, look)
    yield "\n## All statistics\n"
    yield from _table(look)
    yield "\n## Over time\n"
    yield from _over_time(look)
    yield "\n## Now and then\n"
    yield " ".join(f"![{title(each)}](plots/{each.name}.png)" for each in look.findings if each.told)
    yield "\n## Words that came and went\n"
    yield from _words(look)
    yield "\n## How this was found\n"
    shares, numbers = LEAST_PSI["categories"], LEAST_PSI["numbers"]
    yield (
        f"An alarm is a statistic whose test, corrected for all statistics (Holm), has p under {ALPHA:g} and "
        f"whose PSI is at least {shares:g} (shares) or {numbers:g} (numbers) beyond what chance makes. "
        "Intervals are of 95 %, times UTC. Ask about one decision with `assay why ID`."
    )


def _alarm(finding: Finding, look: Look) -> Iterator[str]:
    from assay.evaluation import markdown

    yield f"\n## ALARM: {title(finding)}\n"
    yield f"{markdown.plain(what_changed(finding, look))}\n"
    yield f"- How far: {markdown.plain(how_far(finding))}"
    if finding.since:
        yield f"- Since when: {markdown.plain(since_when(finding.since, look))}"
    yield f"- What to do: {markdown.plain(what_to_do(finding, look))}"
    examples = look.examples.get(finding.name, ())
    if examples:
        yield "\nDecisions that show it:\n"
        yield from markdown.fence([shown_by(each) for each in examples])
    if examples and (absent := no_texts(look)):
        yield f"\n{markdown.plain(absent)}"


def _table(look: Look) -> Iterator[str]:
    from assay.evaluation import markdown

    rows = [
        (
            title(each),
            "alarm" if each.alarm else "not compared" if not each.told else "as it was",
            f"{each.psi:.3f}" if each.told else "",
            f"{each.chance:.3f}" if each.told else "",
            f"{each.corrected:.2g}" if each.told else "",
            markdown.plain(what_changed(each, look)),
        )
        for each in look.findings
    ]
    header = ("Statistic", "State", "PSI", "By chance", "p, corrected", "What moved most")
    yield from markdown.table(header, rows, "llrrrl")


def _over_time(look: Look) -> Iterator[str]:
    drawn = [each for each in look.findings if len(each.points) > 1]
    if not drawn:
        yield "There are too few decisions to part the span."
        return
    yield "![PSI over time](plots/psi_over_time.png)\n"
    shown = [each for each in drawn if each.name in shown_over_time(look)]
    yield " ".join(f"![{title(each)} over time](plots/{each.name}_over_time.png)" for each in shown)
    yield ""
    yield from (f"- V{took_over(each)[1:]}." for each in look.swaps)


def _words(look: Look) -> Iterator[str]:
    from assay.evaluation import markdown

    domain = look.domain
    if domain is None:
        yield f"They were not looked for, because {markdown.plain(look.domain_absent)}"
        return
    yield auc_sentence(domain)
    for name, found in (("came", domain.came), ("went", domain.went)):
        if domain.differs and found:
            yield ""
            header = (f"Words that {name}", "Now", "Then", "Weight")
            yield from markdown.table(header, _rows(found), "lrrr")


def _rows(found: tuple[Word, ...]) -> list[tuple[str, ...]]:
    from assay.evaluation import markdown

    return [
        (markdown.code(each.word), percent(each.now), percent(each.then), f"{each.weight:+.2f}")
        for each in found
    ]
