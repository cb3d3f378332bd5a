"""`make` refuses a machine it cannot set up, in a sentence, before it writes anything."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contracts.sources import ROOT

OLD = """#!/bin/sh
case "$1" in -V) echo "Python 3.9.2" ;; *) exit 1 ;; esac
"""
BARE = """#!/bin/sh
case "$2" in *ensurepip*) exit 1 ;; *) exit 0 ;; esac
"""


def set_up(python: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the set-up of a copy of its script, so that a wrong turn leaves this checkout alone."""
    (folder / "requirements").mkdir()
    script = folder / "requirements" / "install.sh"
    script.write_bytes((ROOT / "requirements" / "install.sh").read_bytes())
    environment = {**os.environ, "PYTHON": python}
    return subprocess.run(
        ["sh", str(script), "train"], env=environment, capture_output=True, text=True, check=False
    )


def stand_in(folder: Path, script: str) -> str:
    """Return the path of a made-up interpreter."""
    path = folder / "python"
    path.write_text(script, encoding="utf-8")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        (OLD, "Assay needs Python 3.11 or newer, and '{}' is Python 3.9.2."),
        (BARE, "On Debian and Ubuntu install them with: apt-get install python3-venv"),
    ],
    ids=["too old", "without venv"],
)
def test_an_unfit_python_is_refused(tmp_path: Path, script: str, sentence: str) -> None:
    python = stand_in(tmp_path, script)
    done = set_up(python, tmp_path)
    assert done.returncode == 1
    assert sentence.format(python) in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_a_missing_python_is_refused(tmp_path: Path) -> None:
    done = set_up("nonesuch-python", tmp_path)
    assert done.returncode == 1
    assert "There is no command 'nonesuch-python'. Install Python 3.11 or newer" in done.stderr


def test_make_alone_lists_the_targets() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    names = [line.split()[0] for line in listed.splitlines() if line and line[0].isalpha()]
    assert {"quickstart", "setup", "check", "test", "docs", "bench", "lock", "clean", "help"} <= set(names)


@pytest.mark.parametrize(
    ("skip", "code"),
    [
        ('"shared data is absent"', 0),
        ('"this account may mount no file system"', 0),
        ('"chromium is not installed"', 1),
        ('""', 1),
    ],
    ids=["shared data", "small disk", "browser", "no reason"],
)
def test_ci_refuses_skips_but_for_what_cannot_be_installed(tmp_path: Path, skip: str, code: int) -> None:
    test = tmp_path / "test_one.py"
    test.write_text(f"import pytest\n\ndef test_one():\n    pytest.skip({skip})\n", encoding="utf-8")
    report = tmp_path / "junit.xml"
    run_pytest(test, report)
    assert check_skips(report).returncode == code


def test_ci_refuses_a_module_skipped_whole_and_names_it(tmp_path: Path) -> None:
    test = tmp_path / "test_whole.py"
    test.write_text("import pytest\n\npytest.importorskip('nonesuch')\n", encoding="utf-8")
    report = tmp_path / "junit.xml"
    run_pytest(test, report)
    done = check_skips(report)
    assert done.returncode == 1
    assert "test_whole" in done.stderr


def test_ci_lets_passes_and_expected_failures_be(tmp_path: Path) -> None:
    test = tmp_path / "test_two.py"
    test.write_text(
        "import pytest\n\ndef test_fine(): pass\n\n@pytest.mark.xfail\ndef test_known(): raise ValueError\n",
        encoding="utf-8",
    )
    report = tmp_path / "junit.xml"
    run_pytest(test, report)
    assert check_skips(report).returncode == 0


