"""Results: exactly n images, their files, their pixels, how long they live (decisions 16, 17, 37, 38)."""

from __future__ import annotations

import itertools
import time

import httpx
import pytest

from aquatint.catalog.load import load
from aquatint.domain.size import Size
from aquatint.testing.receiver import Answer
from support.client import Client, refusal
from support.pictures import data_url, opened, picture
from support.receiver import ThreadedReceiver
from support.server import ServerFactory

# providers.md, table 1.5: columns 4.0 1K, 4.0/4.5/lite 2K and 4.0/4.5/lite 4K.
TABLE = {
    "1:1": ((1024, 1024), (2048, 2048), (4096, 4096)),
    "4:3": ((1152, 864), (2304, 1728), (4704, 3520)),
    "3:4": ((864, 1152), (1728, 2304), (3520, 4704)),
    "16:9": ((1280, 720), (2848, 1600), (5504, 3040)),
    "9:16": ((720, 1280), (1600, 2848), (3040, 5504)),
    "3:2": ((1248, 832), (2496, 1664), (4992, 3328)),
    "2:3": ((832, 1248), (1664, 2496), (3328, 4992)),
    "21:9": ((1512, 648), (3136, 1344), (6240, 2656)),
}


@pytest.mark.parametrize("model", ["seedream-4", "seedream-4.5", "seedream-5-lite"])
def test_table_of_sizes(model: str) -> None:
    """The catalog holds all 8 x 3 sizes of the documented table for each model, and no other (section 6.1)."""
    sizes = load("", {}, "").find(model).sizes
    found = {ratio: tuple((sizes[tier][ratio].width, sizes[tier][ratio].height) for tier in sizes) for ratio in TABLE}
    assert list(sizes) == ["1k", "2k", "4k"]
    assert found == TABLE
    assert all(set(row) == set(TABLE) for row in sizes.values())


def test_models_answer_the_same_table(client: Client) -> None:
    """What /models says of sizes is the same table."""
    for model in client.get("/api/v1/models").json()["data"]["models"]:
        if model["name"] not in ("seedream-4", "seedream-4.5", "seedream-5-lite"):
            continue
        for (ratio, row), (column, tier) in itertools.product(TABLE.items(), enumerate(("1k", "2k", "4k"))):
            assert tuple(model["sizes"][tier][ratio]) == row[column]


@pytest.mark.parametrize(
    ("width", "height", "ratio"),
    [
        (1000, 1000, "1:1"),
        (4000, 3000, "4:3"),
        (3000, 4000, "3:4"),
        (1920, 1080, "16:9"),
        (1080, 2400, "9:16"),
        (6000, 4000, "3:2"),
        (4000, 6000, "2:3"),
        (3440, 1440, "21:9"),
        (16000, 1000, "21:9"),
        (1000, 16000, "9:16"),
        (1100, 1000, "1:1"),
        (1250, 1000, "4:3"),
    ],
)
def test_nearest_ratio(width: int, height: int, ratio: str) -> None:
    """Without a ratio the listed one nearest to the first reference is taken (decision 16)."""
    model = load("", {}, "").find("seedream-4.5")
    assert model.size(None, "2k", Size(width, height)) == model.sizes["2k"][ratio]


def test_default_size_is_square_2k() -> None:
    """Text-to-image without ratio and resolution is 1:1 at 2k (decision 16)."""
    model = load("", {}, "").find("seedream-4.5")
    assert (model.default_ratio, model.default_resolution) == ("1:1", "2k")
    assert model.size(None, model.default_resolution, None) == Size(2048, 2048)


@pytest.mark.parametrize("n", [1, 2, 4, 15])
def test_exactly_n_urls(client: Client, n: int) -> None:
    """`n` urls, all different, in the order of generation, of type image (decisions 17, 38)."""
    task = client.run(n=n)
    urls = task["result"]["urls"]
    assert task["result"]["type"] == "image"
    assert list(task["result"]) == ["type", "urls"]
    assert len(set(urls)) == len(urls) == len(task["images"]) == n
    assert [url.rsplit("/", 1)[1] for url in urls] == [f"{i + 1}.png" for i in range(n)]
    assert client.query(task["taskId"])["result"]["urls"] == urls


def test_urls_are_public_files_with_a_type(client: Client) -> None:
    """A result URL needs no header, ends in a real extension and has the right type (section 8, item 7)."""
    url = client.run()["result"]["urls"][0]
    response = httpx.get(url, trust_env=False)
    assert response.status_code == 200
    assert url.endswith(".png")
    assert response.headers["content-type"] == "image/png"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.content.startswith(b"\x89PNG")
    assert httpx.head(url, trust_env=False).status_code == 200


