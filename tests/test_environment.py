"""Where settings come from, which source is stronger, and how each misfit is named."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.environment import files_with_secrets, origins, read_settings
from assay.exceptions import ConfigError
from assay.settings import Settings

PASSWORD = "hunter2"


def refused(environment: dict[str, str], options: dict[str, object] | None = None) -> list[str]:
    """Return the faults that an environment is refused for."""
    with pytest.raises(ConfigError, match="The settings cannot be used:\n  ") as raised:
        read_settings(environment, options)
    faults: tuple[str, ...] = raised.value.data["faults"]
    assert raised.value.message.count("\n") == len(faults)
    return list(faults)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of settings."""
    path = tmp_path / "settings.toml"
    path.write_text('port = 1\nhost = "0.0.0.0"\nmax_delay_ms = 5\nhome = "h"\nlog_texts = true\n')
    return path


def test_settings_have_defaults() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.home) == ("127.0.0.1", 8000, Path(".assay"))
    assert settings.cache == Path(".assay/cache")


def test_settings_are_read_from_their_names_only() -> None:
    environment = {"ASSAY_PORT": "9000", "ASSAY_DEFAULT_TASK": "spam", "PORT": "1", "PATH": "/bin"}
    assert read_settings(environment) == Settings(port=9000, default_task="spam")


def test_settings_come_from_this_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PORT", "9001")
    assert read_settings().port == 9001
    assert origins() == {"port": "ASSAY_PORT"}


def test_a_stronger_source_wins(file: Path, tmp_path: Path) -> None:
    environment = {"ASSAY_SETTINGS": str(file)}
    assert read_settings(environment) == Settings(
        port=1, host="0.0.0.0", max_delay_ms=5.0, home=Path("h"), log_texts=True
    )
    environment["ASSAY_PORT"] = "2"
    assert read_settings(environment).port == 2
    assert read_settings(environment, {"port": 3}).port == 3
    secret = tmp_path / "secret"
    secret.write_text("redis://file\n")
    file.write_text('redis = "redis://toml"')
    assert read_settings(environment).redis == "redis://toml"
    environment["ASSAY_REDIS_FILE"] = str(secret)
    assert read_settings(environment).redis == "redis://file"


def test_what_is_empty_stands_for_the_default_over_weaker_sources(file: Path) -> None:
    environment = {"ASSAY_SETTINGS": str(file), "ASSAY_PORT": "", "ASSAY_HOST": "", "ASSAY_TLS_KEY": ""}
    settings = read_settings(environment)
    assert (settings.port, settings.host, settings.tls_key) == (8000, "127.0.0.1", None)
    assert read_settings({"ASSAY_MODELS": "a"}, {"models": ""}).models == ""


