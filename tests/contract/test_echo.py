"""The echoed `input`: what was sent, `model` first (decisions 23, 24, 25)."""

from __future__ import annotations

import json

import pytest

from support.client import Client
from support.pictures import data_url, picture


def raw_echo(client: Client, sent_input: str, model: str = "seedream-4.5") -> str:
    """The bytes of `input` as a query answers them, for an input given as JSON text."""
    response = client.send(f'{{"model":"{model}","input":{sent_input}}}'.encode())
    assert response.status_code == 200, response.text
    body = client.get(f"/api/v1/task/{response.json()['data']['taskId']}").text
    start = body.index('"input":') + len('"input":')
    _, end = json.JSONDecoder().raw_decode(body[start:])
    return body[start : start + end]


def test_model_comes_first_and_nothing_is_filled_in(client: Client) -> None:
    """The echo is what was sent plus `model` first; no default appears (decision 23)."""
    assert raw_echo(client, '{"prompt":"a boat"}') == '{"model":"seedream-4.5","prompt":"a boat"}'


def test_order_and_spelling_are_kept(client: Client) -> None:
    """Keys keep their order, values their spelling, unknown keys and nulls their place (decisions 23, 25)."""
    sent = (
        '{"resolution":"2K","zeta":[1,2.5,{"b":null,"a":true}],"ratio":" 16:9 ","n":"2",'
        '"prompt":"ein Boot – 一条船 🚤",'
        '"image_urls":["x"],"imageUrls":null,"watermark":false,"alpha":""}'
    )
    assert raw_echo(client, sent) == '{"model":"seedream-4.5",' + sent[1:]


@pytest.mark.parametrize("value", ["0", "-1", "1.5", "1e-7", "9007199254740993", "18446744073709551615", "0.1"])
def test_numbers_survive(client: Client, value: str) -> None:
    """Numbers in unknown keys come back with the same value."""
    echoed = json.loads(raw_echo(client, f'{{"prompt":"x","extra":{value}}}'))["extra"]
    assert echoed == json.loads(value)
    assert type(echoed) is type(json.loads(value))


def test_escapes_survive(client: Client) -> None:
    """Control characters and surrogate pairs mean the same afterwards."""
    sent = json.dumps({"prompt": 'tab\t nul\0 quote" back\\slash \u2028 \U0001f3a8', "k\0ey": "\x7f"})
    assert json.loads(raw_echo(client, sent)) == {"model": "seedream-4.5", **json.loads(sent)}


def test_model_inside_input_gives_way(client: Client) -> None:
    """A `model` inside `input` does not replace the one that was asked for."""
    assert raw_echo(client, '{"model":"other","prompt":"x"}') == '{"model":"seedream-4.5","prompt":"x"}'


def test_callback_and_user_are_not_echoed(client: Client) -> None:
    """`callBackUrl` and `user_id` never appear in the task object (section 4, decision 24)."""
    task_id = client.submit(callback="https://caller.invalid/secret-hook", user_id="user-4711", extra=1)
    text = client.get(f"/api/v1/task/{task_id}").text
    assert "callBackUrl" not in text
    assert "secret-hook" not in text
    assert "4711" not in text


def test_data_urls_become_short_markers(client: Client) -> None:
    """A data URL is replaced by a marker with its type and size; other items stay (decisions 20, 23)."""
    data = picture()
    items = [data_url(data), {"url": data_url(data), "weight": 2}, "https://pictures.invalid/a.jpg?x=1"]
    task_id = client.submit(imageUrls=items)
    shown = client.query(task_id)["input"]["imageUrls"]
    marker = f"data:image/png;base64,…({len(data)} bytes)"
    assert shown == [marker, {"url": marker, "weight": 2}, "https://pictures.invalid/a.jpg?x=1"]


def test_lone_data_url_keeps_its_shape(client: Client) -> None:
    """A lone string is echoed as a lone string, in the field that it came in (decision 20)."""
    task_id = client.submit(images=data_url(b"not decoded at submit"))
    shown = client.query(task_id)["input"]
    assert shown["images"] == "data:image/png;base64,…(21 bytes)"
    assert "imageUrls" not in shown
