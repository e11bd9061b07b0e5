"""The playground: write a prompt, watch it being painted, go on from there."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from aquatint.web import forms
from aquatint.web.desk import Json, Refused
from aquatint.web.shown import Run, run_of
from aquatint.web.snippets import snippets
from aquatint.web.visit import Visit

FIRST = "seedream-4.5"  # what the picker shows when nothing else is asked for
RECENT = 4
ASK_NO_MORE = 286  # the status that ends an element's polling in htmx
EXAMPLES = (
    "A lighthouse on a cliff at dusk, etching",
    "Cyberpunk Tokyo street in the rain",
    "Misty mountain lake at sunrise, watercolor",
    "A bouquet of poppies and cornflowers, oil painting",
)


@dataclass(frozen=True, slots=True)
class PlaygroundPages:
    base: str  # the server as callers reach it, for the snippets

    async def show(self, visit: Visit) -> Response:
        """The page; `task` fills the form as that task's, `use` is a picture to start from."""
        models = await _models(visit)
        filled = dict(visit.filled)
        if task_id := visit.asked("task"):
            filled = forms.filled_of(
                run_of(await visit.desk.get(f"/api/v1/task/{_id(task_id)}"), visit.addresses).input
            )
        if pictures := [url for url in visit.filled.get("use", ()) if visit.addresses.ours(url)]:
            filled = {**filled, "imageUrls": pictures}
        model = _chosen(models, forms.one(filled, "model"))
        page = await visit.desk.get("/api/v1/tasks", {"limit": RECENT})
        runs = [run_of(task, visit.addresses) for task in page["tasks"]]
        return visit.page(
            "playground.html",
            models=models,
            model=model,
            fields=forms.fields_of(model, filled),
            filled=filled,
            runs=runs,
            wall=True,
            examples=EXAMPLES,
        )

    async def parameters(self, visit: Visit) -> Response:
        """The fields of another model, with what they share filled in."""
        model = _chosen(await _models(visit), visit.asked("model"))
        return visit.page("_fields.html", model=model, fields=forms.fields_of(model, visit.filled))

    async def code(self, visit: Visit) -> Response:
        model = _chosen(await _models(visit), visit.asked("model"))
        return visit.page("_code.html", snippets=snippets(self.base, forms.request_of(model, visit.filled)))

    async def submit(self, visit: Visit) -> Response:
        model = _chosen(await _models(visit), visit.asked("model"))
        answer = await visit.desk.post("/api/v1/task/submit", forms.request_of(model, visit.filled))
        if not visit.by_htmx:
            return visit.go(f"/tasks/{answer['taskId']}")
        return visit.page("_run.html", run=await find(visit, answer["taskId"]), fresh=True, wall=True)

    async def card(self, visit: Visit) -> Response:
        """What changes of a task while it is watched; the last one tells htmx to ask no more."""
        run = await find(visit, visit.request.path_params["taskId"])
        return visit.page("_live.html", ASK_NO_MORE if run.over else 200, run=run, wall=visit.asked("at") == "wall")


async def find(visit: Visit, task_id: str) -> Run:
    """Raises Refused."""
    return run_of(await visit.desk.get(f"/api/v1/task/{_id(task_id)}"), visit.addresses)


def _id(text: str) -> str:
    """What may stand in a path for a task's id. Raises Refused."""
    if not (0 < len(text) <= 64 and text.isascii() and text.replace("-", "").isalnum()):
        raise Refused(404, "task not found")
    return text


async def _models(visit: Visit) -> list[Json]:
    models: list[Json] = (await visit.desk.get("/api/v1/models"))["models"]
    if not models:
        raise Refused(403, "this key may not use any model")
    return models


def _chosen(models: list[Json], name: str) -> Json:
    by_name = {model["name"]: model for model in models}
    return by_name.get(name) or by_name.get(FIRST) or models[0]
