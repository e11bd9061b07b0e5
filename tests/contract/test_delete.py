"""Deletion of tasks, the search in prompts, and smaller copies of pictures: what a gallery needs."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from support.client import Client, data_of, refusal
from support.keys import make_key
from support.receiver import ThreadedReceiver
from support.server import Server


def test_a_deleted_task_is_gone(client: Client, receiver: ThreadedReceiver) -> None:
    """Its query, its log, its picture and its place in lists; deleting again finds nothing."""
    task = client.run(prompt="to be deleted", callback=receiver.url)
    task_id = task["taskId"]
    receiver.wait_for(1)
    answer = client.http.delete(f"/api/v1/task/{task_id}")
    assert data_of(answer) == {}
    for path in ("", "/trace", "/deliveries", "/events"):
        refusal(client.get(f"/api/v1/task/{task_id}{path}"), 404)
    for verb in ("cancel", "redeliver"):
        refusal(client.post(f"/api/v1/task/{task_id}/{verb}"), 404)
    refusal(client.http.delete(f"/api/v1/task/{task_id}"), 404)
    refusal(client.get(task["result"]["urls"][0]), 410)
    assert task_id not in [one["taskId"] for one in client.tasks(limit=100)["tasks"]]


def test_only_ended_tasks_of_ones_own(endless: Client, endless_server: Server) -> None:
    """What waits or runs is a conflict; another's is unknown."""
    task_id = endless.submit()
    endless.wait(task_id, until=("PROCESSING", "SUBMITTED"))
    assert "cancel it first" in refusal(endless.http.delete(f"/api/v1/task/{task_id}"), 409)
    refusal(endless.http.delete(f"/api/v1/task/{endless.submit()}"), 409)
    _, secret = make_key(endless_server)
    with endless_server.client(secret) as other:
        refusal(other.http.delete(f"/api/v1/task/{task_id}"), 404)
    with endless_server.client(None) as nobody:
        refusal(nobody.http.delete(f"/api/v1/task/{task_id}"), 401)
    endless.cancel(task_id)
    assert endless.http.delete(f"/api/v1/task/{task_id}").status_code == 200


def test_points_stay_booked(null_server: Server) -> None:
    """A deleted task was paid for."""
    _, secret = make_key(null_server, points=10)
    with null_server.client(secret) as client:
        task = client.run()
        left = client.account()["points"]
        assert left < 10
        client.http.delete(f"/api/v1/task/{task['taskId']}").raise_for_status()
        assert client.account()["points"] == left


def test_prompts_are_searched(client: Client) -> None:
    """Any case, any part, with the other filters; a wish that is too long is refused."""
    ids = [
        client.submit("seedream-4", prompt=f"{word} tower by the lake") for word in ("Crimson", "crimsonish", "blue")
    ]
    found = [task["taskId"] for task in client.tasks(q="CRIMSON", limit=10)["tasks"]]
    assert found == [ids[1], ids[0]]
    assert client.tasks(q="crimson", model="seedream-4.5")["tasks"] == []
    page = client.tasks(q="crimson", limit=1)
    assert client.tasks(q="crimson", limit=1, cursor=page["next_cursor"])["tasks"][0]["taskId"] == ids[0]
    assert client.tasks(q="no such words anywhere")["tasks"] == []
    assert "q: must have" in refusal(client.get("/api/v1/tasks", params={"q": "x" * 201}), 400)


def test_a_smaller_copy(studio: Client) -> None:
    """A WebP of the width that was asked for, the same bytes each time, gone with the picture."""
    task = studio.run("seedream-4", ratio="4:3", resolution="1k", prompt="dunes")
    url = task["result"]["urls"][0]
    small = studio.get(url, params={"w": "640"})
    assert (small.status_code, small.headers["content-type"]) == (200, "image/webp")
    assert Image.open(io.BytesIO(small.content)).size == (640, 480)
    assert studio.get(url, params={"w": "640"}).content == small.content
    assert len(small.content) < len(studio.get(url).content) / 4
    assert "w: must be one of" in refusal(studio.get(url, params={"w": "641"}), 400)
    studio.http.delete(f"/api/v1/task/{task['taskId']}").raise_for_status()
    refusal(studio.get(url, params={"w": "640"}), 410)


def test_what_was_sent_is_in_the_log(client: Client, receiver: ThreadedReceiver) -> None:
    """The body of a callback, byte for byte as JSON, and the history in the trace."""
    task_id = client.submit(callback=receiver.url)
    delivery = client.wait_delivery(task_id, "delivered")
    assert delivery["body"] == receiver.wait_for(1)[0].json()
    events = data_of(client.get(f"/api/v1/task/{task_id}/trace"))["events"]
    assert [events[0]["name"], events[-1]["name"]] == ["task.submitted", "task.success"]


def test_the_overview(client: Client, null_server: Server) -> None:
    """For admins only; it adds up."""
    client.run(n=2)
    data = data_of(client.get("/api/v1/admin/overview"))
    mine = next(key for key in data["keys"] if key["key_id"] == "environment")
    assert mine["succeeded"] >= 1
    assert mine["images"] >= 2
    assert len(data["steps"]) * data["step_seconds"] == data["window_seconds"] == 3600
    assert sum(step["succeeded"] for step in data["steps"]) == sum(key["succeeded"] for key in data["keys"])
    assert 0 < data["total"]["p50"] <= data["total"]["p90"] <= data["total"]["p99"]
    assert data_of(client.get("/api/v1/admin/overview?window=24h"))["window_seconds"] == 86400
    refusal(client.get("/api/v1/admin/overview?window=1y"), 400)
    _, secret = make_key(null_server)
    with null_server.client(secret) as other:
        refusal(other.get("/api/v1/admin/overview"), 403)
    with null_server.client("aq_nobody") as nobody:
        refusal(nobody.get("/api/v1/admin/overview"), 401)


@pytest.mark.parametrize("query", ["direct=1", "direct=0", "w="])
def test_other_wishes_for_a_picture(client: Client, query: str) -> None:
    url = client.run()["result"]["urls"][0]
    assert client.get(f"{url}?{query}").content == client.get(url).content
