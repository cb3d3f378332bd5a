"""Aliases, stages and tags of one model, written as MLflow writes them, but without it and in one step."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from assay.audit import Seat
from assay.exceptions import PromotionRefused, RegistryError, VersionNotFound
from assay.registry import rest, sql
from assay.registry.changes import Changes
from assay.registry.store import Store
from assay.registry.versions import named

HOLDER = """
SELECT version FROM registered_model_aliases WHERE workspace = 'default' AND name = %s AND alias = %s"""
EXISTS = """
SELECT 1 FROM model_versions
WHERE workspace = 'default' AND name = %s AND version = %s AND current_stage <> 'Deleted_Internal'"""
SET_ALIAS = """
INSERT INTO registered_model_aliases (workspace, name, alias, version) VALUES ('default', %s, %s, %s)
ON CONFLICT (workspace, name, alias) DO UPDATE SET version = excluded.version"""
DELETE_ALIAS = """
DELETE FROM registered_model_aliases WHERE workspace = 'default' AND name = %s AND alias = %s"""
SET_STAGE = """
UPDATE model_versions SET current_stage = %s, last_updated_time = %s
WHERE workspace = 'default' AND name = %s AND version = %s"""
TOUCH_MODEL = """
UPDATE registered_models SET last_updated_time = %s WHERE workspace = 'default' AND name = %s"""
LOCK_MODEL = "SELECT name FROM registered_models WHERE workspace = 'default' AND name = %s FOR UPDATE"
SET_TAG = """
INSERT INTO model_version_tags (workspace, name, version, key, value) VALUES ('default', %s, %s, %s, %s)
ON CONFLICT (workspace, key, name, version) DO UPDATE SET value = excluded.value"""

UNTOUCHED = "Nothing was changed: {seat} is as it was."
UNKNOWN = "Whether version {after} is in {seat} now is settled by the next command."
SEATED = "Version {after} is in {seat}; what follows from that is put right by the next command."


@dataclass(frozen=True, kw_only=True)
class Move:
    """A version's way to a seat: ``announced`` are its tags, ``rest`` is what follows from the move."""

    model: str
    seat: Seat
    before: str | None
    after: str
    announced: Mapping[str, str]
    rest: Changes


def take_seat(store: Store, move: Move) -> None:
    """Move the alias of a seat, which is the one point that counts, and all that belongs to it.

    A database is written in one transaction. A server is asked call by call: first the tags, then the alias,
    then what follows from it. Raises PromotionRefused when the seat is no longer held by ``before``,
    VersionNotFound, RegistryUnavailable (which says how far it came), RegistryError.
    """
    if store.kind == "http":
        _take_by_rest(store, move)
        return
    with sql.writing(store) as session:
        if session.kind == "postgresql":
            session.run(LOCK_MODEL, move.model)
        found = session.run(HOLDER, move.model, move.seat)
        _check_holder(move, str(found[0][0]) if found else None)
        if not session.run(EXISTS, move.model, int(move.after)):
            raise VersionNotFound(f"{move.model!r} has no version {move.after!r} any more.")
        _write_tags(session, move.model, move.after, move.announced)
        _write(session, move.model, {move.seat: move.after}, move.rest)


def put_right(store: Store, model: str, changes: Changes) -> None:
    """Write what follows from who sits where; the errors are those of ``take_seat``."""
    if not changes:
        return
    if store.kind == "http":
        with rest.connect(store) as server:
            _send(server, model, changes)
        return
    with sql.writing(store) as session:
        _write(session, model, {}, changes)


def _check_holder(move: Move, holder: str | None) -> None:
    if holder != move.before:
        raise PromotionRefused(
            f"{move.seat.capitalize()} of {move.model!r} was {named(move.before)} and is {named(holder)} "
            "now: somebody has moved it outside Assay. Nothing was changed; look, then try again.",
            before=move.before,
            holder=holder,
            stale=True,
        )


def _write(session: sql.Session, model: str, first: Mapping[str, str], changes: Changes) -> None:
    for alias, number in {**changes.aliases, **first}.items():
        if number is None:
            session.run(DELETE_ALIAS, model, alias)
        else:
            session.run(SET_ALIAS, model, alias, int(number))
    now = time.time_ns() // 1_000_000
    for number, stage in changes.stages.items():
        session.run(SET_STAGE, stage, now, model, int(number))
    if changes.stages:
        session.run(TOUCH_MODEL, now, model)
    for number, tags in changes.tags.items():
        _write_tags(session, model, number, tags)


def _write_tags(session: sql.Session, model: str, number: str, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        session.run(SET_TAG, model, int(number), key, value)


def _take_by_rest(store: Store, move: Move) -> None:
    state = UNTOUCHED
    try:
        with rest.connect(store) as server:
            _check_holder(move, _holder(server, move))
            _send_tags(server, move.model, move.after, move.announced)
            state = UNKNOWN
            server.send(
                "POST", "registered-models/alias", name=move.model, alias=move.seat, version=move.after
            )
            if (holder := _holder(server, move)) != move.after:
                raise RegistryError(
                    f"{store.shown} was asked to put version {move.after} of {move.model!r} in {move.seat}, "
                    f"did not refuse, and has {named(holder)} there."
                )
            state = SEATED
            _send(server, move.model, move.rest)
    except PromotionRefused:
        raise
    except RegistryError as error:
        told = state.format(seat=move.seat, after=move.after)
        raise type(error)(f"{error.message} {told}", **error.data) from error


def _holder(server: rest.Server, move: Move) -> str | None:
    model = server.get("registered-models/get", name=move.model)["registered_model"]
    holders = {each["alias"]: str(each["version"]) for each in model.get("aliases", [])}
    return holders.get(move.seat)


def _send(server: rest.Server, model: str, changes: Changes) -> None:
    for alias, number in changes.aliases.items():
        if number is None:
            server.send("DELETE", "registered-models/alias", name=model, alias=alias)
        else:
            server.send("POST", "registered-models/alias", name=model, alias=alias, version=number)
    for number, stage in changes.stages.items():
        server.send(
            "POST",
            "model-versions/transition-stage",
            name=model,
            version=number,
            stage=stage,
            archive_existing_versions=False,
        )
    for number, tags in changes.tags.items():
        _send_tags(server, model, number, tags)


def _send_tags(server: rest.Server, model: str, number: str, tags: Mapping[str, str]) -> None:
    for key, value in tags.items():
        server.send("POST", "model-versions/set-tag", name=model, version=number, key=key, value=value)
