"""What a submit may hold: limits, defaults' spelling, and the words of refusals (decisions 9 to 25, 46)."""

from __future__ import annotations

import re

import pytest

from aquatint.wire.hygiene import FORBIDDEN
from support.client import Client, Json, refusal
from support.pictures import data_url, picture
from support.server import ServerFactory

MODELS = ("seedream-4", "seedream-4.5", "seedream-5-lite")
RATIOS = ("1:1", "4:3", "3:4", "16:9", "9:16", "3:2", "2:3", "21:9")
URL = "https://pictures.invalid/a.jpg"


def sent(model: object = "seedream-4.5", **fields: object) -> Json:
    return {"model": model, "input": {"prompt": "a boat", **fields}}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("ratio", RATIOS)
def test_all_documented_ratios_and_models(client: Client, model: str, ratio: str) -> None:
    """Each model of the family takes each ratio with each tier (section 6.1)."""
    for resolution in ("1k", "2k", "4k"):
        response = client.try_submit(sent(model, ratio=ratio, resolution=resolution))
        assert response.status_code == 200, response.text


@pytest.mark.parametrize(
    "fields",
    [
        {"resolution": "1K"},
        {"resolution": "4K", "ratio": " 16:9 "},
        {"n": "2"},
        {"n": 2.0},
        {"n": None, "ratio": None, "resolution": None, "seed": None, "fallback": None, "imageUrls": None},
        {"imageUrls": []},
        {"imageUrls": [URL] * 14},
        {"imageUrls": [{"url": URL}]},
        {"imageUrls": {"url": URL, "role": "style"}},
        {"imageUrls": URL},
        {"images": [URL]},
        {"imageUrls": [data_url(b"x")]},
        {"image_urls": 7},
        {"seed": 0},
        {"seed": 2**63 - 1},
        {"seed": "12"},
        {"fallback": True},
        {"output_format": "webp"},
        {"unknown": {"deep": [1, {"er": None}]}},
        {"prompt": "x" * 8000},
        {"prompt": "画" * 8000},
        {"prompt": "x", "n": 15},
    ],
)
def test_accepted_forms(client: Client, fields: Json) -> None:
    """Letter-case variants, numbers as texts, lone strings, objects, V1 names, unknown keys (13, 19, 20, 25)."""
    assert client.try_submit(sent(**fields)).status_code == 200


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"prompt": None}, "input.prompt"),
        ({"prompt": ""}, "input.prompt"),
        ({"prompt": " \n\t"}, "input.prompt"),
        ({"prompt": 5}, "input.prompt"),
        ({"prompt": ["a"]}, "input.prompt"),
        ({"prompt": "x" * 8001}, "input.prompt"),
        ({"ratio": "5:4"}, "input.ratio"),
        ({"ratio": "16/9"}, "input.ratio"),
        ({"ratio": ""}, "input.ratio"),
        ({"ratio": 1}, "input.ratio"),
        ({"ratio": "0:0"}, "input.ratio"),
        ({"resolution": "3k"}, "input.resolution"),
        ({"resolution": "2048x2048"}, "input.resolution"),
        ({"resolution": 2}, "input.resolution"),
        ({"n": 0}, "input.n"),
        ({"n": -1}, "input.n"),
        ({"n": 16}, "input.n"),
        ({"n": 1.5}, "input.n"),
        ({"n": True}, "input.n"),
        ({"n": "two"}, "input.n"),
        ({"n": ""}, "input.n"),
        ({"n": [1]}, "input.n"),
        ({"n": 10**30}, "input.n"),
        ({"n": 1e300}, "input.n"),
        ({"n": "9" * 400}, "input.n"),
        ({"n": "\u0663"}, "input.n"),
        ({"seed": -1}, "input.seed"),
        ({"seed": 2**63}, "input.seed"),
        ({"seed": "x"}, "input.seed"),
        ({"fallback": "yes"}, "input.fallback"),
        ({"fallback": 1}, "input.fallback"),
        ({"output_format": "gif"}, "input.output_format"),
        ({"output_format": {"a": 1}}, "input.output_format"),
        ({"imageUrls": [URL] * 15}, "input.imageUrls"),
        ({"imageUrls": [None]}, "input.imageUrls[0]"),
        ({"imageUrls": [URL, 5]}, "input.imageUrls[1]"),
        ({"imageUrls": [URL, ""]}, "input.imageUrls[1]"),
        ({"imageUrls": [[URL]]}, "input.imageUrls[0]"),
        ({"imageUrls": [{"href": URL}]}, "input.imageUrls[0]"),
        ({"imageUrls": [{"url": None}]}, "input.imageUrls[0]"),
        ({"imageUrls": 7}, "input.imageUrls"),
        ({"imageUrls": True}, "input.imageUrls"),
        ({"imageUrls": False}, "input.imageUrls"),
        ({"imageUrls": 0}, "input.imageUrls"),
        ({"imageUrls": ""}, "input.imageUrls"),
        ({"imageUrls": {}}, "input.imageUrls"),
        ({"images": [5]}, "input.images[0]"),
        ({"imageUrls": ["ftp://pictures.invalid/a.png"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["/etc/passwd"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["file:///etc/passwd"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["http://"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["http://a b/"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["https://" + "x" * 9000]}, "input.imageUrls[0]"),
        ({"imageUrls": ["data:image/png,plain"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["data:image/png;base64,####"]}, "input.imageUrls[0]"),
        ({"imageUrls": ["data:image/png;base64,\u00e9\u00e9\u00e9\u00e9"]}, "input.imageUrls[0]"),
    ],
)
def test_refused_with_the_path(client: Client, fields: Json, path: str) -> None:
    """Anything outside the documented set is 400 with the field's path, and nothing is stored (10, 13, 21)."""
    before = client.tasks(limit=1)["tasks"]
    assert refusal(client.try_submit(sent(**fields)), 400).startswith(f"{path}: ")
    assert client.tasks(limit=1)["tasks"] == before


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "model"),
        ({"input": {"prompt": "x"}}, "model"),
        ({"model": None, "input": {"prompt": "x"}}, "model"),
        ({"model": 5, "input": {"prompt": "x"}}, "model"),
        ({"model": "", "input": {"prompt": "x"}}, "model"),
        ({"model": ["seedream-4"], "input": {"prompt": "x"}}, "model"),
        ({"model": "seedream-4"}, "input"),
        ({"model": "seedream-4", "input": None}, "input"),
        ({"model": "seedream-4", "input": "x"}, "input"),
        ({"model": "seedream-4", "input": []}, "input"),
        ({"model": "seedream-4", "input": {}}, "input.prompt"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "callBackUrl": 5}, "callBackUrl"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "callBackUrl": ""}, "callBackUrl"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "callBackUrl": "not a url"}, "callBackUrl"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "callBackUrl": "ftp://a.invalid/"}, "callBackUrl"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "callBackUrl": "javascript:alert(1)"}, "callBackUrl"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "callBackUrl": "http://u:p@a.invalid/"}, "callBackUrl"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "user_id": 5}, "user_id"),
        ({"model": "seedream-4", "input": {"prompt": "x"}, "user_id": "u" * 2049}, "user_id"),
    ],
)
def test_top_level_refusals(client: Client, body: Json, path: str) -> None:
    """Missing fields and wrong types at the top are 400 with their path (decisions 10, 32)."""
    assert refusal(client.try_submit(body), 400).startswith(f"{path}: ")


