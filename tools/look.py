"""Paint the gallery: contact sheets of every style and scene, and the page that shows them (`make look`)."""

from __future__ import annotations

import argparse
import io
import tomllib
from pathlib import Path

import msgspec
from PIL import Image, ImageDraw, ImageFont

from aquatint import __version__
from aquatint.engines.studio import render
from aquatint.engines.studio.messages import Rendered, RenderRequest, task_seed

ROOT = Path(__file__).parents[1]
GALLERY = ROOT / "docs" / "gallery"
PHOTOS = ROOT / "examples" / "photos"
PAINTED = (1280, 720)  # pixels of each painting
SHOWN = (640, 360)  # and of its place on the sheet
COLUMNS = 3
CAPTION = 30
MARGIN = 14
PAPER = (250, 249, 246)
INK = (40, 40, 44)


class Sheet(msgspec.Struct):
    """One sheet of tools/look.toml. `photo` makes it image-to-image."""

    name: str
    title: str
    prompts: list[str]
    photo: str | None = None


def paint(prompt: str, photo: str | None) -> Rendered:
    """One picture, as the engine paints it for this prompt without a seed."""
    references = ((PHOTOS / photo).read_bytes(),) if photo is not None else ()
    request = RenderRequest(
        prompt=prompt,
        references=references,
        width=PAINTED[0],
        height=PAINTED[1],
        seed=task_seed(prompt, references, "seedream-4.5"),
        index=0,
        model="seedream-4.5",
        version=__version__,
        output_format="png",
        strict=False,
        threads=2,
    )
    answer = render.run(msgspec.msgpack.encode(request), lambda fraction, stage: None)
    return msgspec.msgpack.decode(answer, type=Rendered)


def compose(sheet: Sheet) -> Image.Image:
    """All pictures of a sheet with their prompts below, in rows of three; (h, w, 3) sRGB."""
    rows = -(-len(sheet.prompts) // COLUMNS)
    size = (MARGIN + COLUMNS * (SHOWN[0] + MARGIN), MARGIN + rows * (SHOWN[1] + CAPTION + MARGIN))
    page = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(page)
    font = ImageFont.truetype(str(font_file()), 17)
    for index, prompt in enumerate(sheet.prompts):
        rendered = paint(prompt, sheet.photo)
        print(f"{sheet.name}: {prompt} {list(rendered.warnings) or ''}", flush=True)
        row, column = divmod(index, COLUMNS)
        corner = (MARGIN + column * (SHOWN[0] + MARGIN), MARGIN + row * (SHOWN[1] + CAPTION + MARGIN))
        with Image.open(io.BytesIO(rendered.data)) as picture:
            page.paste(picture.convert("RGB").resize(SHOWN, Image.Resampling.LANCZOS), corner)
        draw.text((corner[0] + 2, corner[1] + SHOWN[1] + 5), prompt, font=font, fill=INK)
    return page


def font_file() -> Path:
    """A face of the studio that has Latin and Chinese."""
    return Path(render.__file__).parent / "fonts" / "studio-sans-regular.otf"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sheets", nargs="*", help="only these sheets")
    parser.add_argument("--out", type=Path, default=GALLERY)
    options = parser.parse_args()
    table = tomllib.loads((ROOT / "tools" / "look.toml").read_text(encoding="utf-8"))
    sheets = msgspec.convert(table["sheet"], list[Sheet])
    options.out.mkdir(parents=True, exist_ok=True)
    for sheet in sheets:
        if not options.sheets or sheet.name in options.sheets:
            compose(sheet).save(options.out / f"{sheet.name}.jpg", quality=86, optimize=True)
    if options.out == GALLERY:
        (ROOT / "docs" / "gallery.md").write_text(page_of(sheets), encoding="utf-8")


def page_of(sheets: list[Sheet]) -> str:
    """docs/gallery.md."""
    lines = [
        "# Gallery",
        "",
        "Everything here was painted by the embedded *studio* engine on a CPU, from the words below each picture",
        "and, where it says so, from a photograph of [examples/photos](../examples/photos/SOURCE.md). `make look`",
        "paints it again: the same words give the same pictures on the same version.",
    ]
    for sheet in sheets:
        source = f", from [{sheet.photo}](../examples/photos/{sheet.photo})" if sheet.photo is not None else ""
        lines += [
            "",
            f"## {sheet.title}",
            "",
            f"![{sheet.title}](gallery/{sheet.name}.jpg)",
            "",
            f"{len(sheet.prompts)} prompts{source}.",
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
