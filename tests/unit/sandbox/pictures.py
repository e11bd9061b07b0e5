"""Pictures made for the tests: ordinary ones, and ones made to hurt. Nothing here is stored in a file."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image, ImageCms, PngImagePlugin

SECRET = b"SECRETPLACE"  # stands in every metadata block; must never come out


def photo(width: int = 240, height: int = 160, mode: str = "RGB") -> Image.Image:
    """Smooth colours with some noise; its four corners differ."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    noise = np.random.default_rng(7).normal(0, 4, (height, width))
    planes = (255 * x / width + noise, 255 * y / height + noise, 128 + 100 * np.sin(x / 17) + noise)
    rgb = np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)
    return Image.fromarray(rgb).convert(mode)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def gps_exif(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()  # description
    gps = exif.get_ifd(0x8825)
    gps[1], gps[2] = "N", (52.0, 31.0, 12.0)
    gps[29] = SECRET.decode()
    return exif


def jpeg_with_everything(orientation: int = 1) -> bytes:
    """EXIF with GPS, XMP, comment, IPTC, thumbnail-like second picture and bytes after the end."""
    plain = encoded(photo(), "JPEG", quality=90, exif=gps_exif(orientation), comment=SECRET, xmp=SECRET)
    iptc = b"Photoshop 3.0\0" + SECRET
    segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
    return plain[:2] + segment + plain[2:] + encoded(photo(32, 32), "JPEG", comment=SECRET) + SECRET


def png_with_everything(orientation: int = 1) -> bytes:
    text = PngImagePlugin.PngInfo()
    text.add_text("Location", SECRET.decode())
    text.add_text("Zipped", SECRET.decode() * 50, zip=True)
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    return encoded(photo(), "PNG", exif=gps_exif(orientation), pnginfo=text) + SECRET


def webp_with_everything(orientation: int = 1) -> bytes:
    return encoded(photo(), "WEBP", quality=90, exif=gps_exif(orientation), xmp=SECRET)


def swapped_profile() -> bytes:
    """An RGB profile like sRGB, but with the primaries of red and green exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ", 128), profile.find(b"gXYZ", 128)
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    for name in (b"sRGB", "sRGB".encode("utf-16-be")):
        other = name.replace(b"s", b"x")
        while (at := bytes(profile).find(name)) >= 0:
            profile[at : at + len(name)] = other
    return bytes(profile)


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def chunk(name: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + name + payload + struct.pack(">I", zlib.crc32(name + payload))


def png(
    width: int,
    height: int,
    depth: int = 8,
    colour: int = 2,
    *,
    rows: int | None = None,
    data_bytes: int | None = None,
    extra: bytes = b"",
    lace: int = 0,
) -> bytes:
    """A PNG of zeros with any header; `rows` or `data_bytes` say how much is there, `extra` comes before it."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    line = 1 + (width * depth * channels + 7) // 8
    packer = zlib.compressobj(9)
    pieces = []
    left = line * (height if rows is None else rows) if data_bytes is None else data_bytes
    while left > 0:
        pieces.append(packer.compress(bytes(min(left, 1 << 22))))
        left -= 1 << 22
    data = b"".join(pieces) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, lace)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def zipped_zeros(count: int) -> bytes:
    packer = zlib.compressobj(9)
    pieces = [packer.compress(bytes(1 << 20)) for _ in range(count >> 20)]
    return b"".join(pieces) + packer.flush()


def profile_bomb() -> bytes:
    return png(64, 64, extra=chunk(b"iCCP", b"icc\0\0" + zipped_zeros(300 << 20)))


def text_bomb() -> bytes:
    return png(64, 64, extra=chunk(b"zTXt", b"Comment\0\0" + zipped_zeros(300 << 20)))


def many_text_bombs() -> bytes:
    one = chunk(b"zTXt", b"Comment\0\0" + zipped_zeros(1 << 20))
    return png(64, 64, extra=one * 500)


def huge_jpeg(side: int) -> bytes:
    """A real grey JPEG header that claims `side` squared pixels over the scan of a small one."""
    small = bytearray(encoded(photo(64, 64, "L"), "JPEG"))
    at = small.find(b"\xff\xc0")
    struct.pack_into(">HH", small, at + 5, side, side)
    return bytes(small)


def scan_bomb(scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated: small, well-formed in size, endless to decode."""
    base = encoded(photo(600, 600), "JPEG", progressive=True, quality=30)
    last = base.rfind(b"\xff\xda")
    return base[:last] + base[last:-2] * scans + base[-2:]


def webp_lossless(width: int, height: int) -> bytes:
    """A lossless WebP of one colour: about 40 bytes whatever its size."""
    small = bytearray(encoded(Image.new("RGB", (16, 16), "red"), "WEBP", lossless=True))
    at = small.find(b"VP8L") + 9
    (bits,) = struct.unpack_from("<I", small, at)
    struct.pack_into("<I", small, at, (bits & ~0xFFFFFFF) | (width - 1) | ((height - 1) << 14))
    return bytes(small)


def webp_canvas(width: int, height: int) -> bytes:
    """An extended WebP whose canvas is far larger than its picture."""
    small = bytearray(encoded(photo(64, 64), "WEBP", exif=gps_exif()))
    at = small.find(b"VP8X") + 12
    small[at : at + 6] = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return bytes(small)


def gif(width: int, height: int, frame: tuple[int, int] | None = None) -> bytes:
    """A GIF with any screen and frame size over the data of a small one."""
    small = bytearray(encoded(photo(32, 32, "P"), "GIF"))
    struct.pack_into("<HH", small, 6, width, height)
    at = small.find(b"\x2c", 13 + 768)
    struct.pack_into("<HH", small, at + 5, *(frame or (width, height)))
    return bytes(small)


def bmp(width: int, height: int) -> bytes:
    small = bytearray(encoded(photo(32, 32), "BMP"))
    struct.pack_into("<ii", small, 18, width, height)
    return bytes(small)


def animated_gif(frames: int) -> bytes:
    pictures = [photo(200, 150, "P").rotate(n) for n in range(frames)]
    return encoded(pictures[0], "GIF", save_all=True, append_images=pictures[1:])


def damaged_crc() -> bytes:
    data = bytearray(encoded(photo(), "PNG"))
    data[data.find(b"IDAT") + 20] ^= 0xFF
    return bytes(data)
