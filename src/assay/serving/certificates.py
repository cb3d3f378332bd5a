"""The certificate that the service shows, looked at before anything starts."""

import ssl
from pathlib import Path

from assay.exceptions import ConfigError


class _Encrypted(Exception):
    """The key asks for a password."""


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Raise ConfigError, saying what to do, unless these files make a TLS server, or there are none."""
    if certificate is None:
        if key is not None:
            raise ConfigError(
                f"ASSAY_TLS_KEY is {str(key)!r}, but there is no ASSAY_TLS_CERTIFICATE. Set both, or none."
            )
        return
    for name, path in (("CERTIFICATE", certificate), ("KEY", key)):
        if path is not None and not path.is_file():
            raise ConfigError(f"ASSAY_TLS_{name}: there is no file {str(path)!r}.", path=path)
    shown = " and ".join(repr(str(path)) for path in (certificate, key) if path)
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_refuse_password)
    except _Encrypted:
        raise ConfigError(
            f"The private key in {shown} is encrypted. Decrypt it, and protect the file by its permissions: "
            "openssl pkey -in KEY -out PLAIN"
        ) from None
    except (ssl.SSLError, OSError) as error:
        said = getattr(error, "reason", None) or error.strerror or str(error)
        raise ConfigError(
            f"The certificate cannot be used: {shown}: {said}. ASSAY_TLS_CERTIFICATE is the chain in PEM, "
            "ASSAY_TLS_KEY the private key of its first certificate."
        ) from error


def _refuse_password() -> str:
    raise _Encrypted
