"""Decoded pictures made plain: upright, 8-bit sRGB, no alpha. Runs inside a worker."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image, ImageCms

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_PROFILE_BYTES = 4 << 20
_PROFILE_SPACES = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_WITH_ALPHA = ("RGBA", "LA", "PA", "RGBa", "La")


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation 1..8; 1 when there is none or the EXIF block is broken."""
    try:
        value = image.getexif().get(_ORIENTATION_TAG, 1)
    except (SyntaxError, ValueError, KeyError, OSError, struct.error):
        return 1
    return value if value in _UPRIGHT else 1


def foreign_profile(image: Image.Image) -> ImageCms.ImageCmsProfile | None:
    """The embedded ICC profile when it is readable and not sRGB itself."""
    raw = image.info.get("icc_profile")
    if not isinstance(raw, bytes) or not 128 <= len(raw) <= _MAX_PROFILE_BYTES:
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(raw))
        name = ImageCms.getProfileDescription(profile)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None  # a broken profile is ignored, as browsers do
    return None if name.strip().lower().startswith("srgb") else profile


def has_transparency(image: Image.Image) -> bool:
    """Whether any pixel may be see-through."""
    return image.mode in _WITH_ALPHA or "transparency" in image.info


def to_plain_rgb(image: Image.Image, orientation: int, profile: ImageCms.ImageCmsProfile | None) -> Image.Image:
    """Upright 8-bit sRGB; transparency laid on white. Carries no `info`."""
    alpha: Image.Image | None = None
    if has_transparency(image):
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    image = _eight_bit(image)
    if profile is not None:
        image = _through_profile(image, profile)
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None:
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=alpha)
        image = white
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
    image.info = {}
    return image


def _eight_bit(image: Image.Image) -> Image.Image:
    """Sixteen-bit and float greys to 8 bits by their full scale; other modes untouched."""
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image).astype(np.uint16) >> 8).astype(np.uint8))
    if image.mode == "I":
        values = np.asarray(image)
        return Image.fromarray((np.clip(values, 0, 65535) >> 8).astype(np.uint8))
    if image.mode == "F":
        values = np.nan_to_num(np.asarray(image), nan=0.0, posinf=1.0, neginf=0.0)
        scale = 255.0 if values.max(initial=0.0) <= 1.0 else 1.0
        return Image.fromarray(np.clip(values * scale, 0, 255).astype(np.uint8))
    return image


def _through_profile(image: Image.Image, profile: ImageCms.ImageCmsProfile) -> Image.Image:
    mode = _PROFILE_SPACES.get(profile.profile.xcolor_space)
    if mode is None:
        return image
    if image.mode != mode:
        if "CMYK" in (image.mode, mode):
            return image  # the profile does not describe these pixels
        image = image.convert(mode)
    try:
        converted = ImageCms.profileToProfile(image, profile, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, ValueError):
        return image
    return image if converted is None else converted
