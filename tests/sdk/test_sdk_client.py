"""The clients against a real server: images in and out, lists, callbacks, errors; blocking and on a loop."""

from __future__ import annotations

import asyncio
import inspect
import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import aquatint_client
from aquatint_client import (
    Aquatint,
    AsyncAquatint,
    BadAnswer,
    BadImage,
    Conflict,
    Forbidden,
    InvalidInput,
    Misuse,
    NotFound,
    NotInStrictMode,
    OutOfPoints,
    Progress,
    Unauthorized,
    UnknownModel,
    WaitTimedOut,
)
from support.keys import make_key
from support.receiver import ThreadedReceiver
from support.scripted import Say, Seen, answer, ok, refused, scripted
from support.sdk import SECRET, impatient
from support.server import FAST, KEY, Server

PHOTO = Path(__file__).parents[2] / "examples" / "photos" / "castle.jpg"
ID = "01a202de-8022-7713-a87e-ac3173bc173c"


def picture(size: tuple[int, int] = (64, 48)) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert("RGB")


def encoded() -> bytes:
    buffer = io.BytesIO()
    picture().save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Aquatint:
    """A client of a server that paints."""
    with (
        Server(tmp_path_factory.mktemp("sdk-studio"), dict(FAST)) as server,
        Aquatint(server.base_url, KEY) as client,
    ):
        yield client  # type: ignore[misc]  # a generator fixture


def test_a_photo_becomes_a_painting(studio: Aquatint, tmp_path: Path) -> None:
    """Path, bytes, a picture of Pillow and a URL, all in one task; the painting has the size that was announced."""
    url = studio.upload(PHOTO).url
    steps: list[Progress] = []
    result = studio.generate(
        "oil painting",
        [PHOTO, encoded(), picture(), url],
        ratio="3:2",
        resolution="1k",
        seed=7,
        output_format="webp",
        timeout=90,
        on_progress=steps.append,
    )
    (image,) = result.images
    (path,) = result.save(tmp_path / "out")
    assert path.name.startswith("oil-painting-")
    assert path.suffix == ".webp"
    with Image.open(path) as painted:
        assert painted.size == (image.width, image.height)
    assert image.bytes() == path.read_bytes()
    assert image.info.seed == 7
    assert [step.fraction for step in steps if step.fraction] == sorted(s.fraction for s in steps if s.fraction)
    assert len(result.task.input["imageUrls"]) == 4  # type: ignore[arg-type]


def test_images_within_the_submit(plain_server: Server) -> None:
    """`local_images="inline"` works in strict mode too, where the server takes data URLs."""
    for strict in (True, False):
        with Aquatint(plain_server.base_url, KEY, strict=strict, local_images="inline") as client:
            task = client.generate("inline", encoded(), timeout=20).task
            assert str(task.input["imageUrls"][0]).startswith("data:image/jpeg;base64,…(")  # type: ignore[index]


def test_strict_mode_says_what_to_do_with_a_file(plain_server: Server) -> None:
    with Aquatint(plain_server.base_url, KEY, strict=True) as client:
        with pytest.raises(NotInStrictMode, match=r"URL only.*local_images='inline'"):
            client.submit("x", PHOTO)
        with pytest.raises(NotInStrictMode):
            client.upload(PHOTO)
        assert client.submit("x", "https://example.com/a.jpg").task_id


@pytest.mark.parametrize("image", ["no/such/file.jpg", b"", b"no picture at all", Path(__file__), 3])
def test_what_is_no_image_is_refused_here(aquatint: Aquatint, image: object) -> None:
    with pytest.raises(BadImage):
        aquatint.submit("x", [image])  # type: ignore[list-item]


def test_a_server_without_uploads_says_so() -> None:
    with (
        scripted(lambda seen, _: refused(404, "there is nothing at this path")) as server,
        impatient(server.origin) as client,
        pytest.raises(NotInStrictMode, match="strict=True"),
    ):
        client.submit("x", encoded())


def test_everything_that_a_submit_can_say_arrives(aquatint: Aquatint) -> None:
    submitted = aquatint.submit(
        "all of it", model="seedream-4", ratio="16:9", resolution="1k", n=2, seed=5, user_id="u-1", fallback=False
    )
    task = aquatint.wait(submitted, timeout=20).task
    assert task.input == {
        "model": "seedream-4",
        "prompt": "all of it",
        "ratio": "16:9",
        "resolution": "1k",
        "n": 2,
        "seed": 5,
        "fallback": False,
    }
    assert len(task.images) == 2
    assert [one.id for one in aquatint.list(user_id="u-1")] == [task.id]


