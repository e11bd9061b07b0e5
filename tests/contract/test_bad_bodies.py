"""Bodies and headers that no honest client sends: refused without harm, and nothing is stored (decision 10)."""

from __future__ import annotations

import gzip
import json
import socket
from collections.abc import Iterator

import pytest

from support.client import Client, refusal
from support.pictures import data_url
from support.raw import exchange, head
from support.server import FAST, NULL_ENGINE, Server

LIMIT = 400_000  # more than what is parsed on the event loop, so that both ways are walked
GOOD = b'{"model":"seedream-4","input":{"prompt":"x"}}'


@pytest.fixture(scope="module")
def strict_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = {**NULL_ENGINE, **FAST, "AQUATINT_LIMITS__BODY": str(LIMIT), "AQUATINT_LIMITS__UPLOAD": "100000"}
    with Server(tmp_path_factory.mktemp("strict"), env) as server:
        yield server


@pytest.fixture
def empty(strict_server: Server) -> Iterator[Client]:
    """A client of a server that holds the same tasks after the test as before: usually none at all."""
    with strict_server.client() as client:
        before = client.tasks()
        yield client
        assert client.tasks() == before, "something was stored"


def nested(depth: int, pair: tuple[bytes, bytes] = (b"[", b"]")) -> bytes:
    return b'{"model":"seedream-4","input":{"prompt":"x","z":' + pair[0] * depth + b"1" + pair[1] * depth + b"}}"


