"""Build the kernel with sanitizers and try it with made-up inputs: ``make fuzz-kernel``.

    python -m tests.estimators.kernel.fuzz --seconds 600 [--keep]

Needs clang with its sanitizers (Debian: ``apt-get install clang``). What libFuzzer finds stops the run, and
the input lies in build/fuzz. ``--keep`` writes the inputs that reach something new into ``seeds``.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

from assay.estimators import kernel

ROOT = Path(__file__).parents[3]
SOURCES = ROOT / "src/assay/estimators/kernel"
BUILD = ROOT / "build/fuzz"
SEEDS = Path(__file__).parent / "seeds"
SANITIZERS = "address,undefined"
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")
LONGEST = 512
"""Bytes of an input."""


def instrumented_check() -> Callable[[bytes], None]:
    """Return the check of inputs, with the kernel that was built here instead of the installed one."""
    kernel.__path__.insert(0, str(BUILD))
    from tests.estimators.kernel.checks import CHECKS, built, check

    for part in built():
        place = Path(str(getattr(kernel, part).__file__))
        if place.parent != BUILD:
            raise RuntimeError(f"{place} is not the kernel that was built with sanitizers")
    print("fuzzed:", *built(), "of", *CHECKS, file=sys.stderr)
    return check


def build(compiler: str) -> Path:
    """Build the kernel and the program that runs the checks; return the program's path."""
    BUILD.mkdir(parents=True, exist_ok=True)
    (BUILD / "corpus").mkdir(exist_ok=True)
    flags = ["-g", "-O1", "-fno-omit-frame-pointer", "-fno-sanitize-recover=all", "-Wall", "-Wextra"]
    flags += ["-Wno-unused-parameter", f"-I{sysconfig.get_path('include')}"]
    for source in sorted(SOURCES.glob("*.c")):
        shared = ["-shared", "-fPIC", f"-fsanitize={SANITIZERS},fuzzer-no-link"]
        run([compiler, *flags, *shared, str(source), "-o", str(BUILD / f"{source.stem}{SUFFIX}")])
    program, libraries = BUILD / "fuzz", sysconfig.get_config_var("LIBDIR")
    python = [f"-L{libraries}", f"-Wl,-rpath,{libraries}", f"-lpython{sysconfig.get_config_var('LDVERSION')}"]
    driver = [str(Path(__file__).with_suffix(".c")), f"-fsanitize={SANITIZERS},fuzzer", "-rdynamic"]
    run([compiler, *flags, *driver, *python, "-o", str(program)])
    return program


def run(command: list[str], **environment: str) -> None:
    """Run a command; end as it ends where it fails."""
    code = subprocess.run(command, env=os.environ | environment, check=False).returncode
    if code:
        raise SystemExit(code)


def main() -> None:
    """Build, then fuzz."""
    parser = argparse.ArgumentParser(description="Try the kernel with made-up inputs.")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--keep", action="store_true", help="write inputs that reach something new to seeds")
    arguments = parser.parse_args()
    compiler = shutil.which("clang")
    if compiler is None:
        raise SystemExit("Fuzzing needs clang and its sanitizers; Debian: apt-get install clang")
    program, corpus = build(compiler), str(BUILD / "corpus")
    environment = {
        "FUZZ_PYTHON": sys.executable,
        "PYTHONPATH": str(ROOT),
        # Objects of their own in memory, so that a read behind a text is seen; Python leaks some at its end.
        "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1",
    }
    limits = [f"-max_total_time={arguments.seconds}", f"-max_len={LONGEST}", "-timeout=60"]
    options = [*limits, f"-artifact_prefix={BUILD}/", "-print_final_stats=1"]
    run([str(program), *options, corpus, str(SEEDS)], **environment)
    if arguments.keep:
        run([str(program), "-set_cover_merge=1", str(SEEDS), corpus], **environment)


if __name__ == "__main__":
    main()
