"""From the references of a task to one picture to work on: opened, framed, set on a sheet, recoloured."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

from aquatint.engines.studio import sheet
from aquatint.engines.studio.finish.crop import fit
from aquatint.engines.studio.kernels.color import lab_to_rgb, rgb_to_lab
from aquatint.engines.studio.kernels.grading import grade
from aquatint.engines.studio.kernels.noise import derive_seed, generator
from aquatint.engines.studio.kernels.resize import cover, rows_of
from aquatint.engines.studio.kernels.transport import take_palette
from aquatint.engines.studio.references import Roles
from aquatint.engines.studio.styles.base import Easel, Rgb8, RgbF
from aquatint.sandbox.errors import Refused

# Pictures that only lend their look are looked at no larger than this.
_MODEL_SIZE = (1600, 1600)


def prepare(references: tuple[bytes, ...], roles: Roles, easel: Easel, index: int, whole: bool = False) -> Rgb8:
    """Open what the roles need and make the picture to work on, in the ratio of the easel.

    One content comes in its own resolution, a sheet in the easel's. `index` is which of the task's pictures this
    is: all but the first get a framing and a light of their own. `whole` grows to the ratio and cuts nothing.
    Raises Refused for an unreadable reference.
    """
    wanted = (easel.width, easel.height)
    if len(roles.contents) > 1:
        contents = [open_picture(references[number], number, wanted) for number in roles.contents]
        framed = [reframe(p, derive_seed(easel.seed, "cell", i), index) for i, p in enumerate(contents)]
        source = sheet.compose(framed, easel, index)
    else:
        number = roles.contents[0]
        source = open_picture(references[number], number, wanted)
        source = fit(reframe(source, easel.seed, index), *wanted, whole).image
    source = relight_variant(source, easel, index)
    giver = roles.palette if roles.palette is not None else roles.style
    if giver is not None:
        if source.shape[0] * source.shape[1] > easel.width * easel.height:
            source = cover(source, *wanted)
        source = take_palette(source, model_picture(references, giver), easel.strength, easel.threads)
    return source


def model_picture(references: tuple[bytes, ...], number: int) -> Rgb8:
    """Open a reference that lends its colours or its surface."""
    return open_picture(references[number], number, _MODEL_SIZE)


def open_picture(data: bytes, index: int, wanted: tuple[int, int]) -> Rgb8:
    """Decode a reference: sRGB, transparency flattened on white. Raises Refused when it cannot be read."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.draft("RGB", wanted)  # lets a JPEG decode at a fraction of its size when that is enough
            if "A" in image.getbands() or "transparency" in image.info:
                rgba = image.convert("RGBA")
                ground = Image.new("RGBA", rgba.size, "white")
                return np.array(Image.alpha_composite(ground, rgba).convert("RGB"), np.uint8)
            return np.array(image.convert("RGB"), np.uint8)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Refused(f"reference image {index + 1} cannot be read") from error


def reframe(source: Rgb8, seed: int, index: int) -> Rgb8:
    """Give every further picture of a task its own, closer framing."""
    if index == 0:
        return source
    rng = generator(seed, "framing")
    height, width = source.shape[:2]
    scale = float(rng.uniform(0.74, 0.9))
    wide, tall = max(1, round(width * scale)), max(1, round(height * scale))
    # Away from the middle, and to another side each time: else two pictures can look the same.
    across = 0.5 + (0.5 if index % 2 else -0.5) * float(rng.uniform(0.45, 0.95))
    left = round(across * (width - wide))
    top = round(float(rng.uniform(0.2, 0.8)) * (height - tall))
    return np.ascontiguousarray(source[top : top + tall, left : left + wide])


def relight_variant(source: Rgb8, easel: Easel, index: int) -> Rgb8:
    """Give every further picture of a task its own light: a side it comes from and a lean of its colour."""
    if index == 0:
        return source
    rng = generator(easel.seed, "variant light")
    angle, swing = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(6, 10))
    lean = rng.uniform(-1, 1, 2).astype(np.float32) * np.array([3.0, 6.0], np.float32)
    height, width = source.shape[:2]
    y, x = np.mgrid[0:9, 0:16].astype(np.float32)
    slope = np.cos(angle) * (x / 15 - 0.5) + np.sin(angle) * (y / 8 - 0.5)
    light = np.asarray(cv2.GaussianBlur(slope.astype(np.float32), (0, 0), 1.5) * swing, dtype=np.float32)

    def work(rgb: RgbF, top: int, bottom: int) -> RgbF:
        lab = rgb_to_lab(rgb)
        middle = lab[..., 0] * (100 - lab[..., 0]) / np.float32(2500)  # neither whites nor blacks move
        lab[..., 0] += rows_of(light, width, height, top, bottom) * middle
        lab[..., 1:] += lean * middle[..., None]
        return lab_to_rgb(lab)

    return grade(source, easel, work)
