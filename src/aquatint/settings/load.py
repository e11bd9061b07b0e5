"""Reading the settings: the default file, a TOML file, a file of secrets, the environment, the command line."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import fields
from importlib import resources
from pathlib import Path
from typing import get_type_hints

from aquatint.domain.errors import ConfigurationError
from aquatint.settings.parse import PARSERS
from aquatint.settings.shape import SECRET_FIELDS, Settings

HIGHEST_PORT = 65535

_CHOICES = {
    "webhooks.private_target": ("skip", "reject"),
    "compat.failure_word": ("FAILURE", "FAILED"),
    "openai.quality": ("auto", "low", "medium", "high", "xhigh", "max"),
    "openai.moderation": ("auto", "low"),
    "server.metrics": ("local", "open", "off"),
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
        "routing.circuit_failures",
    }
)


def default_text() -> str:
    """The commented default file: the reference of all settings."""
    return resources.files("aquatint").joinpath("aquatint.default.toml").read_text(encoding="utf-8")


def load(
    environment: Mapping[str, str],
    overrides: Mapping[str, Mapping[str, object]] | None = None,
    plugins: Iterable[str] = (),
) -> Settings:
    """Read the settings. Raises ConfigurationError with every mistake found."""
    settings, problems = read(environment, overrides, plugins)
    if problems:
        raise ConfigurationError(problems)
    return settings


def read(
    environment: Mapping[str, str],
    overrides: Mapping[str, Mapping[str, object]] | None = None,
    plugins: Iterable[str] = (),
) -> tuple[Settings, list[str]]:
    """Defaults, the file named by AQUATINT_CONFIG, the secrets named by AQUATINT_SECRETS, environment, `overrides`.

    `plugins` are names of installed engines, which may have a section of their own. Where there is a mistake the
    default stands in, so that whoever checks further finds the other mistakes too.
    """
    problems: list[str] = []
    raw: dict[str, dict[str, object]] = tomllib.loads(default_text())
    known = {section: frozenset(table) for section, table in raw.items()}
    plugged: dict[str, dict[str, object]] = {name: {} for name in plugins if name not in known}
    for origin, layer in _layers(environment, overrides or {}, problems):
        for section, table in layer.items():
            if section in plugged and isinstance(table, Mapping):
                plugged[section].update(table)
                continue
            if section not in known or not isinstance(table, Mapping):
                problems.append(f"{origin}: there is no section [{section}]")
                continue
            for name, value in table.items():
                if name in known[section]:
                    raw[section][name] = value
                else:
                    problems.append(f"{origin}: there is no setting {section}.{name}")
    return _checked(raw, plugged, problems), problems


def _layers(
    environment: Mapping[str, str], overrides: Mapping[str, Mapping[str, object]], problems: list[str]
) -> list[tuple[str, Mapping[str, Mapping[str, object]]]]:
    layers: list[tuple[str, Mapping[str, Mapping[str, object]]]] = []
    if file := environment.get("AQUATINT_CONFIG"):
        try:
            layers.append((file, tomllib.loads(Path(file).read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            problems.append(f"{file}: cannot be read ({error})")
    if file := environment.get("AQUATINT_SECRETS"):
        layers.append((file, _secrets(Path(file), problems)))
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


def _secrets(file: Path, problems: list[str]) -> Mapping[str, Mapping[str, object]]:
    """A TOML file of secret settings alone, for its owner and, as container platforms mount them, his group."""
    try:
        if file.stat().st_mode & 0o037:
            problems.append(f"{file}: holds secrets and is open to others; chmod 600 it, or 640")
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        problems.append(f"{file}: cannot be read ({error})")
        return {}
    open_ones = [
        f"{section}.{name}"
        for section, table in found.items()
        for name in (table if isinstance(table, Mapping) else ())
        if f"{section}.{name}" not in SECRET_FIELDS
    ]
    problems += [f"{file}: {path} is no secret; it belongs into the settings file" for path in open_ones]
    return found


def _checked(
    raw: Mapping[str, Mapping[str, object]], plugged: Mapping[str, Mapping[str, object]], problems: list[str]
) -> Settings:
    defaults: dict[str, dict[str, object]] = tomllib.loads(default_text())
    sections: dict[str, object] = {"plugins": plugged}
    for section, kind in get_type_hints(Settings).items():
        if section == "plugins":
            continue
        values: dict[str, object] = {}
        for name, annotation in get_type_hints(kind).items():
            path = f"{section}.{name}"
            value, problem = _value(path, annotation, raw[section][name])
            if problem:
                problems.append(problem)
                value, _ = _value(path, annotation, defaults[section][name])
            values[name] = value
        sections[section] = kind(**values)
    return Settings(**sections)  # type: ignore[arg-type]  # every section was just built


def _value(path: str, annotation: object, value: object) -> tuple[object, str]:
    """The value as its setting wants it, and what is wrong with it in words."""
    shown = "its value" if path in SECRET_FIELDS else repr(value)
    try:
        found = PARSERS[annotation](value)
    except ValueError as error:
        return None, f"{path}: {shown} {error}"
    if path in _CHOICES and found not in _CHOICES[path]:
        return None, f"{path}: {shown} is none of {', '.join(_CHOICES[path])}"
    if path in _POSITIVE and found == 0:
        return None, f"{path}: must be more than 0"
    if path == "server.port" and isinstance(found, int) and not 0 <= found <= HIGHEST_PORT:
        return None, f"{path}: {shown} is not a port, 0 to {HIGHEST_PORT}"
    return found, ""


def describe(settings: Settings) -> list[tuple[str, str]]:
    """What is in force as (name, text) pairs, secrets redacted."""
    rows = []
    for section in fields(settings):
        table = getattr(settings, section.name)
        if section.name == "plugins":
            # Nobody here knows which of them are secret.
            rows += [(f"{name}.{field}", "(set)") for name, values in table.items() for field in values]
            continue
        for field in fields(table):
            path, value = f"{section.name}.{field.name}", getattr(table, field.name)
            redacted = bool(value) and path in SECRET_FIELDS
            rows.append((path, "(set)" if redacted else _shown(value)))
    return rows


def _shown(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
