"""What a reverse proxy says of who asks through it; believed only where the configuration names the proxy."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence

FORWARDED = ("x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "forwarded", "via")
"""What only a proxy sends, or a program: no page can have a browser send it unasked."""
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def wrong_proxy(entry: str) -> str:
    """Why an entry of `proxies` is none, in a line; empty where it is an address or a network."""
    try:
        ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return f'{entry!r}: an address or a network is wanted, e.g. "127.0.0.1" or "192.168.1.0/24"'
    return ""


class Proxies:
    """The proxies that are believed, by address or network."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._networks = tuple(ipaddress.ip_network(one, strict=False) for one in trusted)

    def client(self, peer: str, headers: Mapping[str, str]) -> str:
        """The address that asks: of who is connected, or, where that is a proxy, of whom it last says it is for.

        Each proxy adds to the end of X-Forwarded-For, so what stands before the first one that is not believed may have
        been made up.
        """
        said = [one.strip() for one in headers.get("x-forwarded-for", "").split(",") if one.strip()]
        while said and self._believed(peer):
            named = _address(said.pop())
            if named is None:  # "unknown", or a name made up
                break
            peer = str(named)
        return peer

    def secure(self, peer: str, headers: Mapping[str, str]) -> bool:
        """Whether a proxy that is believed says that the browser reached it by https."""
        last = headers.get("x-forwarded-proto", "").rpartition(",")[2].strip().lower()
        return last == "https" and self._believed(peer)

    def _believed(self, peer: str) -> bool:
        address = _address(peer)
        return address is not None and any(
            address in network for network in self._networks if network.version == address.version
        )


def _address(text: str) -> _Address | None:
    """An address as it stands in headers and of sockets, with a port or without; None for what is none."""
    host = text.partition("%")[0]
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
