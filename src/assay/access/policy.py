"""Who is asked for a key: decided by the address that the service listens on."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address

from assay.exceptions import ConfigError

INSECURE = (
    "The service listens on %s and asks nobody for a key (--insecure): whoever reaches it may use it, and "
    "only administration needs a key."
)


@dataclass(frozen=True)
class Policy:
    """Whether every caller needs a key, and whether one who administers does."""

    everybody: bool
    admins: bool
    loopback: bool
    """Whether it was decided for an address that only this machine reaches."""


def is_loopback(host: str) -> bool:
    """Return whether an address or name is one that only this machine reaches."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ip_address(host.strip("[]"))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped.is_loopback
    return address.is_loopback


def decide_policy(host: str, *, require_keys: bool, insecure: bool) -> Policy:
    """Return who is asked for a key by a service that listens on ``host``.

    On loopback nobody is, unless keys are required; elsewhere everybody is, unless it is said to be
    insecure. Raises ConfigError when it is to be both.
    """
    if require_keys and insecure:
        raise ConfigError(
            "ASSAY_REQUIRE_KEYS asks for keys and ASSAY_INSECURE (--insecure) for none. Set one of them."
        )
    loopback = is_loopback(host)
    return Policy(
        everybody=require_keys or not (loopback or insecure),
        admins=require_keys or not loopback,
        loopback=loopback,
    )


def check_start(policy: Policy, host: str, keys: int) -> None:
    """Refuse to start a service that nobody could use; ``keys`` is how many are valid.

    Raises ConfigError, saying what to do.
    """
    if policy.everybody and not keys:
        where = f"{host} asks every caller for a key" if not policy.loopback else "Keys are required"
        raise ConfigError(
            f"{where}, and there is no valid key. Make one: assay keys create --name NAME --scope "
            "predict,batch,feedback. To let anybody in who can reach it, say so: assay serve --insecure"
        )
