"""Files: upload, use, refuse (decision 31, the intake rules of decision 21)."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from aquatint.testing.receiver import Answer
from support.client import Client, data_of, refusal
from support.keys import make_key
from support.pictures import data_url, opened, photo_with_gps, picture, png_bomb
from support.receiver import ThreadedReceiver
from support.server import FAST, NULL_ENGINE, Server


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
def test_upload_and_use(client: Client, form: str) -> None:
    """Each accepted format gets a URL that works as an item of imageUrls and can be fetched by anybody."""
    file = data_of(client.upload(picture(320, 200, form), "anything.bin"))
    assert list(file) == ["url", "media_type", "width", "height", "bytes", "expires_at"]
    assert (file["width"], file["height"]) == (320, 200)
    response = client.http.get(file["url"], headers={"authorization": ""})
    assert response.headers["content-type"] == file["media_type"]
    assert len(response.content) == file["bytes"]
    assert opened(response.content).size == (320, 200)
    task = client.run(imageUrls=[file["url"], {"url": file["url"]}])
    assert task["status"] == "SUCCESS"
    assert task["input"]["imageUrls"][0] == file["url"]


def test_metadata_is_removed_and_orientation_applied(client: Client) -> None:
    """Where and with what a photo was taken does not leave the server; it stands upright afterwards."""
    photo = photo_with_gps(320, 200)
    assert Image.open(io.BytesIO(photo)).getexif().get_ifd(0x8825), "the photo to test with has a place"
    file = data_of(client.upload(photo))
    assert (file["width"], file["height"]) == (200, 320)
    kept = client.get(file["url"]).content
    assert not dict(Image.open(io.BytesIO(kept)).getexif())
    assert b"Camera Maker" not in kept
    assert b"Exif" not in kept


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"hello", "a text"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
        (b"<!doctype html><title>x</title>", "a page"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04" + bytes(100), "zip"),
        (picture()[:700], "truncated"),
        (picture(form="JPEG")[:900], "truncated JPEG"),
        (picture(form="TIFF"), "TIFF is off by default"),
        (png_bomb(), "bomb"),
        (picture(14, 14), "too small"),
        (picture(1700, 100), "too long"),
    ],
)
def test_what_is_refused(client: Client, data: bytes, why: str) -> None:
    """What is no acceptable picture is 400 about `file`, quickly and without harm to the server."""
    message = refusal(client.upload(data), 400)
    assert message.startswith("file: "), why
    assert client.get("/healthz").text == "ok"


def test_form_mistakes(client: Client) -> None:
    """A wrong field, no form, a broken form: 400 in the envelope."""
    path = "/api/v1/files"
    multipart = {"content-type": "multipart/form-data; boundary=B"}
    assert refusal(client.upload(picture(), field="image"), 400) == "file: is required"
    refusal(client.post(path, json={"file": "x"}), 400)
    refusal(client.post(path, content=b"--B\r\nnonsense", headers=multipart), 400)
    refusal(client.post(path, content=b"", headers=multipart), 400)
    refusal(client.post(path, content=b"x", headers={"content-type": "multipart/form-data"}), 400)
    refusal(client.post(path, data={"file": "a text"}, files={"other": b"x"}), 400)
    refusal(client.post(path, files=[("file", b"x"), ("file", picture())]), 400)
    many = [("field", (None, b"x"))] * 50
    refusal(client.post(path, files=[*many, ("file", ("a.png", picture()))]), 400)


def test_too_large(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A file over the limit is 413, declared or not; a reference over it is INVALID_PARAMETERS (decision 21)."""
    env = {**NULL_ENGINE, **FAST, "AQUATINT_LIMITS__UPLOAD": "100KB"}
    noise = Image.effect_noise((500, 500), 100)
    file = io.BytesIO()
    noise.save(file, "PNG")
    with Server(tmp_path_factory.mktemp("small-uploads"), env) as server, server.client() as client:
        assert len(file.getvalue()) > 200_000
        refusal(client.upload(file.getvalue()), 413)
        refusal(client.upload(bytes(100_001)), 413)
        assert client.upload(picture()).status_code == 200
        assert refusal(client.try_submit(_with(data_url(file.getvalue()))), 400).startswith("input.imageUrls[0]: ")
        with ThreadedReceiver(lambda _: Answer(body=file.getvalue())) as receiver:
            task = client.run(imageUrls=[receiver.url])
        assert (task["status"], task["failure_reason"]) == ("FAILURE", "INVALID_PARAMETERS")


def _with(url: str) -> dict[str, object]:
    return {"model": "seedream-4", "input": {"prompt": "x", "imageUrls": [url]}}


def test_file_of_another_key_works_by_its_url(null_server: Server, client: Client) -> None:
    """The URL is the permission: whoever has it may use it, nobody can guess it (decision 37)."""
    url = data_of(client.upload(picture()))["url"]
    _, secret = make_key(null_server)
    with null_server.client(secret) as other:
        assert other.run(imageUrls=[url])["status"] == "SUCCESS"
        guess = url.replace(url.split("/")[-2], "A" * 22)
        task = other.run(imageUrls=[guess])
    assert (task["status"], task["failure_reason"]) == ("FAILURE", "INVALID_PARAMETERS")


def test_result_is_a_reference(client: Client) -> None:
    """A result's own URL can be the next task's reference without going over HTTP."""
    uploaded = data_of(client.upload(picture()))["url"]
    assert client.run(imageUrls=[uploaded])["status"] == "SUCCESS"


def test_data_urls_are_references(client: Client) -> None:
    """A data URL is checked like any other reference: a picture works, rubbish is INVALID_PARAMETERS."""
    good = client.run(imageUrls=[data_url(picture()), data_url(picture(form="JPEG"), "image/x-wrong-type")])
    assert good["status"] == "SUCCESS"
    bad = client.run(imageUrls=[data_url(picture()), data_url(b"rubbish")])
    assert (bad["status"], bad["failure_reason"]) == ("FAILURE", "INVALID_PARAMETERS")
    assert bad["failure_message"].startswith("input.imageUrls[1]: ")
