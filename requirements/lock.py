"""Write and check the lock files beside this script.

    python requirements/lock.py              write them; what is locked already keeps its version
    python requirements/lock.py --upgrade    write them with the newest versions that fit
    python requirements/lock.py --check      say what does not agree, without a network

``dev.txt`` is resolved first and constrains the others, so that a package has one version everywhere.
Each file's first line holds a digest of what it was resolved from: that is what ``--check`` compares.
torch is in none of them: its build depends on the machine. ``torch.txt``, written by hand, has its version.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

FOLDER = Path("requirements")
EXTRAS = {
    "dev": ("dev",),
    "train": ("train",),
    "transformers": ("train", "transformers", "hub", "onnx"),
    "service": (),
    "onnx": ("onnx",),
    "image": ("redis", "postgres"),
    "parquet": ("parquet",),
    "hub": ("hub",),
    "mlflow-s3": ("mlflow-s3",),
    "s3": ("s3",),
    "build": None,
    "dvc": None,
    "sbom": None,
    "deploy": None,
    "fetch": None,
}
"""Lock -> extras beside the base dependencies; None: tools instead, without Assay's dependencies."""
WITH_TORCH = ("dev", "transformers")
"""Locks of what torch is used with. None has torch itself, whose build depends on the machine."""
UV = (
    *("pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes"),
    *("--no-emit-index-url", "--no-emit-find-links", "--custom-compile-command", "make lock"),
    *("--constraint", "requirements/torch.txt", "--no-emit-package", "torch"),
)
PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==(\S+)", re.MULTILINE)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the locks of the working folder and return the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--upgrade", action="store_true")
    options = parser.parse_args(arguments)
    if not options.check:
        write_locks(upgrade=options.upgrade)
    found = faults(Path())
    sys.stderr.writelines(f"{fault}\n" for fault in found)
    return 1 if found else 0


def write_locks(*, upgrade: bool) -> None:
    """Resolve every lock with uv, in the working folder."""
    root = Path()
    for name, extras in EXTRAS.items():
        path = FOLDER / f"{name}.txt"
        command = [str(Path(sys.executable).with_name("uv")), *UV, "--output-file", str(path)]
        command += ["--upgrade"] if upgrade else []
        command += [] if name == "dev" else ["--constraint", str(FOLDER / "dev.txt")]
        command += ["-"] if extras is None else ["pyproject.toml", *(f"--extra={extra}" for extra in extras)]
        requires = "\n".join(inputs(root, name).get("requires", []))
        subprocess.run(command, input=requires, text=True, check=True)
        body = path.read_text(encoding="utf-8")
        path.write_text(f"# inputs: {digest(root, name)}\n{body}", encoding="utf-8")


def inputs(root: Path, name: str) -> dict[str, list[str]]:
    """Return what a lock is resolved from."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    extras = EXTRAS[name]
    if extras is None:
        build = [*project["build-system"]["requires"], "uv"]
        return {"requires": build if name == "build" else project["dependency-groups"][name]}
    wanted = {"python": [project["project"]["requires-python"]], "base": project["project"]["dependencies"]}
    optional = project["project"].get("optional-dependencies", {})
    wanted |= optional if name == "dev" else {extra: optional[extra] for extra in extras}
    return wanted | (torch(root) if name in WITH_TORCH else {})


def torch(root: Path) -> dict[str, list[str]]:
    """Return the torch that is installed beside the locks, and the one they hold the dependencies of."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    [metadata] = [each for each in project["tool"]["uv"]["dependency-metadata"] if each["name"] == "torch"]
    return {
        "torch": (root / FOLDER / "torch.txt").read_text(encoding="utf-8").split(),
        "torch of the locks": [f"torch=={metadata['version']}"],
        "torch needs": metadata["requires-dist"],
    }


def digest(root: Path, name: str) -> str:
    """Return the digest of a lock's inputs; order and spelling of lists count, comments do not."""
    return hashlib.sha256(json.dumps(inputs(root, name), sort_keys=True).encode()).hexdigest()


def faults(root: Path) -> list[str]:
    """Return a sentence for everything that keeps the locks from being used as they are."""
    paths = {name: root / FOLDER / f"{name}.txt" for name in EXTRAS}
    missing = [f"{path} is missing; run: make lock" for path in paths.values() if not path.is_file()]
    if missing:
        return missing
    texts = {name: path.read_text(encoding="utf-8") for name, path in paths.items()}
    everything = pins(texts["dev"])
    found = torch_faults(root)
    for name, text in texts.items():
        path = FOLDER / f"{name}.txt"
        if not text.startswith(f"# inputs: {digest(root, name)}\n"):
            found.append(f"pyproject.toml changed after {path} was made; run: make lock")
        if "://" in text or "index-url" in text:
            found.append(f"{path} names a host; it must work with whatever index a machine is set up for")
        if "torch" in pins(text):
            found.append(f"{path} has torch, whose build depends on the machine; run: make lock")
        for package, versions in pins(text).items():
            if not versions <= everything.get(package, versions):
                others = f"{FOLDER / 'dev.txt'} {sorted(everything[package])}"
                found.append(f"{path} has {package} {sorted(versions)}, {others}; run: make lock")
    return found


def torch_faults(root: Path) -> list[str]:
    """Return a sentence when the torch that is installed is not the one whose dependencies are locked."""
    installed, locked = (" ".join(torch(root)[each]) for each in ("torch", "torch of the locks"))
    if installed == locked:
        return []
    return [
        f"{FOLDER / 'torch.txt'} says {installed!r} and tool.uv.dependency-metadata of pyproject.toml "
        f"{locked!r}; give both the same version, with its requirements, and run: make lock"
    ]


def pins(text: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock's text: one, or one for each range of Pythons."""
    versions: dict[str, set[str]] = {}
    for package, version in PINNED.findall(text):
        versions.setdefault(package, set()).add(version)
    return versions


if __name__ == "__main__":
    sys.exit(main())
