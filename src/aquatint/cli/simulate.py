"""aquatint simulate: the paid providers, faked on this machine, for trying things out without a key or a bill."""

from __future__ import annotations

from typing import Annotated

import typer


def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 9000,
    key: Annotated[str, typer.Option(help="The only API key that they accept.")] = "sim-key",
    plain: Annotated[bool, typer.Option("--plain", help="Gradients instead of painted pictures: fast.")] = False,
    job_seconds: Annotated[
        float, typer.Option(help="How long jobs take where their prompt does not say.", min=0)
    ] = 0,
) -> None:
    """Run fakes of all paid providers until Ctrl-C, and print the settings that turn a server to them."""
    from aquatint.cli.simulators import run  # here, as it loads what decodes pictures: no server is to carry it

    run(host, port, key, plain=plain, job_seconds=job_seconds)
