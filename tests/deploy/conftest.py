"""Releases of the Helm chart that its tests look at."""

from pathlib import Path

import pytest

from tests.deploy.rendered import PRODUCTION, Release

REST = (
    *(
        "mlflow.enabled=true",
        "mlflow.backendSecret=backend",
        "podTls.secretName=inner",
        "backup.registry.secretName=store",
        "console.enabled=false",
        "backup.registry.secretName=store",
    ),
    *("retrain.onlyDrifted=false", "retrain.from=rows", "retrain.rowsClaim=rows", "backup.to=/backup/assay"),
    *("backup.existingClaim=backups", "autoscaling.enabled=false", "image.pullSecrets={registry}"),
    *(r"tasks.files.mine\.toml=name=1", "drainSeconds=20", "stopSeconds=60", "trainImage.tag=other"),
    f"image.digest=sha256:{'a' * 64}",
)
"""What neither the defaults nor the example has on."""


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what Helm keeps."""
    return tmp_path_factory.mktemp("helm")


@pytest.fixture(scope="session")
def releases(home: Path) -> dict[str, Release]:
    """Releases of the defaults, of the example for production, and of the rest."""
    return {
        "defaults": Release(home),
        "production": Release(home, files=(PRODUCTION,)),
        "rest": Release(home, *REST, files=(PRODUCTION,)),
    }


@pytest.fixture(params=["defaults", "production", "rest"])
def release(request: pytest.FixtureRequest, releases: dict[str, Release]) -> Release:
    """Each of them."""
    return releases[request.param]
