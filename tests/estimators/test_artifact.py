"""Artifacts are saved whole or not at all, and load as they were saved."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import pytest

from assay.estimators import Cascade, attach_report, load_artifact, read_manifest, save_artifact
from assay.exceptions import ArtifactError, TextError
from tests.estimators.made_up import cascade_of, made

FROZEN = Path(__file__).parents[1] / "artifacts" / "v1"
DIGESTS = {
    "ratios": "9be90c189e02f8a3e80151293d2c84b92eae6d499a92f70d6fca4c004da5a602",
    "three-labels": "b6268da657216d56c534db3844f45ec1fdf1baf829e7a3f59b11ac620c10f435",
    "words-and-characters": "45932c988cd5420944482a8c91843c347325cc5ee95c57d835b3157f41324fee",
}
WEIGHTS = {"free": [2.0], "prize": [1.0], "lunch": [-3.0]}


@pytest.fixture
def cascade() -> Cascade:
    """A cascade that calls texts with ``free`` spam."""
    return cascade_of(made(WEIGHTS))


def save(cascade: Cascade, folder: Path, **provenance: Any) -> None:
    save_artifact(cascade, folder, golden=["free prize", "lunch"], provenance=provenance)


def test_an_artifact_holds_its_files_and_says_where_it_comes_from(cascade: Cascade, tmp_path: Path) -> None:
    facts = {"libraries": {"numpy": "2"}, "git_commit": "0" * 40, "dataset": {"rows": {"train": 3}}}
    manifest = save_artifact(cascade, tmp_path / "deep" / "model", golden=["free"], provenance=facts)
    files = {path.name for path in (tmp_path / "deep" / "model").iterdir()}
    assert files == {"manifest.json", *manifest.files}
    assert set(manifest.files) == {
        "task.toml",
        "model.json",
        "model.safetensors",
        "operating_point.json",
        "golden.jsonl",
    }
    assert manifest.model_dump(include=set(facts)) == facts
    assert read_manifest(tmp_path / "deep" / "model") == manifest
    assert list((tmp_path / "deep").iterdir()) == [tmp_path / "deep" / "model"]


def test_a_loaded_cascade_carries_its_identity(cascade: Cascade, tmp_path: Path) -> None:
    save(cascade, tmp_path / "a")
    save(cascade, tmp_path / "b", git_commit="1" * 40)
    save(cascade_of(made(WEIGHTS | {"free": [2.5]})), tmp_path / "c")
    a, b, c = (load_artifact(tmp_path / name) for name in "abc")
    assert cascade.digest == ""
    assert len(a.digest) == 64
    assert a.digest == b.digest
    assert a.digest != c.digest


@pytest.mark.parametrize(
    "labels",
    [["a b", 'say "no"'], ["ключ", "日本"], ["line\nfeed\r", "tab\t\\n"], ["\x00\x1f\x7f", "\u2028\x85"]],
    ids=["quotes", "scripts", "lines", "controls"],
)
def test_odd_labels_come_back_as_they_were(labels: list[str], tmp_path: Path) -> None:
    cascade = cascade_of(made(WEIGHTS, labels=labels), description="odd: \x00 \u2028 '''")
    save(cascade, tmp_path / "model")
    loaded = load_artifact(tmp_path / "model")
    assert loaded.task == cascade.task
    assert loaded.predict(["free", "lunch"]) == labels[::-1]


def test_odd_golden_texts_are_decided_again(cascade: Cascade, tmp_path: Path) -> None:
    golden = ["free\u2028prize", "free\r\nlunch\x85", "\x00", "\ufefffree", '"\\', "🎁 free"]
    save_artifact(cascade, tmp_path / "model", golden=golden, provenance={})
    lines = (tmp_path / "model" / "golden.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    assert [json.loads(line)["text"] for line in lines] == golden
    assert load_artifact(tmp_path / "model").labels == ("ham", "spam")


def test_a_model_without_n_grams_saves_and_loads(tmp_path: Path) -> None:
    model = made(WEIGHTS)
    empty = made({"free": [1.0]}).blocks[:0]
    save(cascade_of(type(model)(model.labels, "sigmoid", empty, np.array([3.0]))), tmp_path / "model")
    assert load_artifact(tmp_path / "model").predict(["lunch"]) == ["spam"]


def test_nothing_is_written_over_a_folder(cascade: Cascade, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with pytest.raises(ArtifactError, match="never written over"):
        save(cascade, tmp_path / "model")
    assert list(tmp_path.rglob("*")) == [tmp_path / "model"]


def test_an_artifact_needs_a_golden_text(cascade: Cascade, tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="at least one golden text"):
        save_artifact(cascade, tmp_path / "model", golden=[], provenance={})
    assert list(tmp_path.iterdir()) == []


def test_a_golden_text_that_cannot_be_scored_leaves_nothing(cascade: Cascade, tmp_path: Path) -> None:
    with pytest.raises(TextError, match="Text 1 is empty"):
        save_artifact(cascade, tmp_path / "model", golden=["free", " "], provenance={})
    assert list(tmp_path.iterdir()) == []


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let the system refuse writes past a size, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 100, 3000])
def test_a_full_disk_leaves_nothing_behind(cascade: Cascade, tmp_path: Path, size: int) -> None:
    large = cascade_of(made({f"word{number}": [1.0] for number in range(500)}))
    with largest_file(size), pytest.raises(ArtifactError, match=r"not be written: .*Nothing of it was kept"):
        save(large, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    save(large, tmp_path / "model")
    assert load_artifact(tmp_path / "model").predict(["word7"]) == ["spam"]


def test_a_folder_that_cannot_be_made_is_an_artifact_error(cascade: Cascade, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ArtifactError, match="could not be written: Not a directory"):
        save(cascade, tmp_path / "file" / "model")


class Interrupting(Mapping[str, Any]):
    """Provenance that does something when it is read: after the files, before the manifest."""

    def __init__(self, action: Any) -> None:
        self.action = action

    def __getitem__(self, key: str) -> Any:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        self.action()
        return iter(())

    def __len__(self) -> int:
        return 0


def test_a_folder_that_appears_meanwhile_stays_as_it_is(cascade: Cascade, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    racing = Interrupting(lambda: save(cascade, folder, git_commit="first"))
    with pytest.raises(ArtifactError, match="could not be written"):
        save_artifact(cascade, folder, golden=["free"], provenance=racing)
    assert read_manifest(folder).git_commit == "first"
    assert list(tmp_path.iterdir()) == [folder]


def test_threads_saving_to_one_folder_leave_one_whole_artifact(cascade: Cascade, tmp_path: Path) -> None:
    barrier = Barrier(4)

    def attempt(number: int) -> int:
        try:
            save_artifact(cascade, tmp_path / "model", golden=["free"], provenance=Interrupting(barrier.wait))
        except ArtifactError:
            return 0
        return 1

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1
    assert load_artifact(tmp_path / "model").predict(["free"]) == ["spam"]
    assert list(tmp_path.iterdir()) == [tmp_path / "model"]


SAVE = """
import os, signal, sys, time
from pathlib import Path
from assay.estimators import LinearModel, load_artifact, save_artifact
from assay.exceptions import ArtifactError