def test_too_many_images_for_the_model(client: Client) -> None:
    """n ends at 4 for 5-lite and at 15 for the others; references + n at 15 for 4 and 4.5 only (decision 18)."""
    assert "between 1 and 4" in refusal(client.try_submit(sent("seedream-5-lite", n=5)), 400)
    assert client.try_submit(sent("seedream-5-lite", n=4, imageUrls=[URL] * 14)).status_code == 200
    for model in ("seedream-4", "seedream-4.5"):
        assert client.try_submit(sent(model, n=1, imageUrls=[URL] * 14)).status_code == 200
        assert refusal(client.try_submit(sent(model, n=2, imageUrls=[URL] * 14)), 400).startswith("input.n: ")
        assert client.try_submit(sent(model, n=15)).status_code == 200


def test_unknown_model_names_close_matches(client: Client) -> None:
    """An unknown model is 400, named, with close matches (decision 9)."""
    message = refusal(client.try_submit(sent("seedream-4-5")), 400)
    assert "'seedream-4-5'" in message
    assert "seedream-4.5" in message
    far = refusal(client.try_submit(sent("zzz")), 400)
    for model in MODELS:
        assert model in far


@pytest.mark.parametrize("name", ["SEEDREAM-4.5", " seedream-4.5", "seedream-4.5\0", "../seedream-4", "m" * 100_000])
def test_odd_model_names_are_unknown(client: Client, name: str) -> None:
    """A model's name is exactly its name, and a refusal stays short (decision 9)."""
    assert len(refusal(client.try_submit(sent(name)), 400)) < 400


