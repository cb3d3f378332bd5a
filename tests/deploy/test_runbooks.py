"""Every runbook, tried as it is written: its commands on a real service, and what it promises of them."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from assay.database import Database
from assay.estimators import load_artifact
from assay.keyring import open_keys
from assay.loading import folder_of
from assay.settings import Settings
from assay.telemetry import Record
from tests.conftest import write_csv
from tests.corpus import SPAM_GROUPS, labelled
from tests.deploy.runbooks import FOLDER, Night, Step, move_in, newer_assay, night, steps_of
from tests.live import HOUR, odd, records_of, usual, watched, write_log
from tests.moving import Mover
from tests.serving.hammer import hammering
from tests.telemetry.feedback.logs import record, say, write_closed

SOURCES = count(300)
TEXT = {"text": "free prize, call now"}
TASK = """name = "spam"
labels = ["ham", "spam"]
positive = "spam"
[data]
source = "rows.csv"
text = "T"
label = "L"
[estimator]
min_df = 1
"""


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Night]:
    """A machine with nothing on it."""
    with night(tmp_path) as machine:
        yield machine


@pytest.fixture
def serving(here: Night, stocked: Path) -> Night:
    """A machine whose service answers: spam in its version 2, sentiment in its first."""
    move_in(stocked, here.home)
    Mover(settings_of(here)).promote("2")
    here.serve("--workers", "2")
    return here


def settings_of(machine: Night) -> Settings:
    """Return the settings of what runs there."""
    return Settings(home=machine.home, user="night")


def asked(machine: Night, key: str = "") -> httpx.Response:
    """Return the answer to one text, over a connection of its own.

    Each comes from another address: ten wrong keys a minute are all that one may try.
    """
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    source = "127.0.{}.{}".format(*divmod(next(SOURCES), 250))
    with httpx.Client(transport=httpx.HTTPTransport(local_address=source), headers=headers) as client:
        return client.post(f"{machine.address}/v1/tasks/spam/predict", json=TEXT)


def version(machine: Night) -> str:
    """Return which version of spam answers."""
    return str(asked(machine).raise_for_status().json()["version"])


def health(machine: Night) -> dict[str, Any]:
    """Return what /health says."""
    return dict(httpx.get(f"{machine.address}/health").raise_for_status().json())


def metrics(machine: Night) -> str:
    """Return what Prometheus is told."""
    return httpx.get(f"{machine.address}/metrics").raise_for_status().text


def test_deploy(here: Night, empty_database: Path) -> None:
    shutil.copy(empty_database, here.home / "mlflow.db")
    write_csv(here.work / "messages.csv", SPAM_GROUPS, count=200)
    rows = (here.work / "messages.csv").read_text("utf-8").replace("T,L", "body,kind", 1)
    (here.work / "messages.csv").write_text(rows, encoding="utf-8")
    # On loopback nobody is asked for a key unless it is said.
    here.swaps["ASSAY_HOST=0.0.0.0"] = "ASSAY_REQUIRE_KEYS=true"
    page = here.follow("deploy")
    assert "no version in production" in page.step("export ASSAY_HOME")
    assert "is now in production" in page.step("assay train spam")
    page.step("KEY=$(assay keys create")
    page.step("assay serve")
    said = page.step("curl -fsS")
    assert '"version":"1"' in said.replace(" ", "")
    assert asked(here).status_code == 401
    page.step("PID=")
    page.done()
    assert here.service is not None
    assert here.service.wait(60) == 0


def test_upgrade_and_back(serving: Night, tmp_path: Path) -> None:
    newer = newer_assay(tmp_path / "newer", needs="6")
    here = serving
    here.swaps |= {
        "git checkout --quiet v0.2.0": f"export PYTHONPATH={newer}",
        "git checkout --quiet v0.1.0": "unset PYTHONPATH",
        "sh requirements/install.sh service": ":",
    }
    here.environment["ASSAY_REQUIRE_KEYS"] = "true"
    before = open_keys(settings_of(here)).create("before", "predict", who="ann").secret
    page = here.follow("upgrade")
    assert "verified: " in page.step("assay backup")
    page.step("git checkout")
    page.step("PID=")
    page.step("assay serve")
    assert "has had migration 7\n" in page.step("assay doctor")
    here.until(lambda: asked(here, before).status_code == 200)
    made = here.run(Step("assay keys create --name after --scope predict | tail -n 1", "")).strip()
    assert "The audit log is whole" in page.step("assay audit verify")
    page.step("git checkout")
    here.environment.pop("PYTHONPATH")
    page.step("kill -TERM")
    page.step("assay serve")
    # Nothing that was written meanwhile is lost, and the older one can write.
    here.until(lambda: [asked(here, key).status_code for key in (before, made)] == [200, 200])
    told = here.run(Step("assay doctor", ""))
    assert "migration 7, of a newer Assay; this one knows 6 and goes on with it" in told
    open_keys(settings_of(here)).revoke("after", who="ann")
    check_the_way_back_of_last_resort(here, page, tmp_path)
    page.done()


def check_the_way_back_of_last_resort(here: Night, page: Any, folder: Path) -> None:
    """Restore the backup from before a change that the older release cannot live with."""
    breaking = newer_assay(folder / "breaking", needs="None")
    (here.home / "assay.db").write_bytes(b"")
    here.run(Step(f"PYTHONPATH={breaking} assay keys list", ""))
    refused = here.run(Step("assay keys list", ""), code=1)
    assert "a newer Assay has changed it so that this one cannot use it" in refused
    here.stop()
    assert "decides as it did" in page.step("assay restore")
    assert "before" in here.run(Step("assay keys list", ""))


def test_rollback(serving: Night) -> None:
    assert version(serving) == "2"
    page = serving.follow("rollback")
    assert "2" in page.step("assay history spam")
    page.step("assay rollback spam")
    page.step("curl -fsS -X POST")
    # One worker was told; the other looks by itself.
    serving.until(lambda: {version(serving) for _ in range(20)} == {"1"})
    serving.until(lambda: {health(serving)["tasks"]["spam"]["version"] for _ in range(20)} == {"1"})
    said = page.step("curl -fsS")
    assert re.search(r'"spam".*?"version": ?"1"', said, re.DOTALL)
    page.step("assay rollback spam 2")
    serving.until(lambda: version(serving) == "2")
    page.done()


def test_rotate_keys(here: Night, stocked: Path) -> None:
    move_in(stocked, here.home)
    here.environment["ASSAY_REQUIRE_KEYS"] = "true"
    first = open_keys(settings_of(here)).create("shop", "predict,batch", who="ann").secret
    here.serve("--workers", "2")
    page = here.follow("rotate-keys")
    assert "shop" in page.step("assay keys list\nNEW=")
    new = here.environment["NEW"]
    here.until(lambda: asked(here, new).status_code == 200)
    assert asked(here, first).status_code == 200
    assert "was revoked" in page.step("assay keys revoke shop")
    here.until(lambda: {asked(here, key).status_code for key in (first, new) for _ in range(4)} == {401})
    here.until(lambda: {asked(here, here.environment["KEY"]).status_code for _ in range(8)} == {200})
    said = page.step("curl -sS -o")
    assert said.startswith("200\n")
    assert "revoked" in said
    assert "shop" in page.step("assay log query --key shop")
    page.done()


def test_registry_lost(serving: Night) -> None:
    here = serving
    here.run(Step("assay backup --to /backups", ""))
    folder = next((here.home / "artifacts").rglob("manifest.json")).parent
    here.environment["FOLDER"] = str(folder)
    kept = (here.home / "mlflow.db").read_bytes()
    (here.home / "mlflow.db").write_bytes(b"lost")
    here.until(lambda: {health(here)["status"] for _ in range(20)} == {"degraded"})
    page = here.follow("registry-lost")
    assert '"degraded"' in page.step("curl -fsS")
    assert version(here) == "2"
    assert "BAD" in page.step("assay doctor | grep 'registry'", code=1)
    (here.home / "mlflow.db").write_bytes(kept)
    here.until(lambda: health(here)["status"] == "ok")
    # Gone for good: a restart answers by what answered last.
    (here.home / "mlflow.db").write_bytes(b"lost")
    here.stop()
    here.serve("--workers", "2")
    assert version(here) == "2"
    page.step("assay restore /backups --check")
    page.step("kill -TERM")
    page.step("assay restore /backups --replace")
    page.step("assay serve --workers 2\n")
    here.until(lambda: (version(here), health(here)["status"]) == ("2", "ok"))
    here.stop()
    page.step('assay serve --workers 2 --models "$FOLDER"')
    assert httpx.get(f"{here.address}/health/ready").status_code == 200
    here.stop()
    here.serve("--workers", "2")
    assert "is answered by" in page.step("assay doctor | grep 'production'")
    page.done()


@pytest.fixture
def small_disk(here: Night) -> Iterator[Path]:
    """The home folder on a file system of eight megabytes."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(here.home)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("there is no small disk: this account may mount no file system")
    yield here.home
    here.stop()
    subprocess.run(["umount", "--lazy", str(here.home)], check=True)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as written:
        while True:
            written.write(b"x" * 4_096)


