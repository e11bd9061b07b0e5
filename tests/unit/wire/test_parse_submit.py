"""Parsing of submits: only InvalidInput ever leaves it, and the echo is what was sent."""

from __future__ import annotations

import base64
import json
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st

from aquatint.domain.errors import InvalidInput
from aquatint.wire.requests import MAX_DEPTH, Draft, InlineImage, canonical, parse_submit

FEW = hypothesis.settings(max_examples=200, deadline=None, database=None, derandomize=True)

texts = st.text(max_size=20)
leaves = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=True, allow_infinity=True), texts, st.just("data:,")
)
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
names = st.sampled_from(
    ["prompt", "imageUrls", "images", "ratio", "resolution", "n", "seed", "fallback", "model", "output_format", "x"]
)
inputs = st.dictionaries(names, values, max_size=8)
bodies = st.fixed_dictionaries(
    {"model": st.one_of(values, st.just("seedream-4")), "input": st.one_of(values, inputs)},
    optional={"callBackUrl": values, "user_id": values, "extra": values},
)


def parsed(body: bytes) -> Draft | None:
    """What came out, or None for the one error that is allowed."""
    try:
        return parse_submit(body, 100)
    except InvalidInput as error:
        message = error.message
    assert 0 < len(message) < 500
    return None


@FEW
@hypothesis.given(st.binary(max_size=200))
def test_any_bytes(body: bytes) -> None:
    """Bytes of any kind are no body; nothing but InvalidInput says so."""
    assert parsed(body) is None


@FEW
@hypothesis.given(values)
def test_any_json(value: Any) -> None:
    """Any JSON value, with what Python's encoder allows beyond JSON."""
    parsed(json.dumps(value).encode())
    parsed(json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass"))


@FEW
@hypothesis.given(bodies)
def test_anything_in_the_right_places(body: dict[str, Any]) -> None:
    """Any value in any field; what is accepted has the promised types and an exact echo."""
    draft = parsed(json.dumps(body).encode())
    if draft is None:
        return
    assert isinstance(draft.prompt, str)
    assert draft.prompt.strip()
    assert 1 <= draft.n <= 10_000
    assert draft.seed is None or 0 <= draft.seed < 2**63
    echo = json.loads(draft.echo)
    assert next(iter(echo)) == "model"
    wanted = {"model": body["model"], **{k: v for k, v in body["input"].items() if k != "model"}}
    if not any(isinstance(reference, InlineImage) for reference in draft.references):
        assert json.dumps(echo) == json.dumps(wanted)
    canonical(json.dumps(body).encode())


@FEW
@hypothesis.given(st.binary(max_size=30), st.integers(0, 200))
def test_damaged_bodies(noise: bytes, at: int) -> None:
    """A good body with noise in its middle."""
    good = (
        b'{"model":"seedream-4","input":{"prompt":"a boat","imageUrls":["https://a.invalid/b"],"n":2},"user_id":"u"}'
    )
    cut = at % len(good)
    for body in (good[:cut] + noise + good[cut:], good[:cut] + noise, good[:cut] + noise + good[cut + len(noise) :]):
        parsed(body)
        try:
            canonical(body)
        except InvalidInput:
            assert body != good


@pytest.mark.parametrize("depth", [1, MAX_DEPTH - 2, MAX_DEPTH - 1, MAX_DEPTH, 500, 990, 2000, 100_000])
@pytest.mark.parametrize("pair", [("[", "]"), ('{"a":', "}")])
def test_depth_is_bounded(depth: int, pair: tuple[str, str]) -> None:
    """What is accepted can be read again by whoever has less stack left."""
    body = f'{{"model":"m","input":{{"prompt":"x","z":{pair[0] * depth}1{pair[1] * depth}}}}}'.encode()
    assert (parsed(body) is not None) == (depth < MAX_DEPTH)
    if depth < MAX_DEPTH:
        assert canonical(body), "what may be submitted may be submitted with an Idempotency-Key"


@pytest.mark.parametrize("value", [b"1e999", b'"\xff"', b'"\\udfff"', b"[" * 2000 + b"]" * 2000, b"{", b"01", b""])
def test_canonical_raises_only_invalid_input(value: bytes) -> None:
    """The comparison of bodies reads fields that nobody else reads; they may be broken."""
    with pytest.raises(InvalidInput):
        canonical(b'{"model":"m","input":{"prompt":"x"},"ignored":' + value + b"}")


def test_canonical_tells_values_apart() -> None:
    """The same value in another spelling is the same, another value is not."""
    assert canonical(b'{"a": 1, "b": ["\\u0061", null]}') == canonical(b'{"b":["a",null],"a":1}')
    different = [b'{"a":1}', b'{"a":2}', b'{"a":"1"}', b'{"a":[1]}', b'{"a":true}', b'{"b":1}', b'{"a":null}', b"{}"]
    assert len({canonical(body) for body in different}) == len(different)


def test_inline_images_are_bounded() -> None:
    """A data URL of exactly the limit is taken, one byte more is not."""

    def body(size: int) -> bytes:
        url = f"data:image/png;base64,{base64.b64encode(bytes(size)).decode()}"
        return json.dumps({"model": "m", "input": {"prompt": "x", "imageUrls": [url]}}).encode()

    draft = parse_submit(body(100), 100)
    assert draft.references == (InlineImage(bytes(100)),)
    for size in (101, 102, 103):
        with pytest.raises(InvalidInput, match="more than 100 bytes"):
            parse_submit(body(size), 100)


def test_image_fields() -> None:
    """imageUrls wins over images; an empty one gives way; other spellings are kept for nobody."""

    def references(fields: str) -> tuple[object, ...]:
        return parse_submit(f'{{"model":"m","input":{{"prompt":"x",{fields}}}}}'.encode(), 9).references

    assert references('"imageUrls":["a"],"images":["b"]') == ("a",)
    assert references('"imageUrls":[],"images":["b"]') == ("b",)
    assert references('"imageUrls":null,"images":null') == ()
    assert references('"image_urls":["a"]') == ()
    assert references('"imageUrls":[{"url":"a","x":1},"b"]') == ("a", "b")
