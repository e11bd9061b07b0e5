"""The guard: which addresses it permits, and that the checked address is the one connected to."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
from raw_server import always, answer, raw_server

from aquatint.net.errors import BlockedAddress, FetchFailed
from aquatint.net.guard import AddressBlockedAtSocket, GuardedResolver, GuardPolicy
from aquatint.net.http import HttpDoor
from support.ports import free_port


class NameServer:
    """Answers look-ups from a script, one answer after another; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = list(answers)
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


async def opened(policy: GuardPolicy, names: NameServer) -> HttpDoor:
    door = HttpDoor(policy, lookup=names)
    await door.open()
    return door


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_public_addresses_are_open(text: str) -> None:
    assert GuardPolicy().permits(ip_address(text))


@pytest.mark.parametrize(
    ("allow", "text", "permitted"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "192.168.0.1", False),
        ("127.0.0.0/8", "::1", False),
        ("127.0.0.0/8", "::ffff:127.0.0.1", True),
        ("127.0.0.0/8", "::127.0.0.1", False),
        ("127.0.0.0/8", "64:ff9b::7f00:1", False),
        ("fd00::/8", "fd12::1", True),
        ("64:ff9b::/96", "64:ff9b::808:808", True),
    ],
)
def test_the_operators_networks(allow: str, text: str, permitted: bool) -> None:
    assert GuardPolicy.from_cidrs([allow]).permits(ip_address(text)) is permitted


def test_a_malformed_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.1/8"):
        GuardPolicy.from_cidrs(["10.0.0.1/8"])


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["10.0.0.1", "8.8.8.8"],
        ["8.8.8.8", "::1"],
        ["fe80::1%eth0"],
        ["::ffff:10.0.0.1"],
        ["169.254.169.254"],
    ],
)
async def test_one_closed_address_closes_the_name(addresses: list[str]) -> None:
    resolver = GuardedResolver(GuardPolicy(), lookup=lambda host, port: addresses)
    with pytest.raises(BlockedAddress, match="public address") as refusal:
        await resolver.resolve("innocent.example", 80)
    for address in addresses:
        assert address not in refusal.value.message  # it would map a private network
    await resolver.close()


async def test_localhost_uses_the_allowed_family_only() -> None:
    resolver = GuardedResolver(
        GuardPolicy.from_cidrs(["127.0.0.0/8"]), lookup=lambda host, port: ["::1", "127.0.0.1"]
    )
    assert [found["host"] for found in await resolver.resolve("localhost", 80)] == ["127.0.0.1"]
    await resolver.close()


async def test_rebinding_meets_the_pinned_address() -> None:
    """The name's second answer is private; it is never asked for while the first is connected to."""
    policy = GuardPolicy.from_cidrs(["127.0.0.2/32"])  # stands for a public address
    names = NameServer(["127.0.0.2"], ["127.0.0.1"])
    port = free_port()
    async with (
        raw_server(always(answer("200 OK", b"good")), "127.0.0.2", port),
        raw_server(always(answer("200 OK", b"secret")), "127.0.0.1", port) as private,
    ):
        door = await opened(policy, names)
        url = f"http://rebind.example:{port}/"
        assert (await door.fetch(url, max_bytes=100, deadline=5)).data == b"good"
        assert names.asked == 1
        await door.close()
        # Once the name is asked again, the private answer is refused, not used.
        door = await opened(policy, names)
        with pytest.raises(BlockedAddress):
            await door.fetch(url, max_bytes=100, deadline=5)
        await door.close()
        assert private.connections == 0


async def test_host_header_keeps_the_name() -> None:
    door = await opened(GuardPolicy.from_cidrs(["127.0.0.0/8"]), NameServer(["127.0.0.1"]))
    async with raw_server(always(answer("200 OK"))) as server:
        await door.fetch(f"http://Pictures.example:{server.port}/", max_bytes=1, deadline=5)
        assert f"host: pictures.example:{server.port}\r\n".encode() in server.requests[0].lower()
    await door.close()


async def test_many_requests_ask_for_the_name_once() -> None:
    names = NameServer(["127.0.0.1"])
    door = await opened(GuardPolicy.from_cidrs(["127.0.0.0/8"]), names)
    async with raw_server(always(answer("200 OK", b"", "Connection: close"))) as server:
        for _ in range(5):
            await door.post(f"http://busy.example:{server.port}/", b"", {}, timeout=5)
        assert server.connections == 5
        assert names.asked == 1
    await door.close()


def test_the_socket_is_the_last_gate() -> None:
    info = (socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 80))
    with pytest.raises(AddressBlockedAtSocket):
        GuardPolicy().socket_for(info)
    GuardPolicy.from_cidrs(["127.0.0.0/8"]).socket_for(info).close()


async def test_an_address_that_slips_past_the_resolver_stops_at_the_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(self: GuardedResolver, host: str, port: int = 0, family: int = 0) -> list[dict[str, object]]:
        found = {
            "hostname": host,
            "host": "127.0.0.1",
            "port": port,
            "family": socket.AF_INET,
            "proto": 6,
            "flags": 0,
        }
        return [found]

    monkeypatch.setattr(GuardedResolver, "resolve", careless)
    door = await opened(GuardPolicy(), NameServer(["8.8.8.8"]))
    async with raw_server(always(answer("200 OK"))) as server:
        with pytest.raises(BlockedAddress):
            await door.post(f"http://slip.example:{server.port}/", b"", {}, timeout=5)
        with pytest.raises(BlockedAddress):
            await door.fetch(f"http://slip.example:{server.port}/", max_bytes=1, deadline=5)
        assert server.connections == 0
    await door.close()


@pytest.mark.parametrize(("code", "permanent"), [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, False)])
async def test_unknown_names(code: int, permanent: bool) -> None:
    def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror(code, "no")

    door = HttpDoor(GuardPolicy(), lookup=fail)
    await door.open()
    with pytest.raises(FetchFailed, match="could not be resolved") as failure:
        await door.fetch("http://nowhere.example/", max_bytes=1, deadline=5)
    assert failure.value.permanent is permanent
    outcome = await door.post("http://nowhere.example/", b"", {}, timeout=5)
    assert outcome.status is None
    assert outcome.error == "the host name could not be resolved"
    await door.close()