BROKEN = {
    "empty": b"",
    "white space": b" \r\n\t ",
    "null": b"null",
    "number": b"1",
    "text": b'"x"',
    "list": b"[]",
    "list of bodies": b"[" + GOOD + b"]",
    "not JSON": b"model=seedream-4&input=x",
    "cut": GOOD[:-5],
    "cut in a text": GOOD[:30],
    "trailing comma": GOOD[:-1] + b",}",
    "something after": GOOD + b"{}",
    "single quotes": GOOD.replace(b'"', b"'"),
    "comment": b"/* x */" + GOOD,
    "byte order mark": b"\xef\xbb\xbf" + GOOD,
    "UTF-16": GOOD.decode().encode("utf-16"),
    "UTF-32": GOOD.decode().encode("utf-32-le"),
    "latin-1": GOOD.replace(b'"x"', '"schön"'.encode("latin-1")),
    "overlong UTF-8": GOOD.replace(b'"x"', b'"\xc0\xaf"'),
    "surrogate in UTF-8": GOOD.replace(b'"x"', b'"\xed\xa0\x80"'),
    "not UTF-8 in a key": GOOD.replace(b'"prompt"', b'"a":1,"\xff":1,"prompt"'),
    "lone surrogate": GOOD.replace(b'"x"', b'"\\ud800"'),
    "lone low surrogate": GOOD.replace(b'"x"', b'"\\udc00x"'),
    "lone surrogate in a key": GOOD.replace(b'"prompt"', b'"\\ud800":1,"prompt"'),
    "raw newline in a text": GOOD.replace(b'"x"', b'"a\nb"'),
    "raw NUL": GOOD.replace(b'"x"', b'"a\0b"'),
    "bad escape": GOOD.replace(b'"x"', b'"\\x41"'),
    "only NUL": b"\0" * 100,
    "NaN": GOOD.replace(b'"x"', b'"x","z":NaN'),
    "Infinity": GOOD.replace(b'"x"', b'"x","z":-Infinity'),
    "1e999": GOOD.replace(b'"x"', b'"x","z":1e999'),
    "1e999 in a list": GOOD.replace(b'"x"', b'"x","z":[[1e999]]'),
    "n 1e999": GOOD.replace(b'"x"', b'"x","n":1e999'),
    "5000 digits": GOOD.replace(b'"x"', b'"x","z":' + b"9" * 5000),
    "n 400 digits": GOOD.replace(b'"x"', b'"x","n":' + b"9" * 400),
    "n 100000 digits": GOOD.replace(b'"x"', b'"x","n":"' + b"9" * 100_000 + b'"'),
    "leading zero": GOOD.replace(b'"x"', b'"x","n":01'),
    "plus": GOOD.replace(b'"x"', b'"x","n":+1'),
    "hexadecimal": GOOD.replace(b'"x"', b'"x","n":0x1'),
    "65 deep": nested(65),
    "960 deep": nested(960),
    "970 deep": nested(970),
    "100000 deep": nested(100_000),
    "100000 objects deep": nested(30_000, (b'{"a":', b"}")),
    "only brackets": b"[" * 100_000,
    "only braces": b'{"a":' * 50_000,
    "deep and large": nested(980).replace(b'"x"', b'"x","pad":"' + b"p" * 300_000 + b'"'),
    "deep as the prompt": b'{"model":"seedream-4","input":{"prompt":' + b"[" * 5000 + b"]" * 5000 + b"}}",
    "duplicate prompt, last one wrong": GOOD.replace(b'"x"', b'"x","prompt":5'),
    "duplicate model, last one wrong": GOOD.replace(b"}}", b'},"model":[]}'),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("headers", [{}, {"idempotency-key": "k"}], ids=["plain", "idempotent"])
def test_broken_bodies(empty: Client, name: str, headers: dict[str, str]) -> None:
    """Each is 400 in the envelope with a short message, with and without an Idempotency-Key."""
    message = refusal(empty.send(BROKEN[name], headers), 400)
    assert 0 < len(message) < 500


WRONG = (None, True, 0, -1, 1.5, "", "x", [], [[]], {}, {"a": 1}, [None], "\0", "9" * 50, 10**18, [1, 2], {"url": 1})


@pytest.mark.parametrize(
    "field", ["prompt", "imageUrls", "images", "ratio", "resolution", "n", "seed", "fallback", "output_format"]
)
def test_wrong_types_everywhere(client: Client, field: str) -> None:
    """Any JSON value in any field is taken or refused with the field's path, never an internal error."""
    for value in WRONG:
        body = {"model": "seedream-4", "input": {"prompt": "x", field: value}}
        response = client.try_submit(body)
        if response.status_code != 200:
            named = ("input.images", "input.imageUrls") if field == "images" else f"input.{field}"
            assert refusal(response, 400).startswith(named), value


@pytest.mark.parametrize("field", ["model", "input", "callBackUrl", "user_id"])
def test_wrong_types_at_the_top(client: Client, field: str) -> None:
    """The same for the fields around the input."""
    for value in WRONG:
        body = {"model": "seedream-4", "input": {"prompt": "x"}, field: value}
        response = client.try_submit(body)
        if response.status_code != 200:
            assert refusal(response, 400).startswith(field), value


@pytest.mark.parametrize(
    "body",
    [
        GOOD.replace(b'"x"', b'"x","prompt":"y"'),
        GOOD.replace(b'"x"', b'"a\\u0000b"'),
        GOOD.replace(b'"x"', b'"\\ud83c\\udfa8"'),
        GOOD.replace(b'"x"', b'"x","":{"":[]}'),
        GOOD.replace(b'"x"', b'"x","z":-0.0,"y":1E-400'),
        GOOD.replace(b'"x"', b'"x","z":' + b"9" * 400),
        GOOD.replace(b'"x"', b'"x","__proto__":{"a":1},"constructor":1'),
        b" \n" + GOOD + b"\r\n ",
        nested(40),
    ],
)
def test_odd_but_valid_bodies(client: Client, body: bytes) -> None:
    """What is valid JSON and fits is accepted, runs and can be queried."""
    response = client.send(body)
    assert response.status_code == 200, response.text
    assert client.wait(response.json()["data"]["taskId"])["status"] == "SUCCESS"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "%00"]
)
def test_other_content_types(client: Client, kind: str) -> None:
    """JSON is JSON whatever it is called; anything else is refused by its content."""
    assert client.send(GOOD, {"content-type": kind}).status_code == 200
    refusal(client.send(b"a=b", {"content-type": kind}), 400)


def test_compressed_body(empty: Client) -> None:
    """Compressed bodies are not unpacked, so they cannot blow up."""
    refusal(empty.send(gzip.compress(GOOD), {"content-encoding": "gzip"}), 400)


def test_body_at_the_limit(strict_server: Server, empty: Client) -> None:
    """A body of the largest size is read, and one byte more is 413 (whatever it holds)."""
    assert refusal(empty.send(b" " * LIMIT), 400)
    assert str(LIMIT) in refusal(empty.send(b" " * (LIMIT + 1)), 413)


def test_too_large_is_known_from_its_declaration(strict_server: Server) -> None:
    """A declared length over the limit is refused before the body has come."""
    answer = exchange(strict_server, head("Content-Length: 1000000000000"))
    assert (answer.status, answer.json()["code"]) == (413, 413)


def test_too_large_without_declaration(strict_server: Server) -> None:
    """A chunked body is refused as soon as it is over the limit, although its end has not come."""
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = exchange(strict_server, head("Transfer-Encoding: chunked"), *[chunk] * 12)
    assert (answer.status, answer.json()["code"]) == (413, 413)


