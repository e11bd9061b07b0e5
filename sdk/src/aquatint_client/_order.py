"""From the arguments of `generate` and `submit` to an order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aquatint_client._images import ImageSource, sources
from aquatint_client._json import JsonValue
from aquatint_client._submit import Order
from aquatint_client.errors import Misuse

MODEL = "seedream-4.5"


def order(
    prompt: str,
    images: ImageSource | Iterable[ImageSource],
    model: str,
    callback_url: str | None,
    user_id: str | None,
    idempotency_key: str | None,
    task_fields: Mapping[str, JsonValue] | None,
    fields: Mapping[str, JsonValue],
) -> Order:
    """Raises Misuse for an empty prompt and for names that have a place of their own."""
    if not prompt.strip():
        raise Misuse("the prompt is empty")
    reserved = {"model", "input", "callBackUrl"} & set(task_fields or ())
    if reserved:
        raise Misuse(f"{', '.join(sorted(reserved))} cannot be given as task_fields")
    beside: dict[str, JsonValue] = dict(task_fields or {})
    if user_id is not None:
        beside["user_id"] = user_id
    return Order(prompt, sources(images), model, callback_url, idempotency_key, fields, beside)
