"""From which address a request comes, when proxies stand between."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

from assay.notation import Network

Address = IPv4Address | IPv6Address

HOPS = 32
"""Entries of X-Forwarded-For that are looked at, from the right; no chain of proxies is longer."""


def parse_address(text: str) -> Address | None:
    """Return the address that a text writes, with or without a port; None for anything else."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        # A zone means something on one machine alone.
        return None if address.scope_id else address.ipv4_mapped or address
    return address


def is_trusted(peer: str, proxies: Sequence[Network]) -> bool:
    """Return whether a peer is one of the proxies that are believed."""
    address = parse_address(peer)
    return address is not None and any(address in network for network in proxies)


def client_address(peer: str, forwarded: Sequence[str], proxies: Sequence[Network]) -> str:
    """Return the address of the client behind trusted proxies: the rightmost that is no such proxy.

    Each proxy adds, at the right, whom it heard from. So entries are believed from the right, for as long as
    who wrote them is trusted; what stands further left, or is no address, a client may have made up.

    Parameters
    ----------
    peer
        Who is connected.
    forwarded
        The values of every ``X-Forwarded-For`` header, in their order.
    proxies
        The networks of proxies that are believed.
    """
    known = parse_address(peer)
    if known is None or not proxies:
        return peer if known is None else str(known)
    entries = ",".join(forwarded).rsplit(",", HOPS)[-HOPS:] if forwarded else []
    for entry in reversed(entries):
        if not any(known in network for network in proxies):
            break
        if (further := parse_address(entry)) is None:
            break
        known = further
    return str(known)


def counted_address(address: str) -> str:
    """Return what requests from an address are counted under: of IPv6 the network of 64 bits.

    One customer has at least such a network, and could ask from another of its addresses each time.
    """
    parsed = parse_address(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address
