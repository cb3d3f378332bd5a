"""The service as tests meet it: in process, and over a real socket."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from assay.estimators import Cascade
from assay.service import Connection, Models, Served, create_app
from assay.telemetry import Counters


@pytest.fixture
def models(spam_cascade: Cascade, sentiment_cascade: Cascade, abuse_cascade: Cascade) -> Models:
    """Three tasks in production; sentiment is the default."""
    models = Models()
    for number, cascade in enumerate((spam_cascade, sentiment_cascade, abuse_cascade), start=1):
        models.serve(Served(cascade=cascade.at_version(str(number)), stage="Production"))
    return models


@pytest.fixture
def app(models: Models) -> FastAPI:
    """The service over three tasks."""
    return create_app(models, metrics=Counters())


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    """A client of the service, in process."""
    return TestClient(app)


@pytest.fixture
def bare_client() -> TestClient:
    """A client of a service without any model."""
    return TestClient(create_app(Models(), metrics=Counters()))


@contextmanager
def running(app: FastAPI) -> Iterator[str]:
    """Run an application under uvicorn on loopback and give its address."""
    config = uvicorn.Config(
        app,
        port=0,
        log_level="error",
        http=Connection,
        ws="none",
        proxy_headers=False,
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(timeout=20)


@pytest.fixture
def serve() -> Callable[[FastAPI], AbstractContextManager[str]]:
    """The way to run any application on loopback."""
    return running


@pytest.fixture
def address(app: FastAPI) -> Iterator[str]:
    """The address of the service over three tasks, on loopback."""
    with running(app) as address:
        yield address
