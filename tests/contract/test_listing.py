"""The list of tasks: filters and cursor (decision 31)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.client import Client, Json, refusal
from support.keys import make_key
from support.server import Server


@pytest.fixture(scope="module")
def mine(null_server: Server) -> Iterator[Client]:
    """A key with seven finished tasks: five of one model and user, two of others."""
    _, secret = make_key(null_server)
    with null_server.client(secret) as client:
        ids = [client.submit("seedream-4", user_id="anna", n=i + 1) for i in range(5)]
        ids += [client.submit("seedream-4.5", user_id="ben"), client.submit("seedream-4.5")]
        for task_id in ids:
            client.wait(task_id)
        yield client


def numbers(page: Json) -> list[int]:
    return [task["input"].get("n", 0) for task in page["tasks"]]


def test_newest_first_and_whole(mine: Client) -> None:
    """Tasks come newest first, each as its own query shows it, and a last page has no cursor."""
    page = mine.tasks()
    assert list(page) == ["tasks", "next_cursor"]
    assert numbers(page) == [0, 0, 5, 4, 3, 2, 1]
    assert page["next_cursor"] is None
    assert all(task == mine.query(task["taskId"]) for task in page["tasks"])


def test_pages_hold_everything_once(mine: Client) -> None:
    """Following the cursor gives every task once and then ends."""
    seen: list[int] = []
    cursor: Json = {}
    for _ in range(6):
        page = mine.tasks(limit=2, **cursor)
        assert len(page["tasks"]) <= 2
        seen += numbers(page)
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [0, 0, 5, 4, 3, 2, 1]


def test_a_full_last_page_ends(mine: Client) -> None:
    """A page that happens to be full and last leads to no page of nothing but an end."""
    page = mine.tasks(limit=7)
    assert len(page["tasks"]) == 7
    if page["next_cursor"] is not None:
        assert mine.tasks(limit=7, cursor=page["next_cursor"]) == {"tasks": [], "next_cursor": None}


def test_filters(mine: Client) -> None:
    """Filters by model, user, status and both together."""
    assert numbers(mine.tasks(model="seedream-4")) == [5, 4, 3, 2, 1]
    assert numbers(mine.tasks(userId="ben")) == [0]
    assert numbers(mine.tasks(userId="anna", model="seedream-4.5")) == []
    assert len(mine.tasks(status="SUCCESS")["tasks"]) == 7
    assert len(mine.tasks(status="success")["tasks"]) == 7
    assert mine.tasks(status="FAILURE")["tasks"] == []


def test_filters_by_time(mine: Client) -> None:
    """createdAfter, createdBefore and updatedAfter include their own instant, in any zone's spelling."""
    tasks = mine.tasks()["tasks"]
    third = tasks[2]
    assert numbers(mine.tasks(createdAfter=third["created_at"])) == [0, 0, 5]
    assert numbers(mine.tasks(createdBefore=third["created_at"])) == [5, 4, 3, 2, 1]
    assert numbers(mine.tasks(createdAfter=third["created_at"].replace("Z", "+00:00"))) == [0, 0, 5]
    assert tasks[0]["taskId"] in [task["taskId"] for task in mine.tasks(updatedAfter=tasks[0]["updated_at"])["tasks"]]
    assert mine.tasks(createdAfter="2999-01-01T00:00:00Z")["tasks"] == []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("limit", value) for value in ("0", "101", "-1", "x", "", "1.5", "9" * 5000, "\u0663")),
        *(("cursor", value) for value in ("x", "-1", "", "9" * 40, "1; DROP TABLE task")),
        *(("status", value) for value in ("DONE", "", "PENDING,SUCCESS", "FAILED")),
        *(("createdAfter", value) for value in ("", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "9" * 400)),
        ("createdBefore", "2026-13-01T00:00:00Z"),
        ("updatedAfter", "1e9"),
    ],
)
def test_malformed_filters(mine: Client, name: str, value: str) -> None:
    """A malformed filter is 400 with its name."""
    assert name in refusal(mine.get("/api/v1/tasks", params={name: value}), 400)


@pytest.mark.parametrize("value", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59.999999-23:59"])
def test_ends_of_time(mine: Client, value: str) -> None:
    """The first and the last representable times are times like others."""
    assert mine.get("/api/v1/tasks", params={"createdAfter": value}).status_code == 200


def test_odd_users_and_models_find_nothing(mine: Client) -> None:
    """Filters are values, not patterns or SQL."""
    for value in ("%", "an_a", "' OR 1=1 --", "\0", "\U0001f3a8", "x" * 4000):
        assert mine.tasks(userId=value)["tasks"] == []
        assert mine.tasks(model=value)["tasks"] == []
