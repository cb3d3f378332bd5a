"""What the Dockerfile promises, read from it: stages, user, locks, and what can get into an image."""

import re
import subprocess
from fnmatch import fnmatch
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from assay.arguments import build_parser
from assay.environment import read_settings
from tests.contracts.sources import ROOT

TARGETS = ("train", "mlflow", "onnx", "service")
"""In the order of the file: what is built where nobody names one is the last."""
HEAVY = {"torch", "mlflow", "mlflow-skinny", "scikit-learn", "scipy", "pandas", "matplotlib", "transformers"}
INTO_THE_CONTEXT = ("LICENSE", "README.md", "pyproject.toml", "requirements/*.txt", "requirements/*.sh")
"""Beside the folders src and tasks."""


def stages() -> dict[str, list[str]]:
    """Return the instructions of each stage, on one line each, by the stage's name."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    found: dict[str, list[str]] = {"": []}
    for line in re.sub(r"\\\n\s*", "", text).splitlines():
        if line.startswith("FROM "):
            found[line.partition(" AS ")[2]] = [line]
        elif line:
            found[list(found)[-1]].append(line)
    return found


def instructions(name: str) -> list[str]:
    """Return the instructions that make a stage, those of the stages it begins from first."""
    own = stages()[name]
    origin = own[0].split()[1]
    return [*(instructions(origin) if origin in stages() else []), *own]


def last(name: str, instruction: str) -> str:
    """Return what holds in the end of an instruction that may be given again."""
    return next(
        line.removeprefix(instruction).strip()
        for line in reversed(instructions(name))
        if line.startswith(f"{instruction} ")
    )


def lock(name: str) -> set[str]:
    """Return the packages of a lock."""
    text = (ROOT / "requirements" / f"{name}.txt").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z0-9._-]+)==", text, re.MULTILINE))


def locks_of(name: str) -> list[str]:
    """Return the locks that the environment of a target is made of."""
    [copied] = [line for line in stages()[name] if line.endswith(" /opt/assay /opt/assay")]
    source = copied.split()[1].removeprefix("--from=")
    [made] = [line for line in stages()[source] if "environment.sh packages" in line]
    return made.partition(" packages ")[2].replace("${EXTRAS}", "").split()


def test_the_last_stage_is_the_service_and_every_target_is_there() -> None:
    assert [name for name in stages() if name in TARGETS] == list(TARGETS)
    assert list(stages())[-1] == "service"


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_is_made_from_the_base_that_is_asked_for(name: str) -> None:
    assert stages()[""] == ["ARG BASE=python:3.11-slim"]
    assert instructions(name)[0].split()[:2] == ["FROM", "${BASE}"]


@pytest.mark.parametrize("name", TARGETS)
def test_an_image_runs_as_nobody_special_and_writes_in_one_folder(name: str) -> None:
    assert last(name, "USER") == "10001:10001"
    assert last(name, "VOLUME") == "/app/data"
    assert [line for line in instructions(name) if "-o assay -g assay -m 0750 /app/data" in line] != []


def test_no_stage_of_an_image_has_a_compiler_or_keeps_pip() -> None:
    for name in TARGETS:
        made = "\n".join(instructions(name))
        installed = re.findall(r"apt-get install -y --no-install-recommends (\S+)", made)
        # What backs up a PostgreSQL; what only serves takes nothing from Debian.
        assert installed == (["postgresql-client"] if name in ("train", "mlflow") else [])
        assert made.count("apt-get install") == len(installed)
        assert "pip uninstall --yes" in made


@pytest.mark.parametrize("name", ["service", "onnx"])
def test_a_service_asks_itself_for_its_health_by_a_command_that_there_is(name: str) -> None:
    assert last(name, "HEALTHCHECK").endswith('CMD ["assay", "health"]')
    assert build_parser(["health"]).parse_args(["health"]).command == "health"
    assert (last(name, "ENTRYPOINT"), last(name, "CMD")) == ('["assay"]', '["serve"]')


def test_the_image_that_trains_takes_the_words_after_its_name_as_a_command() -> None:
    assert last("train", "ENTRYPOINT") == '["assay"]'
    assert build_parser(["train", "sentiment"]).parse_args(["train", "sentiment"]).task == "sentiment"


def test_the_tracking_server_starts_no_jobs_and_tells_nobody() -> None:
    assert last("mlflow", "CMD") == '["mlflow", "server"]'
    said = " ".join(line for line in instructions("mlflow") if line.startswith("ENV "))
    assert "MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false" in said
    assert "MLFLOW_DISABLE_TELEMETRY=true" in said


@pytest.mark.parametrize("name", TARGETS)
def test_the_settings_of_an_image_are_settings(name: str) -> None:
    said = " ".join(line for line in instructions(name) if line.startswith("ENV "))
    environment = dict(re.findall(r"(ASSAY_\w+)=(\S+)", said))
    settings = read_settings(environment)
    assert (settings.home, settings.tasks) == (Path("/app/data"), Path("/app/tasks"))
    assert settings.host == "0.0.0.0"


def test_a_service_has_what_replicas_share_and_nothing_that_trains() -> None:
    assert locks_of("service") == ["image"]
    assert lock("service") | {"redis", "psycopg", "psycopg-binary"} <= lock("image")
    assert not (HEAVY | {"pyarrow", "onnxruntime"}) & lock("image")
    assert locks_of("onnx") == ["image", "onnx"]
    assert not HEAVY & lock("onnx")
    assert "pyarrow" in lock("parquet")


def test_what_trains_and_tracks_are_of_one_mlflow() -> None:
    assert locks_of("train") == ["image", "train", "hub", "s3", "mlflow-s3", "fetch"]
    assert {"mlflow", "scikit-learn"} <= lock("train")
    assert "boto3" in lock("mlflow-s3")
    assert "obstore" in lock("s3")
    assert (lock("fetch"), "huggingface-hub" in lock("hub")) == ({"pip"}, True)
    assert stages()["mlflow"][0] == "FROM train AS mlflow"


def test_every_package_is_installed_by_its_hash() -> None:
    script = (ROOT / "requirements" / "environment.sh").read_text(encoding="utf-8")
    installs = re.findall(r"^.*pip.* install .*$", (ROOT / "Dockerfile").read_text() + script, re.MULTILINE)
    assert len(installs) == 3
    assert [line for line in installs if "--require-hashes" not in line] == [
        'install() { pip --python "$python" install --no-compile --only-binary :all: "$@"; }'
    ]
    assert re.findall(r"^ +install (\S+)", script, re.MULTILINE) == ["--require-hashes", "--no-deps"]


def test_nothing_gets_into_the_context_but_what_is_named() -> None:
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [rule for rule in rules if rule and not rule.startswith("#")]
    assert rules[0] == "*"
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    assert sorted(allowed) == sorted([*INTO_THE_CONTEXT, "src", "tasks"])
    secret = ("**/.env", "**/.assay", "**/*.pem", "**/*.key")
    assert set(secret) <= set(rules[len(allowed) + 1 :])


def test_every_file_that_the_dockerfile_copies_is_in_the_context() -> None:
    copied = [line.split()[1:-1] for each in stages().values() for line in each if line.startswith("COPY ")]
    wanted = [name for names in copied if not names[0].startswith("--from") for name in names]
    assert {"src", "tasks", "LICENSE"} <= set(wanted)
    for name in wanted:
        assert list(ROOT.glob(name)) != []
        assert name in ("src", "tasks") or any(fnmatch(name, allowed) for allowed in INTO_THE_CONTEXT)


def test_make_builds_the_target_with_labels_of_version_and_commit() -> None:
    done = subprocess.run(
        ["make", "--dry-run", "image", "TARGET=train", "EXTRAS=parquet", "ENGINE=echo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "--target train" in done.stdout
    assert "--build-arg EXTRAS=parquet" in done.stdout
    assert "--tag assay-train:latest" in done.stdout
    labels = last("train", "LABEL")
    for argument in ("VERSION", "REVISION"):
        assert f"ARG {argument}=" in instructions("train")
        assert f"--build-arg {argument}=" in done.stdout
        assert f'org.opencontainers.image.{argument.lower()}="${{{argument}}}"' in labels


def test_every_lock_that_an_image_is_made_of_is_checked() -> None:
    spec = spec_from_file_location("lock", ROOT / "requirements" / "lock.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    used = {name for target in ("service", "onnx", "train") for name in locks_of(target)}
    assert used | {"parquet", "build", "sbom"} <= set(module.EXTRAS)
