"""The names under which a browser may ask for this device: a name that somebody else's DNS gave our address is none.

Otherwise a page of another site could give its own name our address and read what is shown here (DNS rebinding). An
address that is written as one cannot be given away so.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection

LOOPBACK = ("127.0.0.1", "::1", "localhost")
"""What `listen` says where only this machine reaches it."""
_HEADER = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::(\d{0,5}))?")
_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def canonical(name: str) -> str:
    """A name as it is compared: small letters, in a browser's spelling of other alphabets, and no dot at its end."""
    name = name.strip("[]").lower().removesuffix(".")
    try:
        return name if name.isascii() else name.encode("idna").decode()
    except UnicodeError:
        return name


def name_and_port(header: str) -> tuple[str, str]:
    """What a Host header names, and the port, empty where it names none."""
    found = _HEADER.fullmatch(header)
    return (header, "") if found is None else (found[1], found[2] or "")


def host_allowed(header: str, listen: str, hosts: Collection[str]) -> bool:
    """Whether a Host header names this device: an address, localhost, the machine's own name, or one of `hosts`.

    On loopback only loopback's own names and the machine's addresses are, and `hosts`.
    """
    found = _HEADER.fullmatch(header)
    if found is None:
        return False
    name, outside = canonical(found[1]), listen not in LOOPBACK
    if name == "localhost" or name in map(canonical, hosts):
        return True
    address = _address(name)
    if address is None:
        return outside and _is_own(name)
    return address.is_loopback or outside or str(address) in map(canonical, hosts) or _has(address)


def wrong_host(entry: str) -> str:
    """Why an entry of `hosts` can be no name of a host, in a line; empty where it can."""
    name = canonical(entry)
    if _address(name) is not None or _NAME.fullmatch(name):
        return ""
    bare = _HEADER.fullmatch(name.partition("://")[2] or name)
    if bare is not None and (bare[2] is not None or "://" in name) and _NAME.fullmatch(bare[1]):
        return f"{entry!r}: a name without scheme and port is wanted, {bare[1]!r}"
    return f'{entry!r} is no name of a host: one like "pi.example" is wanted, without scheme, port and path'


def _is_own(name: str) -> bool:
    """Whether the machine calls itself so, or others in its network do: by its whole name or the first part of it,
    alone or by mDNS, where Avahi counts on (raspberrypi-2.local) while two have the same name.
    """
    own = canonical(socket.gethostname())  # asked each time: it may change, as with hostnamectl
    first = own.partition(".")[0]
    counted_on = re.fullmatch(rf"{re.escape(first)}-\d{{1,3}}\.local", name) is not None
    return bool(first) and (name in (own, first, f"{own}.local", f"{first}.local") or counted_on)


def _address(name: str) -> _Address | None:
    try:
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None


def _has(address: _Address) -> bool:
    """Whether an interface of this machine has an address: only then something may be bound to it."""
    if address.is_unspecified:
        return False
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
