"""Short ways to make what goes into a store."""

from __future__ import annotations

import uuid

from aquatint.domain.delivery import DeliveryAttempt
from aquatint.domain.task import Result, ResultImage, Status, TaskInput
from aquatint.store.records import Idempotency, NewDelivery, NewTask, Settlement

KEY_ID = "key-1"
LANE = "studio"
ECHO = b'{"model":"seedream-4","prompt":"x"}'


def new_task(
    *,
    key_id: str = KEY_ID,
    at: int = 0,
    deadline: int = 10**15,
    points: int = 0,
    idempotency: Idempotency | None = None,
    callback: str | None = None,
    task_id: str | None = None,
    lane: str = LANE,
    n: int = 1,
    model: str = "seedream-4",
    **more: object,
) -> NewTask:
    return NewTask(
        id=task_id or str(uuid.uuid4()),
        key_id=key_id,
        user_id=None,
        model=model,
        mode="text_to_image",
        echo=ECHO,
        input=TaskInput(prompt="x", n=n),
        callback_url=callback,
        created_at=at,
        deadline_at=deadline,
        lane=lane,
        points=points,
        idempotency=idempotency,
        **more,  # type: ignore[arg-type]
    )


def result(token: str = "t" * 22, expires_at: int = 10**15) -> Result:
    image = ResultImage(token, "1.png", "d" * 64, "image/png", 1, 1, 67)
    return Result((image,), expires_at)


def settlement(task_no: int, attempt: int, status: Status = Status.SUCCESS, **more: object) -> Settlement:
    made = result(uuid.uuid4().hex) if status is Status.SUCCESS else None
    return Settlement(**{"task_no": task_no, "attempt": attempt, "status": status, "at": 50, "result": made, **more})  # type: ignore[arg-type]


def new_delivery(host: str = "a.invalid", next_at: int = 0) -> NewDelivery:
    return NewDelivery(str(uuid.uuid4()), f"https://{host}/hook", host, b"{}", next_at)


def tried(outcome: str = "retry", at: int = 0) -> DeliveryAttempt:
    return DeliveryAttempt(0, at, 5, 503, outcome, "the receiver answered with status 503")