def run_pytest(test: Path, report: Path) -> None:
    """Run one made-up test file on its own and write the JUnit report."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:randomly",
        "-p",
        "no:cacheprovider",
        "-c",
        os.devnull,
    ]
    subprocess.run(
        [*command, f"--rootdir={test.parent}", f"--junitxml={report}", str(test)],
        cwd=test.parent,
        capture_output=True,
        check=False,
    )
    assert report.is_file()


def check_skips(report: Path) -> subprocess.CompletedProcess[str]:
    """Run CI's check of a report."""
    command = [sys.executable, str(ROOT / ".ci" / "skips.py"), str(report)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_without_torch_tests_of_training_are_skipped_by_name_and_ci_refuses_it(tmp_path: Path) -> None:
    folder = tmp_path / "tests" / "estimators" / "transformer"
    folder.mkdir(parents=True)
    for name in ("libraries.py", "estimators/transformer/conftest.py"):
        (tmp_path / "tests" / name).write_bytes((ROOT / "tests" / name).read_bytes())
    (folder / "test_one.py").write_text("import torch\n\ndef test_one(): pass\n", encoding="utf-8")
    program = (
        "import sys\nsys.modules['torch'] = None\nsys.path.insert(0, '.')\nimport pytest\n"
        "sys.exit(pytest.main(['-p', 'no:cacheprovider', '-c', '/dev/null', "
        "'--import-mode=importlib', '--rootdir=.', '--junitxml=junit.xml', 'tests']))"
    )
    command = [sys.executable, "-B", "-c", program]
    quick = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=quick, capture_output=True, text=True, check=False)
    assert "1 skipped" in done.stdout, done.stdout + done.stderr
    refused = check_skips(tmp_path / "junit.xml")
    assert refused.returncode == 1
    assert "torch not installed; docs/transformers.md says how (make torch)" in refused.stderr


PIP = """#!/bin/sh
case "$1" in -c) echo {there}; exit ;; esac
echo "$@" >> "$0.log"
case "$*" in *{missing}) exit 1 ;; esac
"""


def install_torch(
    folder: Path, *, system: str = "Linux", gpu: bool = False, there: str = "none", missing: str = "nothing"
) -> tuple[str, list[str]]:
    """Return what the script says, and what it asked of a made-up pip, with ``TORCH`` as it is set."""
    python = stand_in(folder, PIP.replace("{there}", there).replace("{missing}", missing))
    for name, program in (("nvidia-smi", f"exit {0 if gpu else 1}"), ("uname", f"echo {system}")):
        (folder / name).write_text(f"#!/bin/sh\n{program}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    done = subprocess.run(
        ["sh", str(ROOT / "requirements" / "torch.sh"), python],
        env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    log = Path(f"{python}.log")
    return done.stderr, log.read_text(encoding="utf-8").splitlines() if log.exists() else []


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> str:
    """The torch that is pinned, on a machine where nobody said which build to take."""
    monkeypatch.delenv("TORCH", raising=False)
    return (ROOT / "requirements" / "torch.txt").read_text(encoding="utf-8").strip()


def test_a_machine_without_a_gpu_gets_the_build_for_it(tmp_path: Path, pinned: str) -> None:
    said, [asked] = install_torch(tmp_path)
    assert said == ""
    assert asked.endswith(f" {pinned}+cpu")


@pytest.mark.parametrize(
    ("system", "gpu", "torch"),
    [("Linux", True, ""), ("Darwin", False, ""), ("Linux", False, "any")],
    ids=["GPU", "macOS", "TORCH=any"],
)
def test_other_machines_get_what_their_index_gives(
    tmp_path: Path, pinned: str, monkeypatch: pytest.MonkeyPatch, system: str, gpu: bool, torch: str
) -> None:
    monkeypatch.setenv("TORCH", torch)
    said, [asked] = install_torch(tmp_path, system=system, gpu=gpu)
    assert said == ""
    assert asked.endswith(f" {pinned}")


def test_a_torch_that_is_there_is_left_as_it_is(tmp_path: Path, pinned: str) -> None:
    assert install_torch(tmp_path, there=pinned.removeprefix("torch==")) == ("", [])
    assert install_torch(tmp_path, there="2.0.0")[1] != []


@pytest.mark.parametrize("gpu", [False, True])
def test_all_else_goes_on_where_no_torch_can_be_had(tmp_path: Path, pinned: str, gpu: bool) -> None:
    named = pinned if gpu else f"{pinned}+cpu"
    said, [asked] = install_torch(tmp_path, gpu=gpu, missing=named)
    assert asked.endswith(f" {named}")
    assert "torch is not installed, so transformers cannot be trained" in said
    assert f"pip could not install {named}" in said
    assert ("TORCH=any" in said) is not gpu
    assert said.endswith("make torch\n")
