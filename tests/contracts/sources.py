"""The repository's files and the imports in them, for the contract tests."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


@dataclass(frozen=True)
class Import:
    """One name that a module imports: ``from package import name``, or ``import package`` with no name."""

    where: str
    module: str
    package: str
    name: str


def module_name(path: Path, source: Path) -> str:
    """Return the dotted name of a module file; a package's is that of its folder."""
    parts = path.relative_to(source).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, source: Path) -> Iterator[Import]:
    """Yield what a module imports anywhere in it, inside functions and for type checkers too."""
    module = module_name(path, source)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        where = f"{path.relative_to(source)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import):
            yield from (Import(where, module, alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = "." * node.level + (node.module or "")
            yield from (Import(where, module, package, alias.name) for alias in node.names)


def published(init: Path) -> list[str]:
    """Return the names of a package's ``__all__`` without importing it; none when it has no such list."""
    if not init.is_file():
        return []
    for node in ast.parse(init.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(getattr(to, "id", "") == "__all__" for to in node.targets):
            return [str(name) for name in ast.literal_eval(node.value)]
    return []


def project_files() -> list[Path]:
    """Return every file that is tracked, or would be: git's own list, so that ignored folders stay out."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