def test_chunked_body(strict_server: Server, client: Client, null_server: Server) -> None:
    """A chunked body within the limit is a body like others."""
    pieces = [b"%x\r\n%s\r\n" % (len(part), part) for part in (GOOD[:7], GOOD[7:20], GOOD[20:])]
    answer = exchange(null_server, head("Transfer-Encoding: chunked"), *pieces, b"0\r\n\r\n")
    assert answer.status == 200
    assert client.wait(answer.json()["data"]["taskId"])["status"] == "SUCCESS"


def test_data_url_over_the_limit_of_a_file(empty: Client) -> None:
    """One data URL may hold what an upload may hold."""
    body = {"model": "seedream-4", "input": {"prompt": "x", "imageUrls": [data_url(bytes(100_001))]}}
    assert refusal(empty.try_submit(body), 400).startswith("input.imageUrls[0]: ")


ABSURD = {
    "no host": b"POST /api/v1/task/submit HTTP/1.1\r\nConnection: close\r\n\r\n",
    "HTTP/0.9": b"GET /\r\n\r\n",
    "HTTP/3": b"GET / HTTP/3.0\r\n\r\n",
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00" * 20,
    "endless line": b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    "method": head(method="G\xc9T"),
    "lower-case method": head(method="post"),
    "length with letters": head("Content-Length: 12abc"),
    "negative length": head("Content-Length: -1"),
    "length of 5000 digits": head("Content-Length: " + "9" * 5000),
    "superscript length": head("Content-Length: \xb2"),
    "two lengths": head("Content-Length: 3", "Content-Length: 44"),
    "length and chunks": head("Content-Length: 3", "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "bad chunk": head("Transfer-Encoding: chunked") + b"zz\r\nabc\r\n",
    "unknown coding": head("Transfer-Encoding: gzip, chunked") + b"0\r\n\r\n",
    "header without a colon": head("NoColonHere"),
    "space before the colon": head("X-A : b"),
    "NUL in a header": head("X-A: a\0b", "Content-Length: 0"),
    "folded header": head("X-A: b", " folded", "Content-Length: 0"),
    "long header": head("X-A: " + "b" * 100_000, "Content-Length: 0"),
    "many headers": head(*[f"X-{n}: 1" for n in range(3000)], "Content-Length: 0"),
    "empty bearer": head("Content-Length: 0").replace(b"Bearer test-secret-0123456789abcdef", b"Bearer "),
    "path with NUL": head("Content-Length: 0", path="/api/v1/task/%00", method="GET"),
    "path not UTF-8": head("Content-Length: 0", path="/api/v1/task/%ff%fe", method="GET"),
    "raw bytes in the path": head("Content-Length: 0", path="/api/v1/task/\xff\xfe", method="GET"),
    "dots": head("Content-Length: 0", path="/files/../../../../etc/passwd", method="GET"),
    "absolute target": head("Content-Length: 0", path="http://evil.invalid/api/v1/tasks", method="GET"),
    "star": head("Content-Length: 0", path="*", method="OPTIONS"),
    "query not UTF-8": head("Content-Length: 0", path="/api/v1/tasks?userId=%ff&model=%00&cursor=%", method="GET"),
    "surrogates in the query": head("Content-Length: 0", path="/api/v1/tasks?userId=%ed%a0%80", method="GET"),
    "expect": head("Expect: 200-maybe", "Content-Length: 0"),
    "upgrade": head("Upgrade: h2c", "Connection: Upgrade", "Content-Length: 0"),
}


@pytest.mark.parametrize("name", ABSURD)
def test_absurd_requests(strict_server: Server, empty: Client, name: str) -> None:
    """The server answers with a refusal or closes the connection, never with a 5xx, and goes on."""
    answer = exchange(strict_server, ABSURD[name])
    assert answer.status < 500, answer
    assert empty.get("/healthz").status_code == 200


def test_half_a_request_holds_nobody_up(strict_server: Server, empty: Client) -> None:
    """Connections that stop in the middle of a body do not keep others waiting, and store nothing."""
    lazy = [socket.create_connection(("127.0.0.1", strict_server.port)) for _ in range(50)]
    try:
        for connection in lazy:
            connection.sendall(head(f"Content-Length: {len(GOOD)}") + GOOD[:-1])
        assert empty.get("/healthz").status_code == 200
    finally:
        for connection in lazy:
            connection.close()
    assert empty.get("/healthz").status_code == 200


def test_refusals_do_not_repeat_the_body(empty: Client) -> None:
    """A refusal does not send back what it was sent at length."""
    body = json.dumps({"model": "m" * 5000, "input": {"prompt": "p" * 5000, "ratio": "r" * 5000}}).encode()
    assert len(empty.send(body).content) < 600