def test_part_of_a_file(client: Client) -> None:
    """Downloads can be taken up again in the middle."""
    url = client.run()["result"]["urls"][0]
    whole = httpx.get(url, trust_env=False).content
    part = httpx.get(url, headers={"range": "bytes=10-"}, trust_env=False)
    assert part.status_code == 206
    assert part.content == whole[10:]


def test_token_is_the_permission(client: Client) -> None:
    """A guessed token or another name under a true token answers 404 (decision 37)."""
    url = client.run()["result"]["urls"][0]
    base, token, name = url.rsplit("/", 2)
    assert len(token) >= 22, "128 bits at least"
    for wrong in (f"{base}/{'A' * len(token)}/{name}", f"{base}/{token}/2.png", f"{base}/{token}/..%2f{name}"):
        assert httpx.get(wrong, trust_env=False).status_code == 404


def test_results_expire(server_with: ServerFactory) -> None:
    """After the retention the URL answers 410 with an envelope, and the query still lists it (decision 37)."""
    with server_with(AQUATINT_ASSETS__RETENTION="1500ms").client() as client:
        task = client.run()
        uploaded = client.upload(picture()).json()["data"]
        url = task["result"]["urls"][0]
        assert client.get(url).status_code == 200
        time.sleep(1.7)
        assert "expired" in refusal(client.get(url), 410)
        assert "expired" in refusal(client.get(uploaded["url"]), 410)
        assert client.query(task["taskId"]) == task
        late = client.run(imageUrls=[uploaded["url"]])
    assert (late["status"], late["failure_reason"]) == ("FAILURE", "INVALID_PARAMETERS")
    assert late["failure_message"].startswith("input.imageUrls[0]: ")


def test_default_retention_is_seven_days(client: Client) -> None:
    """`expires_at` lies seven days after the generation (section 2)."""
    task = client.run()
    assert task["expires_at"][:10] > task["updated_at"][:10]
    day = 24 * 3600
    assert abs(_seconds(task["expires_at"]) - _seconds(task["updated_at"]) - 7 * day) < 1


def _seconds(text: str) -> float:
    return time.mktime(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize(("ratio", "pixels"), [("21:9", (1512, 648)), ("3:4", (864, 1152))])
def test_studio_paints_exactly_the_pixels(studio: Client, ratio: str, pixels: tuple[int, int]) -> None:
    """The file itself has exactly the table's pixels, and the additive fields say the same."""
    task = studio.run(prompt="a mountain lake at dusk", ratio=ratio, resolution="1k", seed=5)
    assert task["status"] == "SUCCESS", task
    data = studio.get(task["result"]["urls"][0]).content
    assert opened(data).size == pixels
    assert (task["images"][0]["width"], task["images"][0]["height"]) == pixels
    assert task["images"][0]["bytes"] == len(data)
    assert task["images"][0]["seed"] == 5
    assert task["engine"].startswith("studio/")


def test_studio_follows_the_reference(studio: Client, receiver: ThreadedReceiver) -> None:
    """Image-to-image without a ratio takes the nearest one to its first reference (decision 16)."""
    receiver.answer_with(lambda _: Answer(body=picture(300, 200, "JPEG")))
    task = studio.run(
        prompt="Transform to watercolor style",
        imageUrls=[receiver.url, data_url(picture(100, 300))],
        resolution="1k",
        n=2,
    )
    assert task["status"] == "SUCCESS", task
    assert [(image["width"], image["height"]) for image in task["images"]] == [(1248, 832)] * 2
    files = [studio.get(url).content for url in task["result"]["urls"]]
    assert [opened(data).size for data in files] == [(1248, 832)] * 2
    assert files[0] != files[1], "n images are n different images"
    assert "content-type" not in receiver.letters[0].headers or receiver.letters[0].method == "GET"


def test_studio_is_deterministic(studio: Client) -> None:
    """The same input and seed give the same bytes; the format is the one asked for."""
    fields = {"prompt": "ink drawing", "imageUrls": [data_url(picture())], "ratio": "16:9", "resolution": "1k"}
    tasks = [studio.run(**fields, seed=11, output_format="jpeg") for _ in range(2)]
    files = [studio.get(task["result"]["urls"][0]) for task in tasks]
    assert files[0].content == files[1].content
    assert files[0].headers["content-type"] == "image/jpeg"
    assert tasks[0]["result"]["urls"][0].endswith(".jpg")
    assert opened(files[0].content).format == "JPEG"
