"""Cut the fonts that the studio engine ships out of Noto CJK: Latin, kana and the common Chinese characters.

Needs `pip install fonttools` in an environment of its own (the package itself does not need it), and the
collections of the Debian package fonts-noto-cjk (or of the Noto CJK release):

    fonts=src/aquatint/engines/studio/fonts
    python tools/subset_font.py NotoSansCJK-Bold.ttc $fonts/studio-sans-bold.otf --traditional
    python tools/subset_font.py NotoSansCJK-Regular.ttc $fonts/studio-sans-regular.otf
    python tools/subset_font.py NotoSerifCJK-Bold.ttc $fonts/studio-serif-bold.otf

and, because those lack a third of Latin Extended-A, the same letters of fonts-noto-core:

    python tools/subset_font.py NotoSans-Bold.ttf $fonts/studio-latin-sans-bold.ttf
    python tools/subset_font.py NotoSans-Regular.ttf $fonts/studio-latin-sans-regular.ttf
    python tools/subset_font.py NotoSerif-Bold.ttf $fonts/studio-latin-serif-bold.ttf
"""

from __future__ import annotations

import argparse
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

FACE = 2  # the Simplified Chinese face of the collection
# Modified fonts carry a name of their own, as their licence asks.

RANGES = (
    (0x20, 0x7E),  # Latin
    (0xA0, 0xFF),  # Latin-1
    (0x100, 0x17F),  # Latin Extended-A
    (0x218, 0x21B),  # Romanian
    (0x391, 0x3C9),  # Greek
    (0x410, 0x451),  # Cyrillic
    (0x2010, 0x2027),  # dashes, quotation marks, bullets, ellipsis
    (0x2030, 0x203B),
    (0x2160, 0x217F),  # Roman numerals
    (0x2190, 0x2193),  # arrows
    (0x3001, 0x3017),  # CJK punctuation
    (0x3041, 0x3096),  # hiragana
    (0x309B, 0x309E),
    (0x30A1, 0x30FE),  # katakana
    (0xFF01, 0xFF5E),  # full-width forms
)
EXTRA = "€™℃№×÷±°✓★☆●○■□▲△▼▽◆◇♥♪"


def gb2312() -> set[int]:
    """Every character of GB 2312 (6,763 hanzi and the symbols), by way of Python's own codec."""
    found = set()
    for high in range(0xA1, 0xF8):
        for low in range(0xA1, 0xFF):
            try:
                found.add(ord(bytes((high, low)).decode("gb2312")))
            except UnicodeDecodeError:
                continue
    return found


def level_one(codec: str, first: int, last: int) -> set[int]:
    """The frequent characters of a national set: rows first..last of a double-byte codec."""
    found = set()
    for high in range(first, last + 1):
        for low in (*range(0x40, 0x7F), *range(0x80, 0xFF)):
            try:
                text = bytes((high, low)).decode(codec)
            except UnicodeDecodeError:
                continue
            found.update(ord(c) for c in text if 0x4E00 <= ord(c) <= 0x9FFF)
    return found


def wanted(traditional: bool) -> set[int]:
    """All code points to keep."""
    points = {c for first, last in RANGES for c in range(first, last + 1)} | {ord(c) for c in EXTRA} | gb2312()
    if traditional:
        points |= level_one("big5", 0xA4, 0xC6) | level_one("shift_jis", 0x88, 0x98)
    return points


def rename(font: TTFont, words: list[str]) -> None:
    """Give the subset a family name of its own."""
    *kind, style = (word.capitalize() for word in words)
    family = " ".join(["Studio", *kind])
    names = {
        1: family,
        3: f"{family} {style} subset",
        4: f"{family} {style}",
        6: f"{''.join(family.split())}-{style}",
    }
    for record in font["name"].names:
        if record.nameID in names:
            record.string = names[record.nameID]
    if "CFF " in font:
        top = font["CFF "].cff.topDictIndex[0]
        font["CFF "].cff.fontNames[0] = names[6]
        top.FullName, top.FamilyName = names[4], family


def cut(source: Path, target: Path, traditional: bool) -> None:
    """Write the subset, without hinting (signs and titles are set large)."""
    options = subset.Options()
    options.layout_features = ["kern", "ccmp", "mark"]
    options.hinting = False
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 13, 14]
    options.notdef_outline = True
    options.recalc_timestamp = False
    font = TTFont(source, fontNumber=FACE if source.suffix == ".ttc" else -1, recalcTimestamp=False)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=wanted(traditional))
    cutter.subset(font)
    rename(font, target.stem.split("-")[1:])
    font.save(target)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--traditional", action="store_true", help="also traditional and Japanese characters")
    arguments = parser.parse_args()
    cut(arguments.source, arguments.target, arguments.traditional)


if __name__ == "__main__":
    main()
