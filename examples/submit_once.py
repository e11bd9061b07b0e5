"""Submit safely over a bad connection: repeat the same request with the same Idempotency-Key until it is answered.

Usage: AQUATINT_KEY=... python examples/submit_once.py order-4711
"""

import json
import sys
import time
import urllib.error
import urllib.request

from submit_and_poll import KEY, SERVER


def submit_once(body: dict, idempotency_key: str, tries: int = 5) -> tuple[str, bool]:
    """The task's id, and whether an earlier try had already made it. However often it is tried: one task."""
    request = urllib.request.Request(
        f"{SERVER}/api/v1/task/submit",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {KEY}",
            "Content-Type": "application/json",
            "Idempotency-Key": idempotency_key,
        },
    )
    for attempt in range(tries):
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                replayed = response.headers.get("Idempotency-Replayed") == "true"
                return json.load(response)["data"]["taskId"], replayed
        except urllib.error.HTTPError as error:
            # 409 means the key was used for another body: an error of ours. 429 and 5xx pass.
            if error.code != 429 and error.code < 500:
                raise
            wait = float(error.headers.get("Retry-After", 2**attempt))
        except (urllib.error.URLError, TimeoutError):
            wait = 2**attempt  # nobody knows whether it arrived; the key makes it safe to ask again
        time.sleep(wait)
    raise SystemExit("the server does not answer")


def main() -> None:
    body = {"model": "seedream-4.5", "input": {"prompt": "a lantern in the snow", "resolution": "1k"}}
    first, _ = submit_once(body, sys.argv[1])
    second, replayed = submit_once(body, sys.argv[1])
    print(first)
    print(second, "replayed" if replayed else "new")


if __name__ == "__main__":
    main()
