"""The shape of the settings: one frozen class a section, in the order of the default file."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NewType

Seconds = NewType("Seconds", float)
PerSecond = NewType("PerSecond", float)
Bytes = NewType("Bytes", int)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

SECRET_FIELDS = frozenset(
    {
        "server.api_key",
        "webhooks.secret",
        "database.url",
        "assets.s3_secret_key",
        "modelark.api_key",
        "openai.api_key",
        "gemini.api_key",
        "fal.api_key",
        "replicate.api_key",
        "maxapi.api_key",
        "maxapi.webhook_secret",
    }
)


@dataclass(frozen=True, slots=True)
class Server:
    host: str
    port: int
    data_dir: Path
    api_key: str
    cors_origins: tuple[str, ...]
    metrics: str
    web: bool


@dataclass(frozen=True, slots=True)
class Database:
    url: str


@dataclass(frozen=True, slots=True)
class Assets:
    public_url: str
    retention: Seconds
    url: str
    s3_endpoint: str
    s3_region: str
    s3_access_key: str
    s3_secret_key: str
    s3_public_base: str
    s3_presign: bool


@dataclass(frozen=True, slots=True)
class Net:
    allow: tuple[Network, ...]
    connect_timeout: Seconds
    fetch_timeout: Seconds
    fetch_attempts: int
    reference_fresh: Seconds
    result_attempts: int


@dataclass(frozen=True, slots=True)
class Webhooks:
    secret: tuple[str, ...]
    schedule: tuple[Seconds, ...]
    jitter: float
    first_delay: Seconds
    timeout: Seconds
    concurrency: int
    per_host: int
    circuit_failures: int
    circuit_wait: Seconds
    private_target: str


@dataclass(frozen=True, slots=True)
class Worker:
    concurrency: int
    lease: Seconds
    drain: Seconds
    drain_paid: Seconds


@dataclass(frozen=True, slots=True)
class Tasks:
    image_deadline: Seconds
    batch_deadline: Seconds
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
    streams_per_key: int
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
class Routing:
    fallback: bool
    fallback_to_studio: bool
    circuit_failures: int
    circuit_wait: Seconds


@dataclass(frozen=True, slots=True)
class Provider:
    """What every remote engine has; engines/remote_settings.py reads it."""

    api_key: str
    base_url: str
    connect_timeout: Seconds
    call_timeout: Seconds
    in_flight: int
    requests_per_minute: int
    images_per_minute: int
    polls_per_second: PerSecond


@dataclass(frozen=True, slots=True)
class ModelArk(Provider):
    watermark: bool


@dataclass(frozen=True, slots=True)
class OpenAI(Provider):
    organization: str
    project: str
    quality: str
    moderation: str


@dataclass(frozen=True, slots=True)
class Gemini(Provider):
    api_version: str


@dataclass(frozen=True, slots=True)
class Fal(Provider):
    callbacks: bool
    jwks_url: str


@dataclass(frozen=True, slots=True)
class Replicate(Provider):
    callbacks: bool


@dataclass(frozen=True, slots=True)
class MaxApi(Provider):
    callbacks: bool
    webhook_secret: str
    idempotent: bool


@dataclass(frozen=True, slots=True)
class Catalog:
    file: str
    aliases: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Compat:
    failure_word: str


@dataclass(frozen=True, slots=True)
class Dialects:
    openai_models: Mapping[str, str]
    openai_wait: Seconds


@dataclass(frozen=True, slots=True)
class Log:
    level: str
    format: str


@dataclass(frozen=True, slots=True)
class Telemetry:
    otlp_endpoint: str
    service: str
    sample: float


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
    routing: Routing
    modelark: ModelArk
    openai: OpenAI
    gemini: Gemini
    fal: Fal
    replicate: Replicate
    maxapi: MaxApi
    catalog: Catalog
    compat: Compat
    dialects: Dialects
    log: Log
    telemetry: Telemetry
    plugins: Mapping[str, Mapping[str, object]]  # sections of engines that are installed beside Aquatint, as written
