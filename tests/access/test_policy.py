"""Who is asked for a key, by the address that is listened on."""

import pytest

from assay.access import Policy, check_start, decide_policy
from assay.exceptions import ConfigError

HERE = ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LOCALHOST.", "::ffff:127.0.0.1"]
ELSEWHERE = [
    *("0.0.0.0", "::", "", "192.0.2.1", "10.0.0.1", "::ffff:10.0.0.1", "2130706433"),
    *("example.org", "localhost.example.org", "127.0.0.1.example.org"),
]


@pytest.mark.parametrize("host", HERE)
def test_on_loopback_nobody_is_asked_unless_keys_are_required(host: str) -> None:
    assert decide_policy(host, require_keys=False, insecure=False) == Policy(False, False, True)
    assert decide_policy(host, require_keys=True, insecure=False) == Policy(True, True, True)
    assert decide_policy(host, require_keys=False, insecure=True) == Policy(False, False, True)


@pytest.mark.parametrize("host", ELSEWHERE)
def test_elsewhere_everybody_is_asked_unless_it_is_said_to_be_insecure(host: str) -> None:
    assert decide_policy(host, require_keys=False, insecure=False) == Policy(True, True, False)
    assert decide_policy(host, require_keys=False, insecure=True) == Policy(False, True, False)


def test_both_at_once_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"ASSAY_REQUIRE_KEYS .* ASSAY_INSECURE .*Set one of them"):
        decide_policy("0.0.0.0", require_keys=True, insecure=True)


def test_a_service_that_nobody_could_use_does_not_start() -> None:
    asked = decide_policy("0.0.0.0", require_keys=False, insecure=False)
    with pytest.raises(
        ConfigError, match=r"0\.0\.0\.0 asks every caller for a key.*assay keys create.*--insecure"
    ):
        check_start(asked, "0.0.0.0", 0)
    with pytest.raises(ConfigError, match="Keys are required, and there is no valid key"):
        check_start(decide_policy("::1", require_keys=True, insecure=False), "::1", 0)
    check_start(asked, "0.0.0.0", 1)
    check_start(decide_policy("0.0.0.0", require_keys=False, insecure=True), "0.0.0.0", 0)
