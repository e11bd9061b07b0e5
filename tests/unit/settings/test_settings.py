"""Settings: defaults, file, environment, command line, and every mistake at once."""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path

import pytest

from aquatint import settings
from aquatint.domain.errors import ConfigurationError
from aquatint.settings import byte_size, default_text, describe, duration, load


def problems(environment: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(environment)
    return caught.value.problems


def test_defaults_are_the_documented_ones() -> None:
    """An empty environment gives what the default file says, and it says every setting there is."""
    found = load({})
    assert found.server.port == 8000
    assert found.server.data_dir == Path("./aquatint-data")
    assert found.assets.retention == 7 * 86400
    assert found.webhooks.schedule == (5, 30, 120, 600, 1800, 3600, 10800, 21600, 43200, 86400)
    assert (found.webhooks.first_delay, found.webhooks.timeout, found.tasks.image_deadline) == (2.0, 60.0, 600.0)
    assert found.tasks.idempotency_ttl == 86400
    assert found.net.allow == ()
    assert found.limits.pixels == 36_000_000
    text = tomllib.loads(default_text())
    there = {name for name, _ in describe(found)}
    assert there == {f"{section}.{name}" for section, table in text.items() for name in table}


def test_later_layers_win(tmp_path: Path) -> None:
    """Default < file < environment < command line, each setting for itself."""
    file = tmp_path / "a.toml"
    file.write_text(
        '[server]\nport = 1\nhost = "file"\n[assets]\nretention = "3d"\n[webhooks]\nschedule = ["1s", "2m"]\n'
    )
    environment = {"AQUATINT_CONFIG": str(file), "AQUATINT_SERVER__PORT": "2", "AQUATINT_SERVER__HOST": "env"}
    found = load(environment, {"server": {"port": "3"}})
    assert (found.server.port, found.server.host) == (3, "env")
    assert found.assets.retention == 3 * 86400
    assert found.webhooks.schedule == (1.0, 120.0)
    assert found.webhooks.timeout == 60.0


def test_values_from_the_environment() -> None:
    """Lists, tables, durations, sizes, flags and networks as texts."""
    found = load(
        {
            "AQUATINT_NET__ALLOW": "127.0.0.0/8, ::1/128",
            "AQUATINT_WEBHOOKS__SCHEDULE": "5s,30s,2m",
            "AQUATINT_WEBHOOKS__SECRET": "whsec_a,whsec_b",
            "AQUATINT_LIMITS__BODY": "1MiB",
            "AQUATINT_STUDIO__STRICT": "yes",
            "AQUATINT_CATALOG__ALIASES": '{"a": "b"}',
            "AQUATINT_API_KEY": "secret-1",
            "PATH": "/bin",
            "AQUATINT_UNRELATED": "is no setting without two underscores",
        }
        | {"AQUATINT_WEBHOOKS__SECRET": ""}
    )
    assert found.net.allow == (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
    assert found.webhooks.schedule == (5.0, 30.0, 120.0)
    assert found.limits.body == 2**20
    assert found.studio.strict is True
    assert found.catalog.aliases == {"a": "b"}
    assert found.server.api_key == "secret-1"


def test_all_mistakes_are_listed_together(tmp_path: Path) -> None:
    """One start tells every mistake of every layer, each with its setting's name."""
    file = tmp_path / "a.toml"
    file.write_text('[nowhere]\na = 1\n[server]\nprot = 1\nport = "x"\n')
    found = problems(
        {
            "AQUATINT_CONFIG": str(file),
            "AQUATINT_ASSETS__RETENTION": "a week",
            "AQUATINT_NET__ALLOW": "10.0.0.0/33",
            "AQUATINT_LIMITS__BODY": "big",
            "AQUATINT_STUDIO__STRICT": "maybe",
            "AQUATINT_LOG__LEVEL": "loud",
            "AQUATINT_TASKS__MAX_ATTEMPTS": "0",
            "AQUATINT_WEBHOOKS__JITTER": "nan",
            "AQUATINT_CATALOG__ALIASES": "{",
            "AQUATINT_WEBHOOK__SECRET": "x",
            "AQUATINT_COMPAT__FAILURE_WORD": "FAIL",
        }
    )
    names = [
        *("nowhere", "server.prot", "server.port", "assets.retention", "net.allow", "limits.body", "studio.strict"),
        *("log.level", "tasks.max_attempts", "webhooks.jitter", "catalog.aliases", "webhook", "compat.failure_word"),
    ]
    for name in names:
        assert any(name in problem for problem in found), f"{name} is missing in {found}"
    assert len(found) == len(names)


def test_unreadable_file(tmp_path: Path) -> None:
    """A missing or broken file is a mistake like others."""
    broken = tmp_path / "b.toml"
    broken.write_text("[server\n")
    for file in (tmp_path / "missing.toml", broken):
        assert any(str(file) in problem for problem in problems({"AQUATINT_CONFIG": str(file)}))


def test_secrets_stay_secret() -> None:
    """Neither a description nor a complaint holds the value of a secret."""
    secret = "whsec_" + "c2VjcmV0" * 4
    environment = {"AQUATINT_API_KEY": "key-secret", "AQUATINT_WEBHOOKS__SECRET": secret}
    environment["AQUATINT_DATABASE__URL"] = "sqlite:///secret-place"
    shown = dict(describe(load(environment)))
    assert shown["server.api_key"] == shown["webhooks.secret"] == shown["database.url"] == "(set)"
    assert "secret" not in "".join(shown.values())
    assert dict(describe(load({})))["server.api_key"] == ""


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("5s", 5), ("2m", 120), ("6h", 21600), ("7d", 604800), ("1.5s", 1.5), ("10", 10), (10, 10)],
)
def test_durations(text: object, seconds: float) -> None:
    """All units, with and without a fraction."""
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1s", "1 week", "1e3", True, "inf", "nan", None])
def test_no_durations(text: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="duration"):
        duration(text)


