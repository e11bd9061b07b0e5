"""One call's answer as it comes together: for every image that was asked for the image, or why it is not there.

Only delivered images are billed, so an error in Ark's own words costs nothing. What was sent and of which nothing was
heard may have been billed.
"""

from __future__ import annotations

from typing import Any

from aquatint.domain.errors import ContentRefused, EngineError, InputRefused
from aquatint.engines import words
from aquatint.engines.modelark.errors import Said, excerpt, parsed, refusal, stops_group
from aquatint.engines.modelark.sse import Events
from aquatint.engines.remote import Call, Done, RemoteImage

_DONE = "[DONE]"
_EVENT = "image_generation."


class Answer:
    """Collects what Ark says of one call, in whichever form and order; `done` draws the sum."""

    def __init__(self, call: Call, seed: int | None = None) -> None:
        self._call = call
        self._seed = seed
        self._places: dict[int, RemoteImage | EngineError] = {}
        self._strays: list[RemoteImage | EngineError] = []  # Ark said nothing, or nonsense, of where they belong
        self._fault: EngineError | None = None  # what Ark says of the call as a whole
        self._generated: int | None = None  # images that Ark counts and bills
        self._loss: EngineError | None = None  # we did not hear the end
        self._garbled = False
        self._heard_all = False
        self.over = False  # nothing more is to come

    @property
    def fraction(self) -> float:
        return min(1.0, (len(self._places) + len(self._strays)) / len(self._call.images))

    def take_body(self, raw: bytes) -> None:
        """The whole of an answer with HTTP 200. Raises Broken: it was a success, and nobody can read it."""
        body = parsed(raw)
        if body is None:
            raise words.broken("", f"HTTP 200 without a JSON object: {excerpt(raw)}", charged=True)
        entries = body.get("data")
        for place, entry in enumerate(entries if isinstance(entries, list) else ()):
            self._take(entry if isinstance(entry, dict) else {}, place)
        self._take_end(body)

    def take_event(self, name: str, data: str) -> None:
        """One event of a stream."""
        if data.strip() == _DONE:
            self.over = True
            return
        event = parsed(data)
        if event is None:
            self._garbled = True
            return
        kind = str(event.get("type") or name).removeprefix(_EVENT)
        said = Said.of(event.get("error"))
        if kind in ("partial_succeeded", "partial_failed"):
            self._take(event, event.get("image_index"), failed=kind == "partial_failed")
            # Images that were on their way may still come: only Ark itself ends the stream.
            if said is not None and stops_group(said):
                self._fault = self._fault or refusal(said, 200)
        elif kind == "completed":
            self._take_end(event)
        elif said is not None:
            self._fault = self._fault or refusal(said, 200)

    def close(self) -> None:
        """The stream is over. When Ark did not say that it was done, the images without a word are in doubt."""
        if not self._heard_all and self._fault is None:
            self.lose(words.unknown("the stream ended before the provider said that it was done"))

    def lose(self, loss: EngineError) -> None:
        """The connection broke."""
        if not self._heard_all:
            self._loss = loss

    def done(self, request_id: str, warnings: tuple[str, ...]) -> Done:
        """The sum of it. Raises the error that matters most when there is not one image."""
        images, refusals = self._settled()
        if images:
            return Done(tuple(images), tuple(refusals), request_id, warnings)
        raise min(refusals, key=_weight)

    def _take(self, entry: dict[str, Any], place: object, *, failed: bool = False) -> None:
        found = self._read(entry, failed)
        if not (isinstance(place, int) and 0 <= place < len(self._call.images)):
            self._strays.append(found)
            return
        known = self._places.get(place)
        if known is None or (isinstance(known, EngineError) and isinstance(found, RemoteImage)):
            self._places[place] = found
        elif isinstance(found, RemoteImage) and found != known:
            self._strays.append(found)

    def _read(self, entry: dict[str, Any], failed: bool) -> RemoteImage | EngineError:
        """The image of one entry; its index is not known yet."""
        url = entry.get("url")
        if isinstance(url, str) and url:
            return RemoteImage(0, url=url, seed=self._seed)
        if entry.get("b64_json"):  # not what we asked for; some resellers know nothing else
            try:
                return RemoteImage(0, data=words.image_bytes(entry["b64_json"]), seed=self._seed)
            except EngineError as error:
                return error
        said = Said.of(entry.get("error"))
        if said is not None:
            return refusal(said, 200)
        return words.broken("", "an image of the answer has neither a URL nor an error", charged=not failed)

    def _take_end(self, body: dict[str, Any]) -> None:
        self._heard_all = self.over = True
        said = Said.of(body.get("error"))
        if said is not None:
            self._fault = self._fault or refusal(said, 200)
        usage = body.get("usage")
        generated = usage.get("generated_images") if isinstance(usage, dict) else None
        if isinstance(generated, int):
            self._generated = generated

    def _settled(self) -> tuple[list[RemoteImage], list[EngineError]]:
        places = self._all_placed()
        found = [(index, places.get(place)) for place, index in enumerate(self._call.images)]
        images = [RemoteImage(index, f.data, f.url, f.seed) for index, f in found if isinstance(f, RemoteImage)]
        refusals = [f for _, f in found if isinstance(f, EngineError)]
        delivered = sum(isinstance(f, RemoteImage) for f in (*self._places.values(), *self._strays))
        return images, refusals + self._missing(len(found) - len(images) - len(refusals), delivered)

    def _all_placed(self) -> dict[int, RemoteImage | EngineError]:
        """The strays where there is room, images before errors; an image was paid and takes an error's place too."""
        places = dict(self._places)
        for stray in sorted(self._strays, key=lambda found: isinstance(found, EngineError)):
            free = [place for place in range(len(self._call.images)) if place not in places]
            if not free and isinstance(stray, RemoteImage):
                free = [place for place, found in places.items() if isinstance(found, EngineError)]
            if free:
                places[free[0]] = stray
        return places

    def _missing(self, count: int, delivered: int) -> list[EngineError]:
        """Why `count` images are neither there nor refused, one by one."""
        if self._loss is not None:
            return [self._loss] * count
        billed = count if self._generated is None and self._garbled else max(0, (self._generated or 0) - delivered)
        lost = words.broken("", "the provider counts more images than its answer holds", charged=True)
        errors: list[EngineError] = [lost] * min(count, billed)
        return errors + [self._absence(delivered)] * (count - len(errors))

    def _absence(self, delivered: int) -> EngineError:
        if self._fault is not None:
            return self._fault
        if delivered:
            return InputRefused(
                "the model made fewer images than it was allowed to: say in the prompt how many there are",
                detail="in a group the model itself decides how many",
            )
        return words.broken("", "a success without an image", charged=self._generated is None)


class StreamReader:
    """Feeds an answer with a stream's bytes. Whether it is a stream at all shows in its first byte."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._events = Events()
        self._head = b""
        self._whole = False  # one JSON object after all

    def feed(self, chunk: bytes) -> None:
        if not self._head.strip() or self._whole:
            self._head += chunk
            self._whole = self._head.lstrip().startswith(b"{")
        if not self._whole:
            self._take(self._events.feed(chunk))

    def end(self) -> None:
        if self._whole:
            self._answer.take_body(self._head)
            return
        self._take(self._events.end())
        self._answer.close()

    def _take(self, events: list[tuple[str, str]]) -> None:
        for name, data in events:
            if not self._answer.over:
                self._answer.take_event(name, data)


def _weight(error: EngineError) -> int:
    """What may have been billed comes first, then what a caller can act on."""
    if error.charged:
        return 0
    return 1 if isinstance(error, ContentRefused | InputRefused) else 2
