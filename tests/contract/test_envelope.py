"""The envelope, the error bodies and what is answered outside the documented routes (contract section 2)."""

from __future__ import annotations

import re
import uuid

import pytest

from support.client import Client, refusal
from support.server import Server

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def test_submit_answers_only_a_task_id(client: Client) -> None:
    """Submit answers 200, code 0, msg ok and nothing in data but a lower-case hyphenated UUID (decisions 1, 47)."""
    response = client.try_submit({"model": "seedream-4.5", "input": {"prompt": "a boat"}})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    assert list(body) == ["code", "msg", "data"]
    assert (body["code"], body["msg"]) == (0, "ok")
    assert list(body["data"]) == ["taskId"]
    assert UUID.fullmatch(body["data"]["taskId"])


def test_code_is_an_integer_zero(client: Client) -> None:
    """The success code is the number 0, not false and not a text."""
    assert b'"code":0' in client.try_submit({"model": "seedream-4", "input": {"prompt": "x"}}).content.replace(
        b" ", b""
    )


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (None, "missing"),
        ("", "empty"),
        ("Bearer", "no secret"),
        ("Bearer wrong-secret", "wrong secret"),
        ("Basic dGVzdDp0ZXN0", "another scheme"),
        ("test-secret-0123456789abcdef", "no scheme"),
        ("Bearer test-secret-0123456789abcdef extra", "more after the secret"),
        ("Bearer " + "x" * 7000, "absurdly long"),
        ("Bearer \u00e9\u00ff", "not ASCII"),
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/v1/task/submit"),
        ("GET", f"/api/v1/task/{uuid.UUID(int=7)}"),
        ("POST", f"/api/v1/task/{uuid.UUID(int=7)}/cancel"),
        ("GET", "/api/v1/tasks"),
        ("GET", "/api/v1/models"),
        ("GET", "/api/v1/account"),
        ("POST", "/api/v1/files"),
    ],
)
def test_bad_keys_are_unauthorized(null_server: Server, method: str, path: str, header: str | None, why: str) -> None:
    """A missing or wrong key answers 401 with exactly `unauthorized` and no data (decisions 11, 45)."""
    with null_server.client(key=None) as anonymous:
        headers = [(b"authorization", header.encode("latin-1"))] if header is not None else []
        response = anonymous.http.request(method, path, headers=headers)
    assert response.status_code == 401, why
    assert response.json() == {"code": 401, "msg": "unauthorized"}


@pytest.mark.parametrize("spelling", ["Bearer", "bearer", "BEARER"])
def test_scheme_is_case_insensitive(null_server: Server, spelling: str) -> None:
    """HTTP says that the name of the scheme has no case."""
    with null_server.client(key=None) as client:
        response = client.get(
            "/api/v1/account", headers={"authorization": f"{spelling} test-secret-0123456789abcdef"}
        )
    assert response.status_code == 200


@pytest.mark.parametrize(
    "task_id",
    [
        str(uuid.UUID(int=7)),
        "not-a-task",
        "0",
        "submit",
        str(uuid.UUID(int=7)).replace("-", ""),
        "00000000-0000-0000-0000-00000000000G",
        "%00",
        "%F0%9F%8E%A8",
        "a" * 3000,
        "..%2f..%2fetc%2fpasswd",
        "' OR 1=1 --",
    ],
)
def test_unknown_and_malformed_ids_answer_the_same_404(client: Client, task_id: str) -> None:
    """An unknown or malformed task id is 404 `task not found`, never 400 or 422 (decisions 7, 8)."""
    response = client.get(f"/api/v1/task/{task_id}")
    if "%2f" in task_id:  # the path has more parts then; nothing is served there either
        assert response.status_code == 404
        return
    assert refusal(response, 404) == "task not found"


def test_upper_case_id_is_another_id(client: Client) -> None:
    """A task id is looked up as it is: only its lower-case form exists."""
    task_id = client.submit()
    assert refusal(client.get(f"/api/v1/task/{task_id.upper()}"), 404) == "task not found"


@pytest.mark.parametrize("tail", ["", "/cancel", "/deliveries", "/redeliver"])
def test_unknown_task_in_extensions(client: Client, tail: str) -> None:
    """The extensions answer an unknown task in the same words as the query (decision 7)."""
    method = "GET" if tail in ("", "/deliveries") else "POST"
    response = client.http.request(method, f"/api/v1/task/{uuid.UUID(int=7)}{tail}")
    assert refusal(response, 404) == "task not found"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/api/v2/task/submit", 404),
        ("GET", "/favicon.ico", 404),
        ("PUT", "/api/v1/task/submit", 405),
        ("DELETE", "/api/v1/tasks", 405),
        ("POST", "/api/v1/models", 405),
        ("PATCH", f"/api/v1/task/{uuid.UUID(int=7)}", 405),
    ],
)
def test_unknown_paths_and_methods_use_the_envelope(client: Client, method: str, path: str, status: int) -> None:
    """Even what is no route at all is answered in the envelope (decision 1)."""
    assert refusal(client.http.request(method, path), status)


def test_get_with_json_content_type_and_no_body(client: Client) -> None:
    """Clients in use send a JSON content type with a GET (section 8, item 12)."""
    task_id = client.submit()
    response = client.get(f"/api/v1/task/{task_id}", headers={"content-type": "application/json"})
    assert response.status_code == 200


def test_head_is_a_get_without_body(client: Client) -> None:
    """HEAD of a query answers like GET, bodiless (decision 48)."""
    response = client.http.head(f"/api/v1/task/{client.submit()}")
    assert (response.status_code, response.content) == (200, b"")


def test_no_cors_by_default(client: Client) -> None:
    """Browsers of other origins get no permission unless the operator gives it (decision 48)."""
    response = client.get("/api/v1/models", headers={"origin": "https://evil.example"})
    assert not [name for name in response.headers if name.startswith("access-control-")]
    preflight = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    refused = client.http.options("/api/v1/task/submit", headers=preflight)
    assert refused.status_code == 405
    assert not [name for name in refused.headers if name.startswith("access-control-")]


def test_health_needs_no_key(null_server: Server) -> None:
    """Probes of load balancers have no key."""
    with null_server.client(key=None) as anonymous:
        assert anonymous.get("/healthz").text == "ok"


def test_description_is_served(null_server: Server) -> None:
    """The description and its page are public, and every operation under /api/v1/ and /v1/ asks for a key."""
    with null_server.client(key=None) as anonymous:
        document = anonymous.get("/openapi.json").json()
        page = anonymous.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert document["openapi"].startswith("3.1")
    assert {"/api/v1/task/submit", "/api/v1/task/{taskId}", "/api/v1/tasks", "/api/v1/files"} <= set(
        document["paths"]
    )
    assert document["security"] == [{"bearer": []}]
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert ("security" in operation) == (not path.startswith(("/api/v1/", "/v1/")))
