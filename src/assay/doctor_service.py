"""What ``assay doctor`` finds out about the service that the settings describe, before it is started."""

import os
import ssl
import time
from collections.abc import Iterator
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Literal, NamedTuple

from assay.database import Database
from assay.environment import files_with_secrets
from assay.exceptions import AssayError
from assay.loading import has_registry
from assay.notation import without_credentials
from assay.settings import Settings

SOON_DAYS = 30
WAIT_SECONDS = 3
NO_TIME_CHECK = 0x200000
"""OpenSSL's X509_V_FLAG_NO_CHECK_TIME: an expired certificate can be looked at, too."""


class Note(NamedTuple):
    """One finding: all is well, worth knowing, or broken; and what to do."""

    level: Literal["ok", "note", "BAD"]
    what: str


def service(settings: Settings) -> Iterator[Note]:
    """Find out whether the service has what it needs, and what its settings leave open."""
    yield from folders(settings)
    yield from people(settings)
    yield from redis(settings)
    yield from https(settings)
    yield from exposure(settings)


def folders(settings: Settings) -> Iterator[Note]:
    """Find out whether uploads and the request log can be written."""
    if settings.spool and not writable(settings.spool):
        yield Note("BAD", f"spool {settings.spool} cannot be written; set ASSAY_SPOOL to a folder of yours")
    if settings.request_log in ("", "-"):
        return
    log = Path(settings.request_log)
    usable = (
        os.access(log, os.R_OK | os.W_OK) and not log.is_dir()
        if log.exists()
        else os.access(log.parent, os.W_OK)
    )
    what = f"request log {log}"
    if usable:
        yield Note("ok", f"{what} can be written")
    else:
        yield Note(
            "BAD", f"{what} cannot be written; make its folder, or set ASSAY_REQUEST_LOG to another file"
        )


def writable(folder: Path) -> bool:
    """Return whether a folder can be written, or made."""
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
    return there.is_dir() and os.access(there, os.W_OK)


def people(settings: Settings) -> Iterator[Note]:
    """Find out whether the people's database answers; with a registry its audit log is read anyway."""
    if has_registry(settings) or settings.people.startswith("sqlite:"):
        return
    where = without_credentials(settings.people)
    try:
        yield schema(settings)
    except AssayError as error:
        yield Note("BAD", f"people's database {where}: {error.message}")


def schema(settings: Settings) -> Note:
    """Return which migration the people's database has had. Raises ConfigError and DatabaseError."""
    had, known = Database(settings.people).steps()
    what = f"people's database {without_credentials(settings.people)} answers; it has had migration {had}"
    if had > known:
        return Note("note", f"{what}, of a newer Assay; this one knows {known} and goes on with it")
    return Note("ok", what)


def redis(settings: Settings) -> Iterator[Note]:
    """Find out whether Redis answers."""
    if not settings.redis:
        return
    where = without_credentials(settings.redis)
    if find_spec("redis") is None:
        yield Note("BAD", f"redis {where} needs the package 'redis'; pip install 'assay[redis]'")
        return
    from redis import Redis, RedisError

    try:
        with Redis.from_url(
            settings.redis, socket_timeout=WAIT_SECONDS, socket_connect_timeout=WAIT_SECONDS
        ) as client:
            client.ping()
    except (RedisError, ValueError, OSError) as error:
        # Its message may repeat a part of the address, so only its kind is told.
        told = (
            f"redis {where} does not answer ({type(error).__name__}); the service would count requests alone"
        )
        yield Note("BAD", f"{told}. Check that it runs and that ASSAY_REDIS names it")
    else:
        yield Note("ok", f"redis {where} answers")


def https(settings: Settings) -> Iterator[Note]:
    """Find out whether certificate and key belong together, and how long they are valid."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return
    try:
        expires = expiry(settings.tls_certificate, settings.tls_key)
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or getattr(error, "strerror", None) or error
        what = f"HTTPS cannot be served with {settings.tls_certificate} and {settings.tls_key}: {why}"
        yield Note("BAD", f"{what}. Name a PEM chain and its key without a passphrase")
        return
    days = (expires - time.time()) / 86_400
    if days < 0:
        yield Note(
            "BAD", f"the certificate {settings.tls_certificate} expired {-days:,.0f} days ago; renew it"
        )
    else:
        level: Literal["ok", "note"] = "note" if days < SOON_DAYS else "ok"
        yield Note(level, f"the certificate {settings.tls_certificate} is valid for {days:,.0f} more days")


def expiry(certificate: Path, key: Path) -> float:
    """Return when a certificate expires, in seconds since the epoch, after a handshake with it in memory.

    Raises OSError or ValueError when it cannot be used, with its key, to serve HTTPS.
    """
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, key, password=_no_passphrase)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(certificate)
    client.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | NO_TIME_CHECK)
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there)
    answering = server.wrap_bio(there, back, server_side=True)
    for side in (asking, answering, asking, answering):
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            continue
    known: Any = asking.getpeercert()
    return ssl.cert_time_to_seconds(known["notAfter"])


def _no_passphrase() -> str:
    raise ValueError("the key asks for a passphrase")


def exposure(settings: Settings) -> Iterator[Note]:
    """Find out what the settings leave open that is rarely meant."""
    if not is_loopback(settings.host):
        if settings.insecure:
            yield Note("note", f"anybody who reaches {settings.host} may ask: ASSAY_INSECURE is on")
        if settings.tls_certificate is None and not settings.trusted_proxies:
            yield Note(
                "note",
                f"texts and keys go to {settings.host} in the clear; set ASSAY_TLS_CERTIFICATE and "
                "ASSAY_TLS_KEY, or let a proxy serve HTTPS and name it in ASSAY_TRUSTED_PROXIES",
            )
    if any(each.strip() in ("0.0.0.0/0", "::/0") for each in settings.trusted_proxies.split(",")):
        yield Note(
            "note", "ASSAY_TRUSTED_PROXIES trusts everybody: any client may name any address as its own"
        )
    if settings.cors_origins == "*":
        yield Note("note", "ASSAY_CORS_ORIGINS lets any web page ask")
    if settings.log_texts:
        yield Note(
            "note",
            "texts of requests are written into the request log"
            if settings.request_log
            else "ASSAY_LOG_TEXTS does nothing without ASSAY_REQUEST_LOG",
        )
    for path in files_with_secrets():
        if path.stat().st_mode & 0o004:
            yield Note("note", f"{path} may hold a password and every account can read it; chmod o-r {path}")
    if settings.tls_key and settings.tls_key.exists() and settings.tls_key.stat().st_mode & 0o004:
        yield Note("note", f"every account can read the key {settings.tls_key}; chmod o-r {settings.tls_key}")


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches an address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
