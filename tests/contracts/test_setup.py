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
    [('"shared data is absent"', 0), ('"chromium is not installed"', 1), ('""', 1)],
    ids=["shared data", "browser", "no reason"],
)
def test_ci_refuses_skips_but_for_shared_data(tmp_path: Path, skip: str, code: int) -> None:
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


REPORT = '{"install": [{"metadata": {"name": "torch"}}, {"metadata": {"name": "%s"}}]}'
PIP = """#!/bin/sh
echo "$@" >> "$0.log"
case "$*" in *--dry-run*) {answer} ;; esac
"""


def install_torch(folder: Path, answer: str, *, gpu: bool, **environment: str) -> tuple[str, str]:
    """Return what the script says, and the last thing that it asked of a made-up pip."""
    python = stand_in(folder, PIP.replace("{answer}", answer))
    smi = folder / "nvidia-smi"
    smi.write_text(f"#!/bin/sh\nexit {0 if gpu else 1}\n", encoding="utf-8")
    smi.chmod(0o755)
    inherited = {name: value for name, value in os.environ.items() if name != "TORCH"}
    path = {"PATH": f"{folder}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", str(ROOT / "requirements" / "torch.sh"), python],
        env=inherited | path | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0
    return done.stderr, Path(f"{python}.log").read_text(encoding="utf-8").splitlines()[-1]


@pytest.mark.parametrize(
    ("brings", "gpu", "environment"),
    [
        ("filelock", False, {}),
        ("nvidia-cublas", True, {}),
        ("nvidia-cublas", False, {"TORCH": "any"}),
    ],
    ids=["CPU build", "CUDA build with a GPU", "CUDA build that is wanted"],
)
def test_the_torch_that_fits_the_machine_is_installed(
    tmp_path: Path, brings: str, gpu: bool, environment: dict[str, str]
) -> None:
    said, asked = install_torch(tmp_path, f"echo '{REPORT % brings}'", gpu=gpu, **environment)
    assert said == ""
    assert "--dry-run" not in asked
    assert asked.endswith("-r requirements/torch.txt")


def test_a_cuda_build_is_not_fetched_without_a_gpu(tmp_path: Path) -> None:
    said, asked = install_torch(tmp_path, f"echo '{REPORT % 'nvidia-cublas'}'", gpu=False)
    assert "--dry-run" in asked
    assert "torch is not installed, so transformers cannot be trained" in said
    assert "pip would take its CUDA build, several GB, and this machine has no NVIDIA GPU." in said
    assert "make torch" in said


def test_all_else_goes_on_where_no_torch_can_be_had(tmp_path: Path) -> None:
    said, asked = install_torch(tmp_path, "exit 1", gpu=False)
    assert "--dry-run" in asked
    assert "pip found no torch==2.13.0 for this machine. See docs/transformers.md" in said
