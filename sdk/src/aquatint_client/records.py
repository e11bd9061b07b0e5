"""Models, the account and the callback log, as Python values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aquatint_client import _json
from aquatint_client._json import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Model:
    """A model that the key may use. `parameters` is the JSON Schema of `input`."""

    name: str
    title: str
    family: str | None
    engine: str | None  # who serves it now
    points_per_image: int | None
    sizes: Mapping[str, Mapping[str, tuple[int, int]]]  # resolution -> ratio -> width, height
    parameters: JsonObject
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: JsonObject) -> Model:
        name = _json.text(raw, "name") or ""
        return cls(
            name=name,
            title=_json.text(raw, "title") or name,
            family=_json.text(raw, "family"),
            engine=_json.text(_json.as_object(raw.get("engine")), "name"),
            points_per_image=_json.whole(raw, "points_per_image"),
            sizes={
                tier: {ratio: size for ratio, pair in _json.as_object(row).items() if (size := _size(pair))}
                for tier, row in _json.as_object(raw.get("sizes")).items()
            },
            parameters=_json.as_object(raw.get("parameters")),
            raw=raw,
        )


def _size(pair: JsonValue) -> tuple[int, int] | None:
    match pair:
        case [int(width), int(height)]:
            return width, height
    return None


@dataclass(frozen=True, slots=True)
class Account:
    """The key's own account. `points` None: not counted. `models` empty: every model."""

    key_id: str
    name: str
    points: int | None
    models: tuple[str, ...]
    requests_per_minute: int | None
    admin: bool
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: JsonObject) -> Account:
        return cls(
            key_id=_json.text(raw, "key_id") or "",
            name=_json.text(raw, "name") or "",
            points=_json.whole(raw, "points"),
            models=_json.texts(raw, "models"),
            requests_per_minute=_json.whole(raw, "requests_per_minute"),
            admin=_json.flag(raw, "admin"),
            raw=raw,
        )


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One try to deliver a callback. `status` None: no answer came."""

    number: int | None
    at: datetime | None
    duration_ms: int | None
    status: int | None
    outcome: str | None
    detail: str | None
    response: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A callback of a task, with all tries."""

    id: str
    url: str
    state: str
    created_at: datetime | None
    next_attempt_at: datetime | None
    attempts: tuple[DeliveryAttempt, ...]
    raw: JsonObject = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, raw: JsonObject) -> Delivery:
        return cls(
            id=_json.text(raw, "id") or "",
            url=_json.text(raw, "url") or "",
            state=_json.text(raw, "state") or "",
            created_at=_json.time(raw, "created_at"),
            next_attempt_at=_json.time(raw, "next_attempt_at"),
            attempts=tuple(
                DeliveryAttempt(
                    number=_json.whole(one, "number"),
                    at=_json.time(one, "at"),
                    duration_ms=_json.whole(one, "duration_ms"),
                    status=_json.whole(one, "status"),
                    outcome=_json.text(one, "outcome"),
                    detail=_json.text(one, "detail"),
                    response=_json.text(one, "response"),
                )
                for one in _json.objects(raw, "attempts")
            ),
            raw=raw,
        )
