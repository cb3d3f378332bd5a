"""POST /batch: a file in, the same file with its decisions out."""

import csv
import gzip
import io
import json
import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from assay.estimators import Cascade
from assay.service import Exchange, Limits, Models, Served, create_app
from assay.service.files.files import disposition
from assay.service.limits import FILES_AT_ONCE
from assay.telemetry import Counters

Serve = Callable[[FastAPI], AbstractContextManager[str]]
packed = partial(gzip.compress, mtime=0)
"""Equal bytes whenever it is called: parameters name their tests."""
CSV = b"id,text\n1,free prize claim now\n2,\n3,lunch tomorrow\n"


def rows_of(content: bytes, mark: str = ",") -> list[dict[str, str]]:
    """Return the rows of a CSV by column."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=mark))


def parquet_of(columns: dict[str, Any]) -> bytes:
    """Return a Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out, compression="zstd", write_statistics=False)
    return out.getvalue()


def send(client: TestClient, content: bytes, name: str = "x.csv", query: str = "", task: str = "spam") -> Any:
    """Send a file in a form."""
    return client.post(f"/v1/tasks/{task}/batch{query}", files={"file": (name, content)})


def refused(answer: Any, status: int, code: str, *said: str) -> None:
    """Require an error of the one shape that says something."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), answer.text
    for each in said:
        assert each in error["message"]


def test_a_csv_comes_back_with_a_decision_for_every_row(client: TestClient, spam_cascade: Cascade) -> None:
    answer = send(client, CSV)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"x.scored.csv\"; filename*=UTF-8''x.scored.csv"
    )
    free, empty, lunch = rows_of(answer.content)
    [decision] = spam_cascade.decide(["free prize claim now"])
    assert (free["id"], free["assay_label"], free["assay_version"]) == ("1", "spam", "1")
    assert float(free["assay_score"]) == decision.score
    assert (empty["assay_label"], empty["assay_error"]) == ("", "The text in 'text' is empty.")
    assert lunch["assay_label"] == "ham"


def test_without_a_task_the_default_task_decides(client: TestClient) -> None:
    answer = client.post("/batch", files={"file": ("x.csv", b"review\nwonderful film\n")})
    assert rows_of(answer.content)[0]["assay_model"] == "SentimentClassifier"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("x.tsv", b"text\tn\nlunch\t1\n", "text/tab-separated-values"),
        ("x.csv.gz", packed(b"text,n\nlunch,1\n"), "text/csv"),
        ("x.CSV.GZ", b"".join(map(packed, (b"text,n\n", b"lunch,1\n"))) + bytes(9), "text/csv"),
        ("x.csv", "\ufefftext;n\r\nlunch;1\r\n".encode("utf-16-le"), "text/csv"),
        ("x.csv", b"sep=;\r\ntext;n\r\nlunch;1\r\n", "text/csv"),
    ],
)
def test_text_formats_come_back_as_they_came(
    client: TestClient, name: str, content: bytes, media_type: str
) -> None:
    answer = send(client, content, name)
    assert answer.headers["content-type"].startswith(media_type)
    text = answer.content.decode("utf-8-sig")
    mark = next(mark for mark in ",;\t" if mark in text)
    [row] = rows_of(answer.content, mark)
    assert (row["text"], row["n"], row["assay_label"]) == ("lunch", "1", "ham")


def test_json_lines_come_back_as_json_lines(client: TestClient) -> None:
    answer = send(client, b'{"text": "free prize", "n": [1]}\nnot json\n', "x.ndjson")
    assert answer.headers["content-type"] == "application/x-ndjson"
    good, bad = map(json.loads, answer.content.splitlines())
    assert (good["n"], good["assay_label"]) == ([1], "spam")
    assert bad["assay_error"].startswith("The row is not JSON")


def test_parquet_comes_back_as_parquet(client: TestClient) -> None:
    content = parquet_of({"body": ["free prize", None], "n": [1, 2]})
    answer = send(client, content, "x.parquet", "?text=body")
    assert answer.headers["content-type"] == "application/vnd.apache.parquet"
    table = pq.read_table(io.BytesIO(answer.content))
    assert table["n"].to_pylist() == [1, 2]
    assert table["assay_label"].to_pylist() == ["spam", None]


@pytest.mark.parametrize(
    ("media_type", "content"),
    [
        ("text/csv", CSV),
        ("Text/CSV; charset=UTF-8", CSV),
        ("text/tab-separated-values", b"text\tn\nfree prize\t1\n"),
        ("application/x-ndjson", b'{"text": "free prize"}\n'),
        ("application/vnd.apache.parquet", parquet_of({"text": ["free prize"]})),
    ],
)
def test_the_file_itself_may_be_the_body(client: TestClient, media_type: str, content: bytes) -> None:
    headers = {"Content-Type": media_type}
    answer = client.post("/v1/tasks/spam/batch", content=content, headers=headers)
    assert answer.status_code == 200
    assert b"spam" in answer.content
    assert 'filename="texts.scored.' in answer.headers["content-disposition"]


def test_a_body_may_be_compressed(client: TestClient) -> None:
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    answer = client.post("/v1/tasks/spam/batch", content=packed(CSV), headers=headers)
    assert [row["assay_label"] for row in rows_of(answer.content)] == ["spam", "", "ham"]


def test_an_explanation_is_a_column(client: TestClient) -> None:
    [row, *_] = rows_of(send(client, CSV, query="?explain=true").content)
    assert json.loads(row["assay_explanation"])["label"] == "spam"


def test_cells_are_made_safe_for_spreadsheets_when_asked(client: TestClient) -> None:
    content = b"text,n\n=1+1,-5\n"
    safe, plain = (send(client, content, query=query).content for query in ("?spreadsheet=true", ""))
    assert safe.startswith(b"\xef\xbb\xbftext,n")
    assert b"\n'=1+1,-5," in safe
    assert plain.startswith(b"text,n")
    assert b"\n=1+1,-5," in plain


def test_a_file_without_rows_is_its_header(client: TestClient) -> None:
    answer = send(client, b"text,n\n")
    assert answer.content.startswith(b"text,n,assay_label")
    assert rows_of(answer.content) == []


def test_rows_that_are_broken_stop_nothing(client: TestClient) -> None:
    content = b'text,n\ncaf\xe9,1\nlunch\n"two\nlines",2\n' + b"x" * 70_000 + b',3\nlunch,4\n"open,5\n'
    answer = send(client, content)
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8", "surrogateescape"), newline="")))
    assert [bool(row["assay_error"]) for row in rows] == [True, True, False, True, False, True]
    assert answer.content.splitlines()[1].startswith(b"caf\xe9,1,")


def test_a_named_column_must_be_there_once(client: TestClient) -> None:
    refused(
        send(client, CSV, query="?text=body"), 422, "invalid_request", "'body' is no column", "['id', 'text']"
    )
    twice = send(client, b"text,text\na,b\n", query="?text=text")
    refused(twice, 422, "invalid_request", "'text' is the name of 2 columns")
    unknown = send(client, b"a,b\n1,2\n")
    refused(unknown, 422, "invalid_request", "Which column holds the texts?", "?text=COLUMN")
    assert unknown.json()["error"]["detail"][0]["field"] == "text"


def test_a_thousand_columns_and_odd_names_are_told_briefly(client: TestClient) -> None:
    header = ",".join(f"caf\xe9{n}" * 40 for n in range(1_000)).encode("latin-1")
    answer = send(client, header + b"\n1\n")
    refused(answer, 422, "invalid_request", "and 950 more")
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    ("name", "content", "status", "said"),
    [
        ("x.csv", b"", 422, "is empty"),
        ("x.jsonl", b"", 422, "is empty"),
        ("x.jsonl", b"[1]", 422, "JSON array"),
        ("x.csv", b"\n\n", 422, "no header row"),
        ("x.csv", b"PK\x03\x04abc", 422, "Excel workbook"),
        ("x.parquet", b"PAR1 no PAR1", 422, "not a Parquet file"),
        ("x.parquet", b"", 422, "not a Parquet file"),
        ("x.csv.gz", b"no gzip", 400, "is not the gzip"),
        ("x.csv.gz", packed(CSV)[:-4], 400, "its end is missing"),
        ("x.xlsx", b"PK", 415, "save the sheet as CSV UTF-8"),
        ("x.exe", b"MZ", 415, ".csv, .tsv, .jsonl, .ndjson, .parquet, each also with .gz"),
        ("x", b"a", 415, "does not say a known format"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    client: TestClient, name: str, content: bytes, status: int, said: str
) -> None:
    answer = send(client, content, name)
    assert (answer.status_code, said in answer.json()["error"]["message"]) == (status, True), answer.text


def test_parquet_without_pyarrow_is_refused_by_the_extra(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = parquet_of({"text": ["a"]})
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    answer = send(client, content, "x.parquet")
    refused(answer, 415, "unsupported_media_type", "pip install 'assay[parquet]'")


def test_an_unknown_task_is_told_before_the_file_is_read(client: TestClient, bare_client: TestClient) -> None:
    refused(send(client, CSV, task="nope"), 404, "unknown_task")
    refused(send(bare_client, CSV), 503, "not_ready")


class Noted:
    """A request log in memory."""

    texts = True

    def __init__(self) -> None:
        self.lines: list[Exchange] = []

    def write(self, exchange: Exchange) -> None:
        """Keep an exchange."""
        self.lines.append(exchange)


def test_rows_and_bad_rows_are_in_the_request_log_and_decisions_in_metrics(models: Models) -> None:
    log, metrics = Noted(), Counters()
    client = TestClient(create_app(models, metrics=metrics, log=log))
    send(client, CSV)
    [line] = log.lines
    assert (line.task, line.version, line.texts, line.row_errors, line.status) == ("spam", "1", 2, 1, 200)
    assert line.received > len(CSV)
    assert 'label="spam"' in metrics.render().decode()
    assert client.get("/health").json()["statistics"]["tasks"]["spam"]["decisions"] == 2
    assert line.content == ()


def limited(models: Models, spool: Path, longest: int) -> TestClient:
    """Return a client of a service that takes files up to a length."""
    return TestClient(
        create_app(models, metrics=Counters(), limits=Limits(max_upload_bytes=longest), spool=spool)
    )


BOMB = packed(b"text\n" + b"a\n" * 500_000)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", b"text\n" + b"a\n" * 5_000),
        ("x.csv.gz", BOMB),
        ("x.parquet", parquet_of({"text": ["a" * 100_000]})),
    ],
)
def test_a_file_over_the_limit_is_refused(models: Models, tmp_path: Path, name: str, content: bytes) -> None:
    client = limited(models, tmp_path, 5_000)
    assert name == "x.csv" or len(content) < 5_000
    refused(send(client, content, name), 413, "too_large", "5,000 bytes")
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_uncompresses_over_the_limit_is_refused(models: Models, tmp_path: Path) -> None:
    headers = {"Content-Type": "text/csv", "Content-Encoding": "gzip"}
    client = limited(models, tmp_path, 5_000)
    refused(client.post("/batch", content=BOMB, headers=headers), 413, "too_large")
    both = {"Content-Type": "multipart/form-data; boundary=b", "Content-Encoding": "gzip"}
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.csv.gz"\r\n\r\n' + BOMB
    refused(client.post("/batch", content=packed(form), headers=both), 413, "too_large")


def test_a_file_of_just_the_limit_is_taken(models: Models, tmp_path: Path) -> None:
    content = b"text\n" + b"a" * 95
    assert send(limited(models, tmp_path, 100), content).status_code == 200
    assert send(limited(models, tmp_path, 99), content).status_code == 413


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd.csv",
        "..\\..\\evil.csv",
        "/abs.csv",
        "a\r\nSet-Cookie: x=1.csv",
        'q".csv',
        "\u202e\u2764.csv",
    ],
)
def test_a_name_is_never_a_path_nor_a_header(models: Models, tmp_path: Path, name: str) -> None:
    client = limited(models, tmp_path / "spool", 10_000)
    answer = send(client, CSV, name)
    assert answer.status_code == 200
    assert [each for each in tmp_path.rglob("*") if each.is_file()] == []
    told = answer.headers["content-disposition"]
    assert told.isascii()
    assert told.isprintable()
    assert "set-cookie" not in answer.headers
    assert ".." not in told
    assert not set('/\\"') & set(told.split('filename="')[1].split('"')[0])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "texts.scored.csv"),
        (".csv", "csv.scored.csv"),
        ("a.b.csv.gz", "a.b.scored.csv"),
        ("..", "texts.scored.csv"),
        ("x" * 500 + ".csv", "x" * 100 + ".scored.csv"),
        ("\u00fcber.csv", "_ber.scored.csv"),
        ("a\x00\nb.csv", "ab.scored.csv"),
    ],
)
def test_the_answers_file_is_named_after_the_clients(name: str, said: str) -> None:
    assert disposition(name, "csv").split("; ")[1] == f'filename="{said}"'


def test_a_row_too_long_in_the_middle_cuts_the_connection(
    models: Models, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    log = Noted()
    content = b"text\n" + b"lunch\n" * 5_000 + b'"' + b"a" * 17_000_000
    with serve(create_app(models, metrics=Counters(), log=log)) as address, caplog.at_level(logging.ERROR):
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked"):
            httpx.post(f"{address}/v1/tasks/spam/batch", files={"file": ("x.csv", content)}, timeout=60)
        assert httpx.post(f"{address}/v1/tasks/spam/batch", files={"file": ("x.csv", CSV)}).status_code == 200
    assert "Row 5001 of x.csv" in caplog.text
    assert next((line.code, line.texts) for line in log.lines) == ("unreadable_file", 4_992)


def test_a_client_that_goes_away_frees_its_place(models: Models, serve: Serve, tmp_path: Path) -> None:
    log = Noted()
    app = create_app(models, metrics=Counters(), log=log, spool=tmp_path)
    content = b"text\n" + b"lunch tomorrow at noon\n" * 40_000
    with serve(app) as address:
        url = f"{address}/v1/tasks/spam/batch"
        for done in range(1, FILES_AT_ONCE + 3):
            with httpx.stream("POST", url, files={"file": ("x.csv", content)}, timeout=60) as answer:
                assert answer.status_code == 200
                next(answer.iter_raw())
            while len(log.lines) < done:
                httpx.get(f"{address}/health/live")
                log.lines = [line for line in log.lines if line.path.endswith("batch")]
        assert {line.status for line in log.lines} == {499}
        assert max(line.texts for line in log.lines) < 40_000
    assert list(tmp_path.iterdir()) == []


def test_more_files_than_there_are_places_are_asked_to_come_back(models: Models, serve: Serve) -> None:
    content = b"text\n" + b"lunch tomorrow at noon\n" * 20_000
    with serve(create_app(models, metrics=Counters())) as address:
        url = f"{address}/v1/tasks/spam/batch"
        held = [httpx.Client(timeout=60) for _ in range(FILES_AT_ONCE)]
        answers = [
            client.send(client.build_request("POST", url, files={"file": ("x.csv", content)}), stream=True)
            for client in held
        ]
        assert [answer.status_code for answer in answers] == [200] * FILES_AT_ONCE
        late = httpx.post(url, files={"file": ("x.csv", CSV)})
        assert (late.status_code, late.headers["retry-after"]) == (503, "10")
        assert late.json()["error"]["code"] == "too_many_files"
        assert httpx.post(f"{address}/predict", json={"text": "fine"}).status_code == 200
        for answer in answers:
            assert sum(part.count(b"\n") for part in answer.iter_bytes()) == 20_001
        for client in held:
            client.close()
        assert httpx.post(url, files={"file": ("x.csv", CSV)}).status_code == 200


def test_a_model_swapped_in_the_middle_changes_no_row(
    models: Models, serve: Serve, spam_cascade: Cascade
) -> None:
    content = b"text\n" + b"lunch tomorrow at noon\n" * 15_000
    with serve(create_app(models, metrics=Counters())) as address:
        url = f"{address}/v1/tasks/spam/batch"
        with httpx.stream("POST", url, files={"file": ("x.csv", content)}, timeout=60) as answer:
            parts = answer.iter_bytes()
            begun = next(parts)
            models.serve(Served(cascade=spam_cascade.at_version("9"), stage="Production"))
            rows = rows_of(begun + b"".join(parts))
        assert {row["assay_version"] for row in rows} == {"1"}
        assert rows_of(httpx.post(url, files={"file": ("x.csv", CSV)}).content)[0]["assay_version"] == "9"


def test_a_version_in_the_path_decides_the_file(client: TestClient) -> None:
    path = "/v1/tasks/spam/versions/{}/batch"
    answer = client.post(path.format(1), files={"file": ("x.csv", CSV)})
    assert {row["assay_version"] for row in rows_of(answer.content)} == {"1", ""}
    refused(client.post(path.format(7), files={"file": ("x.csv", CSV)}), 404, "unknown_version")
