"""Which addresses may be reached, and the resolver and socket factory that hold every connection to it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult

from aquatint.net.errors import BlockedAddress
from aquatint.net.url import SplitUrl, check_url

__all__ = ["AddressBlockedAtSocket", "GuardPolicy", "GuardedResolver", "SplitUrl", "check_url"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
AddressInfo = tuple[int, int, int, str, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]
Lookup = Callable[[str, int], Iterable[str]]

# IANA special-purpose registry (RFC 6890 and successors), minus what is plainly public, plus two cloud
# addresses.
_BLOCKED_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network; 0.0.0.0 reaches the local machine
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT; holds Alibaba's metadata address
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's host agent: public by number, local by meaning
        "169.254.0.0/16",  # link-local: cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments; holds Oracle's metadata address
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved and broadcast
    )
)

# Of IPv6 only global unicast is open: that leaves out loopback, mapped and compatible IPv4, NAT64, ULA, link-
# and site-local, multicast and everything not yet assigned.
_GLOBAL_UNICAST_V6 = IPv6Network("2000::/3")
_BLOCKED_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID
        "2001:db8::/32",
        "2002::/16",  # 6to4 embeds an IPv4 address
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)

_LOOKUP_THREADS = 32

# What the caller reads: never what a name resolved to, which would map a private network.
BLOCKED_MESSAGE = "the host of the URL is not at a public address, and this server is not set up to reach it"


class AddressBlockedAtSocket(PermissionError):
    """Raised inside the connector, which only understands OSError; `HttpDoor` turns it into
    BlockedAddress.
    """


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """Public addresses are open, all others closed, except those in `allow` (the operator's networks)."""

    allow: tuple[Network, ...] = ()

    @classmethod
    def from_cidrs(cls, cidrs: Iterable[str]) -> GuardPolicy:
        """Read the operator's list, such as `["127.0.0.0/8", "fd00::/8"]`. Raises ValueError."""
        return cls(tuple(ip_network(cidr) for cidr in cidrs))

    def permits(self, address: Address) -> bool:
        """Whether this one address may be connected to."""
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            # The kernel treats ::ffff:a.b.c.d as a.b.c.d. As a spelling it hides only what is hidden on
            # purpose, so public ones stay closed and allowed ones are judged as the IPv4 address they are.
            return any(address.ipv4_mapped in network or address in network for network in self.allow)
        return _is_public(address) or any(address in network for network in self.allow)

    def check_literal(self, url: SplitUrl) -> None:
        """Refuse a URL whose host is a closed literal address. Raises BlockedAddress."""
        if url.address is not None and not self.permits(url.address):
            raise BlockedAddress(BLOCKED_MESSAGE)

    def socket_for(self, info: AddressInfo) -> socket.socket:
        """Socket factory of the connector: the last check, on the very address that is connected to."""
        family, kind, protocol, _, destination = info
        if not self.permits(ip_address(str(destination[0]).partition("%")[0])):
            raise AddressBlockedAtSocket(f"address not allowed: {destination[0]!r}")
        return socket.socket(family=family, type=kind, proto=protocol)


class GuardedResolver(AbstractResolver):
    """Resolve a name and refuse it whole when any of its addresses is closed.

    The connector connects to the addresses returned here and to nothing else, so a second, different answer
    of the name server (rebinding) is never asked for. Look-ups have their own threads: dead name servers of
    one host must not hold up the look-ups of another through the loop's small default pool.
    """

    def __init__(self, policy: GuardPolicy, lookup: Lookup | None = None) -> None:
        self._policy = policy
        self._lookup = lookup or system_lookup
        self._threads = ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="resolve")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Addresses of `host` for aiohttp. Raises BlockedAddress, or OSError when the name is unknown."""
        texts = await asyncio.get_running_loop().run_in_executor(self._threads, self._lookup, host, port)
        addresses = [ip_address(text.partition("%")[0]) for text in texts]
        if not addresses:
            raise OSError(f"no address for {host}")
        permitted = [address for address in addresses if self._policy.permits(address)]
        # "localhost" answers 127.0.0.1 and ::1 where the operator may have allowed only one: use that one.
        # Any other answer that mixes open and closed addresses is an attack or a mistake.
        only_loopback = all(address.is_loopback for address in addresses)
        if len(permitted) < len(addresses) and not (permitted and only_loopback):
            raise BlockedAddress(BLOCKED_MESSAGE)
        return [
            ResolveResult(
                hostname=host,
                host=str(address),
                port=port,
                family=socket.AF_INET if address.version == 4 else socket.AF_INET6,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for address in dict.fromkeys(permitted)
        ]

    async def close(self) -> None:
        """Give the threads back; look-ups under way end on their own."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def system_lookup(host: str, port: int) -> list[str]:
    """All addresses of a name by the system's resolver, blocking. Raises OSError."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(info[4][0]) for info in infos]


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _BLOCKED_V4)
    return address in _GLOBAL_UNICAST_V6 and not any(address in network for network in _BLOCKED_V6)
