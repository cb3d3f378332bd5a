"""The commands about keys, and what the audit log tells of them."""

import re

import pytest

from assay.access import KeyBook, Keys
from assay.audit import AuditLog
from assay.cli import main
from assay.database import Database
from assay.environment import read_settings
from assay.keyring import open_keys
from assay.settings import Settings


@pytest.fixture(autouse=True)
def place(workplace: object, monkeypatch: pytest.MonkeyPatch, people_uri: str) -> None:
    """The current folder of a user, with a people's database of each kind."""
    monkeypatch.setenv("ASSAY_DATABASE", people_uri)
    monkeypatch.setenv("ASSAY_USER", "ada")


def identified(secret: str) -> str | None:
    """Return whose a secret is, as a worker finds it."""
    keys = Keys(Database(read_settings().people))
    keys.read()
    caller = keys.identify(secret)
    return caller.name if caller else None


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[str]:
    """Run a command and return its lines, those of its errors where it fails."""
    assert main(arguments) == code
    said = capsys.readouterr()
    return (said.err if code else said.out).splitlines()


CREATE = ("keys", "create", "--name", "ci", "--scope", "predict,batch", "--scope", "feedback")


def test_a_key_is_made_and_its_secret_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    said, warned, secret = run(capsys, *CREATE, "--rate", "100/s", "--expires", "90d")
    may = "may do predict, batch, feedback; 100/s at most"
    assert re.fullmatch(rf"Key [0-9a-f]{{8}} ci {may}; until 20\d\d-\d\d-\d\d \d\d:\d\d UTC\.", said)
    assert "shown this once" in warned
    assert identified(secret) == "ci"
    lines = [*run(capsys, "keys", "list"), *run(capsys, "audit", "show")]
    assert secret.split("_", 2)[2] not in "\n".join(lines)


def test_keys_are_listed_with_their_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "keys", "list") == [
        "There are no keys yet. Make one: assay keys create --name NAME --scope predict"
    ]
    run(capsys, *CREATE)
    run(
        capsys,
        "keys",
        "create",
        "--name",
        "a-longer-name",
        "--scope",
        "admin",
        "--expires",
        "1d",
        "--rate",
        "5/d",
    )
    run(capsys, "keys", "revoke", "ci")
    head, first, second = run(capsys, "keys", "list")
    assert head.split() == ["id", "name", "state", "rate", "created", "expires", "scopes"]
    assert re.fullmatch(
        r"[0-9a-f]{8}  ci             revoked  -          20\S+  never       predict, batch, feedback", first
    )
    assert re.fullmatch(r"[0-9a-f]{8}  a-longer-name  valid    5/d        20\S+  20\S+  admin", second)


def test_a_key_is_rotated_with_two_valid_and_then_withdrawn(capsys: pytest.CaptureFixture[str]) -> None:
    old = run(capsys, *CREATE)[-1]
    grace, _, _, new = run(capsys, "keys", "rotate", "ci", "--grace", "12h")
    assert grace == "The key before it stays valid for 12h."
    assert (identified(old), identified(new)) == ("ci", "ci")
    gone = run(capsys, "keys", "revoke", new.split("_")[1], "--reason", "leaked")
    assert gone == [f"Key {new.split('_')[1]} ci was revoked; within 2 seconds no worker takes it any more."]
    assert (identified(old), identified(new)) == ("ci", None)
    assert run(capsys, "keys", "rotate", "ci", "--grace", "0s")[0] == "The key before it was revoked."
    assert identified(old) is None


def test_the_audit_log_tells_of_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "audit", "show") == ["Nothing was written into the audit log yet."]
    old = run(capsys, *CREATE, "--rate", "100/s")[-1].split("_")[1]
    new = run(capsys, "keys", "rotate", "ci")[-1].split("_")[1]
    run(capsys, "keys", "revoke", new, "--reason", "leaked\n#9  forged")
    when = r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC"
    held = "      evidence: scopes predict, batch, feedback; rate 100/s; expires never"
    lines = run(capsys, "audit", "show")
    for line, pattern in zip(
        lines,
        [
            rf"#1  {when}  created    ci - -> {old}  key by ada",
            held,
            rf"#2  {when}  rotated    ci {old} -> {new}  key by ada",
            held,
            rf"#3  {when}  revoked    ci {new} -> -  key by ada",
            r"      why: leaked\\n#9  forged",
            held,
        ],
        strict=True,
    ):
        assert re.fullmatch(pattern, line), line
    assert run(capsys, "audit", "verify")[0].startswith("The audit log is whole: 3 entries")


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("create", "--name", "a\r\nX: 1", "--scope", "predict"), "cannot be the name of a key"),
        (("create", "--name", "ci", "--scope", "root"), "There is no scope 'root'"),
        (("create", "--name", "ci", "--scope", "predict", "--rate", "fast"), "'fast' is no rate"),
        (("create", "--name", "ci", "--scope", "predict", "--expires", "soon"), "'soon' is no span of time"),
        (("rotate", "ci"), "There is no key 'ci'"),
        (("revoke", "ci"), "There is no key 'ci'"),
    ],
)
def test_what_cannot_be_done_is_an_error_in_one_line(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], fault: str
) -> None:
    [line] = run(capsys, "keys", *arguments, code=1)
    assert line.startswith("error: ")
    assert fault in line
    assert open_keys(read_settings()).list() == []


def test_an_entry_that_cannot_be_read_is_told_of_behind_the_others(
    capsys: pytest.CaptureFixture[str], people_uri: str
) -> None:
    from tests.audit.entries import past_the_triggers

    database = Database(people_uri)
    book = KeyBook(database, AuditLog(database))
    for name in ("one", "two"):
        book.create(name, "predict", who="ada")
    past_the_triggers(people_uri, "UPDATE audit SET evidence = '{' WHERE number = 1")
    lines = run(capsys, "audit", "show")
    assert lines[0].startswith("#2")
    assert "Entry 1 of the audit log was changed past Assay" in lines[-1]


def test_the_service_does_not_start_where_nobody_could_use_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (("--host", "0.0.0.0"), ("--require-keys",)):
        [line] = run(capsys, "serve", "--port", "0", *arguments, code=1)[-1:]
        assert "there is no valid key. Make one: assay keys create" in line
    [line] = run(capsys, "serve", "--require-keys", "--insecure", code=1)[-1:]
    assert "keep one of the two" in line


def test_settings_name_the_database_of_the_keys(people_uri: str) -> None:
    assert Settings(database=people_uri).people == people_uri
