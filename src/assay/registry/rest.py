"""The few calls of MLflow's REST interface that finding, fetching and seating a version take."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from assay.exceptions import RegistryError, RegistryUnavailable, VersionNotFound
from assay.notation import without_credentials
from assay.registry.store import Store, unreadable_uri

if TYPE_CHECKING:
    import httpx

READ_SECONDS = 30.0
CONNECT_SECONDS = 5.0
"""A dead server is told from a slow one by the connection."""
PAGE = 200


class Server:
    """An MLflow tracking server, over one connection pool."""

    def __init__(self, store: Store, http: "httpx.Client") -> None:
        self.store = store
        self._http = http

    def get(self, call: str, **values: str | int) -> dict[str, Any]:
        """Return the answer of ``GET api/2.0/mlflow/<call>``."""
        response = self._http.get(f"{self.store.uri}/api/2.0/mlflow/{call}", params=values)
        self._raise_for(response)
        answer: dict[str, Any] = response.json()
        return answer

    def send(self, method: Literal["POST", "DELETE"], call: str, **values: str | bool) -> None:
        """Make one change: ``POST`` or ``DELETE api/2.0/mlflow/<call>`` with a JSON body.

        A redirection is refused: following it would turn the change into a question.
        """
        address = f"{self.store.uri}/api/2.0/mlflow/{call}"
        response = self._http.request(method, address, json=values, follow_redirects=False)
        if response.has_redirect_location:
            raise RegistryError(
                f"The registry {self.store.shown} sends changes on to "
                f"{without_credentials(response.headers['location'])!r}. "
                "Name the server's own address in ASSAY_TRACKING_URI."
            )
        self._raise_for(response)

    def pages(self, call: str, key: str, **values: str | int) -> Iterator[dict[str, Any]]:
        """Yield the items of every page of a search."""
        token = ""
        while True:
            answer = self.get(call, **values, max_results=PAGE, **({"page_token": token} if token else {}))
            yield from answer.get(key, [])
            token = answer.get("next_page_token", "")
            if not token:
                return

    @contextmanager
    def file(self, model: str, version: str, path: str) -> Iterator[Iterator[bytes]]:
        """Open one file of a version's artifact; the server fetches it from wherever it is kept."""
        values = {"name": model, "version": version, "path": path}
        with self._http.stream(
            "GET", f"{self.store.uri}/model-versions/get-artifact", params=values
        ) as response:
            if response.is_error:
                response.read()
            self._raise_for(response)
            yield response.iter_bytes()

    def run_file(self, run_id: str, path: str) -> bytes:
        """Return one small file of a run's artifacts; the server fetches it from wherever it is kept."""
        response = self._http.get(f"{self.store.uri}/get-artifact", params={"run_id": run_id, "path": path})
        self._raise_for(response)
        return response.content

    def _raise_for(self, response: "httpx.Response") -> None:
        if response.is_success and "html" not in response.headers.get("content-type", ""):
            return
        code, message = _fault(response)
        shown = self.store.shown
        if code == "RESOURCE_DOES_NOT_EXIST":
            raise VersionNotFound(f"{shown}: {message}")
        if response.status_code in (401, 403):
            raise RegistryError(
                f"The registry {shown} refused the request ({response.status_code}: {message}). "
                "Give MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN; "
                "a server behind a name needs --allowed-hosts."
            )
        if response.status_code >= 500:
            raise RegistryUnavailable(
                f"The registry {shown} failed ({response.status_code}: {message}). See its log.", uri=shown
            )
        if code:
            raise RegistryError(f"The registry {shown} refused the request ({code}: {message}).")
        raise RegistryError(
            f"{shown} answers, but not as an MLflow server ({response.status_code} for {response.url.path}). "
            "Check the address in ASSAY_TRACKING_URI."
        )


@contextmanager
def connect(store: Store) -> Iterator[Server]:
    """Open a tracking server; raises RegistryUnavailable when it cannot be reached."""
    # Imported where it is needed: going back in a registry of files must not wait for it.
    import httpx

    token = os.environ.get("MLFLOW_TRACKING_TOKEN")
    user = os.environ.get("MLFLOW_TRACKING_USERNAME")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    auth = (user, os.environ.get("MLFLOW_TRACKING_PASSWORD", "")) if user and not token else None
    try:
        timeout = httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
        with httpx.Client(
            timeout=timeout, headers=headers, auth=auth, follow_redirects=True, verify=_trusted()
        ) as http:
            yield Server(store, http)
    except httpx.InvalidURL:
        raise unreadable_uri(store) from None
    except httpx.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise RegistryUnavailable(
            f"The registry {store.shown} cannot be reached: {reason}. Check that the MLflow server runs "
            "and that ASSAY_TRACKING_URI names it.",
            uri=store.shown,
        ) from error
    except ValueError as error:
        raise RegistryError(f"{store.shown} answers, but not as an MLflow server ({error}).") from error


@cache
def _trusted() -> ssl.SSLContext:
    """Return httpx's own list of authorities and those of the machine: a company's servers have their own.

    It takes longer to read than most calls.
    """
    import httpx

    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def _fault(response: "httpx.Response") -> tuple[str, str]:
    try:
        body = response.json()
        return str(body["error_code"]), str(body.get("message", ""))
    except (ValueError, KeyError, TypeError):
        return "", response.reason_phrase
