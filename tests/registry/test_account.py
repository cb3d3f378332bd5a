import getpass
import socket

import pytest

from assay.registry import who_of
from assay.settings import Settings


def test_who_is_this_account_at_this_machine_unless_the_setting_says_more() -> None:
    assert who_of(Settings()) == f"{getpass.getuser()}@{socket.gethostname()}"
    assert who_of(Settings(user="ann")) == "ann"


def test_an_account_without_a_name_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless() -> str:
        raise KeyError("uid not found: 54321")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert who_of(Settings()) == f"unknown@{socket.gethostname()}"
