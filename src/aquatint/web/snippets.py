"""Snippets: the same request as curl, Python and JavaScript. The key stays out: it is read from the environment."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass

from aquatint.web.desk import Json


@dataclass(frozen=True, slots=True)
class Snippet:
    name: str
    text: str


def snippets(base: str, body: Json) -> list[Snippet]:
    """`base` is the server as callers reach it."""
    return [
        Snippet("curl", curl(base, body)),
        Snippet("Python", python(base, body)),
        Snippet("JavaScript", javascript(base, body)),
    ]


def curl(base: str, body: Json) -> str:
    data = shlex.quote(json.dumps(body, ensure_ascii=False, indent=2))
    return (
        f"curl -sS {shlex.quote(f'{base}/api/v1/task/submit')} \\\n"
        '  -H "Authorization: Bearer $AQUATINT_KEY" \\\n'
        '  -H "Content-Type: application/json" \\\n'
        f"  -d {data}\n"
    )


def python(base: str, body: Json) -> str:
    return f"""\
import os
import time

import httpx  # pip install httpx

http = httpx.Client(
    base_url={base!r},
    headers={{"Authorization": f"Bearer {{os.environ['AQUATINT_KEY']}}"}},
    timeout=60,
)
request = {_indented(body)}
answer = http.post("/api/v1/task/submit", json=request).raise_for_status()
task_id = answer.json()["data"]["taskId"]

while True:
    task = http.get(f"/api/v1/task/{{task_id}}").raise_for_status().json()["data"]
    if task["status"] not in ("PENDING", "PROCESSING", "SUBMITTED"):
        break
    time.sleep(1)

print(task["status"], task["result"] and task["result"]["urls"])
"""


def javascript(base: str, body: Json) -> str:
    return f"""\
const base = {json.dumps(base)};
const headers = {{
  Authorization: `Bearer ${{process.env.AQUATINT_KEY}}`,
  "Content-Type": "application/json",
}};
const request = {json.dumps(body, ensure_ascii=False, indent=2)};

async function call(path, options = {{}}) {{
  const answer = await fetch(base + path, {{ headers, ...options }});
  const {{ code, msg, data }} = await answer.json();
  if (code !== 0) throw new Error(`${{code}}: ${{msg}}`);
  return data;
}}

const {{ taskId }} = await call("/api/v1/task/submit", {{ method: "POST", body: JSON.stringify(request) }});
let task;
do {{
  await new Promise((done) => setTimeout(done, 1000));
  task = await call(`/api/v1/task/${{taskId}}`);
}} while (["PENDING", "PROCESSING", "SUBMITTED"].includes(task.status));

console.log(task.status, task.result?.urls);
"""


def _indented(value: object, level: int = 0) -> str:
    """A JSON value as a Python literal over several lines."""
    pad, inner = "    " * level, "    " * (level + 1)
    match value:
        case dict() if value:
            rows = "".join(f"{inner}{key!r}: {_indented(item, level + 1)},\n" for key, item in value.items())
            return f"{{\n{rows}{pad}}}"
        case list() if value:
            return "[\n" + "".join(f"{inner}{_indented(item, level + 1)},\n" for item in value) + f"{pad}]"
        case _:
            return repr(value)
