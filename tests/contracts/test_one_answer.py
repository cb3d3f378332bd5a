"""One text has one answer, whichever way it comes in: the same label, the same score to the last bit."""

import csv
import io
import json
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from assay.datasets import read_table
from assay.estimators import Calibration, Cascade, Decision, OperatingPoint, load_artifact
from assay.estimators.curves import IsotonicCurve, SigmoidCurve
from assay.estimators.golden import read_golden
from assay.loading import open_registry
from assay.scoring import score_table
from assay.service import Models, Served, create_app
from assay.settings import Settings
from assay.telemetry import Counters
from tests.corpus import ODD, SPAM_GROUPS, labelled

ARTIFACTS = Path(__file__).parents[1] / "artifacts" / "v1"

Answers = list[tuple[str, float | None, float, str | None, bool]]
"""Label, score, confidence, rule and review of every text."""
Way = Callable[[Cascade, Path, list[str]], Answers]
Score = Callable[[Cascade, bytes, Any], bytes]

TEXTS = [
    "f.r.e.e offer",
    "mum is home, claim a prize",
    "a prize to claim",
    *labelled(SPAM_GROUPS, 40, seed=9)[0],
    *ODD,
    "free prize\r\nclaim\tnow",
    '"quoted", with; separators|and\ttabs',
    "  spaces around  ",
    "\ufeffmark",
    "a\u2028b\u2029c\x85d\x0be\x1cf",
    "\x00",
    "zzz",
    "=1+1",
    "null",
    "5",
    "free " * 13_000,
    "<script>alert(1)</script> &amp; \\ud800 \\n",
]


def of(decisions: list[Decision]) -> Answers:
    """Return what two ways must agree on."""
    return [(each.label, each.score, each.confidence, each.rule, each.review) for each in decisions]


def of_json(decisions: list[dict[str, Any]]) -> Answers:
    """Return the same of decisions that went through JSON."""
    return [
        (each["label"], each["score"], each["confidence"], each["rule"], each["review"]) for each in decisions
    ]


def of_columns(rows: Iterable[dict[str, Any]]) -> Answers:
    """Return the same of rows that were scored."""
    return of_json([{name.removeprefix("assay_"): value for name, value in row.items()} for row in rows])


def one_by_one(cascade: Cascade, artifact: Path, texts: list[str]) -> Answers:
    return of([decision for text in texts for decision in cascade.decide([text])])


def from_behind(cascade: Cascade, artifact: Path, texts: list[str]) -> Answers:
    return of(cascade.decide(texts[::-1])[::-1])


def post(path: str, wrap: Callable[[list[str]], Any], unwrap: Callable[[Any], Any]) -> Way:
    """Return the way through a call of the service that takes several texts."""

    def way(cascade: Cascade, artifact: Path, texts: list[str]) -> Answers:
        answer = client_of(cascade).post(path, json=wrap(texts))
        assert answer.status_code == 200, answer.text
        return of_json(unwrap(answer.json()))

    return way


def post_one_by_one(cascade: Cascade, artifact: Path, texts: list[str]) -> Answers:
    client = client_of(cascade)
    return of_json([client.post("/predict", json={"text": text}).json() for text in texts])


def as_the_page_posts(cascade: Cascade, artifact: Path, texts: list[str]) -> Answers:
    client, name = client_of(cascade), cascade.task.name
    # JSON.stringify leaves all but control characters, quotes and backslashes as they are.
    bodies = [
        json.dumps({"text": text}, ensure_ascii=False, separators=(",", ":")).encode() for text in texts
    ]
    headers = {"Content-Type": "application/json"}
    path = f"/v1/tasks/{name}/predict"
    return of_json([client.post(path, content=body, headers=headers).json() for body in bodies])


def client_of(cascade: Cascade) -> TestClient:
    """Return a client of a service with one task."""
    models = Models()
    models.serve(Served(cascade=cascade, stage="Production"))
    return TestClient(create_app(models, metrics=Counters()))


def uploaded(cascade: Cascade, content: bytes, format: Any) -> bytes:
    """Return a file scored by the service."""
    answer = client_of(cascade).post("/batch?text=text", files={"file": (f"x.{format}", content)})
    assert answer.status_code == 200, answer.text
    return answer.content


def scored(cascade: Cascade, content: bytes, format: Any) -> bytes:
    """Return a file scored."""
    out = io.BytesIO()
    with read_table(io.BytesIO(content), format) as table:
        score_table(cascade, table, "text", out)
    return out.getvalue()


def through_csv(
    cascade: Cascade,
    artifact: Path,
    texts: list[str],
    score_file: Score = scored,
    format: str = "csv",
    mark: str = ",",
    encoding: str = "utf-8",
) -> Answers:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=mark).writerows([("text", "n"), *zip(texts, range(len(texts)), strict=True)])
    content = score_file(cascade, text.getvalue().encode(encoding), format)
    back = io.StringIO(content.decode("utf-8-sig" if encoding == "utf-16" else "utf-8"), newline="")
    answers: Answers = []
    for row in csv.DictReader(back, delimiter=mark):
        score, confidence = (float(row[f"assay_{name}"] or "nan") for name in ("score", "confidence"))
        told = None if row["assay_score"] == "" else score
        review = {"True": True, "False": False}[row["assay_review"]]
        answers.append((row["assay_label"], told, confidence, row["assay_rule"] or None, review))
    return answers


def through_tsv(cascade: Cascade, artifact: Path, texts: list[str], score_file: Score = scored) -> Answers:
    return through_csv(cascade, artifact, texts, score_file, "tsv", "\t")