def test_mlflow_s_own_variable_is_the_weakest_source(tmp_path: Path) -> None:
    theirs = {"MLFLOW_TRACKING_URI": "http://theirs"}
    assert read_settings(theirs).store == "http://theirs"
    assert read_settings({**theirs, "ASSAY_TRACKING_URI": "http://ours"}).store == "http://ours"
    file = tmp_path / "s.toml"
    file.write_text('tracking_uri = "http://file"')
    assert read_settings({**theirs, "ASSAY_SETTINGS": str(file)}).store == "http://file"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ASSAY_PROT", "ASSAY_PROT: there is no such setting; did you mean ASSAY_PORT?"),
        ("ASSAY_port", "ASSAY_port: there is no such setting; did you mean ASSAY_PORT?"),
        ("ASSAY_REDIS_FLIE", "did you mean ASSAY_REDIS?"),
        ("ASSAY_PORT_FILE", "only what may hold a password is read from a file: ASSAY_TRACKING_URI_FILE,"),
        ("ASSAY_XYZZY", "there are ASSAY_HOME, ASSAY_TASKS, "),
        ("ASSAY_", "ASSAY_: there is no such setting"),
        ("ASSAY__FILE", "ASSAY__FILE: there is no such setting"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(name: str, said: str) -> None:
    [fault] = refused({name: "1"})
    assert said in fault


def test_every_fault_of_every_source_is_in_one_error(file: Path) -> None:
    file.write_text('prot = 1\nport = "x"\nworkers = 0\ntls_key = "k"\n')
    faults = refused(
        {"ASSAY_SETTINGS": str(file), "ASSAY_PROXY": "1", "ASSAY_MAX_TEXTS": "many", "ASSAY_INSECURE": "1"},
        {"port": 70000, "require_keys": True},
    )
    low, many, high = sorted(faults[3:6], key=lambda fault: ("workers" in fault, "ASSAY" in fault))
    assert low == "--port: Input should be less than or equal to 65535 (got 70000)"
    assert many.startswith("ASSAY_MAX_TEXTS: Input should be a valid integer")
    assert many.endswith("(got 'many')")
    assert high == f"workers in {file}: Input should be greater than or equal to 1 (got 0)"
    assert [*faults[:3], *faults[6:]] == [
        f"prot in {file}: there is no such setting; did you mean port?",
        f"port in {file}: this must be a whole number; it is str",
        faults[2],
        f"tls_key in {file}: HTTPS needs ASSAY_TLS_CERTIFICATE as well; set both or neither",
        "ASSAY_INSECURE and --require-keys: one asks for keys, the other for none; keep one of the two",
    ]
    assert faults[2].startswith("ASSAY_PROXY: there is no such setting")


def test_a_value_that_does_not_fit_causes_no_second_fault() -> None:
    assert len(refused({"ASSAY_TLS_KEY": "\x1b", "ASSAY_TLS_CERTIFICATE": "c"})) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"port = ", "is not TOML: Invalid value (at end of document)"),
        (b"port = 1\nport = 2", "is not TOML: Cannot overwrite a value ("),
        (b'user = "\xff"', "is not UTF-8: byte 8"),
        (b"[service]\nport = 1", "service in "),
        (b"port = true", "this must be a whole number; it is bool"),
        (b"log_texts = 1", "this must be true or false; it is int"),
        (b"models = ['a']", "this must be text in quotes; it is list"),
        (b"max_delay_ms = nan", "finite number"),
        (b"ASSAY_PORT = 1", "did you mean port?"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_its_key(file: Path, text: bytes, said: str) -> None:
    file.write_bytes(text)
    [fault] = refused({"ASSAY_SETTINGS": str(file)})
    assert said in fault
    assert str(file) in fault


def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    assert refused({"ASSAY_SETTINGS": str(tmp_path / "no")})[0].endswith("No such file or directory")
    assert refused({"ASSAY_SETTINGS": str(tmp_path)})[0].endswith("Is a directory")


def test_a_file_may_begin_with_a_byte_order_mark(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfport = 7")
    assert read_settings({"ASSAY_SETTINGS": str(file)}).port == 7


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_secret_is_read_from_a_file(tmp_path: Path, end: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(f"postgresql://me:{PASSWORD}@host/db{end}".encode())
    environment = {"ASSAY_DATABASE_FILE": str(path), "ASSAY_DATABASE": ""}
    assert read_settings(environment).database == f"postgresql://me:{PASSWORD}@host/db"
    assert origins(environment) == {"database": "ASSAY_DATABASE_FILE"}
    assert list(files_with_secrets(environment)) == [path]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xff", "it is not UTF-8"),
        (b"x" * 70_000, "is longer than 65,536 bytes"),
        (b"redis://a\nredis://b\n", "no line breaks"),
        (f"{PASSWORD}@host".encode(), "must begin with one of redis://"),
    ],
)
def test_a_secret_s_file_that_cannot_be_used_stops_the_start(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    [fault] = refused({"ASSAY_REDIS_FILE": str(path)})
    assert said in fault
    assert fault.startswith("ASSAY_REDIS_FILE: ")
    assert PASSWORD not in fault


def test_a_secret_s_file_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    [fault] = refused({"ASSAY_REDIS_FILE": str(tmp_path / "none")})
    assert (
        fault == f"ASSAY_REDIS_FILE: the file '{tmp_path / 'none'}' cannot be read: No such file or directory"
    )
    [fault] = refused({"ASSAY_REDIS_FILE": str(tmp_path)})
    assert "Is a directory" in fault


def test_a_secret_that_is_given_twice_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("redis://b")
    both = {"ASSAY_REDIS": f"redis://:{PASSWORD}@a", "ASSAY_REDIS_FILE": str(tmp_path / "secret")}
    assert refused(both) == ["ASSAY_REDIS_FILE: ASSAY_REDIS is set as well; keep one of the two"]


def test_a_secret_that_does_not_fit_is_in_no_message_and_no_chained_error() -> None:
    with pytest.raises(ConfigError) as raised:
        read_settings({"ASSAY_REDIS": PASSWORD})
    assert PASSWORD not in raised.value.message
    assert raised.value.__cause__ is None
    assert raised.value.__context__ is None


@given(st.dictionaries(st.text(max_size=8).map(lambda name: f"ASSAY_{name}"), st.text(max_size=8)))
def test_any_environment_is_read_or_refused_by_name(environment: dict[str, str]) -> None:
    environment.pop("ASSAY_SETTINGS", None)
    told = ""
    try:
        read_settings(environment)
    except ConfigError as error:
        told = error.message
    assert told == "" or any(name in told for name in environment)


def test_reading_leaves_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PORT", "9")
    before = dict(os.environ)
    read_settings(options={"port": 10})
    assert dict(os.environ) == before
