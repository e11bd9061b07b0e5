"""Start a large task and cancel it: it ends at once, and the engine stops.

Usage: AQUATINT_KEY=... python examples/cancel.py
"""

import time
import urllib.error

from submit_and_poll import call


def main() -> None:
    fields = {"prompt": "a mountain lake at dawn", "ratio": "16:9", "resolution": "4k", "n": 4}
    task_id = call("/api/v1/task/submit", {"model": "seedream-4.5", "input": fields})["taskId"]
    while call(f"/api/v1/task/{task_id}")["status"] in ("PENDING", "PROCESSING"):
        time.sleep(0.1)
    print(call(f"/api/v1/task/{task_id}/cancel", {})["status"])
    # Cancelling twice changes nothing; a task that ended in another way answers 409.
    print(call(f"/api/v1/task/{task_id}/cancel", {})["status"])
    try:
        call("/api/v1/task/00000000-0000-0000-0000-000000000000/cancel", {})
    except urllib.error.HTTPError as error:
        print(error.code)  # 404: there is no such task


if __name__ == "__main__":
    main()
