"""Small pictures made on the spot: what callers send as references."""

from __future__ import annotations

import base64
import io
import struct
import zlib

from PIL import Image, ImageDraw


def picture(width: int = 320, height: int = 200, form: str = "PNG", **save: object) -> bytes:
    """A sunset over a sea as an encoded file of the Pillow format `form`."""
    image = Image.linear_gradient("L").resize((width, height))
    color = Image.merge("RGB", (image, image.point(lambda v: v // 2), image.transpose(Image.Transpose.ROTATE_180)))
    ImageDraw.Draw(color).ellipse((width // 3, height // 4, width // 2, height // 2), fill=(250, 220, 90))
    file = io.BytesIO()
    color.save(file, form, **save)
    return file.getvalue()


def photo_with_gps(width: int = 320, height: int = 200) -> bytes:
    """A JPEG whose Exif says where it was taken and that it lies on its side (orientation 6)."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "Camera Maker"
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2], gps[3], gps[4] = "N", (52.0, 31.0, 12.0), "E", (13.0, 24.0, 18.0)
    return picture(width, height, "JPEG", exif=exif)


def png_bomb(side: int = 60_000) -> bytes:
    """A PNG of few bytes that claims `side` x `side` pixels and really unpacks to a lot."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    pixels = zlib.compress(bytes(2_000_000), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def data_url(data: bytes, media_type: str = "image/png") -> str:
    return f"data:{media_type};base64,{base64.b64encode(data).decode()}"


def opened(data: bytes) -> Image.Image:
    """The decoded picture; raises when the bytes are no picture."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image
