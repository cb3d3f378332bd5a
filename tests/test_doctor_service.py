"""What doctor says of the service's settings: what cannot work, and what is rarely meant."""

import datetime
from pathlib import Path

import pytest
import trustme

from assay import doctor_service as doctor
from assay.database import Database
from assay.migrations import MIGRATIONS, Migration
from assay.notation import without_credentials
from assay.settings import Settings
from tests.databases import newer
from tests.servers import free_port


def said(settings: Settings) -> dict[str, str]:
    """Return what doctor says, each line with its level."""
    return {note.what: note.level for note in doctor.service(settings)}


def pair(folder: Path, days: int) -> Settings:
    """Write a certificate that expires in some days, and its key; return settings with them."""
    expires = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    issued = trustme.CA().issue_cert("localhost", not_after=expires)
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "key.pem").chmod(0o600)
    for number, blob in enumerate(issued.cert_chain_pems):
        blob.write_to_path(folder / "chain.pem", append=number > 0)
    return Settings(tls_certificate=folder / "chain.pem", tls_key=folder / "key.pem", home=folder)


def test_the_defaults_leave_nothing_to_say(tmp_path: Path) -> None:
    assert said(Settings(home=tmp_path)) == {}


@pytest.mark.parametrize(
    ("days", "level", "what"),
    [(90, "ok", "for 90 more"), (9, "note", "for 9 more"), (-3, "BAD", "expired 3 days ago")],
)
def test_how_long_a_certificate_is_valid_is_told(tmp_path: Path, days: int, level: str, what: str) -> None:
    [(line, found)] = said(pair(tmp_path, days)).items()
    assert (found, what in line) == (level, True), line


@pytest.mark.parametrize("fault", ["no key", "another key", "no PEM"])
def test_a_certificate_that_cannot_be_served_is_broken(tmp_path: Path, fault: str) -> None:
    settings = pair(tmp_path, 90)
    key = tmp_path / "key.pem"
    if fault == "no key":
        key.unlink()
    elif fault == "another key":
        trustme.CA().issue_cert("localhost").private_key_pem.write_to_path(key)
    else:
        (tmp_path / "chain.pem").write_text("nothing")
    [line] = [what for what, level in said(settings).items() if level == "BAD"]
    assert line.startswith("HTTPS cannot be served with")


def test_a_redis_that_does_not_answer_is_broken_and_shows_no_password(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, redis=f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    [(line, level)] = said(settings).items()
    assert level == "BAD"
    assert "redis://***@127.0.0.1" in line
    assert "hunter2" not in line


def test_a_database_that_does_not_answer_is_broken_and_shows_no_password(tmp_path: Path) -> None:
    uri = f"postgresql://ann:hunter2@127.0.0.1:{free_port()}/people"
    [(line, level)] = said(Settings(home=tmp_path, database=uri)).items()
    assert (level, "hunter2" in line) == ("BAD", False)
    assert "people's database postgresql://***@127.0.0.1" in line


def test_a_database_that_a_newer_assay_added_to_is_worth_a_note(people_postgres: str, tmp_path: Path) -> None:
    settings, last = Settings(home=tmp_path, database=people_postgres), MIGRATIONS[-1].number
    assert [*said(settings).items()] == [(f"{where(settings)} answers; it has had migration {last}", "ok")]
    table = ("CREATE TABLE purposes (name TEXT)",)
    with newer(Migration(last + 1, "purposes", sqlite=table, postgresql=table, needs=last)):
        Database(people_postgres).steps()
    [(line, level)] = said(settings).items()
    assert level == "note"
    assert f"; it has had migration {last + 1}, of a newer Assay; this one knows {last} and goes on" in line


def where(settings: Settings) -> str:
    """Return how the people's database is named."""
    return f"people's database {without_credentials(settings.people)}"


def test_folders_that_cannot_be_written_are_broken(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    spool, log = tmp_path / "file" / "spool", tmp_path / "none" / "log"
    levels = said(Settings(home=tmp_path, spool=spool, request_log=str(log)))
    assert list(levels.values()) == ["BAD", "BAD"]
    assert "ASSAY_SPOOL" in " ".join(levels)
    assert "ASSAY_REQUEST_LOG" in " ".join(levels)
    assert list(said(Settings(home=tmp_path, request_log=str(tmp_path / "log"))).values()) == ["ok"]


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"host": "0.0.0.0", "insecure": True}, "anybody who reaches 0.0.0.0 may ask"),
        ({"host": "::"}, "texts and keys go to :: in the clear"),
        ({"trusted_proxies": "10.0.0.0/8,0.0.0.0/0"}, "trusts everybody"),
        ({"cors_origins": "*"}, "lets any web page ask"),
        ({"log_texts": True}, "does nothing without ASSAY_REQUEST_LOG"),
        ({"log_texts": True, "request_log": "-"}, "texts of requests are written"),
    ],
)
def test_what_is_rarely_meant_is_worth_a_note(tmp_path: Path, given: dict[str, object], what: str) -> None:
    levels = said(Settings.model_validate({"home": tmp_path, **given}))
    assert set(levels.values()) == {"note"}
    assert any(what in line for line in levels)


def test_secrets_that_everybody_can_read_are_worth_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o644)
    monkeypatch.setenv("ASSAY_DATABASE_FILE", str(secret))
    [(line, level)] = said(Settings(home=tmp_path)).items()
    assert (level, "chmod o-r" in line) == ("note", True)
    secret.chmod(0o640)
    assert said(Settings(home=tmp_path)) == {}
