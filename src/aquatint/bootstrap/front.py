"""The front of the house: what the API calls."""

from __future__ import annotations

from aquatint.api.app import Routes
from aquatint.api.auth import Authenticator
from aquatint.api.routes.callbacks import CallbackRoutes
from aquatint.api.routes.catalog import CatalogRoutes
from aquatint.api.routes.deliveries import DeliveryRoutes
from aquatint.api.routes.files import FileRoutes
from aquatint.api.routes.operator import OperatorRoutes
from aquatint.api.routes.tasks import TaskRoutes
from aquatint.bootstrap.tools import HouseTools
from aquatint.net.guard import GuardPolicy
from aquatint.services.cancel import CancelService
from aquatint.services.deliver import RedeliverService
from aquatint.services.files import FileService
from aquatint.services.lanes import LaneService
from aquatint.services.models import ModelService
from aquatint.services.nudge import NudgeService
from aquatint.services.place import PlaceService
from aquatint.services.replay import ReplayService
from aquatint.services.submit import SubmitRules, SubmitService
from aquatint.services.trace import TraceService
from aquatint.services.upload import UploadService


def build_routes(tools: HouseTools) -> Routes:
    """The handlers of every noun."""
    settings, store, clock = tools.settings, tools.store, tools.clock
    retention = settings.assets.retention
    auth = Authenticator(tools.keys, settings.limits.requests_per_minute)
    rules = SubmitRules(
        deadline=settings.tasks.image_deadline,
        batch_deadline=settings.tasks.batch_deadline,
        idempotency_ttl=settings.tasks.idempotency_ttl,
        max_pending=settings.limits.max_pending,
        retention=retention,
        reject_private_callbacks=settings.webhooks.private_target == "reject",
    )
    submit = SubmitService(
        tools.catalog,
        store,
        tools.assets,
        GuardPolicy(settings.net.allow),
        tools.signals,
        clock,
        rules,
        tools.accepted,
        tools.route,
        tools.telemetry,
    )
    return Routes(
        tasks=TaskRoutes(
            submit_task=submit,
            query_task=tools.query,
            cancel_task=CancelService(tools.query, tools.settle, tools.signals, store),
            trace_task=TraceService(tools.query, store, tools.catalog),
            place=PlaceService(store),
            auth=auth,
            urls=tools.urls,
            max_body=settings.limits.body,
            max_inline=settings.limits.upload,
            failure_word=settings.compat.failure_word,
            traced=tools.telemetry.tracer.on,
        ),
        deliveries=DeliveryRoutes(
            query_task=tools.query,
            redeliver=RedeliverService(tools.query, store, tools.signals, clock),
            replay_deliveries=ReplayService(store, tools.signals, clock),
            auth=auth,
        ),
        files=FileRoutes(
            upload_file=UploadService(store, tools.assets, tools.sandbox, tools.intake, tools.urls, clock, retention),
            find_file=FileService(store, tools.assets, clock),
            auth=auth,
            max_upload=settings.limits.upload,
        ),
        catalog=CatalogRoutes(ModelService(tools.catalog, tools.route), tools.keys, auth),
        operator=OperatorRoutes(LaneService(store, tools.signals, tuple(tools.engines)), auth),
        callbacks=CallbackRoutes(NudgeService(tools.engines, tools.tracker, store, clock)),
    )
