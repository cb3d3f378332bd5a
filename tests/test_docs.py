"""The documentation says what the code does: generated parts, names, links, and blocks that are run."""

import csv
import re
import shutil
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import joblib
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from assay.config import FoldingConfig, parse_task
from assay.environment import read_settings
from assay.estimators import Manifest, parse_rules
from assay.estimators.folding import fold
from assay.service import Models, create_app
from assay.settings import SECRETS, Settings
from assay.telemetry import Counters
from docs import generate
from tests.blocks import Session, blocks_of, differences
from tests.contracts.sources import ROOT, SOURCE
from tests.contracts.test_layers import STAGES
from tests.corpus import SPAM_GROUPS, labelled

REFERENCE = ROOT / "docs" / "reference"
EXECUTED = ("README.md", "docs/tutorial.md", "docs/reference/errors.md")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODES = re.compile(r'\d{3}[,:]\s*"(\w+)"|code="(\w+)"')


def read(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8")


def prose() -> Iterator[Path]:
    """Yield every page that a reader may open."""
    yield from (
        ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
    )
    yield from sorted((ROOT / "docs").rglob("*.md"))


def without_code(page: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def anchors(page: str) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", without_code(page), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_generated_parts_are_up_to_date() -> None:
    stale = [
        str(p) for p in generate.pages() if generate.filled(p.read_text("utf-8")) != p.read_text("utf-8")
    ]
    assert stale == [], "run: make docs"


def test_ranges_are_told_by_their_numbers() -> None:
    page = read("docs/reference/task-files.md")
    assert "`estimator.word_ngrams` | two whole numbers, 1 to 10, rising |" in page
    assert "`threshold.review` | two numbers, 0 to 1, rising |" in page


def test_every_generated_part_has_its_place() -> None:
    placed = [
        name for page in generate.pages() for _, name, _ in generate.MARKED.findall(page.read_text("utf-8"))
    ]
    assert sorted(placed) == sorted(generate.PARTS)


def documented() -> list[tuple[str, str]]:
    """Return every name that must be documented, each with its page of the reference."""
    names = {
        "cli.md": [command.prog for command in generate.commands()],
        "settings.md": [f"ASSAY_{name.upper()}" for name in Settings.model_fields],
        "task-files.md": [path for path, _ in generate.task_keys()],
        "http.md": [f"{method} {path}" for method, path, _ in generate.calls()],
        "metrics.md": list(generate.metrics()),
        "errors.md": [error.__name__ for error in generate.errors()],
        "artifact.md": list(Manifest.model_fields),
    }
    return [(page, name) for page, each in names.items() for name in each]


@pytest.mark.parametrize(("page", "name"), documented())
def test_every_name_is_documented(page: str, name: str) -> None:
    assert f"`{name}`" in (REFERENCE / page).read_text(encoding="utf-8")


def test_every_field_of_a_decision_and_a_request_is_documented() -> None:
    schemas = create_app(Models(), metrics=Counters()).openapi()["components"]["schemas"]
    page = (REFERENCE / "http.md").read_text(encoding="utf-8")
    fields = [*schemas["DecisionAnswer"]["properties"], *schemas["TaskState"]["properties"]]
    assert [field for field in fields if f"`{field}`" not in page] == []


def test_every_error_code_of_the_service_is_documented() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (SOURCE / "assay/service").rglob("*.py"))
    codes = {given or named for given, named in CODES.findall(sources)}
    page = (REFERENCE / "http.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| \d{3} \| `(\w+)` \|", page, flags=re.MULTILINE)) == codes


def test_every_file_of_an_artifact_is_documented(ruled_artifact: Path) -> None:
    page = (REFERENCE / "artifact.md").read_text(encoding="utf-8")
    files = {path.name for path in ruled_artifact.iterdir()} | {"report.json", "profile.json"}
    assert set(re.findall(r"^\| `([\w.]+\.\w+)` \|", page, flags=re.MULTILINE)) >= files


def test_task_files_shown_are_usable() -> None:
    shown = [block for block in blocks_of(read("docs/reference/task-files.md")) if block.language == "toml"]
    assert shown != []
    for block in shown:
        parse_task(tomllib.loads(block.text), source="the page")


def test_the_settings_file_shown_can_be_used(tmp_path: Path) -> None:
    [block] = [each for each in blocks_of(read("docs/reference/settings.md")) if each.language == "toml"]
    file = tmp_path / "settings.toml"
    file.write_text(block.text, encoding="utf-8")
    settings = read_settings({"ASSAY_SETTINGS": str(file)})
    assert (settings.workers, settings.trusted_proxies) == (4, "10.0.0.0/8")


def test_every_secret_is_named_as_one() -> None:
    [line] = [
        each for each in read("docs/reference/settings.md").splitlines() if "may hold a password and" in each
    ]
    assert tuple(name.lower() for name in re.findall(r"`ASSAY_([A-Z_]+)`", line)) == SECRETS


def test_the_rules_file_shown_can_be_used() -> None:
    [block] = [each for each in blocks_of(read("docs/reference/rules.md")) if each.language == "toml"]
    parts = {"labels": ["ham", "spam"], "positive": "spam", "folding": FoldingConfig()}
    rules = parse_rules(tomllib.loads(block.text), source="the page", today=date(2026, 11, 21), **parts)
    assert [rule.action for rule in rules.active] == ["decide", "evidence"]
    assert rules.hits(["You have w0n: c-a-l-l us", "ring 00000000000"]).tolist() == [
        [True, False],
        [False, True],
    ]


