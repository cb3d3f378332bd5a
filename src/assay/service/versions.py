"""Versions asked for by number: those that answer anyway, and a few more that are kept."""

import re
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import anyio

from assay.estimators import Cascade
from assay.exceptions import AssayError, RequestRefused, VersionNotFound
from assay.service.detached import Detached
from assay.service.errors import fault, shown
from assay.service.limits import KEPT_VERSIONS, PIN_SECONDS, PINS_UNDER_WAY, PINS_WAITING
from assay.service.models import Models, unknown_task

VersionOpener = Callable[[str, str], Cascade]
"""Loads a version of a registered model by its number, in a thread; raises an AssayError."""

_NUMBER = re.compile(r"[1-9][0-9]{0,8}")


class Versions:
    """Finds the cascade of one version of a task, and loads it when it is asked for the first time.

    One version is loaded at a time, few may wait for that, and the one that was asked for the longest time
    ago gives way: who asks for many neither fills the memory nor holds up the calls that name no version.

    Parameters
    ----------
    models
        What answers; its versions and those kept ready behind them are not loaded again.
    open_version
        Loads a version; None where a service has folders and no registry.
    """

    def __init__(self, models: Models, open_version: VersionOpener | None = None) -> None:
        self._models, self._open = models, open_version
        self._kept: OrderedDict[tuple[str, str], Cascade] = OrderedDict()
        self._turn = anyio.Lock()
        self._waiting = self._under_way = 0

    async def get(self, task: str, version: str) -> Cascade:
        """Return the cascade of a version.

        Raises RequestRefused: 404 for an unknown task or version, 503 when its artifact cannot be had or
        too many wait for one.
        """
        model = self._model_of(task)
        found = self._running(task, version) or self._recall(model, version)
        if found is not None:
            return found
        if self._open is None or not _NUMBER.fullmatch(version):
            raise _unknown_version(task, version)
        if self._waiting >= PINS_WAITING:
            raise _busy("Too many requests wait for versions to be loaded.")
        self._waiting += 1
        try:
            with anyio.move_on_after(PIN_SECONDS):
                async with self._turn:
                    return self._recall(model, version) or await self._load(task, model, version)
        finally:
            self._waiting -= 1
        raise _busy(f"Version {version} of the task {shown(task)} could not be loaded in {PIN_SECONDS} s.")

    def _model_of(self, task: str) -> str:
        seat = self._models.seat(task)
        if seat.served:
            return seat.served.cascade.task.model
        if seat.missing and seat.missing.model:
            return seat.missing.model
        self._models.check_ready()
        raise unknown_task(task, list(self._models.served))

    def _running(self, task: str, version: str) -> Cascade | None:
        seat = self._models.seat(task)
        both = (seat.served, seat.previous)
        return next((each.cascade for each in both if each and each.version == version), None)

    def _recall(self, model: str, version: str) -> Cascade | None:
        found = self._kept.get((model, version))
        if found is not None:
            self._kept.move_to_end((model, version))
        return found

    async def _load(self, task: str, model: str, version: str) -> Cascade:
        if self._under_way >= PINS_UNDER_WAY:
            raise _busy("The registry or its store does not answer.")
        try:
            cascade = await Detached(partial(self._open_now, model, version)).finished()
        except VersionNotFound as error:
            raise _unknown_version(task, version) from error
        except AssayError as error:
            message = f"Version {version} of the task {shown(task)} cannot be had now. {error.message}"
            raise RequestRefused(message, status=503, code="version_unavailable") from error
        if cascade.task.name != task:
            raise _unknown_version(task, version)
        self._kept[model, version] = cascade
        while len(self._kept) > KEPT_VERSIONS:
            self._kept.popitem(last=False)
        return cascade

    def _open_now(self, model: str, version: str) -> Cascade:
        assert self._open is not None
        self._under_way += 1
        try:
            return self._open(model, version)
        finally:
            self._under_way -= 1


def _busy(reason: str) -> RequestRefused:
    return RequestRefused(f"{reason} Ask again later.", status=503, code="version_unavailable")


def _unknown_version(task: str, version: str) -> RequestRefused:
    message = f"The task {shown(task)} has no version {shown(version)}. GET /health says which one answers."
    return RequestRefused(
        message, status=404, code="unknown_version", detail=[fault("version", "There is none.", version)]
    )
