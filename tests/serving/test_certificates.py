"""Files of a certificate that cannot be used are said before anything starts."""

from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from assay.exceptions import ConfigError
from assay.serving.certificates import check_certificate


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A certificate and its key."""
    issued = trustme.CA().issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(issued.cert_chain_pems[0].bytes())
    key.write_bytes(issued.private_key_pem.bytes())
    return chain, key


def test_a_certificate_with_its_key_and_none_at_all_are_fine(files: tuple[Path, Path]) -> None:
    check_certificate(*files)
    check_certificate(None, None)


def test_both_in_one_file_are_fine(files: tuple[Path, Path], tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(files[1].read_bytes() + files[0].read_bytes())
    check_certificate(both, None)


def test_a_key_alone_is_refused(files: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="there is no ASSAY_TLS_CERTIFICATE"):
        check_certificate(None, files[1])


def test_files_that_are_not_there_are_named(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ASSAY_TLS_CERTIFICATE: there is no file '.*none\.pem'"):
        check_certificate(tmp_path / "none.pem", files[1])
    with pytest.raises(ConfigError, match=r"ASSAY_TLS_KEY: there is no file '.*none\.pem'"):
        check_certificate(files[0], tmp_path / "none.pem")


def test_a_key_of_another_certificate_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes())
    with pytest.raises(ConfigError, match=r"The certificate cannot be used: .*other\.pem'"):
        check_certificate(files[0], other)


def test_what_is_no_certificate_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a certificate")
    with pytest.raises(ConfigError, match=r"cannot be used: .*notes\.txt"):
        check_certificate(tmp_path / "notes.txt", files[1])


def test_an_encrypted_key_is_refused_with_what_to_do(files: tuple[Path, Path]) -> None:
    key = load_pem_private_key(files[1].read_bytes(), None)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    files[1].write_bytes(secret)
    with pytest.raises(ConfigError, match=r"key\.pem' is encrypted\. Decrypt it"):
        check_certificate(*files)