def test_the_folded_view_reads_as_the_page_says() -> None:
    page = read("docs/reference/rules.md")
    for disguised in ("FREE", "fr€e", "f.r.e.e", "frееe", "f&#114;ee", "freeeee"):
        assert f"`{disguised}`" in page
        assert "free" in fold(disguised, FoldingConfig())
    same = ("08712", "10:30", "£1000", "1st", "gr8", "fr33")
    changed = {"p1ease": "piease", "h3ll0": "hello", "u r a girl": "ura girl", "рау": "pay"}
    changed |= {"f r e e p r i z e": "freeprize"}
    for text, read_as in {**dict(zip(same, same, strict=True)), **changed}.items():
        assert f"`{text}`" in page
        assert fold(text, FoldingConfig()) == read_as


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in prose()])
def test_links_lead_somewhere(page: str) -> None:
    broken = []
    for link in LINK.findall(without_code(read(page))):
        path, _, anchor = link.partition("#")
        target = (ROOT / page).parent / path if path else ROOT / page
        if "://" in link or (target.exists() and not anchor):
            continue
        if not target.is_file() or anchor not in anchors(target.read_text(encoding="utf-8")):
            broken.append(link)
    assert broken == []


def test_every_page_is_in_an_index() -> None:
    indexes = ("docs/index.md", "docs/decisions/README.md", "docs/operations/index.md")
    listed = "".join(map(read, indexes))
    pages = [
        path.name for path in (ROOT / "docs").rglob("*.md") if path.name not in ("index.md", "README.md")
    ]
    assert [name for name in pages if f"{name})" not in listed] == []


def test_the_architecture_lists_the_stages_that_exist() -> None:
    table = read("docs/architecture.md").partition("## Stages")[2].partition("## ")[0]
    listed = re.findall(r"^\| `(\w+)` \|", table, flags=re.MULTILINE)
    folders = {path.parent.name for path in (SOURCE / "assay").glob("*/__init__.py")}
    assert set(listed) == folders
    assert listed == [stage for stage in STAGES if stage in folders]


def test_the_architecture_lists_the_plumbing_that_exists() -> None:
    table = read("docs/architecture.md").partition("## Plumbing")[2].partition("## ")[0]
    files = {path.name for path in (SOURCE / "assay").glob("*.py")} - {"__init__.py"}
    assert set(re.findall(r"`(\w+\.py)`", table)) == files


def test_the_readme_sets_up_with_two_commands() -> None:
    blocks = blocks_of(read("README.md"))
    made = [line for block in blocks for line in block.text.splitlines() if line.startswith("make ")]
    assert made == ["make quickstart", "make test"]
    quickstart = (SOURCE / "assay/quickstart.py").read_text(encoding="utf-8")
    shown = next(block.text for block in blocks if block.language == "text")
    assert [line for line in shown.splitlines() if re.split(r"(?<=\s)http", line)[0] not in quickstart] == []


def test_every_target_of_make_that_is_named_exists() -> None:
    targets = re.findall(r"^([\w-]+):.*## ", read("Makefile"), flags=re.MULTILINE)
    pages = [page.read_text(encoding="utf-8") for page in prose()]
    named = {name for page in pages for name in re.findall(r"`make ([\w-]+)", page)}
    assert named > {"quickstart", "bench"}
    assert named <= set(targets)


@pytest.fixture
def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the two files that the README supposes a reader to have."""
    with (tmp_path / "messages.csv").open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["body", "kind"])
        listed = enumerate(zip(*labelled(SPAM_GROUPS, 200), strict=True))
        rows.writerows(row for number, row in listed if row[1] == "ham" or number % 2)
    # Fitted on few rows of its own: one that knew the held-out rows could not be beaten.
    texts, labels = labelled(SPAM_GROUPS, 20, seed=1)
    pipeline = make_pipeline(TfidfVectorizer(), LogisticRegression())
    joblib.dump(pipeline.fit(texts, [int(label == "spam") for label in labels]), tmp_path / "model.joblib")
    monkeypatch.chdir(tmp_path)
    for name in ("ASSAY_HOME", "ASSAY_TASKS", "ASSAY_TRACKING_URI", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("page", EXECUTED)
def test_blocks_do_what_the_page_shows(prepared: Path, page: str) -> None:
    output, wrong = None, []
    with Session(prepared) as session:
        for block in blocks_of(read(page)):
            if block.language in ("sh", "python"):
                output = session.run(block)
            elif block.language == "text" and output is not None:
                wrong += [f"line {block.line}: {fault}" for fault in differences(block.text, output)]
    assert wrong == []


@pytest.mark.parametrize(
    ("shown", "written", "count"),
    [
        ("f1 0.91 (0.3 s)\n", "f1 0.92 (4.7 s)\n", 0),
        ("f1 0.91\n", "f1 0.95\n", 1),
        ("300 rows\n", "301 rows\n", 1),
        ("id 0123456789abcdef\n", "id fedcba9876543210\n", 0),
        ("first\n...\nlast\n", "first\nand\nmore\nlast\n", 0),
        ("first\nlast\n", "first\nand\nlast\n", 2),
        ("first\n", "first\nlast\n", 1),
        ("first\nlast\n", "first\n", 1),
        ("...\nlast\n", "first\n", 1),
    ],
)
def test_an_output_that_differs_is_seen(shown: str, written: str, count: int) -> None:
    assert len(differences(shown, written)) == count
