"""Submit a prompt, follow its events through broken connections, save the picture. Needs nothing but Python.

Usage: AQUATINT_KEY=... python examples/follow.py "a lighthouse at dusk" lighthouse.png
"""

import json
import os
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

SERVER = os.environ.get("AQUATINT_URL", "http://127.0.0.1:8000")
KEY = os.environ["AQUATINT_KEY"]


def open_url(path: str, body: dict | None = None, **headers: str):
    """An open answer of the API; a stream that is silent for 40 seconds is dead."""
    headers |= {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    data = json.dumps(body).encode() if body is not None else None
    return urllib.request.urlopen(urllib.request.Request(SERVER + path, data, headers), timeout=40)


def events(path: str) -> Iterator[tuple[str, dict]]:
    """Name and data of each event; goes on after the last one when the connection breaks."""
    last = "0"
    while True:
        try:
            with open_url(path, **{"Last-Event-ID": last}) as stream:
                event: dict[str, str] = {}
                for line in stream:
                    field, _, value = line.decode().rstrip("\n").partition(": ")
                    if field:
                        event[field] = value
                    elif "data" in event:
                        last = event.get("id", last)
                        yield event["event"], json.loads(event["data"])
                        event = {}
        except urllib.error.HTTPError:
            raise
        except OSError as error:
            print(f"the connection broke: {error}", file=sys.stderr)
        time.sleep(1)


def main() -> None:
    prompt, file = sys.argv[1], Path(sys.argv[2])
    wanted = {"model": "seedream-4.5", "input": {"prompt": prompt, "ratio": "16:9", "resolution": "1k"}}
    with open_url("/api/v1/task/submit", wanted) as answer:
        task_id = json.load(answer)["data"]["taskId"]
    for name, data in events(f"/api/v1/task/{task_id}/events"):
        if name == "progress":
            print(f"{data['status']:<10} {data['progress']:4.0%}", file=sys.stderr)
        elif name != "done":
            print(f"{data['at']} {name} {data['detail']}", file=sys.stderr)
        else:
            break
    if data["status"] != "SUCCESS":
        sys.exit(f"{data['status']}: {data['failure_reason']} {data['failure_message']}")
    with urllib.request.urlopen(data["result"]["urls"][0], timeout=30) as picture:
        file.write_bytes(picture.read())
    print(file)


if __name__ == "__main__":
    main()