@pytest.mark.parametrize(
    ("text", "size"), [("1", 1), ("20MB", 20_000_000), ("1GiB", 2**30), ("3kB", 3000), ("1kib", 1024), ("5 b", 5)]
)
def test_sizes(text: object, size: int) -> None:
    """Decimal and binary multiples in any case."""
    assert byte_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1.5MB", "1TB", True, "1 M B"])
def test_no_sizes(text: object) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError, match="size"):
        byte_size(text)


def test_settings_are_frozen() -> None:
    """Nobody changes a setting while the server runs."""
    with pytest.raises(AttributeError):
        load({}).server.port = 1  # type: ignore[misc]
    assert {name for name, _ in describe(load({}))} >= settings.SECRET_FIELDS


def test_secrets_have_a_file_of_their_own(tmp_path: Path) -> None:
    """AQUATINT_SECRETS names a file of keys alone, unreadable for others; the environment still wins."""
    file = tmp_path / "secrets.toml"
    file.write_text('[modelark]\napi_key = "from-file"\n[fal]\napi_key = "fal-file"\n')
    file.chmod(0o600)
    found = load({"AQUATINT_SECRETS": str(file), "AQUATINT_FAL__API_KEY": "from-env"})
    assert (found.modelark.api_key, found.fal.api_key) == ("from-file", "from-env")
    shown = dict(describe(found))
    assert shown["modelark.api_key"] == "(set)"
    assert "from-file" not in str(shown)


def test_a_careless_secrets_file_is_refused(tmp_path: Path) -> None:
    """Readable by others, holding what is no secret, or missing: each is said, and no value is quoted."""
    file = tmp_path / "secrets.toml"
    file.write_text('[modelark]\napi_key = "hush-hush"\nbase_url = "https://x.example"\n')
    file.chmod(0o644)
    found = problems({"AQUATINT_SECRETS": str(file)})
    assert any("chmod 600" in problem for problem in found)
    assert any("modelark.base_url is no secret" in problem for problem in found)
    assert "hush-hush" not in str(found)
    assert any("cannot be read" in problem for problem in problems({"AQUATINT_SECRETS": str(tmp_path / "none")}))


def test_a_plugin_has_a_section_of_its_own() -> None:
    """An installed engine that is none of ours reads its section as it was written."""
    environment = {"AQUATINT_TARTAN__THREADS": "12"}
    assert load(environment, plugins=("tartan",)).plugins == {"tartan": {"threads": "12"}}
    assert problems(environment) == ["environment: there is no section [tartan]"]


def test_mistakes_leave_the_default_in_place() -> None:
    """Whoever checks further finds the other mistakes too: the settings are whole although one is wrong."""
    found, wrong = settings.read({"AQUATINT_SERVER__PORT": "x", "AQUATINT_FAL__IN_FLIGHT": "many"})
    assert len(wrong) == 2
    assert (found.server.port, found.fal.in_flight) == (8000, 500)
