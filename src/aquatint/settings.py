"""Settings: one frozen object, read once from the default file, a TOML file and the environment."""

from __future__ import annotations

import ipaddress
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from importlib import resources
from pathlib import Path
from typing import Any, NewType, get_type_hints

from aquatint.domain.errors import ConfigurationError

Seconds = NewType("Seconds", float)
Bytes = NewType("Bytes", int)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE = re.compile(r"(\d+)\s*([kmg]i?b|b)?", re.IGNORECASE)
_MULTIPLES = {"b": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}
HIGHEST_PORT = 65535
SECRET_FIELDS = frozenset({"server.api_key", "webhooks.secret", "database.url"})


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    data_dir: Path
    api_key: str
    cors_origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Database:
    url: str


@dataclass(frozen=True, slots=True)
class Assets:
    public_url: str
    retention: Seconds


@dataclass(frozen=True, slots=True)
class Net:
    allow: tuple[Network, ...]
    connect_timeout: Seconds
    fetch_timeout: Seconds
    fetch_attempts: int


@dataclass(frozen=True, slots=True)
class Webhooks:
    secret: tuple[str, ...]
    schedule: tuple[Seconds, ...]
    jitter: float
    first_delay: Seconds
    timeout: Seconds
    concurrency: int
    per_host: int
    private_target: str


@dataclass(frozen=True, slots=True)
class Worker:
    concurrency: int
    drain: Seconds


@dataclass(frozen=True, slots=True)
class Tasks:
    image_deadline: Seconds
    max_attempts: int
    retry_wait: Seconds
    idempotency_ttl: Seconds


@dataclass(frozen=True, slots=True)
class Limits:
    body: Bytes
    upload: Bytes
    pixels: int
    max_pending: int
    requests_per_minute: int
    extra_formats: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SandboxLimits:
    workers: int
    memory: Bytes
    cpu: Seconds
    wall: Seconds


@dataclass(frozen=True, slots=True)
class Engines:
    route_all_to: str
    allow_testing: bool
    null_delay: Seconds


@dataclass(frozen=True, slots=True)
class Studio:
    strict: bool
    c2pa_certificate: str
    c2pa_key: str
    c2pa_algorithm: str


@dataclass(frozen=True, slots=True)
class Catalog:
    file: str
    aliases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compat:
    failure_word: str


