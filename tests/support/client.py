"""A thin client of the task API: it knows the key and the address, and waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

TERMINAL = ("SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED")
Json = dict[str, Any]


class Client:
    """Every method answers the response itself, or what its envelope holds and then insists on success."""

    def __init__(self, base_url: str, key: str | None, *, timeout: float = 30.0) -> None:
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        self.http = httpx.Client(base_url=base_url, headers=headers, timeout=timeout, trust_env=False)
        self.base_url = base_url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.http.post(path, **options)

    def send(self, body: bytes, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A submit of exactly these bytes."""
        return self.post(
            "/api/v1/task/submit", content=body, headers={"content-type": "application/json", **(headers or {})}
        )

    def try_submit(self, body: object, headers: Mapping[str, str] | None = None) -> httpx.Response:
        """A submit that may be refused."""
        return self.post("/api/v1/task/submit", json=body, headers=headers)

    def submit(
        self,
        model: str = "seedream-4.5",
        *,
        callback: str | None = None,
        user_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        **fields: object,
    ) -> str:
        """Submit a task that must be accepted, with `fields` as its input, and answer the task's id."""
        body: Json = {"model": model, "input": {"prompt": "a quiet harbour at dawn", **fields}}
        if callback is not None:
            body["callBackUrl"] = callback
        if user_id is not None:
            body["user_id"] = user_id
        return str(data_of(self.try_submit(body, headers))["taskId"])

    def query(self, task_id: str, headers: Mapping[str, str] | None = None) -> Json:
        return data_of(self.get(f"/api/v1/task/{task_id}", headers=headers))

    def wait(self, task_id: str, timeout: float = 30.0, until: Sequence[str] = TERMINAL) -> Json:
        """Query until the status is one of `until`."""
        return self.wait_until(task_id, lambda task: task["status"] in until, timeout)

    def wait_until(self, task_id: str, holds: Callable[[Json], bool], timeout: float = 30.0) -> Json:
        """Query until `holds` says so of the task."""
        end = time.monotonic() + timeout
        while True:
            task = self.query(task_id)
            if holds(task):
                return task
            assert time.monotonic() < end, f"after {timeout} s the task is still {task}"
            time.sleep(0.02)

    def run(self, model: str = "seedream-4.5", *, timeout: float = 60.0, **options: Any) -> Json:
        """Submit, wait for the end, and answer the task."""
        return self.wait(self.submit(model, **options), timeout)

    def cancel(self, task_id: str) -> httpx.Response:
        return self.post(f"/api/v1/task/{task_id}/cancel")

    def deliveries(self, task_id: str) -> list[Json]:
        return list(data_of(self.get(f"/api/v1/task/{task_id}/deliveries"))["deliveries"])

    def wait_delivery(self, task_id: str, state: str, timeout: float = 15.0, attempts: int = 0) -> Json:
        """Wait until the task's delivery is in `state` with at least `attempts` tries."""
        end = time.monotonic() + timeout
        while True:
            found = self.deliveries(task_id)
            if found and found[0]["state"] == state and len(found[0]["attempts"]) >= attempts:
                return found[0]
            assert time.monotonic() < end, f"after {timeout} s the delivery is {found}"
            time.sleep(0.02)

    def tasks(self, **filters: object) -> Json:
        return data_of(self.get("/api/v1/tasks", params={name: str(value) for name, value in filters.items()}))

    def account(self) -> Json:
        return data_of(self.get("/api/v1/account"))

    def upload(self, data: bytes, name: str = "photo.jpg", field: str = "file") -> httpx.Response:
        return self.post("/api/v1/files", files={field: (name, data)})


def data_of(response: httpx.Response) -> Json:
    """`data` of a success envelope; anything else fails the test."""
    assert response.status_code == 200, f"{response.status_code}: {response.text}"
    envelope = response.json()
    assert (envelope["code"], envelope["msg"]) == (0, "ok"), envelope
    data = envelope["data"]
    assert isinstance(data, dict)
    return data


def refusal(response: httpx.Response, status: int) -> str:
    """The message of a failure envelope, which must repeat the HTTP status."""
    assert response.status_code == status, f"wanted {status}, got {response.status_code}: {response.text}"
    envelope = response.json()
    assert set(envelope) == {"code", "msg"}, envelope
    assert envelope["code"] == status, envelope
    return str(envelope["msg"])
