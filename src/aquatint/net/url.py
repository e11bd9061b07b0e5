"""The syntax of URLs we accept, decided once and strictly, before anything is resolved."""

from __future__ import annotations

import functools
import re
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import quote, urljoin

import idna
import msgspec

from aquatint.net.errors import BadUrl

MAX_URL_LENGTH = 8192
MAX_HOST_LENGTH = 253

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Ports on which an HTTP request could trick another protocol: the "bad ports" of the WHATWG Fetch standard,
# and memcached's.
# fmt: off
_OTHER_PROTOCOLS = frozenset(
    (
        1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103,
        104, 109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513,
        514, 515, 526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719,
        1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6379, 6566, 6665, 6666, 6667, 6668, 6669,
        6679, 6697, 10080, 11211,
    )
)
# fmt: on

_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?", re.DOTALL
)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class SplitUrl(msgspec.Struct, frozen=True):
    """A checked URL. `target` is path and query exactly as given (non-ASCII percent-encoded as UTF-8).

    `host` is lower-case ASCII, IPv6 without brackets; `address` is set when the host is a literal address.
    """

    scheme: str
    host: str
    port: int
    target: str
    address: IPv4Address | IPv6Address | None

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what "same origin" compares."""
        return (self.scheme, self.host, self.port)

    @property
    def authority(self) -> str:
        """Host, and port where it is not the default."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _DEFAULT_PORTS[self.scheme] else f":{self.port}"
        return f"{host}{port}"

    @property
    def text(self) -> str:
        """The URL as it goes on the wire: ASCII, no fragment, no default port."""
        return f"{self.scheme}://{self.authority}{self.target}"


@functools.lru_cache(maxsize=1024)  # a callback's URL is read when it is submitted, settled and sent
def check_url(url: str) -> SplitUrl:
    """Check the syntax of an http(s) URL without resolving anything.

    Refuses what URL parsers are known to disagree about: user names, control characters, spaces, backslashes,
    percent signs in the host, zone ids, trailing dots, and every spelling of an IPv4 address other than four
    decimal numbers. Private addresses pass here: the guard judges them when the request is made. Raises
    BadUrl.
    """
    if len(url) > MAX_URL_LENGTH:
        raise BadUrl(f"the URL is longer than {MAX_URL_LENGTH} characters")
    if _FORBIDDEN.search(url):
        raise BadUrl("the URL holds a space, a control character or a backslash")
    match = _URL.fullmatch(url)
    if match is None:
        raise BadUrl("this is not an absolute http or https URL")
    scheme = match["scheme"].lower()
    if scheme not in _DEFAULT_PORTS:
        raise BadUrl("only http and https URLs are accepted")
    host, port, address = _read_authority(scheme, match["authority"])
    return SplitUrl(scheme, host, port, _ascii_target(match["target"]), address)


def resolve_redirect(base: SplitUrl, location: str) -> SplitUrl:
    """The checked URL that a Location header leads to. Raises BadUrl."""
    if _FORBIDDEN.search(location):
        raise BadUrl("the redirect holds a space, a control character or a backslash")
    try:
        return check_url(urljoin(base.text, location))
    except ValueError as error:
        raise BadUrl("the redirect leads to a malformed URL") from error


@functools.lru_cache(maxsize=4096)  # callers have many URLs and few hosts
def _read_authority(scheme: str, authority: str) -> tuple[str, int, IPv4Address | IPv6Address | None]:
    host_text, port_text = _split_authority(authority)
    host, address = _check_host(host_text)
    return host, _DEFAULT_PORTS[scheme] if port_text is None else _check_port(port_text), address


def _split_authority(authority: str) -> tuple[str, str | None]:
    if "@" in authority:
        raise BadUrl("the URL must not hold a user name or password")
    if "%" in authority:
        raise BadUrl("the host of the URL must not hold a percent sign")
    if authority.startswith("["):
        host, bracket, rest = authority.partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise BadUrl("the IPv6 address of the URL is malformed")
        return host + bracket, rest[1:] if rest else None
    host, colon, port = authority.partition(":")
    return host, port if colon else None


def _check_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise BadUrl("the port of the URL is not a number from 1 to 65535")
    if int(text) in _OTHER_PROTOCOLS:
        raise BadUrl(f"port {int(text)} belongs to another protocol than http")
    return int(text)


def _check_host(text: str) -> tuple[str, IPv4Address | IPv6Address | None]:
    if not text:
        raise BadUrl("the URL has no host")
    if text.startswith("["):
        try:
            address = IPv6Address(text[1:-1])
        except ValueError as error:
            raise BadUrl("the IPv6 address of the URL is malformed") from error
        return str(address), address
    host = text.lower() if text.isascii() else _to_ascii(text)
    if host.endswith("."):
        raise BadUrl("the host of the URL must not end with a dot")
    labels = host.split(".")
    if len(host) > MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("the host of the URL is malformed")
    if _NUMBER.fullmatch(labels[-1]) is None:
        return host, None
    # A host that ends in a number is an address for every resolver (WHATWG URL, "ends in a number").
    try:
        return host, IPv4Address(host)
    except ValueError as error:
        raise BadUrl("an IPv4 address must be written as four decimal numbers") from error


def _to_ascii(host: str) -> str:
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError) as error:
        raise BadUrl("the international host name of the URL is malformed") from error


def _ascii_target(target: str) -> str:
    if not target.startswith("/"):
        target = "/" + target
    if target.isascii():
        return target
    try:
        # Every ASCII character is "safe": what the caller encoded, or did not, stays byte for byte.
        return quote(target, safe="".join(map(chr, range(0x21, 0x7F))))
    except UnicodeEncodeError as error:
        raise BadUrl("the URL holds a broken character") from error
