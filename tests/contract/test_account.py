"""Keys: rights, points, rates; the account (decisions 7, 11, 12, 17, 40, 43)."""

from __future__ import annotations

import time

from aquatint.testing.receiver import Answer
from support.client import Client, Json, data_of, refusal
from support.keys import make_key
from support.receiver import ThreadedReceiver
from support.server import Server, ServerFactory, run_cli

BODY: Json = {"model": "seedream-4.5", "input": {"prompt": "x"}}


def test_account_says_who_i_am(null_server: Server) -> None:
    """The account answers the key's own id, name, rights and what is left."""
    key, secret = make_key(null_server, "my shop", models=("seedream-4",), points=7, requests_per_minute=60)
    with null_server.client(secret) as client:
        assert client.account() == {
            "key_id": key.id,
            "name": "my shop",
            "points": 7,
            "models": ["seedream-4"],
            "requests_per_minute": 60,
            "weight": 1.0,
            "max_running": None,
            "max_pending": None,
            "priority_max": 0,
            "admin": False,
        }


def test_account_of_the_environment_key(client: Client) -> None:
    """The key of AQUATINT_API_KEY is not counted, and its secret shows nowhere."""
    account = client.account()
    assert account["points"] is None
    assert "test-secret" not in str(account)


def test_key_without_rights(null_server: Server) -> None:
    """A model that the key may not use is 403; an unknown model stays 400 (decision 11)."""
    _, secret = make_key(null_server, models=("seedream-4",))
    with null_server.client(secret) as client:
        assert "seedream-4.5" in refusal(client.try_submit(BODY), 403)
        refusal(client.try_submit({**BODY, "model": "nothing"}), 400)
        assert client.run("seedream-4")["status"] == "SUCCESS"
        assert len(client.tasks()["tasks"]) == 1


def test_points_are_held_then_captured(endless_server: Server, null_server: Server) -> None:
    """A task holds n points at submit; success captures them (decisions 12, 17)."""
    _, secret = make_key(null_server, points=10)
    with null_server.client(secret) as client:
        client.run(n=4)
        assert client.account()["points"] == 6
    _, secret = make_key(endless_server, points=10)
    with endless_server.client(secret) as client:
        task_id = client.submit(n=4)
        assert client.account()["points"] == 6, "held while it runs"
        data_of(client.cancel(task_id))
        assert client.account()["points"] == 10, "released when it is cancelled"


def test_failed_tasks_cost_nothing(null_server: Server, receiver: ThreadedReceiver) -> None:
    """A failure gives every point back (decision 43)."""
    receiver.answer_with(lambda _: Answer(status=404))
    _, secret = make_key(null_server, points=5)
    with null_server.client(secret) as client:
        assert client.run(n=5, imageUrls=[receiver.url])["status"] == "FAILURE"
        assert client.account()["points"] == 5


def test_too_few_points(null_server: Server) -> None:
    """A submit beyond the balance is 402 and makes no task and no hold (decision 12)."""
    _, secret = make_key(null_server, points=3)
    with null_server.client(secret) as client:
        message = refusal(client.try_submit({"model": "seedream-4", "input": {"prompt": "x", "n": 4}}), 402)
        assert "4" in message
        assert "3" in message
        assert client.tasks()["tasks"] == []
        assert client.account()["points"] == 3
        assert client.run(n=3)["status"] == "SUCCESS"
        refusal(client.try_submit(BODY), 402)


def test_rate_of_a_key(null_server: Server) -> None:
    """Beyond its rate a key gets 429 with Retry-After in whole seconds; queries are not counted (decision 40)."""
    _, secret = make_key(null_server, requests_per_minute=3)
    with null_server.client(secret) as client:
        task_id, _, _ = (client.submit() for _ in range(3))
        response = client.try_submit(BODY)
        assert refusal(response, 429)
        assert 1 <= int(response.headers["retry-after"]) <= 20
        refusal(client.upload(b"x"), 429)
        assert all(client.query(task_id) for _ in range(10))
        assert len(client.tasks()["tasks"]) == 3
    with null_server.client() as other:
        assert other.try_submit(BODY).status_code == 200, "another key is not slowed"


def test_rate_grows_again(null_server: Server) -> None:
    """After the announced wait the next submit is taken."""
    _, secret = make_key(null_server, requests_per_minute=60)
    with null_server.client(secret) as client:
        while (response := client.try_submit(BODY)).status_code == 200:
            pass
        wait = int(response.headers["retry-after"])
        assert wait == 1
        time.sleep(wait)
        assert client.try_submit(BODY).status_code == 200


def test_full_queue(server_with: ServerFactory) -> None:
    """A queue at its limit answers 429 with Retry-After, and room made by cancelling is room (decision 40)."""
    server = server_with(
        AQUATINT_LIMITS__MAX_PENDING="3",
        AQUATINT_LIMITS__REQUESTS_PER_MINUTE="0",
        AQUATINT_WORKER__CONCURRENCY="1",
        AQUATINT_WORKER__DRAIN="0s",
        AQUATINT_ENGINES__NULL_DELAY="1h",
    )
    with server.client() as client:
        client.wait(client.submit(), until=["SUBMITTED"])
        client.wait(client.submit(), until=["PROCESSING"])  # one more is prepared while the first one runs
        waiting = [client.submit() for _ in range(3)]
        response = client.try_submit(BODY)
        assert refusal(response, 429)
        assert int(response.headers["retry-after"]) >= 1
        data_of(client.cancel(waiting[1]))
        client.submit()
        refusal(client.try_submit(BODY), 429)


def test_revoked_key(null_server: Server) -> None:
    """Two seconds after its revocation by command a key is as good as none (decision 11)."""
    key, secret = make_key(null_server)
    with null_server.client(secret) as client:
        task_id = client.submit()
        done = run_cli("keys", "revoke", key.id, "--data-dir", str(null_server.data_dir), env=null_server.env)
        assert (done.returncode, done.stdout.strip()) == (0, "revoked")
        time.sleep(2.1)
        assert refusal(client.get(f"/api/v1/task/{task_id}"), 401) == "unauthorized"
        assert refusal(client.try_submit(BODY), 401) == "unauthorized"
