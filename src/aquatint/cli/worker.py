"""aquatint worker: runs tasks, sends callbacks and sweeps, beside servers that share its database."""

from __future__ import annotations

from typing import Annotated

import typer

from aquatint import bootstrap, telemetry
from aquatint.cli.common import ConfigFile, DataDir, load
from aquatint.cli.serve import listen, run
from aquatint.domain.errors import ConfigurationError


def worker(
    engines: Annotated[str, typer.Option(help="Work only for these engines, comma-separated.")] = "",
    models: Annotated[str, typer.Option(help="Take only tasks of these models, comma-separated.")] = "",
    concurrency: Annotated[
        int | None, typer.Option(help="Tasks at once of each engine of this machine.", min=1, show_default=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Address for /healthz, /readyz and /metrics.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for them; 0 takes a free one.", min=0, max=65535)] = 0,
    data_dir: DataDir = None,
    config: ConfigFile = None,
) -> None:
    """Run tasks for servers started with `aquatint serve --no-worker`, on this or any machine."""
    settings = load(config, data_dir=data_dir)
    if bootstrap.database_path(settings) is not None:
        raise ConfigurationError(["aquatint worker: needs a database server that it shares; set database.url"])
    telemetry.configure(settings.log.level, settings.log.format)
    role = bootstrap.Role(api=False, engines=_names(engines), models=_names(models), concurrency=concurrency)
    house = bootstrap.build(settings, role=role)
    with listen(host, port) as opened:
        run(house.app, opened)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())