def test_withdrawn_names_are_not_shipped(client: Client) -> None:
    """seedream-4.6 and jimeng-* exist only as aliases of the operator (decision 44)."""
    for name in ("seedream-4.6", "jimeng-4.5"):
        refusal(client.try_submit(sent(name)), 400)


def test_alias_of_the_operator(server_with: ServerFactory) -> None:
    """An alias is accepted, runs as its model, and is echoed as it was asked for (decision 44)."""
    server = server_with(AQUATINT_CATALOG__ALIASES='{"seedream-4.6": "seedream-4.5", "jimeng-4.5": "seedream-4"}')
    with server.client() as client:
        assert client.run("seedream-4.6", n=2)["input"]["model"] == "seedream-4.6"
        assert client.run("jimeng-4.5")["status"] == "SUCCESS"
        refusal(client.try_submit(sent("jimeng-4.6")), 400)


def assert_tidy(message: str) -> None:
    """No word by which clients in use tell failures apart, and no three-digit number in front."""
    lowered = message.lower()
    assert not [word for word in FORBIDDEN if word in lowered], message
    assert re.match(r"\d{3}", message) is None, message


def test_forbidden_words_are_those_of_the_contract() -> None:
    """The list that tests and server share is decision 46's."""
    assert set(FORBIDDEN) == {
        *("flagged", "nsfw", "safety", "content policy", "moderation", "inappropriate", "sexual", "explicit"),
        *("timeout", "timed out", "network", "socket", "econnreset"),
    }


@pytest.mark.parametrize("word", [*FORBIDDEN, "NSFW", "Content Policy", "TimeOut", "500", "429 Too many"])
def test_callers_words_do_not_come_back(client: Client, word: str) -> None:
    """What the caller sent cannot put a forbidden word into a message (decision 46)."""
    bodies: list[Json] = [
        sent(word),
        sent(f"seedream-{word}"),
        sent(ratio=word),
        sent(resolution=word),
        sent(n=word),
        sent(output_format=word),
        sent(imageUrls=[word]),
        sent(imageUrls=[f"https://{word}/"]),
        sent(imageUrls=[f"{word}://host.invalid/"]),
        sent(imageUrls=[f"data:{word}"]),
        sent(imageUrls=[{word: 1}]),
        {**sent(), "callBackUrl": word},
        {**sent(), "callBackUrl": f"https://{word}.invalid:99999/"},
        {**sent(), "user_id": {word: 1}},
        {"model": "seedream-4", "input": {word: 1}},
        {"model": "seedream-4", "input": word},
    ]
    for body in bodies:
        response = client.try_submit(body)
        if response.status_code != 200:  # `500` alone is a whole host name
            assert_tidy(refusal(response, 400))


def test_every_refusal_of_the_extensions_is_tidy(client: Client) -> None:
    """The extensions keep the same hygiene (decision 46)."""
    task_id = client.run()["taskId"]
    assert_tidy(refusal(client.cancel(task_id), 409))
    for name, value in (
        *(
            ("status", "timeouts"),
            ("status", "x"),
            ("limit", "500"),
            ("cursor", "socket"),
            ("createdAfter", "network"),
        ),
    ):
        assert_tidy(refusal(client.get("/api/v1/tasks", params={name: value}), 400))
    assert_tidy(refusal(client.upload(b"nsfw", "nsfw.png"), 400))
    assert_tidy(refusal(client.upload(picture(), "a.png", field="explicit"), 400))
    assert_tidy(refusal(client.get("/nsfw/timeout"), 404))