def test_disk_full(here: Night, small_disk: Path, stocked: Path) -> None:
    move_in(stocked, here.home)
    here.serve("--workers", "2")
    assert version(here) == "1"
    old = write_closed(here.home / "logs", [record(time.time() - 8 * 86_400)])
    os.utime(old, (time.time() - 8 * 86_400,) * 2)
    (here.home / "reports").mkdir()
    with pytest.raises(OSError, match="No space"):
        fill(here.home / "reports" / "page.html")
    page = here.follow("disk-full")

    def fault() -> bool:
        return version(here) == "1" and "decision_log" in health(here)["faults"]

    here.until(fault)
    assert "100%" in page.step("df -h")
    page.step("rm -rf")
    page.step("mkdir -p /backups/log")
    assert [path.name for path in (here.backups / "log").iterdir()] == [old.name]
    here.until(lambda: health(here)["status"] == "ok")
    here.until(lambda: "is written again" in here.log)
    assert "100%" not in page.step("curl -fsS")
    page.done()


def test_drift_alarm(here: Night, empty_database: Path) -> None:
    artifact = watched(here.work)
    (here.work / "tasks").mkdir()
    (here.work / "tasks" / "spam.toml").write_text(TASK)
    shutil.copy(empty_database, here.home / "mlflow.db")
    mover = Mover(settings_of(here))
    mover.promote(mover.register(artifact))
    here.environment["ASSAY_DECISION_TEXT"] = "full"
    texts, labels = labelled(SPAM_GROUPS, 120, seed=9)
    records = decided(here, artifact, "1", usual(120) + odd(100) + texts)
    database = Database(settings_of(here).people)
    for label in ("ham", "spam"):
        found = [one for one, given in zip(records[-len(texts) :], labels, strict=True) if given == label]
        say(database, found, label)
    page = here.follow("drift-alarm")
    assert "SpamClassifier version 1: ALARM" in page.step("assay drift spam")
    page.step("assay history spam")
    assert "spam: 460 decisions" in page.step("assay log stats spam")
    assert "precision" in page.step("assay feedback stats spam")
    assert "SpamClassifier version 2 is now in production" in page.step("assay retrain spam")
    folder, _ = folder_of("spam", version="2", settings=settings_of(here))
    # One text in ten has a number that no row had, as of the rows that were held out.
    came = labelled(SPAM_GROUPS, 300, seed=7)[0]
    decided(here, folder, "2", [text if n % 10 else f"{text}{n}" for n, text in enumerate(came)])
    assert "no alarm" in page.step("assay drift spam --since 24h --check")
    page.done()


