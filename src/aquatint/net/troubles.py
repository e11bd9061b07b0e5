"""Foreign errors in plain words: what aiohttp, TLS and the system raise, turned into ours at this wall."""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass

import aiohttp

from aquatint.net.errors import BlockedAddress
from aquatint.net.guard import BLOCKED_MESSAGE, AddressBlockedAtSocket


@dataclass(frozen=True, slots=True)
class Trouble:
    """One plain sentence, and whether asking again could ever help."""

    message: str
    permanent: bool = False


def describe(error: Exception) -> Trouble:
    """Say what went wrong on the way. Raises BlockedAddress when our own gate at the socket spoke.

    The sentences name no host: a name could hold words by which clients tell failures apart.
    """
    match error:
        case aiohttp.ClientConnectorDNSError():
            return Trouble("the host name could not be resolved", _is_unknown_name(error.os_error))
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientConnectorSSLError():
            return Trouble("no secure connection could be made: the certificate was not accepted")
        case aiohttp.ClientConnectorError():
            if isinstance(error.os_error, AddressBlockedAtSocket):
                raise BlockedAddress(BLOCKED_MESSAGE) from error
            if error.os_error.errno == errno.ECONNREFUSED:
                return Trouble("the server refused the connection")
            return Trouble("the server could not be reached")
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return Trouble("the server closed the connection without an answer")
        case aiohttp.ClientPayloadError():
            return Trouble("the server closed the connection before the whole body was sent")
        case aiohttp.ClientError():
            return Trouble("the server did not answer in valid HTTP")
        case _:
            return Trouble("the server could not be reached")


def _is_unknown_name(error: OSError) -> bool:
    return isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME
