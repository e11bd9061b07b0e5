"""The door of the web pages, spoken to without a browser: sessions, forged requests, headers, what leads where."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest

from support.client import Client, data_of
from support.keys import make_key
from support.server import KEY, Server, ServerFactory, run_cli

OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def visitor(null_server: Server) -> Iterator[httpx.Client]:
    """Somebody with a browser's manners who is not logged in."""
    with httpx.Client(base_url=null_server.base_url, headers={"origin": null_server.base_url}, timeout=30) as made:
        yield made


@pytest.fixture
def member(visitor: httpx.Client) -> httpx.Client:
    """The same, logged in."""
    assert visitor.post("/login", data={"key": KEY}).status_code == 303
    return visitor


def token(member: httpx.Client) -> str:
    found = re.search(r'<meta name="csrf" content="([^"]+)">', member.get("/").text)
    assert found is not None
    return found[1]


def test_strangers_are_led_to_the_login(visitor: httpx.Client) -> None:
    """Every page; and back to where they wanted once they are in."""
    for path in ("/gallery?q=a", "/tasks", "/tasks/x", "/dashboard", "/gallery/zip"):
        answer = visitor.get(path)
        assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login"), path
    assert visitor.get("/").headers["location"] == "/login"
    assert visitor.get("/gallery?q=a").headers["location"] == "/login?next=%2Fgallery%3Fq%3Da"
    answer = visitor.post("/login", data={"key": KEY, "next": "/gallery?q=a"})
    assert answer.headers["location"] == "/gallery?q=a"
    part = httpx.get(f"{visitor.base_url}/tasks", headers={"hx-request": "true"})
    assert (part.status_code, part.headers["hx-redirect"]) == (204, "/login")


@pytest.mark.parametrize(
    "going", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/\n/x"]
)
def test_the_login_leads_nowhere_else(visitor: httpx.Client, going: str) -> None:
    assert visitor.post("/login", data={"key": KEY, "next": going}).headers["location"] == "/"


def test_the_cookie_is_kept_well(visitor: httpx.Client) -> None:
    """Out of scripts' reach, for this site only, and for https only where https is."""
    plain = visitor.post("/login", data={"key": KEY}).headers["set-cookie"]
    assert "HttpOnly" in plain
    assert "samesite=strict" in plain.lower()
    assert "Secure" not in plain
    assert KEY not in plain
    secure = visitor.post("/login", data={"key": KEY}, headers={"x-forwarded-proto": "https"}).headers["set-cookie"]
    assert secure.startswith("__Host-aquatint_")
    assert "Secure" in secure
    assert "Path=/" in secure


def test_a_cookie_of_others_opens_nothing(member: httpx.Client, null_server: Server) -> None:
    """Neither invented, nor changed, nor cut."""
    (name, value), *_ = member.cookies.items()
    for other in ("x", value[:-2], value[:-6] + "AAAAA=", "", "ä" * 20, "A" * 5000):
        answer = httpx.get(f"{null_server.base_url}/tasks", headers={"cookie": f"{name}={other}".encode()})
        assert answer.status_code == 303, other


def test_a_wrong_key_is_told_in_words(visitor: httpx.Client) -> None:
    for key in ("aq_wrong", "", "a" * 600, "schlüssel", "a\nb"):
        answer = visitor.post("/login", data={"key": key})
        assert answer.status_code == 401
        assert "not known here" in answer.text
        assert "set-cookie" not in answer.headers


def test_trying_keys_has_an_end(server_with: ServerFactory) -> None:
    """After ten wrong ones even a right one has to wait; who is in stays in."""
    server = server_with()
    with httpx.Client(base_url=server.base_url, headers=OURS) as member:
        assert member.post("/login", data={"key": KEY}).status_code == 303
        tries = [
            httpx.post(f"{server.base_url}/login", data={"key": "no"}, headers=OURS).status_code for _ in range(12)
        ]
        assert tries == [401] * 10 + [429] * 2
        assert httpx.post(f"{server.base_url}/login", data={"key": KEY}, headers=OURS).status_code == 429
        assert member.get("/tasks").status_code == 200


def test_forged_forms_are_refused(member: httpx.Client, client: Client) -> None:
    """Without the token, with another's, or from another site, nothing is changed."""
    good = {"csrf": token(member), "model": "seedream-4", "prompt": "forged?"}
    before = len(client.tasks(limit=100, q="forged?")["tasks"])
    for form, headers in (
        ({**good, "csrf": ""}, {}),
        ({**good, "csrf": "x" * 32}, {}),
        ({**good, "csrf": "ü"}, {}),
        (good, {"origin": "https://evil.example"}),
        (good, {"sec-fetch-site": "cross-site"}),
        (good, {"sec-fetch-site": "same-site"}),
        (good, {"origin": "null"}),
    ):
        assert member.post("/run", data=form, headers=headers).status_code == 403, (form, headers)
    del member.headers["origin"]
    assert member.post("/run", data=good).status_code == 403, "a browser would say where it comes from"
    assert len(client.tasks(limit=100, q="forged?")["tasks"]) == before
    assert member.post("/run", data=good, headers=OURS).status_code == 303
    assert len(client.tasks(limit=100, q="forged?")["tasks"]) == before + 1


def test_a_forged_login_is_refused(visitor: httpx.Client) -> None:
    """Nobody is logged in with somebody else's key from another site."""
    answer = visitor.post("/login", data={"key": KEY}, headers={"origin": "https://evil.example"})
    assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)


def test_the_passage_wants_the_same(member: httpx.Client, client: Client) -> None:
    """The browser's own calls: with the session, with the token where they change something, to the API only."""
    assert data_of(member.get("/web/api/v1/account")) == client.account()
    assert httpx.get(f"{member.base_url}/web/api/v1/account").status_code == 401
    assert (
        httpx.get(f"{member.base_url}/web/api/v1/account", headers={"authorization": f"Bearer {KEY}"}).status_code
        == 401
    )
    body = {"model": "seedream-4", "input": {"prompt": "x"}}
    assert member.post("/web/api/v1/task/submit", json=body).status_code == 403
    sent = member.post("/web/api/v1/task/submit", json=body, headers={"x-csrf-token": token(member)})
    task_id = data_of(sent)["taskId"]
    client.wait(task_id)
    assert member.delete(f"/web/api/v1/task/{task_id}").status_code == 403
    assert member.delete(f"/web/api/v1/task/{task_id}", headers={"x-csrf-token": token(member)}).status_code == 200
    for path in (
        "/web/api/../healthz",
        "/web/api/healthz",
        "/web/api/metrics",
        "/web/api/v2/x",
        "/web/api//api/v1/account",
    ):
        assert member.get(path).status_code == 404, path
    with member.stream("GET", f"/web/api/v1/task/{client.submit()}/events") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        assert "event: done" in "".join(stream.iter_text())


def test_pages_keep_to_themselves(member: httpx.Client) -> None:
    """A strict policy, no copies, no frames; static files may be kept."""
    for path in ("/", "/gallery", "/tasks", "/dashboard", "/login", "/tasks/none"):
        headers = member.get(path).headers
        policy = headers["content-security-policy"].split("; ")
        assert "default-src 'none'" in policy
        assert {part for part in policy if "script" in part or "style" in part} == {
            "script-src 'self'",
            "style-src 'self'",
        }
        assert "frame-ancestors 'none'" in policy
        assert (headers["cache-control"], headers["x-content-type-options"]) == ("no-store", "nosniff")
        assert "referrer-policy" in headers
    assert "unsafe" not in member.get("/").headers["content-security-policy"]
    page = member.get("/").text
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', page):
        file = member.get(address)
        assert file.status_code == 200, address
        assert "immutable" in file.headers["cache-control"]
        assert member.get(address, headers={"if-none-match": file.headers["etag"]}).status_code == 304
    assert not re.search(r"<style|<script(?! src)|\sstyle=|\son\w+=", page)
    assert member.get("/static/../pyproject.toml").status_code == 404
    assert member.get("/static/vendor/../../view.py").status_code == 404


def test_a_revoked_key_ends_its_session(null_server: Server, visitor: httpx.Client) -> None:
    key, secret = make_key(null_server, "short-lived")
    assert visitor.post("/login", data={"key": secret}).status_code == 303
    assert visitor.get("/tasks").status_code == 200
    assert visitor.get("/dashboard").status_code == 403
    assert "needs an admin key" in visitor.get("/dashboard").text
    env = {name: value for name, value in null_server.env.items() if name.startswith("AQUATINT_DATABASE")}
    assert run_cli("keys", "revoke", key.id, "--data-dir", str(null_server.data_dir), env=env).returncode == 0
    for _ in range(60):
        if (answer := visitor.get("/tasks")).status_code == 303:
            break
        time.sleep(0.1)
    assert answer.headers["location"].startswith("/login")
    assert "Max-Age=0" in answer.headers["set-cookie"]


def test_logging_out(member: httpx.Client) -> None:
    assert member.get("/logout").status_code == 405
    assert member.post("/logout", data={"csrf": "x"}).status_code == 403
    assert member.post("/logout", data={"csrf": token(member)}).headers["location"] == "/login"
    assert member.get("/tasks").status_code == 303


def test_one_sees_only_ones_own(null_server: Server, visitor: httpx.Client, client: Client) -> None:
    """The pages show what the key may see: another's task is unknown on every path of it."""
    task_id = client.run()["taskId"]
    _, secret = make_key(null_server)
    visitor.post("/login", data={"key": secret})
    csrf = {"csrf": token(visitor)}
    for path in ("", "/card", "/details", "/zip"):
        assert visitor.get(f"/tasks/{task_id}{path}").status_code == 404, path
    for verb in ("cancel", "rerun", "redeliver", "delete"):
        assert visitor.post(f"/tasks/{task_id}/{verb}", data=csrf).status_code == 404, verb
    assert task_id not in visitor.get("/gallery").text + visitor.get("/tasks").text
    for odd in ("..%2Faccount", "%2e%2e", "x" * 200, "a?b"):
        assert visitor.get(f"/tasks/{odd}").status_code == 404, odd


def test_a_large_form_is_refused(member: httpx.Client) -> None:
    answer = member.post("/run", data={"csrf": token(member), "prompt": "x" * 300_000})
    assert answer.status_code == 413
    assert member.post("/run", content=b"&".join(b"a=1" for _ in range(500)), headers={
        "content-type": "application/x-www-form-urlencoded"}).status_code in (400, 403)  # fmt: skip


def test_without_the_pages(server_with: ServerFactory) -> None:
    """Left out they are not there at all, and the root leads to the API's page."""
    server = server_with(AQUATINT_SERVER__WEB="false")
    assert httpx.get(server.base_url).headers["location"] == "/docs"
    for path in ("/login", "/gallery", "/tasks", "/static/pages.js", "/web/api/v1/account"):
        assert httpx.get(f"{server.base_url}{path}").status_code == 404, path
    with server.client() as client:
        assert client.run()["status"] == "SUCCESS"