def test_task_fields_stand_beside_the_input(aquatint: Aquatint) -> None:
    task_id = aquatint.submit("batch", task_fields={"class": "batch", "finishBy": 3600}).task_id
    assert aquatint.wait(task_id, timeout=20).task.input == {"model": "seedream-4.5", "prompt": "batch"}
    with pytest.raises(InvalidInput, match="class"):
        aquatint.submit("batch", task_fields={"class": "whenever"})
    with pytest.raises(Misuse, match="input"):
        aquatint.submit("batch", task_fields={"input": {}})


def test_lists_go_from_page_to_page(plain_server: Server) -> None:
    """As many requests as are needed, and no more than are taken."""
    _, secret = make_key(plain_server, "lists")
    with Aquatint(plain_server.base_url, secret) as client:
        made = [client.submit(f"page {number}").task_id for number in range(5)]
        assert [task.id for task in client.list(page_size=2)] == made[::-1]
        assert [task.id for task in client.list(page_size=2, status="CANCELLED")] == []
        first = next(client.list(page_size=2))
        assert first.id == made[-1]
        assert first.created_at is not None
        assert [t.id for t in client.list(created_after=first.created_at)] == [first.id]
        client.wait(first)


def test_models_and_account(aquatint: Aquatint) -> None:
    models = {model.name: model for model in aquatint.models()}
    assert models["seedream-4.5"].sizes["2k"]["1:1"] == (2048, 2048)
    assert models["seedream-4.5"].parameters["type"] == "object"
    assert aquatint.account().points is None


def test_callbacks_are_logged_sent_again_and_verified(plain_server: Server) -> None:
    with ThreadedReceiver() as receiver, Aquatint(plain_server.base_url, KEY) as client:
        task = client.generate("told", callback_url=receiver.url, timeout=20).task
        (letter,) = receiver.wait_for(1)
        hook = aquatint_client.verify_webhook(letter.headers, letter.body, SECRET)
        assert hook.task == client.get(task.id)
        assert hook.raw["msg"] == "ok"
        client.redeliver(task)
        again = receiver.wait_for(2)[1]
        assert aquatint_client.verify_webhook(again.headers, again.body, SECRET).id == hook.id
        (delivery,) = client.deliveries(task)
        assert delivery.url == receiver.url
        assert delivery.attempts[0].status == 200


def test_cancel_is_quiet_about_its_own_repeat(aquatint: Aquatint) -> None:
    """A task that has ended cannot be cancelled; one whose cancel was repeated after a lost answer can."""
    ended = aquatint.generate("cancel me late", timeout=20).task
    with pytest.raises(Conflict):
        aquatint.cancel(ended)

    def script(seen: Seen, before: int) -> Say:
        if seen.path.endswith("/cancel"):
            return Say(()) if before == 0 else refused(409, "the task has ended")
        return ok({"taskId": ID, "status": "CANCELLED", "input": {}, "result": None})

    with scripted(script) as server, impatient(server.origin) as client:
        assert client.cancel(ID).status == "CANCELLED"


def test_errors_are_classes(plain_server: Server, aquatint: Aquatint) -> None:
    """By status, with the server's words and the id of the request."""
    with pytest.raises(UnknownModel) as unknown:
        aquatint.submit("x", model="seedream-9")
    assert unknown.value.code == 400
    assert unknown.value.request_id
    with pytest.raises(InvalidInput, match=r"input\.ratio"):
        aquatint.submit("x", ratio="5:1")
    with pytest.raises(NotFound):
        aquatint.get(ID)
    with Aquatint(plain_server.base_url, "wrong") as stranger, pytest.raises(Unauthorized):
        stranger.account()
    _, poor = make_key(plain_server, "poor", points=0)
    with Aquatint(plain_server.base_url, poor) as client, pytest.raises(OutOfPoints):
        client.submit("x")
    _, narrow = make_key(plain_server, "narrow", models=("seedream-4",))
    with Aquatint(plain_server.base_url, narrow) as client, pytest.raises(Forbidden):
        client.submit("x")
    assert isinstance(unknown.value, aquatint_client.AquatintError)


def test_moderation_names_its_categories() -> None:
    data = {"flagged": True, "categories": {"violence": True, "hate": False}}
    said = answer(400, {"code": 400, "msg": "content rejected by moderation", "data": data})
    with scripted(lambda seen, _: said) as server, impatient(server.origin) as client:
        with pytest.raises(aquatint_client.ContentRejected) as caught:
            client.submit("x")
        assert caught.value.categories == ("violence",)


def test_pages_of_html_are_named_as_what_they_are() -> None:
    page = answer(200, b"<html><style>b{}</style><b>Sign in</b> to the hotel</html>", kind="text/html")
    with (
        scripted(lambda seen, _: page) as server,
        impatient(server.origin) as client,
        pytest.raises(BadAnswer, match="Sign in to the hotel"),
    ):
        client.get(ID)