source, folder, moment = map(Path, sys.argv[1:])
cascade = load_artifact(source)

class Provenance(dict):
    def keys(self):
        os.kill(os.getpid(), signal.SIGKILL)

    __iter__ = keys

class Killed(LinearModel):
    def to_arrays(self):
        os.kill(os.getpid(), signal.SIGKILL)

provenance = Provenance() if moment.name == "manifest" else {}
if moment.name == "weights":
    model = cascade.model
    object.__setattr__(cascade, "model", Killed(model.labels, model.link, model.blocks, model.intercept))
while moment.name == "together" and not moment.exists():
    time.sleep(0.001)
try:
    save_artifact(cascade, folder, golden=["free"], provenance=provenance)
except ArtifactError:
    sys.exit(7)
"""


def saving(source: Path, folder: Path, moment: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", SAVE, source, folder, moment])


@pytest.mark.parametrize("moment", ["weights", "manifest"])
def test_a_killed_process_leaves_no_folder_that_loads(
    spam_artifact: Path, cascade: Cascade, tmp_path: Path, moment: str
) -> None:
    folder = tmp_path / "model"
    assert saving(spam_artifact, folder, tmp_path / moment).wait() == -signal.SIGKILL
    [draft] = tmp_path.iterdir()
    assert draft != folder
    with pytest.raises(ArtifactError, match="is not an artifact"):
        load_artifact(draft)
    save(cascade, folder)
    assert load_artifact(folder).predict(["free"]) == ["spam"]


def test_processes_saving_side_by_side_leave_one_whole_artifact(spam_artifact: Path, tmp_path: Path) -> None:
    start = tmp_path / "together"
    processes = [saving(spam_artifact, tmp_path / "model", start) for _ in range(2)]
    start.touch()
    assert sorted(process.wait() for process in processes) == [0, 7]
    assert load_artifact(tmp_path / "model").labels == ("ham", "spam")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "together"]


def test_a_report_is_added_once_and_leaves_the_identity(cascade: Cascade, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save(cascade, folder)
    before = load_artifact(folder)
    manifest = attach_report(folder, '{"f1": 0.9}')
    assert "report.json" in manifest.files
    assert load_artifact(folder).manifest == manifest
    assert manifest.digest == before.digest
    with pytest.raises(ArtifactError, match="has a report"):
        attach_report(folder, "{}")
    assert (folder / "report.json").read_text(encoding="utf-8") == '{"f1": 0.9}'


def test_a_full_disk_while_adding_the_report_leaves_the_artifact(cascade: Cascade, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save(cascade, folder)
    with pytest.raises(ArtifactError, match="report could not be added"), largest_file(100):
        attach_report(folder, "x" * 200)
    with pytest.raises(ArtifactError, match="report could not be added"), largest_file(100):
        attach_report(folder, "{}")
    assert "report.json" not in read_manifest(folder).files
    assert not (folder / ".manifest.draft").exists()
    assert "report.json" in attach_report(folder, "{}").files


LOADED_BARE = """
import os, sys
from pathlib import Path

