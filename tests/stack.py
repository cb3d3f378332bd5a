"""The services of compose.yaml as plain processes, from the files and settings that Compose gives them."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import redis
import yaml

from assay.access import Rate
from assay.keyring import open_keys
from assay.settings import Settings
from tests.contracts.sources import ROOT
from tests.moving import Mover
from tests.running import ASSAY, unmeasured
from tests.servers import free_port, postgres_cluster, prometheus_server, running, wait_for

REPLICAS = ("api-1", "api-2")
PORTS = ("nginx", "tls", "alive", *REPLICAS, "mlflow", "redis", "postgres", "prometheus")
PATIENCE_SECONDS = 120.0
POWERLESS = (
    ("setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs") if os.geteuid() == 0 else ()
)
"""As a container has it: root itself may nothing that not everybody may, like to filter packets."""
VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


@cache
def composed() -> dict[str, Any]:
    """Return compose.yaml."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def service(name: str) -> dict[str, Any]:
    """Return what compose.yaml says of a service."""
    found: dict[str, Any] = composed()["services"][name]
    return found


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until a condition holds; a server that does not answer holds none."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if condition():
                return
        time.sleep(0.02)
    raise AssertionError(f"never came to be: {what}")


class Places:
    """Where on this machine is what a container has elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = {name: free_port() for name in PORTS}

    def at(self, name: str) -> str:
        """Return host and port of a service."""
        return f"127.0.0.1:{self.port[name]}"

    @property
    def moved(self) -> dict[str, str]:
        """Everything in which these processes differ from what is deployed: addresses, folders, and how often
        Prometheus asks.
        """
        return {
            **{f"{name}:8000": self.at(name) for name in REPLICAS},
            "172.31.250.11:8000": self.at("api-1"),
            "172.31.250.12:8000": self.at("api-2"),
            "mlflow:5000": self.at("mlflow"),
            "redis:6379": self.at("redis"),
            "postgres:5432/assay": f"{self.at('postgres')}/postgres",
            "172.31.250.10": "127.0.0.1",
            "listen 8000;": f"listen {self.at('nginx')};",
            "listen 8443 ssl;": f"listen {self.at('tls')} ssl;",
            "listen 127.0.0.1:8081;": f"listen {self.at('alive')};",
            "127.0.0.1:9090": self.at("prometheus"),
            "/run/": f"{self.folder}/",
            "/etc/nginx/": f"{self.folder}/",
            "/tmp/": f"{self.folder}/tmp/",
            "/dev/stdout": f"{self.folder}/nginx.jsonl",
            "/dev/stderr": f"{self.folder}/nginx.log",
            "15s": "1s",
        }

    def place(self, text: str) -> str:
        """Return a text of a deployed file as it is here."""
        moved = self.moved
        return re.sub("|".join(map(re.escape, moved)), lambda found: moved[found[0]], text)

    def write(self, path: str) -> Path:
        """Return the copy of a deployed file that holds here."""
        copy = self.folder / Path(path).name
        copy.write_text(self.place((ROOT / path).read_text(encoding="utf-8")), encoding="utf-8")
        return copy

    def environment(self, name: str) -> dict[str, str]:
        """Return the environment that compose.yaml gives a service, over that of this process."""
        own = {key: value for key, value in unmeasured().items() if not key.startswith(("ASSAY_", "MLFLOW_"))}
        given = {key: VARIABLE.sub(r"\2", str(value)) for key, value in service(name)["environment"].items()}
        # The commands of this environment, as the image has them.
        own["PATH"] = f"{Path(sys.executable).parent}:{own['PATH']}"
        return own | {key: self.place(value) for key, value in given.items()}


@contextmanager
def _ready(
    command: list[str],
    log: Path,
    ready: Callable[[], bool],
    silent: type[Exception],
    environment: dict[str, str] | None,
) -> Iterator[subprocess.Popen[bytes]]:
    with running(command, log, env=environment) as process:
        wait_for(ready, process, log, silent)
        yield process


class Server:
    """One process that can be killed, stopped and started again."""

    def __init__(self, run: Callable[[], AbstractContextManager[Any]]) -> None:
        self._run, self._stack = run, ExitStack()
        self.process: Any = None
        self.up = False

    def start(self) -> None:
        """Start it, unless it runs, and return when it is ready."""
        if not self.up:
            self.process, self.up = self._stack.enter_context(self._run()), True

    def stop(self) -> None:
        """End it, as its supervisor would."""
        self.up = False
        self._stack.close()

    def kill(self) -> None:
        """End a replica at once, in the midst of what it does."""
        self.process.kill()
        self.process.wait()
        self.stop()


class Stack:
    """All of them. ``start`` runs what is not up; ``close`` ends everything."""

    def __init__(self, folder: Path) -> None:
        self.places = Places(folder)
        for name in ("tmp", "keys", "mlflow", "home", "store"):
            (folder / name).mkdir()
        self._secrets()
        password = self.secret("postgres_password")
        self._whole = ExitStack()
        cluster = self._whole.enter_context(postgres_cluster(password, self.places.port["postgres"]))
        self.servers = {
            "postgres": Server(cluster),
            "redis": Server(self._redis),
            "mlflow": Server(self._mlflow),
            **{name: Server(lambda name=name: self._replica(name)) for name in REPLICAS},
            "nginx": Server(self._nginx),
            "prometheus": Server(self._prometheus),
        }
        for server in self.servers.values():
            self._whole.callback(server.stop)
        self.key = ""

    def close(self) -> None:
        """End everything."""
        self._whole.close()

    def start(self, *names: str) -> None:
        """Start those that are not up, all of them where none is named, and wait until they are ready."""
        for name in names or self.servers:
            self.servers[name].start()

    def secret(self, name: str) -> str:
        """Return what a secret's file holds."""
        return (self.places.folder / "secrets" / name).read_text(encoding="utf-8").strip()

    @property
    def mover(self) -> Mover:
        """The registry, as somebody sees it who promotes."""
        home = self.places.folder / "maker"
        uri = f"http://{self.places.at('mlflow')}"
        return Mover(Settings(home=home, tracking_uri=uri, database=self.secret("database")))

    @property
    def client(self) -> httpx.Client:
        """A client of Nginx that has a key."""
        return self.client_of("nginx")

    def client_of(self, name: str, *, source: str = "127.0.0.1") -> httpx.Client:
        """Return a client of a service, with a key."""
        return httpx.Client(
            base_url=f"http://{self.places.at(name)}",
            headers={"Authorization": f"Bearer {self.key}"},
            transport=httpx.HTTPTransport(local_address=source),
            timeout=60,
        )

    def health(self, name: str) -> dict[str, Any]:
        """Return what a replica says of itself."""
        with self.client_of(name) as client:
            found: dict[str, Any] = client.get("/health").json()
        return found

    def version(self, name: str) -> str:
        """Return the version of spam that answers in a replica."""
        return str(self.health(name)["tasks"]["spam"]["version"])

    def make_keys(self) -> None:
        """Let the service `keys` do its work, and make one for the tests."""
        script, folder = str(ROOT / "deploy" / "keys.sh"), str(self.places.folder / "keys")
        environment = self.places.environment("keys") | {"ASSAY_HOME": str(self.places.folder / "home")}
        for _ in range(2):
            subprocess.run(["sh", script, folder], env=environment, check=True, capture_output=True)
        book = open_keys(Settings(database=self.secret("database"), user="ann"))
        assert [(key.name, key.rate) for key in book.valid()] == [("prometheus", Rate(1, 3600))]
        self.key = book.create("ann", "predict,batch,feedback", who="ann").secret

    def _secrets(self) -> None:
        folder = self.places.folder / "secrets"
        script = ["sh", str(ROOT / "deploy" / "secrets.sh"), "postgres"]
        subprocess.run(
            script, env={**os.environ, "ASSAY_SECRETS": str(folder)}, check=True, capture_output=True
        )
        # A file that has MLflow's tables is copied; in PostgreSQL they would have to be made.
        own = {"mlflow_store": f"sqlite:///{self.places.folder}/mlflow/mlflow.db"}
        own["mlflow_artifacts"] = f"{self.places.folder}/mlflow/artifacts"
        for path in folder.iterdir():
            text = own.get(path.name) or self.places.place(path.read_text(encoding="utf-8"))
            path.unlink()
            path.write_text(text, encoding="utf-8")

    def _redis(self) -> AbstractContextManager[Any]:
        command = [*map(self.places.place, service("redis")["command"]), "--bind", "127.0.0.1"]
        command += ["--port", str(self.places.port["redis"]), "--dir", str(self.places.folder)]

        def answers() -> bool:
            with redis.Redis.from_url(self.secret("redis_url")) as client:
                return bool(client.ping())

        return self._server("redis", command, answers, redis.RedisError)

    def _mlflow(self) -> AbstractContextManager[Any]:
        environment = self.places.environment("mlflow") | {
            "MLFLOW_HOST": "127.0.0.1",
            "MLFLOW_PORT": str(self.places.port["mlflow"]),
            "MLFLOW_STORE_FILE": f"{self.places.folder}/secrets/mlflow_store",
            "MLFLOW_ARTIFACTS_FILE": f"{self.places.folder}/secrets/mlflow_artifacts",
            # One is enough here, and each imports MLflow.
            "MLFLOW_WORKERS": "1",
            # As the image has it.
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        }
        script = service("mlflow")["command"][1].replace("/app/mlflow", str(ROOT / "deploy" / "mlflow"))
        answers = f"http://{self.places.at('mlflow')}/health"
        return self._http("mlflow", ["sh", script], answers, environment)

    def _replica(self, name: str) -> AbstractContextManager[Any]:
        environment = self.places.environment(name) | {
            "ASSAY_HOME": str(self.places.folder / "home"),
            "ASSAY_HOST": "127.0.0.1",
            "ASSAY_PORT": str(self.places.port[name]),
            # As on the address that a container listens on.
            "ASSAY_REQUIRE_KEYS": "true",
            # A machine that does many things at once stands still now and then: no overload is to come of it.
            "ASSAY_MAX_DELAY_MS": "60000",
        }
        command = [*POWERLESS, *ASSAY, "serve"]
        return self._http(name, command, f"http://{self.places.at(name)}/health/ready", environment)

    def _nginx(self) -> AbstractContextManager[Any]:
        self.places.write("deploy/nginx/tls.inc")
        config = self.places.write("deploy/nginx/nginx.conf")
        # Root's workers would be nobody, who sees nothing of this folder; as root is no matter of the file.
        user = "user root; " if os.geteuid() == 0 else ""
        command = ["nginx", "-c", str(config), "-g", f"{user}daemon off;"]
        return self._http("nginx", command, f"http://{self.places.at('alive')}/")

    def _prometheus(self) -> AbstractContextManager[Any]:
        self.places.write("deploy/prometheus/assay.rules.yml")
        config = self.places.write("deploy/prometheus/replicas.yml")
        return prometheus_server(self.places.folder, config, self.places.port["prometheus"])

    def _http(
        self, name: str, command: list[str], asked: str, environment: dict[str, str] | None = None
    ) -> AbstractContextManager[Any]:
        return self._server(name, command, lambda: httpx.get(asked).is_success, httpx.HTTPError, environment)

    def _server(
        self,
        name: str,
        command: list[str],
        ready: Callable[[], bool],
        silent: type[Exception],
        environment: dict[str, str] | None = None,
    ) -> AbstractContextManager[Any]:
        log = self.places.folder / f"{name}-{time.monotonic_ns()}.log"
        return _ready(command, log, ready, silent, environment)

    def said(self, name: str) -> str:
        """Return what a server has said, over all of its starts."""
        logs = sorted(self.places.folder.glob(f"{name}-*.log"))
        return "".join(log.read_text(encoding="utf-8", errors="replace") for log in logs)
