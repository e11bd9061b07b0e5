"""The front of the house: what the API calls."""

from __future__ import annotations

from aquatint.api.app import Routes
from aquatint.api.auth import Authenticator
from aquatint.api.dialects.openai.bodies import BodyLimits
from aquatint.api.dialects.openai.routes import OpenAIRoutes
from aquatint.api.routes.callbacks import CallbackRoutes
from aquatint.api.routes.catalog import CatalogRoutes
from aquatint.api.routes.deliveries import DeliveryRoutes
from aquatint.api.routes.events import EventRoutes
from aquatint.api.routes.files import FileRoutes
from aquatint.api.routes.operator import OperatorRoutes
from aquatint.api.routes.overview import OverviewRoutes
from aquatint.api.routes.tasks import TaskRoutes
from aquatint.api.shown import Shown
from aquatint.bootstrap.parts import choose_service
from aquatint.bootstrap.tools import HouseTools
from aquatint.net.guard import GuardPolicy
from aquatint.services.cancel import CancelService
from aquatint.services.delete import DeleteService
from aquatint.services.deliver import RedeliverService
from aquatint.services.files import FileService
from aquatint.services.lanes import LaneService
from aquatint.services.models import ModelService
from aquatint.services.nudge import NudgeService
from aquatint.services.outcome import OutcomeService
from aquatint.services.overview import OverviewService
from aquatint.services.pictures import PictureService
from aquatint.services.replay import ReplayService
from aquatint.services.resend import ResendService
from aquatint.services.story import StoryService
from aquatint.services.submit import SubmitRules, SubmitService
from aquatint.services.survey import SurveyService
from aquatint.services.thumbs import ThumbService
from aquatint.services.trace import TraceService
from aquatint.services.upload import UploadService
from aquatint.services.wait import WaitService


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
    shown = Shown(tools.urls, settings.compat.failure_word)
    files = FileService(store, tools.assets, clock)
    lanes = LaneService(store, tools.signals, tuple(tools.engines))
    overview = OverviewService(store, SurveyService(store, lanes, clock), clock)
    wait = WaitService(tools.query, tools.follow)
    list_models = ModelService(tools.catalog, tools.route)
    return Routes(
        tasks=TaskRoutes(
            submit_task=submit,
            query_task=tools.query,
            cancel_task=CancelService(tools.query, tools.settle, tools.signals, store),
            delete_task=DeleteService(tools.query, store, clock),
            trace_task=TraceService(tools.query, store, tools.catalog),
            place=tools.place,
            wait=wait,
            auth=auth,
            shown=shown,
            max_body=settings.limits.body,
            max_inline=settings.limits.upload,
            traced=tools.telemetry.tracer.on,
        ),
        events=EventRoutes(tools.query, StoryService(store, tools.query, tools.place, tools.follow), auth, shown),
        deliveries=DeliveryRoutes(
            query_task=tools.query,
            redeliver=RedeliverService(tools.query, store, tools.signals, clock),
            replay_deliveries=ReplayService(store, tools.signals, clock),
            auth=auth,
        ),
        files=FileRoutes(
            upload_file=UploadService(store, tools.assets, tools.sandbox, tools.intake, tools.urls, clock, retention),
            find_file=files,
            find_small=ThumbService(files, store, tools.assets, tools.sandbox, clock),
            auth=auth,
            max_upload=settings.limits.upload,
        ),
        catalog=CatalogRoutes(list_models, tools.keys, auth),
        operator=OperatorRoutes(lanes, auth),
        overview=OverviewRoutes(overview, auth),
        callbacks=CallbackRoutes(NudgeService(tools.engines, tools.tracker, store, clock)),
        openai=OpenAIRoutes(
            submit_task=submit,
            choose=choose_service(settings, tools.catalog),
            resend=ResendService(store, clock),
            outcome=OutcomeService(tools.query, wait, tools.signals),
            pictures=PictureService(tools.assets),
            list_models=list_models,
            auth=auth,
            urls=tools.urls,
            limits=BodyLimits(settings.limits.body, settings.limits.upload),
            wait=settings.dialects.openai_wait,
            traced=tools.telemetry.tracer.on,
        ),
    )
