"""Parsing of OpenAI-shaped requests: only InvalidInput ever leaves it, and equal requests have equal digests."""

from __future__ import annotations

import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from aquatint.domain.errors import InvalidInput
from aquatint.domain.size import Size
from aquatint.wire.openai.orders import ImageOrder, Upload, echo, parse_form, parse_json

FEW = hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)

texts = st.text(max_size=20)
leaves = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), texts, st.just("data:,"), st.just("1x1"))
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
names = st.sampled_from(
    [
        *(
            "model",
            "prompt",
            "n",
            "size",
            "quality",
            "response_format",
            "output_format",
            "background",
            "user",
            "seed",
        ),
        *("safety_identifier", "stream", "images", "image", "mask", "ratio", "fallback", "moderation", "other"),
    ]
)
bodies = st.dictionaries(names, values, max_size=10)
GOOD = {"model": "m", "prompt": "a boat"}


def order(edit: bool = False, **fields: Any) -> ImageOrder:
    return parse_json(json.dumps({**GOOD, **fields}).encode(), 1000, edit=edit)


@FEW
@hypothesis.given(body=bodies, edit=st.booleans())
def test_any_json(body: dict[str, Any], edit: bool) -> None:
    """Either an order whose echo is JSON, or a refusal."""
    try:
        found = parse_json(json.dumps({**GOOD, **body}).encode(), 1000, edit=edit)
        shown = json.loads(echo(found, "model", found.ratio, None))
    except InvalidInput:
        return
    assert (shown["model"], shown["prompt"]) == ("model", found.prompt)
    assert not edit or found.references


@FEW
@hypothesis.given(body=st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    with pytest.raises(InvalidInput):
        parse_json(body, 1000, edit=False)


@FEW
@hypothesis.given(fields=st.dictionaries(names, texts, max_size=6), data=st.binary(max_size=50))
def test_any_form(fields: dict[str, str], data: bytes) -> None:
    try:
        found = parse_form({**GOOD, **fields}, [Upload(data, "image/png")])
    except InvalidInput:
        return
    assert len(found.references) == 1


def test_digests_are_of_the_content() -> None:
    """Spelling does not count, everything that is wanted does, and what a file is called does not."""
    first = order(size="1024x1024", n=2)
    respelled = parse_json(b'{ "n": 2,"size":"1024x1024", "prompt":"a \\u0062oat", "model":"m"}', 1000, edit=False)
    assert respelled.digest == first.digest
    others = [order(), order(n=2), order(size="1024x1024", n=2, user="u"), order(size="1024x1024", n=2, other=[1])]
    assert len({first.digest, *(other.digest for other in others)}) == 5
    forms = [
        parse_form(GOOD, [Upload(data, kind)]) for data, kind in ((b"1", "a/b"), (b"1", "image/png"), (b"2", ""))
    ]
    assert forms[0].digest == forms[1].digest != forms[2].digest
    two = [parse_form(GOOD, [Upload(one, ""), Upload(other, "")]) for one, other in ((b"1", b"2"), (b"2", b"1"))]
    assert two[0].digest != two[1].digest


def test_fields_in_openais_spelling() -> None:
    found = order(
        size="1536X1024", n="3", quality="hd", output_format="jpg", user="old", safety_identifier="new", seed=5, x=[1]
    )
    assert (found.size, found.n, found.seed, found.user_id) == (Size(1536, 1024), 3, 5, "new")
    assert found.options == {"quality": "high", "output_format": "jpeg", "x": [1]}
    assert order(size="auto", quality="auto").options == {}
    shown = json.loads(echo(found, "seedream-4.5", "3:2", "1k"))
    assert list(shown)[:2] == ["model", "prompt"]
    assert (shown["ratio"], shown["resolution"], shown["seed"], shown["n"]) == ("3:2", "1k", 5, 3)


def test_references_are_echoed_short() -> None:
    found = order(edit=True, images=[{"image_url": "data:image/png;base64,AAAA"}, "https://example.com/a.png"])
    assert found.shown == ("data:image/png;base64,…(3 bytes)", "https://example.com/a.png")
