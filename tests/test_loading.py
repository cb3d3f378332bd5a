"""A task's name or a folder to a cascade."""

import subprocess
import sys
from pathlib import Path

import pytest

import assay
from assay.exceptions import VersionNotFound
from assay.loading import has_registry, registered_name
from assay.settings import Settings

FREE = ["free prize claim now"]


def test_a_folder_is_loaded_by_path_or_text(spam_artifact: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = assay.load(spam_artifact).predict_proba(FREE).tolist()
    assert assay.load(str(spam_artifact)).predict_proba(FREE).tolist() == expected
    monkeypatch.chdir(spam_artifact.parent)
    assert assay.load("model").predict_proba(FREE).tolist() == expected


def test_a_version_is_loaded_by_number_or_alias(with_version: Path) -> None:
    assert assay.load("mine", version="1").version == "1"
    assert assay.load("mine", version="latest").predict(FREE) == ["spam"]
    with pytest.raises(VersionNotFound, match=r"'MineClassifier' has no version 'production'. It has 1"):
        assay.load("mine")


def test_settings_say_where_the_registry_is(trained: Path, tmp_path: Path) -> None:
    settings = Settings(home=trained / ".assay", tasks=tmp_path)
    assert assay.load("mine", version="1", settings=settings).task.name == "mine"


@pytest.mark.parametrize("reference", ["./absent", Path("absent"), "a/b"])
def test_a_path_without_an_artifact_is_said(reference: str | Path, workplace: Path) -> None:
    with pytest.raises(VersionNotFound, match="is not an artifact folder: it has no manifest"):
        assay.load(reference)


def test_the_task_file_names_the_model(tmp_path: Path) -> None:
    settings = Settings(tasks=tmp_path)
    assert registered_name("my-task", settings) == "MyTaskClassifier"
    text = 'name = "x"\nlabels = ["a", "b"]\npositive = "a"\nmodel = "Judge"\n[data]\nsource = "x.csv"\n'
    (tmp_path / "x.toml").write_text(text)
    assert registered_name("x", settings) == "Judge"
    assert registered_name(str(tmp_path / "x.toml"), Settings()) == "Judge"


def test_the_path_of_a_task_file_names_its_versions(with_version: Path) -> None:
    text = 'name = "x"\nlabels = ["a", "b"]\npositive = "a"\nmodel = "MineClassifier"\n'
    (with_version / "x.toml").write_text(text + '[data]\nsource = "x.csv"\n')
    assert assay.load("./x.toml", version="1").version == "1"


def test_a_registry_of_this_machine_exists_once_it_was_made(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    assert not has_registry(settings)
    (tmp_path / "mlflow.db").touch()
    assert has_registry(settings)
    assert has_registry(Settings(tracking_uri="http://127.0.0.1:1"))


def test_loading_and_deciding_need_neither_mlflow_nor_sklearn(with_version: Path) -> None:
    script = (
        "import sys, assay\nassay.load('mine', version='1').decide(['free prize'])\n"
        "print({'mlflow', 'sklearn', 'scipy', 'pandas', 'torch', 'fastapi'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
