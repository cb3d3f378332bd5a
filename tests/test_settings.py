"""The table of settings: defaults, what goes together, what may be shown."""

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from assay.registry.store import parse_store
from assay.settings import SECRETS, Settings, shown

PASSWORD = "hunter2"
SECRET_VALUES = {
    "tracking_uri": f"https://ann:{PASSWORD}@mlflow:5000",
    "database": f"postgresql://host/people?user=ann&password={PASSWORD}",
    "redis": f"redis://:{PASSWORD}@redis:6379/0",
    "encoder_cache_redis": f"redis://:{PASSWORD}@redis:6379/1",
    "decision_key": PASSWORD,
}


def test_every_setting_has_a_sentence() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_store_is_a_file_under_the_home_folder_by_default(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).store == f"sqlite:///{tmp_path / 'mlflow.db'}"
    assert Settings(tracking_uri="http://mlflow:5000").store == "http://mlflow:5000"


def test_the_people_s_database_lies_in_the_home_folder_unless_named(tmp_path: Path) -> None:
    assert Settings(home=tmp_path).people == f"sqlite:///{tmp_path / 'assay.db'}"
    assert Settings(database="postgresql://db/people").people == "postgresql://db/people"


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "c#1", "a%20b", "ö&'"])
def test_a_home_folder_may_have_any_name(name: str) -> None:
    store = parse_store(Settings(home=Path("/srv") / name).store)
    assert store.path == Path("/srv") / name / "mlflow.db"
    assert make_url(store.for_mlflow).database == f"/srv/{name}/mlflow.db"


def test_every_secret_setting_is_tried_here() -> None:
    assert set(SECRETS) == set(SECRET_VALUES)


def test_no_password_is_in_what_people_see_of_the_settings() -> None:
    settings = Settings.model_validate(SECRET_VALUES)
    told = f"{settings!r} {settings} {shown(settings)}"
    assert PASSWORD not in told
    assert "mlflow:5000" in told
    assert shown(settings)["redis"] == "redis://***@redis:6379/0"
    assert shown(settings)["port"] == "8000"
    assert shown(settings)["spool"] == ""


@pytest.mark.parametrize("value", ["hunter2", "ann:hunter2/host", "password hunter2"])
def test_a_secret_that_is_no_uri_is_not_shown_at_all(value: str) -> None:
    assert shown(Settings(database=value))["database"] == "***"


def test_a_refused_value_is_not_in_the_error_that_python_shows() -> None:
    with pytest.raises(ValidationError) as raised:
        Settings(redis=PASSWORD)
    assert PASSWORD not in str(raised.value)


def test_settings_go_to_other_processes_as_they_are() -> None:
    settings = Settings.model_validate(SECRET_VALUES | {"spool": "x", "port": 9})
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ({"tls_certificate": "c.pem"}, "HTTPS needs ASSAY_TLS_KEY as well; set both or neither"),
        ({"tls_key": "k.pem"}, "HTTPS needs ASSAY_TLS_CERTIFICATE as well"),
        ({"insecure": True, "require_keys": True}, "one asks for keys, the other for none"),
        ({"user": "ann\nbob"}, "no line breaks"),
        ({"user": "\x1b[31mann"}, "control characters"),
        ({"home": "a\udc80"}, "lone surrogates"),
        ({"redis": "host:6379"}, "must begin with one of redis://"),
        ({"trusted_proxies": "10.0.0.1/8"}, "'10.0.0.1/8' is no network"),
        ({"cors_origins": "example.org"}, "'example.org' is no origin"),
        ({"attributes": "TOXICITY"}, "'TOXICITY' is no attribute and its task"),
        ({"rate_per_kye": "1/s"}, "Extra inputs are not permitted"),
        ({"max_delay_ms": float("inf")}, "finite number"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], fault: str) -> None:
    with pytest.raises(ValidationError, match=fault):
        Settings.model_validate(given)
