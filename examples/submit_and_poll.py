"""Submit a prompt, wait for the picture, save it. Needs nothing but Python.

Usage: AQUATINT_KEY=... python examples/submit_and_poll.py "a lighthouse at dusk" lighthouse.png
"""

import json
import os
import sys
import time
import urllib.request
from pathlib import Path

SERVER = os.environ.get("AQUATINT_URL", "http://127.0.0.1:8000")
KEY = os.environ["AQUATINT_KEY"]
ENDED = ("SUCCESS", "FAILURE", "TIMEOUT", "CANCELLED")


def call(path: str, body: dict | None = None) -> dict:
    """Call the API and answer what lies in the envelope."""
    request = urllib.request.Request(
        SERVER + path,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        return json.load(response)["data"]


def wait(task_id: str) -> dict:
    """Ask until the task has ended; a little less often each time."""
    pause = 0.5
    while True:
        task = call(f"/api/v1/task/{task_id}")
        print(f"{task['status']:<10} {task['progress']:4.0%}", file=sys.stderr)
        if task["status"] in ENDED:
            return task
        time.sleep(pause)
        pause = min(pause * 1.3, 5.0)


def main() -> None:
    prompt, file = sys.argv[1], Path(sys.argv[2])
    submitted = call(
        "/api/v1/task/submit",
        {"model": "seedream-4.5", "input": {"prompt": prompt, "ratio": "16:9", "resolution": "1k"}},
    )
    task = wait(submitted["taskId"])
    if task["status"] != "SUCCESS":
        sys.exit(f"{task['status']}: {task['failure_reason']} {task['failure_message']}")
    with urllib.request.urlopen(task["result"]["urls"][0], timeout=30) as picture:
        file.write_bytes(picture.read())
    print(file)


if __name__ == "__main__":
    main()
