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
