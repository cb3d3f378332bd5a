"""Rules of the house that a reader would otherwise have to check by hand."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

import assay
from tests.contracts.sources import ROOT, project_files

LONGEST_FILE = 400
LONGEST_FUNCTION = 40
VAGUE = {"util", "utils", "helper", "helpers", "core", "common", "misc", "manager"}
UNPICKLES = re.compile(r"^(pickle|cloudpickle|dill|joblib|shelve|marshal)$")
CONVERTER = "src/assay/estimators/conversion.py"
"""The one module that may open a pickle: ``assay import ... --trust``, on a person's own word."""
# Spelled in pieces, so that this file does not hold what it looks for.
HOSTS = re.compile(
    "|".join(("py" + r"pi\.org", "python" + r"hosted\.org", "deb" + r"ian\.org", "npm" + r"js\."))
)
MACHINE = re.compile(
    "|".join(("/" + "root/", "/" + "work/", "/home/" + r"(?!you/|user/)\w+/", "/opt/" + "wheels"))
)
SECRET = re.compile(
    "|".join(
        (
            "-----BEGIN [A-Z ]*" + "PRIVATE KEY",
            r"\bassay_[0-9a-f]{8}_[A-Za-z0-9_-]{43}\b",
            r"\bAKIA[0-9A-Z]{16}\b",
            r"\bgh[pousr]_[A-Za-z0-9]{36}",
            r"\bxox[abpr]-[A-Za-z0-9-]{20}",
            r"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.",
        )
    )
)
"""Private keys, keys of Assay, and tokens of AWS, GitHub, Slack and of the form JWT."""


def code() -> dict[str, str]:
    """Return the text of every Python file of the project by its path."""
    return {path: text for path, text in texts().items() if path.endswith(".py")}


def texts() -> dict[str, str]:
    """Return the text of every file of the project that is text, by its path."""
    found = {}
    for path in project_files():
        data = path.read_bytes()
        if b"\0" not in data:
            found[str(path.relative_to(ROOT))] = data.decode("utf-8", errors="replace")
    return found


def long_functions(path: str, text: str) -> list[str]:
    """Return the functions of a file that have too many lines, their docstring not counted."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = node.body[0] if ast.get_docstring(node) else None
            told = (docstring.end_lineno or 0) - docstring.lineno + 1 if docstring else 0
            lines = (node.end_lineno or 0) - node.lineno + 1 - told
            if lines > LONGEST_FUNCTION:
                found.append(f"{path}:{node.lineno} {node.name} has {lines} lines")
    return found


def unpickling(path: str, text: str) -> list[str]:
    """Return the imports of a file that can run code from data."""
    found = []
    for node in ast.walk(ast.parse(text)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        found += [f"{path} imports {name}" for name in names if UNPICKLES.match(name.split(".")[0])]
        if (
            isinstance(node, ast.keyword)
            and node.arg == "allow_pickle"
            and ast.unparse(node.value) != "False"
        ):
            found.append(f"{path}:{node.value.lineno} allows pickles")
    return found


def vague(path: str) -> bool:
    """Return whether a name says nothing about what its file or folder holds."""
    return any(part.split(".")[0].strip("_") in VAGUE for part in Path(path).parts)


def matches(pattern: re.Pattern[str], path: str, text: str) -> list[str]:
    """Return the places of a file where a pattern is found."""
    lines = enumerate(text.splitlines(), start=1)
    return [f"{path}:{number} {found[0]}" for number, line in lines if (found := pattern.search(line))]


def test_files_are_short() -> None:
    hand_written = {
        path: text for path, text in texts().items() if path.endswith((".py", ".sh", ".js", ".css"))
    }
    assert [path for path, text in hand_written.items() if len(text.splitlines()) > LONGEST_FILE] == []


def test_functions_are_short() -> None:
    assert [line for path, text in code().items() for line in long_functions(path, text)] == []


def test_no_name_is_vague() -> None:
    assert [path for path in texts() if vague(path)] == []


def test_only_the_converter_opens_pickles() -> None:
    shipped = {path: text for path, text in code().items() if path.startswith("src/") and path != CONVERTER}
    assert [line for path, text in shipped.items() for line in unpickling(path, text)] == []


@pytest.mark.parametrize("pattern", [HOSTS, MACHINE], ids=["registry hosts", "machine paths"])
def test_nothing_names_one_machine(pattern: re.Pattern[str]) -> None:
    assert [line for path, text in texts().items() for line in matches(pattern, path, text)] == []


def test_the_repository_holds_no_secrets() -> None:
    assert [line for path, text in texts().items() for line in matches(SECRET, path, text)] == []


def test_the_newest_change_is_of_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1] == project["version"] == assay.__version__


def test_lines_of_a_docstring_do_not_make_a_function_long() -> None:
    body = "    x = 1\n" * LONGEST_FUNCTION
    docstring = '    """One.\n' + "    more\n" * 30 + '    """\n'
    assert long_functions("a.py", "def f():\n" + docstring + body[: -len("    x = 1\n")]) == []
    assert long_functions("a.py", "def f():\n" + body) == ["a.py:1 f has 41 lines"]


def test_broken_rules_would_be_seen() -> None:
    assert (
        len(unpickling("a.py", "import pickle\nfrom joblib import load\nnp.load(f, allow_pickle=True)")) == 3
    )
    assert unpickling("a.py", "import json\nnp.load(f, allow_pickle=False)") == []
    assert vague("src/assay/gate/utils.py")
    assert not vague("src/assay/gate/decide.py")
    assert matches(HOSTS, "a", "https://" + "pypi" + ".org/simple") == ["a:1 " + "pypi" + ".org"]
    assert matches(SECRET, "a", "AKIA" + "A" * 16) == ["a:1 AKIA" + "A" * 16]
    assert matches(SECRET, "a", "-----BEGIN RSA " + "PRIVATE KEY-----") != []
    assert matches(SECRET, "a", "assay_" + "0" * 8 + "_" + "x" * 43) != []
    assert matches(MACHINE, "a", "ok\nsee /" + "root/x") == ["a:2 /" + "root/"]
