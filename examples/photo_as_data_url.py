"""Send a photo inside the request, as a data URL: no upload, and no web server that holds it.

Usage: AQUATINT_KEY=... python examples/photo_as_data_url.py examples/photos/raccoon.jpg "as an oil painting" oil.png
"""

import base64
import mimetypes
import sys
import urllib.request
from pathlib import Path

from submit_and_poll import call, wait


def main() -> None:
    photo, prompt, file = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    media_type = mimetypes.guess_type(photo.name)[0] or "image/jpeg"
    data_url = f"data:{media_type};base64,{base64.b64encode(photo.read_bytes()).decode()}"
    # Without a ratio, the picture takes the listed ratio that is nearest to the photo's own.
    fields = {"prompt": prompt, "imageUrls": [data_url], "resolution": "1k"}
    task = wait(call("/api/v1/task/submit", {"model": "seedream-4", "input": fields})["taskId"])
    if task["status"] != "SUCCESS":
        sys.exit(f"{task['status']}: {task['failure_reason']} {task['failure_message']}")
    # What was sent comes back in `input`, with the photo's bytes replaced by a short marker.
    print(task["input"]["imageUrls"][0], file=sys.stderr)
    with urllib.request.urlopen(task["result"]["urls"][0], timeout=30) as picture:
        file.write_bytes(picture.read())
    print(file)


if __name__ == "__main__":
    main()