def decided(machine: Night, artifact: Path, number: str, texts: list[str]) -> list[Record]:
    """Write into the log what an artifact decides about texts, and return the records."""
    cascade = load_artifact(artifact).at_version(number)
    records = records_of(cascade, texts, start=time.time() - 10 * HOUR, hours=9.9)
    write_log(machine.home / "logs", records)
    return records


def test_traffic_times_ten(here: Night, stocked: Path) -> None:
    move_in(stocked, here.home)
    here.environment["ASSAY_MAX_CONNECTIONS"] = "2"
    open_keys(settings_of(here)).create("shop", "predict", who="ann")
    here.serve("--workers", "2")
    with hammering(here.address, 10) as hammer:
        here.until(lambda: hammer.answered[503] and hammer.answered[200])
    here.until(lambda: re.search(r"assay_rejected_total\{.*\} [1-9]", metrics(here)))
    page = here.follow("traffic")
    said = page.step("curl -fsS")
    assert re.search(r'assay_rejected_total\{reason="\w+"\} [1-9]', said)
    assert "assay_workers 2.0" in said
    page.step("assay keys create --name shop-limited")
    page.step("PID=")
    here.until(lambda: len(here.children()) == 3)
    here.until(lambda: "assay_workers 3.0" in metrics(here))
    assert "assay_workers 3.0" in page.step("curl -fsS")
    page.step("kill -TTOU")
    here.until(lambda: len(here.children()) == 2)
    assert version(here) == "1"
    page.done()


