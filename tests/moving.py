"""Versions to swap between: registered for real, moved by a registry's own commands."""

from dataclasses import dataclass
from pathlib import Path

from assay.estimators import Decision, load_artifact, read_manifest
from assay.loading import open_registry
from assay.registry import Registry
from assay.settings import Settings

TEXTS = ("free prize, call now", "lunch tomorrow?", "win a free phone", "see you at home")


@dataclass(frozen=True)
class Mover:
    """A registry whose versions change seats."""

    settings: Settings

    @property
    def registry(self) -> Registry:
        return open_registry(self.settings)

    def register(self, artifact: Path) -> str:
        """Return the number of a new version made of an artifact; nobody serves it."""
        report = self.settings.home / "report"
        report.mkdir(parents=True, exist_ok=True)
        (report / "report.json").write_text("{}")
        task, manifest = load_artifact(artifact).task, read_manifest(artifact)
        run = self.registry.log_run(task, artifact=artifact, report=report, metrics={}, params={}, tags={})
        return self.registry.register(task, run, manifest=manifest, gate=None).number

    def promote(self, number: str, model: str = "SpamClassifier") -> None:
        """Put a version into production."""
        self.registry.promote(model, number, who="ann", override="for a test")

    def put_alias(self, number: str, model: str = "SpamClassifier") -> None:
        """Move the alias as MLflow's page does, past Assay."""
        with self.registry._client.session() as mlflow:
            mlflow.set_registered_model_alias(model, "production", number)

    def remove_alias(self, model: str = "SpamClassifier") -> None:
        """Take the alias away as MLflow's page does."""
        with self.registry._client.session() as mlflow:
            mlflow.delete_registered_model_alias(model, "production")

    def weights(self, number: str, model: str = "SpamClassifier") -> Path:
        """Return the file of a version's weights, where the store keeps it on this machine."""
        source = self.registry.version(model, number).source
        return Path(source.removeprefix("file://")) / "model.safetensors"


def scores_of(artifact: Path) -> dict[str, float | None]:
    """Return what an artifact's cascade scores each text."""
    return {text: decision.score for text, decision in zip(TEXTS, decide(artifact), strict=True)}


def decide(artifact: Path) -> list[Decision]:
    """Return what an artifact's cascade decides about the texts."""
    return load_artifact(artifact).decide(TEXTS)


def damage(path: Path) -> bytes:
    """Change one byte of a file and return what it held."""
    intact = path.read_bytes()
    path.write_bytes(intact[:-1] + bytes([intact[-1] ^ 1]))
    return intact
