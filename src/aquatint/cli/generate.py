"""aquatint generate: words and photos in, pictures out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from aquatint.cli import complete
from aquatint.cli.outcome import Inline, NoInline, NoWait, Out, Timeout, Wanted, outcome
from aquatint.cli.remote import USAGE, AsJson, Key, KeyFile, Url, connected, stop

MAX_PROMPT = 1 << 20  # bytes that are read of stdin


def generate(
    prompt: Annotated[
        str, typer.Argument(help="What to paint, or what to do with the images; - reads it from stdin.")
    ],
    image: Annotated[
        list[str] | None,
        typer.Option("--image", "-i", help="A reference: a file or a URL; again for more.", show_default=False),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="The model.", autocompletion=complete.models)
    ] = "seedream-4.5",
    ratio: Annotated[
        str | None, typer.Option(help="Such as 16:9.", autocompletion=complete.ratios, show_default=False)
    ] = None,
    resolution: Annotated[
        str | None,
        typer.Option(help="1k, 2k or 4k.", autocompletion=complete.resolutions, show_default="2k"),
    ] = None,
    n: Annotated[int | None, typer.Option("-n", help="How many pictures.", min=1, show_default="1")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed paints the same again.", min=0)] = None,
    format: Annotated[  # noqa: A002  # the option's name
        str | None,
        typer.Option(help="png, jpeg or webp.", autocompletion=complete.formats, show_default="the engine's"),
    ] = None,
    out: Out = Path(),
    timeout: Timeout = 600.0,
    no_wait: NoWait = False,
    inline: Inline = "auto",
    no_inline: NoInline = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the pictures when they are there.")] = False,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Use only the documented MaxAPI, for servers that are no Aquatint."),
    ] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    key_file: KeyFile = None,
) -> None:
    """Paint pictures from words and images, and save them. Ctrl-C cancels the task."""
    if prompt == "-":
        prompt = sys.stdin.read(MAX_PROMPT).strip()
    if not prompt.strip():
        stop("the prompt is empty", USAGE)
    wanted = Wanted(out, timeout, no_wait, "none" if no_inline else inline, open_, as_json)
    with connected(url, key, key_file, strict=strict) as client:
        outcome(
            client,
            lambda: client.submit(
                prompt,
                image or (),
                model=model,
                ratio=ratio,
                resolution=resolution,
                n=n,
                seed=seed,
                output_format=format,
            ),
            wanted,
        )
