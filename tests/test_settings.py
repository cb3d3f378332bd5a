"""Settings: where they come from, and how each misfit is named."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from assay.exceptions import ConfigError
from assay.registry.store import parse_store
from assay.settings import Settings, read_settings


def test_settings_have_defaults() -> None:
    settings = read_settings({})
    assert settings == Settings()
    assert (settings.host, settings.port, settings.home) == ("127.0.0.1", 8000, Path(".assay"))
    assert settings.cache == Path(".assay/cache")


def test_settings_are_read_from_their_names_only() -> None:
    settings = read_settings(
        {"ASSAY_PORT": "9000", "ASSAY_DEFAULT_TASK": "spam", "PORT": "1", "PATH": "/bin"}
    )
    assert (settings.port, settings.default_task) == (9000, "spam")


def test_settings_come_from_this_process_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_PORT", "9001")
    assert read_settings().port == 9001


def test_an_unknown_setting_is_named_with_those_that_exist() -> None:
    with pytest.raises(
        ConfigError, match=r"Unknown setting: ASSAY_PROT\. Settings are ASSAY_HOME, .*ASSAY_PORT"
    ):
        read_settings({"ASSAY_PROT": "9000"})


@pytest.mark.parametrize(
    ("value", "fault"), [("70000", "less than or equal to 65535"), ("http", "valid integer")]
)
def test_a_setting_that_does_not_fit_is_named(value: str, fault: str) -> None:
    with pytest.raises(
        ConfigError, match=rf"settings in the environment do not fit:\n  port: .*{fault}.*'{value}'"
    ):
        read_settings({"ASSAY_PORT": value})


def test_the_store_is_a_file_under_the_home_folder_by_default(tmp_path: Path) -> None:
    assert read_settings({"ASSAY_HOME": str(tmp_path)}).store == f"sqlite:///{tmp_path / 'mlflow.db'}"


def test_mlflows_own_variable_names_the_store() -> None:
    assert read_settings({"MLFLOW_TRACKING_URI": "http://mlflow:5000"}).store == "http://mlflow:5000"


def test_our_setting_wins_over_mlflows_variable() -> None:
    both = {"MLFLOW_TRACKING_URI": "http://theirs", "ASSAY_TRACKING_URI": "http://ours"}
    assert read_settings(both).store == "http://ours"


def test_every_setting_has_a_sentence() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_the_people_s_database_lies_in_the_home_folder_unless_named(tmp_path: Path) -> None:
    assert read_settings({"ASSAY_HOME": str(tmp_path)}).people == f"sqlite:///{tmp_path / 'assay.db'}"
    assert read_settings({"ASSAY_DATABASE": "postgresql://db/people"}).people == "postgresql://db/people"


@pytest.mark.parametrize("name", ["a b", "100%", "what?", "c#1", "a%20b", "ö&'"])
def test_a_home_folder_may_have_any_name(name: str) -> None:
    store = parse_store(Settings(home=Path("/srv") / name).store)
    assert store.path == Path("/srv") / name / "mlflow.db"
    assert make_url(store.for_mlflow).database == f"/srv/{name}/mlflow.db"
