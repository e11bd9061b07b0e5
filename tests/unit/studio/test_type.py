"""Setting type: coverage of the shipped fonts, wrapping, fitting, and never a box."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from aquatint.engines.studio.kernels import type as setting
from aquatint.engines.studio.kernels.type import Face
from aquatint.engines.studio.scenes.street import words

FACES: tuple[Face, ...] = ("sans", "sans-bold", "serif-bold")


def gb2312_hanzi() -> list[str]:
    pairs = itertools.product(range(0xB0, 0xF8), range(0xA1, 0xFF))
    return [
        text for high, low in pairs if (text := bytes((high, low)).decode("gb2312", "ignore")) and text != "\ufffd"
    ]


@pytest.mark.parametrize("face", FACES)
def test_every_face_covers_latin_kana_and_the_common_chinese_characters(face: Face) -> None:
    hanzi = gb2312_hanzi()
    assert len(hanzi) == 6763
    latin = [chr(c) for c in (*range(0x20, 0x7F), *range(0xA0, 0x180))]
    kana = [chr(c) for c in (*range(0x3041, 0x3097), *range(0x30A1, 0x30F7))]
    marks = list("，。、；：？！（）《》「」『』“”‘’…—·～￥€")
    known = setting.coverage(face)
    assert [c for c in (*hanzi, *latin, *kana, *marks) if ord(c) not in known] == []


def test_every_word_on_a_street_sign_can_be_drawn() -> None:
    tables = (words.STANDING, words.LYING, words.GATES)
    for text in (text for table in tables for choices in table.values() for text in choices):
        assert setting.drawable(text) == (text, "")


def test_characters_no_font_has_are_named_and_not_drawn() -> None:
    kept, missing = setting.drawable("A🐱B\U00020bb7ﬁ")
    assert kept == "ABfi"
    assert set(missing) == {"🐱", "\U00020bb7"}
    assert np.array_equal(setting.line_mask("A🐱B", 40), setting.line_mask("AB", 40))
    assert not setting.line_mask("🐱", 40).any()


@pytest.mark.parametrize("face", FACES)
def test_glyphs_differ_from_each_other_and_from_the_missing_glyph(face: Face) -> None:
    opened = setting.open_face(face, 40)
    box = opened.main.getmask("\U0010ffff").getbbox()
    text = "永和九年水墨城市QŁßéあア"
    shapes = {setting.line_mask(char, 40, face).tobytes() for char in text}
    assert len(shapes) == len(text)
    assert box is not None
    outline = np.asarray(opened.main.getmask("\U0010ffff"), np.uint8).tobytes()
    assert outline not in shapes


def test_a_word_with_a_letter_of_the_companion_is_set_in_one_design() -> None:
    opened = setting.open_face("sans-bold", 30, "Łódź 城市")
    assert [piece for piece, _ in opened.runs("Łódź 城市")] == ["Łódź ", "城市"]


def test_closing_marks_never_start_a_line_and_lines_keep_their_width() -> None:
    text = "霓虹灯下的街道，雨还在下。行人撑着伞（红色的伞），走过“夜市”。The quick brown fox jumps."
    opened = setting.open_face("sans", 24)
    lines = setting.wrap(text, opened, 150)
    assert len(lines) > 5
    assert all(line[0] not in "，。、）”" and line[-1] not in "（“" for line in lines)
    assert all(opened.length(line) <= 150 + 24 for line in lines)  # a mark may hang by its own width
    assert "".join("".join(lines).split()) == "".join(text.split())


def test_a_word_wider_than_the_line_is_cut() -> None:
    opened = setting.open_face("sans", 24)
    lines = setting.wrap("Donaudampfschifffahrtsgesellschaft", opened, 120)
    assert len(lines) > 2
    assert all(opened.length(line) <= 120 for line in lines)


@pytest.mark.parametrize(
    "text", ["AQUATINT", "山水之间", "A long line of words that must wrap several times, 中文也要换行。"]
)
def test_fit_finds_the_largest_size_that_fits(text: str) -> None:
    block = setting.fit(text, 300, 120, "serif-bold")
    mask = setting.block_mask(block, "center")
    ink = setting.crop_to_ink(mask)
    assert ink.shape[1] <= 300
    assert ink.shape[0] <= 120
    assert ink.shape[0] > 40 or ink.shape[1] > 200
    larger = setting.Block(
        setting.wrap(text, setting.open_face(block.face, block.size + 8), 300), block.size + 8, block.face
    )
    bigger = setting.crop_to_ink(setting.block_mask(larger))
    assert bigger.shape[0] > 118 or bigger.shape[1] > 300


def test_too_much_text_ends_in_an_ellipsis() -> None:
    block = setting.fit("word " * 400, 80, 40)
    assert block.lines[-1].endswith("…")
    assert block.size == 6


def test_vertical_text_stacks_and_turns_the_long_vowel_mark() -> None:
    stacked = setting.vertical_mask("東京", 40)
    assert stacked.shape[1] == 40
    assert 80 <= stacked.shape[0] <= 100
    bar = setting.crop_to_ink(setting.vertical_mask("ー", 60))
    assert bar.shape[0] > 2 * bar.shape[1]