def through_jsonl(cascade: Cascade, artifact: Path, texts: list[str], score_file: Score = scored) -> Answers:
    content = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
    return of_columns(map(json.loads, score_file(cascade, content, "jsonl").splitlines()))


def through_parquet(
    cascade: Cascade, artifact: Path, texts: list[str], score_file: Score = scored
) -> Answers:
    out = io.BytesIO()
    pq.write_table(pa.table({"text": texts}), out)
    return of_columns(pq.read_table(io.BytesIO(score_file(cascade, out.getvalue(), "parquet"))).to_pylist())


def loaded_anew(cascade: Cascade, artifact: Path, texts: list[str]) -> Answers:
    return of(load_artifact(artifact).decide(texts))


WAYS: dict[str, Way] = {
    "one by one": one_by_one,
    "from behind": from_behind,
    "loaded anew": loaded_anew,
    "POST /predict, text": post_one_by_one,
    "the page": as_the_page_posts,
    "POST /predict, texts": post("/predict", lambda t: {"texts": t}, lambda answer: answer["predictions"]),
    "POST /predict/batch": post(
        "/predict/batch", lambda t: {"texts": t}, lambda answer: answer["predictions"]
    ),
    "POST /batch_predict": post("/batch_predict", lambda t: {"texts": t}, lambda answer: answer),
    "CSV": through_csv,
    "TSV": through_tsv,
    "JSON Lines": through_jsonl,
    "Parquet": through_parquet,
    "CSV in UTF-16": partial(through_csv, encoding="utf-16"),
    "CSV of a spreadsheet": partial(through_csv, mark=";"),
    "POST /batch, CSV": partial(through_csv, score_file=uploaded),
    "POST /batch, TSV": partial(through_tsv, score_file=uploaded),
    "POST /batch, JSON Lines": partial(through_jsonl, score_file=uploaded),
    "POST /batch, Parquet": partial(through_parquet, score_file=uploaded),
}


@pytest.mark.parametrize("task", ["spam", "abuse", "ruled"])
@pytest.mark.parametrize("way", WAYS)
def test_a_text_has_one_answer(way: str, task: str, request: pytest.FixtureRequest) -> None:
    cascade = request.getfixturevalue(f"{task}_cascade")
    expected = of(cascade.decide(TEXTS))
    assert len({score for _, score, *_ in expected}) > (10 if task == "ruled" else 40)
    assert WAYS[way](cascade, request.getfixturevalue(f"{task}_artifact"), TEXTS) == expected


CALIBRATIONS = {
    "none": Calibration(),
    "sigmoid": Calibration(method="sigmoid", curves=(SigmoidCurve(slope=0.7, intercept=0.1),)),
    "isotonic": Calibration(
        method="isotonic", curves=(IsotonicCurve(x=(-1.0, 0.5, 2.0), y=(0.1, 0.4, 0.9)),)
    ),
}


def frozen(name: str, calibration: str) -> Cascade:
    """Return the cascade of a frozen artifact with another calibration, threshold and review band."""
    cascade = load_artifact(ARTIFACTS / name)
    curves = CALIBRATIONS[calibration].curves * (1 if cascade.task.binary else len(cascade.labels))
    point = dict(cascade.operating_point) | {
        "calibration": Calibration(method=CALIBRATIONS[calibration].method, curves=curves),
        "review": (0.2, 0.8),
        "threshold": 0.3 if cascade.task.binary else None,
    }
    return replace(cascade, operating_point=OperatingPoint.model_validate(point))


@pytest.mark.parametrize("calibration", CALIBRATIONS)
@pytest.mark.parametrize("name", sorted(path.parent.name for path in ARTIFACTS.glob("*/manifest.json")))
def test_any_text_of_any_artifact_has_one_answer(name: str, calibration: str) -> None:
    cascade = frozen(name, calibration)
    known = [text for text in read_golden(ARTIFACTS / name).texts if len(text) < 1_000]
    words = sorted({word for text in known for word in text.split()})
    texts = st.lists(st.sampled_from(words), min_size=1).map(" ".join) | st.text().filter(str.strip)

    @settings(max_examples=40, deadline=None)
    @given(texts=st.lists(texts, min_size=1, max_size=8))
    def check(texts: list[str]) -> None:
        together, judged = cascade.decide(texts), cascade.judge(texts)
        alone = [decision for text in texts for decision in cascade.decide([text])]
        assert [parts_of(each) for each in alone] == [parts_of(each) for each in together]
        assert [each.label for each in together] == judged.labels
        column = cascade.labels.index(cascade.task.positive)
        assert [each.score for each in together] == judged.probabilities[:, column].tolist()
        told = [cascade.labels.index(label) for label in judged.labels]
        assert [each.confidence for each in together] == [
            row[at] for row, at in zip(judged.probabilities.tolist(), told, strict=True)
        ]
        review = cascade.operating_point.in_review(
            judged.probabilities, column if cascade.task.binary else np.array(told)
        )
        assert [each.review for each in together] == review.tolist()

    check()


def parts_of(decision: Decision) -> dict[str, Any]:
    """Return all parts of a decision but its identifier."""
    return {**asdict(decision), "id": None}


def test_mlflow_gives_the_same_answer(trained: Path) -> None:
    home = trained / ".assay"
    registry = open_registry(Settings(home=home))
    [version] = registry.versions("MineClassifier")
    folder = Path(version.source.removeprefix("file://"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow warns of how it uses its own libraries
        import mlflow

        frame = mlflow.pyfunc.load_model(str(folder)).predict(TEXTS)
    cascade = load_artifact(folder)
    assert of_json(frame.to_dict("records")) == of(cascade.decide(TEXTS))