def test_certificates(here: Night, stocked: Path) -> None:
    move_in(stocked, here.home)
    authority = trustme.CA()
    for folder in (here.folder / "tls", here.work / "new"):
        folder.mkdir()
        issued = authority.issue_cert("127.0.0.1")
        issued.cert_chain_pems[0].write_to_path(folder / "chain.pem")
        issued.private_key_pem.write_to_path(folder / "key.pem")
    here.environment["ASSAY_TLS_CERTIFICATE"] = str(here.folder / "tls" / "chain.pem")
    here.environment["ASSAY_TLS_KEY"] = str(here.folder / "tls" / "key.pem")
    shown = Step(f"{steps_of(FOLDER / 'certificates.md')[-2].text.strip()} -serial", "")
    here.serve("--workers", "2")
    first = here.run(shown)
    page = here.follow("certificates")
    assert "valid" in page.step("assay doctor")
    page.step("cp -p")
    assert "ok" in page.step("assay doctor")
    old = set(here.children())
    page.step("PID=")
    here.until(lambda: len(here.children()) == 2 and not old & set(here.children()))
    assert "Fingerprint" in page.step("openssl s_client")
    second = here.run(shown)
    assert second != first
    old = set(here.children())
    page.step("cp -p")
    here.until(lambda: len(here.children()) == 2 and not old & set(here.children()))
    assert here.run(shown) == first
    page.done()
    check_that_files_that_cannot_be_used_change_nothing(here)
    assert here.run(shown) == first


def check_that_files_that_cannot_be_used_change_nothing(here: Night) -> None:
    """Have the workers replaced while the key is another certificate's."""
    shutil.copy(here.work / "new" / "key.pem", here.environment["ASSAY_TLS_KEY"])
    assert "HTTPS cannot be served" in here.run(Step("assay doctor | grep HTTPS", ""), code=1)
    here.run(Step('kill -HUP "$PID"', ""))
    here.until(lambda: "did not become ready" in here.log)


def test_restore(serving: Night) -> None:
    here = serving
    here.run(Step("assay backup --to /backups --with-key", ""))
    before = asked(here).json()
    here.stop()
    shutil.rmtree(here.home)
    page = here.follow("restore")
    assert "each as it was kept" in page.step("assay restore")
    assert "decides as it did" in page.step("export ASSAY_HOME")
    page.step("assay serve")
    after = asked(here).json()
    assert {**after, "id": ""} == {**before, "id": ""}
    said = page.step("assay audit verify")
    assert "The audit log is whole" in said
    assert "spam is answered by SpamClassifier version 2" in said
    page.done()