def test_questions_are_repeated_until_they_are_answered() -> None:
    def script(seen: Seen, before: int) -> Say:
        hurdles = [Say(()), answer(502, b"x", kind="text/html"), refused(503, "later", Retry_After="0")]
        return hurdles[before] if before < 3 else ok({"taskId": ID, "status": "PENDING", "input": {}})

    with scripted(script) as server, impatient(server.origin) as client:
        assert client.get(ID).status == "PENDING"
        assert len(server.seen) == 4


@pytest.mark.parametrize("task_id", ["", "..", "../account", "a/b", "a?b", "a\nb", "x" * 300])
def test_ids_cannot_lead_elsewhere(aquatint: Aquatint, task_id: str) -> None:
    with pytest.raises(Misuse):
        aquatint.get(task_id)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        (None, "k"),
        ("http://x", None),
        ("ftp://x", "k"),
        ("http://u:p@x", "k"),
        ("x", "k"),
        ("http://[", "k"),
        ("http://x", "k\r\nX: y"),
        ("http://x", "schlüssel"),
    ],
)
def test_bad_addresses_and_keys(url: str | None, key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AQUATINT_URL", "AQUATINT_API_KEY", "AQUATINT_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Misuse) as caught:
        Aquatint(url, key)
    assert "u:p" not in str(caught.value)


def test_address_and_key_of_the_environment(plain_server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AQUATINT_URL", f"{plain_server.base_url}/api/v1/")
    monkeypatch.setenv("AQUATINT_API_KEY", KEY)
    with Aquatint() as client:
        assert client.account().name
        assert KEY not in repr(client)


async def test_the_same_on_a_loop(plain_server: Server, tmp_path: Path) -> None:
    """Many at once, with a coroutine for the progress; files, lists and events too."""
    seen: list[str] = []

    async def note(step: Progress) -> None:
        await asyncio.sleep(0)
        seen.append(step.task_id)

    async with AsyncAquatint(plain_server.base_url, KEY) as client:
        results = await asyncio.gather(
            *(client.generate(f"many {n}", encoded(), n=2, timeout=30, on_progress=note) for n in range(4))
        )
        assert {result.task.id for result in results} == set(seen)
        paths = await results[0].save(tmp_path)
        assert len(paths) == len(set(paths)) == 2
        assert await results[0].images[1].bytes() == paths[1].read_bytes()
        listed = [task.id async for task in client.list(page_size=2)]
        assert {result.task.id for result in results} <= set(listed)
        names = [event.name async for event in client.events(results[0].task)]
        assert names[0] == "task.submitted"
        assert names[-1] == "done"
        with pytest.raises(BadImage):
            await client.upload("no/such/file")
        with pytest.raises(NotFound):
            await client.get(ID)


async def test_a_wait_that_is_cancelled_lets_go(plain_server: Server) -> None:
    """The stream is closed and the client goes on to work."""
    async with AsyncAquatint(plain_server.base_url, KEY) as client:
        submitted = await client.submit("left alone")
        waiting = asyncio.create_task(client.wait(submitted))
        await asyncio.sleep(0.1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        with pytest.raises(WaitTimedOut):
            await client.wait(submitted, timeout=0.0)
        assert (await client.wait(submitted, timeout=20)).task.succeeded


@pytest.mark.parametrize(
    ("blocking", "looping"),
    [
        (aquatint_client.Aquatint, aquatint_client.AsyncAquatint),
        (aquatint_client.Result, aquatint_client.AsyncResult),
        (aquatint_client.ResultImage, aquatint_client.AsyncResultImage),
    ],
)
def test_both_clients_can_do_the_same(blocking: type, looping: type) -> None:
    """The same methods with the same parameters; and every one that talks to the server is awaited or iterated."""

    def shape(kind: type) -> dict[str, list[str]]:
        members = inspect.getmembers(kind, inspect.isfunction)
        return {n: list(inspect.signature(m).parameters) for n, m in members if not n.startswith("_")}

    assert shape(blocking) == shape(looping)
    for name, member in inspect.getmembers(looping, inspect.isfunction):
        if not name.startswith("_"):
            assert inspect.iscoroutinefunction(member) or name in ("list", "events", "result"), name


def test_it_needs_nothing_but_httpx() -> None:
    """Whatever it imports is the standard library's, httpx's, or its own."""
    code = (
        "import sys; sys.modules['PIL'] = None; sys.modules['aquatint'] = None; import httpx; "
        "before = set(sys.modules); import aquatint_client; "
        "print(*{n.partition('.')[0] for n in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["aquatint_client"]
