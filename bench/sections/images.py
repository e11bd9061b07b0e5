"""Pictures by OpenAI's synchronous call: Aquatint's own face for it beside LiteLLM's proxy.

Both send every call to the same simulated provider, a process of its own on the same cores, which answers at once
with a picture that it remembers. How fast it is alone is measured beside them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bench import measures
from bench.messages import IMAGE_API, SECRET, Api
from bench.provider import simulated
from bench.stacks import LiteLLM, openai_of
from bench.stage import Stage
from bench.subjects import SQLITE, Aquatint, Site, Subject

PLENTY = "1000000"  # calls that the provider allows: its limits are not to be what is measured
ALONE, NULL = "the provider alone", f"{SQLITE}, null engine"
CONNECTIONS = (1, 16, 64)


@dataclass(frozen=True)
class Buying(Aquatint):
    """Aquatint whose pictures are bought from the simulated provider."""

    provider: int = 0  # its port
    api: Api = IMAGE_API

    def _env(self) -> dict[str, str]:
        return {
            **super()._env(),
            "AQUATINT_ENGINES__ROUTE_ALL_TO": "",
            "AQUATINT_OPENAI__API_KEY": SECRET,
            "AQUATINT_OPENAI__BASE_URL": openai_of(self.provider),
            "AQUATINT_OPENAI__IN_FLIGHT": PLENTY,
            "AQUATINT_OPENAI__REQUESTS_PER_MINUTE": PLENTY,
            "AQUATINT_OPENAI__IMAGES_PER_MINUTE": PLENTY,
        }


class Alone(Subject):
    """The provider itself, with nobody in front of it."""

    name = ALONE
    api = replace(IMAGE_API, submit_path=f"/openai{IMAGE_API.submit_path}")


async def run(stage: Stage, index: int) -> None:
    plan, generator = stage.plan, stage.generator

    async def calls(_: int, site: Site) -> None:
        name = site.subject.name
        stage.say(index, name, "images idle", await measures.idle(site, plan.settle, plan.idle / 2))
        for connections in CONNECTIONS:
            values = await measures.submits(generator, site, connections, plan.apart)
            stage.say(index, name, f"images {connections}", values)

    async with simulated(stage.folder()) as provider:
        await calls(index, Site(Alone(), stage.folder(), (provider.port,), [provider.proc]))
        await stage.on(index, Buying(provider=provider.port), calls, whole=False)
        if stage.litellm is not None:
            await stage.on(index, LiteLLM(stage.litellm, provider.port), calls, whole=False)
    await stage.on(index, Aquatint(name=NULL, api=IMAGE_API), calls, whole=False)