@dataclass(frozen=True, slots=True)
class Log:
    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force. Durations are seconds, sizes bytes."""

    server: Server
    database: Database
    assets: Assets
    net: Net
    webhooks: Webhooks
    worker: Worker
    tasks: Tasks
    limits: Limits
    sandbox: SandboxLimits
    engines: Engines
    studio: Studio
    catalog: Catalog
    compat: Compat
    log: Log


def duration(value: object) -> Seconds:
    """Seconds from `5s`, `2m`, `500ms` or a plain number of seconds. Raises ValueError."""
    match = _DURATION.fullmatch(str(value).strip())
    if isinstance(value, bool) or match is None:
        raise ValueError("is not a duration such as 5s, 2m, 6h or 7d")
    return Seconds(float(match[1]) * _UNITS[match[2] or "s"])


def byte_size(value: object) -> Bytes:
    """Bytes from `20MB`, `1GiB` or a plain number. Raises ValueError."""
    match = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or match is None:
        raise ValueError("is not a size such as 20MB")
    return Bytes(int(match[1]) * _MULTIPLES[(match[2] or "b").lower().removesuffix("b") or "b"])


def _network(value: object) -> Network:
    try:
        return ipaddress.ip_network(str(value).strip())
    except ValueError as error:
        raise ValueError(f"is not a network such as 10.0.0.0/8 ({error})") from None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("is not a text")
    return value


def _whole(value: object) -> int:
    if isinstance(value, bool) or not re.fullmatch(r"\d+", str(value).strip()):
        raise ValueError("is not a whole number of 0 or more")
    return int(str(value))


def _fraction(value: object) -> float:
    try:
        number = float(str(value))
    except ValueError:
        raise ValueError("is not a number") from None
    if not 0 <= number <= 10:
        raise ValueError("is outside 0 to 10")
    return number


def _flag(value: object) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError("is neither true nor false")
    return words[str(value).lower()]


def _table(value: object) -> dict[str, str]:
    if isinstance(value, str):
        value = json.loads(value)
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise ValueError("is not a table of texts")
    return value


def _each(parse: Callable[[object], object]) -> Callable[[object], tuple[object, ...]]:
    def parse_all(value: object) -> tuple[object, ...]:
        items = [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value
        if not isinstance(items, list):
            raise ValueError("is not a list")
        return tuple(parse(item) for item in items)

    return parse_all


_PARSERS: dict[Any, Callable[[object], object]] = {
    str: _text,
    int: _whole,
    float: _fraction,
    bool: _flag,
    Path: lambda value: Path(_text(value)),
    Seconds: duration,
    Bytes: byte_size,
    tuple[str, ...]: _each(lambda value: _text(value).strip()),
    tuple[Seconds, ...]: _each(duration),
    tuple[Network, ...]: _each(_network),
    Mapping[str, str]: _table,
}

_CHOICES = {
    "webhooks.private_target": ("skip", "reject"),
    "compat.failure_word": ("FAILURE", "FAILED"),
    "log.level": ("debug", "info", "warning", "error"),
    "log.format": ("auto", "text", "json"),
}
_POSITIVE = frozenset(
    {
        "tasks.max_attempts",
        "webhooks.concurrency",
        "webhooks.per_host",
        "limits.max_pending",
        "net.fetch_attempts",
    }
)


def default_text() -> str:
    """The commented default file: the reference of all settings."""
    return resources.files("aquatint").joinpath("aquatint.default.toml").read_text(encoding="utf-8")


def load(environment: Mapping[str, str], overrides: Mapping[str, Mapping[str, object]] | None = None) -> Settings:
    """Read defaults, then the file named by AQUATINT_CONFIG, then the environment, then `overrides`.

    Raises ConfigurationError with every mistake found.
    """
    problems: list[str] = []
    raw: dict[str, dict[str, object]] = tomllib.loads(default_text())
    known = {section: frozenset(table) for section, table in raw.items()}
    for origin, layer in _layers(environment, overrides or {}, problems):
        for section, table in layer.items():
            if section not in known or not isinstance(table, Mapping):
                problems.append(f"{origin}: there is no section [{section}]")
                continue
            for name, value in table.items():
                if name in known[section]:
                    raw[section][name] = value
                else:
                    problems.append(f"{origin}: there is no setting {section}.{name}")
    settings = _checked(raw, problems)
    if problems or settings is None:
        raise ConfigurationError(problems)
    return settings


def _layers(
    environment: Mapping[str, str], overrides: Mapping[str, Mapping[str, object]], problems: list[str]
) -> list[tuple[str, Mapping[str, Mapping[str, object]]]]:
    layers: list[tuple[str, Mapping[str, Mapping[str, object]]]] = []
    if file := environment.get("AQUATINT_CONFIG"):
        try:
            layers.append((file, tomllib.loads(Path(file).read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            problems.append(f"{file}: cannot be read ({error})")
    from_environment: dict[str, dict[str, object]] = {}
    for variable, value in environment.items():
        section, separator, name = variable.removeprefix("AQUATINT_").partition("__")
        if variable.startswith("AQUATINT_") and separator:
            from_environment.setdefault(section.lower(), {})[name.lower()] = value
    if secret := environment.get("AQUATINT_API_KEY"):
        from_environment.setdefault("server", {})["api_key"] = secret
    layers.append(("environment", from_environment))
    layers.append(("command line", overrides))
    return layers


def _checked(raw: Mapping[str, Mapping[str, object]], problems: list[str]) -> Settings | None:
    sections: dict[str, object] = {}
    for section, kind in get_type_hints(Settings).items():
        values: dict[str, object] = {}
        for name, annotation in get_type_hints(kind).items():
            path = f"{section}.{name}"
            value = raw[section][name]
            shown = "its value" if path in SECRET_FIELDS else repr(value)
            try:
                values[name] = _PARSERS[annotation](value)
            except ValueError as error:
                problems.append(f"{path}: {shown} {error}")
                continue
            if path in _CHOICES and values[name] not in _CHOICES[path]:
                problems.append(f"{path}: {shown} is none of {', '.join(_CHOICES[path])}")
            if path in _POSITIVE and values[name] == 0:
                problems.append(f"{path}: must be more than 0")
            if path == "server.port" and not 0 <= values[name] <= HIGHEST_PORT:  # type: ignore[operator]  # an int
                problems.append(f"{path}: {shown} is not a port, 0 to {HIGHEST_PORT}")
        if len(values) == len(fields(kind)):
            sections[section] = kind(**values)
    return None if problems else Settings(**sections)  # type: ignore[arg-type]  # every section was just built


def describe(settings: Settings) -> list[tuple[str, str]]:
    """What is in force as (name, text) pairs, secrets redacted."""
    rows = []
    for section in fields(settings):
        table = getattr(settings, section.name)
        for field in fields(table):
            path, value = f"{section.name}.{field.name}", getattr(table, field.name)
            redacted = bool(value) and path in SECRET_FIELDS
            rows.append((path, "(set)" if redacted else _shown(value)))
    return rows


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