sys.addaudithook(lambda event, _: event == "pickle.find_class" and os._exit(9))
from assay.estimators import load_artifact

load_artifact(Path(sys.argv[1])).decide(["free prize"])
print(sorted({"sklearn", "scipy", "joblib", "pandas", "mlflow", "torch"} & set(sys.modules)))
"""


def test_loading_and_deciding_need_neither_pickle_nor_the_training_libraries(spam_artifact: Path) -> None:
    command = [sys.executable, "-c", LOADED_BARE, spam_artifact]
    result = subprocess.run(command, capture_output=True, text=True)
    assert (result.stdout.strip(), result.stderr) == ("[]", "")


@pytest.mark.parametrize("name", DIGESTS)
def test_frozen_artifacts_of_format_1_keep_loading(name: str, tmp_path: Path) -> None:
    shutil.copytree(FROZEN / name, tmp_path / name)
    for path in (tmp_path / name).iterdir():
        os.chmod(path, 0o444)  # noqa: PTH101 - a file system that cannot be written to
    cascade = load_artifact(tmp_path / name)
    assert cascade.digest == DIGESTS[name]
    assert cascade.predict(["free prize, claim cash now", "lunch at home tomorrow"]) == ["spam", "ham"]


def test_every_frozen_artifact_is_checked() -> None:
    assert {path.parent.name for path in FROZEN.glob("*/manifest.json")} == set(DIGESTS)
    assert sum(path.stat().st_size for path in FROZEN.rglob("*")) < 60_000


def test_a_saved_cascade_answers_as_its_frozen_form(tmp_path: Path) -> None:
    frozen = load_artifact(FROZEN / "three-labels")
    golden = ["free prize", "lunch tomorrow"]
    manifest = save_artifact(frozen, tmp_path / "again", golden=golden, provenance={})
    assert manifest.files["model.safetensors"] == frozen.manifest.files["model.safetensors"]
