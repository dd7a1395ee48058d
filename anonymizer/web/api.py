"""The operations: what the server does for a request."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse

from anonymizer.kinds import Kind
from anonymizer.settings import ReadSettings, ServeSettings, Settings
from anonymizer.web.access import Caller, Keys, address_of, cookie_name, owner_of_session
from anonymizer.web.admission import Admission, Place, Queue
from anonymizer.web.body import read_body
from anonymizer.web.contents import check_content
from anonymizer.web.forms import Form, parse_form
from anonymizer.web.jobs import Desk, Job, Jobs, Part, answer_of
from anonymizer.web.limits import MAX_DETECTIONS_BYTES, MAX_FILM_DETECTIONS_BYTES, MAX_QUERY_BYTES, SESSION_S
from anonymizer.web.metrics import MEDIA_TYPE as METRICS_TYPE
from anonymizer.web.metrics import Metrics
from anonymizer.web.offer import describe_offer, usual_kinds
from anonymizer.web.orders import Done, Order
from anonymizer.web.problems import Problem
from anonymizer.web.request_settings import parse_settings, to_flag, to_scores
from anonymizer.web.responses import (
    RESULT_HEADER,
    FileResponse,
    detections_answer,
    file_headers,
    result_header,
    summary,
    to_form,
)
from anonymizer.web.review import Review

FORM = "multipart/form-data"
_EVENT_S = 0.3
"""How often an open stream looks for news of its job."""
_COMMENT_S = 15.0
"""How often it says that it is still there."""
_FILM_S = 60.0
"""How long films take, as long as none was worked on."""


@dataclass(eq=False)
class Api:
    """The operations and what they share. Only for the thread of the server."""

    desk: Desk
    """Where pictures are worked on."""
    film_desk: Desk | None
    """Where films are; None: the server takes none."""
    thresholds: Mapping[Kind, float]
    """What the server can look for, and from which scores on by default."""
    serve: ServeSettings
    defaults: Settings
    keys: Keys
    review: Review | None = None
    """The finished folder that the page shows, where it shows one."""
    metrics: Metrics = field(default_factory=Metrics)

    def __post_init__(self) -> None:
        limits = self.serve
        self.defaults = replace(self.defaults, read=ReadSettings(max_pixels=limits.max_pixels))
        desk, film_desk = self.desk, self.film_desk
        pictures = Queue("pictures", limits.max_jobs, limits.max_waiting, desk.workers, desk.count_waiting)
        films = None
        if film_desk is not None:
            waiting = film_desk.count_waiting
            films = Queue("films", limits.max_films, limits.max_waiting_films, film_desk.workers, waiting, _FILM_S)
        self.admission = Admission(pictures, films, limits.max_memory)
        self.jobs = Jobs(self.admission, limits.keep, self._note)

    @property
    def is_ready(self) -> bool:
        """Whether pictures, and films where they are taken, are worked on."""
        return self.desk.is_ready and (self.film_desk is None or self.film_desk.is_ready)

    def caller(self, request: Request) -> Caller:
        """
        Raises:
            Problem: a token is needed.
        """
        owner = self.keys.owner_of(request.headers.get("authorization"), request.cookies.get(_cookie(request)))
        return Caller(owner, _address(request))

    def check_token(self, request: Request) -> None:
        """
        Raises:
            Problem: a token is needed.
        """
        self.caller(request)

    def is_signed_in(self, request: Request) -> bool:
        """Whether it has the token, or needs none."""
        try:
            self.check_token(request)
        except Problem:
            return False
        return True

    async def redact(self, request: Request) -> Response:
        """Hides faces and plates in a picture or film."""
        return await self._process(request, only_detects=False)

    async def detect(self, request: Request) -> Response:
        """Says what is in a picture or film."""
        return await self._process(request, only_detects=True)

    async def _process(self, request: Request, only_detects: bool) -> Response:
        caller = self.caller(request)
        place = self.admission.enter(caller.address)
        try:
            order, wants_form = await self._read_order(request, place, only_detects)
            place.queue.check()
            desk = self.film_desk if order.is_film and self.film_desk is not None else self.desk
            if _prefers_async(request):
                job = self.jobs.add(order, caller.owner, place, desk)
                headers = {"Location": f"/v1/jobs/{job.id}", "Preference-Applied": "respond-async"}
                return JSONResponse(self._describe(job), 202, headers)
            done = await self._work(order, desk, request, place)
        except Problem as problem:
            self._note(problem.name, 0.0, place)
            place.leave()
            raise
        except BaseException:
            place.leave()
            raise
        self._note("done", done.seconds, place)
        if only_detects:
            return FileResponse(json.dumps(detections_answer(done)).encode(), "application/json", on_sent=place.leave)
        if wants_form:
            content, media_type = to_form(done)
            return FileResponse(content, media_type, {RESULT_HEADER: result_header(done)}, place.leave)
        return FileResponse(done.file, done.media_type, file_headers(done), place.leave)

    async def _read_order(self, request: Request, place: Place, only_detects: bool) -> tuple[Order, bool]:
        """What to do, and whether to answer by a form."""
        content_type = request.headers.get("content-type", "")
        most = self.serve.max_bytes if self.film_desk is None else max(self.serve.max_bytes, self.serve.max_film_bytes)
        body = await read_body(request, most, place)
        if content_type.lower().startswith(FORM):
            form = parse_form(content_type, body)
            place.let_go(len(body) - sum(map(len, form.files.values())))
        else:
            form = Form({}, {"file": body})
        given = {**_query(request), **form.fields}
        answer = given.pop("answer", "form" if FORM in request.headers.get("accept", "") else "file")
        if answer not in ("file", "form"):
            raise Problem("wrong-setting", f"answer: {answer[:100]!r} is neither file nor form", setting="answer")
        wants_mask = to_flag("mask", given.pop("mask", "") or "false")
        sure_from = to_scores("sure-from", given.pop("sure-from", ""))
        content, detections = form.files.get("file", b""), form.files.get("detections")
        settings = parse_settings(given, self.defaults)
        is_film = check_content(content, takes_films=self.film_desk is not None)
        most, what = (self.serve.max_film_bytes, "film") if is_film else (self.serve.max_bytes, "picture")
        if len(content) > most:
            raise Problem("too-large", f"the server takes {most} bytes of a {what}", limit_bytes=most)
        most = MAX_FILM_DETECTIONS_BYTES if is_film else MAX_DETECTIONS_BYTES
        if detections is not None and len(detections) > most:
            raise Problem("too-large", f"detections: the server takes {most} bytes")
        if is_film and self.admission.films is not None:
            if wants_mask:
                raise Problem("wrong-setting", "mask: films have none", setting="mask")
            place.move_to(self.admission.films)
        return Order(content, settings, only_detects, wants_mask, detections, is_film, sure_from), answer == "form"

    async def _work(self, order: Order, desk: Desk, request: Request, place: Place) -> Done:
        """Waits for a worker, as long as the client does."""
        upload_bytes = place.held_bytes
        ticket = desk.submit(order)
        answer = asyncio.ensure_future(answer_of(ticket))
        gone = asyncio.ensure_future(_until_gone(request))
        try:
            await asyncio.wait([answer, gone], return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                if order.is_film or not ticket.is_begun:  # a worker that begins anew costs more than a picture
                    desk.drop(ticket)
                with suppress(Problem):
                    await answer  # until then a worker is busy with it, and the place is taken
                raise Problem("bad-request", "the client has gone")
        finally:
            gone.cancel()
        done = answer.result()
        place.let_go(upload_bytes)
        place.hold(len(done.file) + len(done.detections) + len(done.mask or b""))
        return done

    def _note(self, outcome: str, seconds: float, place: Place) -> None:
        """What became of a picture or film, and how long a worker took for it."""
        counts = self.metrics.films if place.queue is self.admission.films else self.metrics.pictures
        counts[outcome] += 1
        self.metrics.seconds += seconds
        if outcome == "done":
            place.queue.note_seconds(seconds)

    def _job(self, request: Request) -> Job:
        return self.jobs.get(request.path_params["id"], self.caller(request).owner)

    def _describe(self, job: Job) -> dict[str, object]:
        base = f"/v1/jobs/{job.id}"
        share, words = job.progress()
        plain: dict[str, object] = {"id": job.id, "state": job.state, "progress": round(share, 3), "doing": words}
        if job.ticket is not None:
            plain |= {"position": job.desk.position_of(job.ticket), "eta_seconds": round(job.eta_s(), 1)}
        if job.done is not None:
            plain |= {**summary(job.done), "sizes": [list(size) for size in job.done.sizes]}
        if job.problem is not None:
            plain["problem"] = job.problem.as_dict()
        names: list[str] = ["events", *job.parts]
        return {**plain, "links": {"self": base, **{name: f"{base}/{name}" for name in names}}}

    async def get_job(self, request: Request) -> Response:
        """Says how far a job is."""
        return JSONResponse(self._describe(self._job(request)))

    async def delete_job(self, request: Request) -> Response:
        """Ends a job, and forgets at once all that is in memory of it."""
        self.jobs.delete(self._job(request))
        return Response(status_code=204)

    async def get_result(self, request: Request) -> Response:
        """The picture or film without what was found in it; it can be fetched once."""
        return self._take(self._job(request), "result")

    async def get_detections(self, request: Request) -> Response:
        """What was found; it can be fetched once."""
        return self._take(self._job(request), "detections")

    async def get_mask(self, request: Request) -> Response:
        """Where the picture is hidden; it can be fetched once, of jobs that asked for a mask."""
        return self._take(self._job(request), "mask")

    def _take(self, job: Job, part: Part) -> Response:
        content = job.take(part)
        assert job.done is not None
        media_type = {"result": job.done.media_type, "detections": "application/json", "mask": "image/png"}[part]
        headers = file_headers(job.done) if part == "result" else {}

        def forget() -> None:
            job.place.let_go(len(content))
            self.jobs.end_if_fetched(job)

        return FileResponse(content, media_type, headers, forget)

    async def get_events(self, request: Request) -> Response:
        """Server-sent events: the job, whenever something about it changes, until it is done."""
        job = self._job(request)
        return StreamingResponse(self._events(job), media_type="text/event-stream")

    async def _events(self, job: Job) -> AsyncIterator[str]:
        before: dict[str, object] = {}
        silent_s = 0.0
        while True:
            described = self._describe(job)
            now = {**described, "eta_seconds": None}  # it changes all the time
            if now != before:
                before, silent_s = now, 0.0
                yield f"event: {job.state}\ndata: {json.dumps(described)}\n\n"
            if job.ended_s is not None:
                return
            if silent_s > _COMMENT_S:
                silent_s = 0.0
                yield ": still there\n\n"
            await asyncio.sleep(_EVENT_S)
            silent_s += _EVENT_S

    async def open_session(self, request: Request) -> Response:
        """Signs a browser in: the cookie stands for the token, and binds jobs to this browser."""
        given = await self._token_in(request)
        if self.keys.needs_token and not self.keys.is_token(given):
            raise Problem("unauthorized", "this is not the token of the server")
        is_page = "text/html" in request.headers.get("accept", "")
        response = RedirectResponse("/", 303) if is_page else Response(status_code=204)
        self.set_session(request, response)
        return response

    async def _token_in(self, request: Request) -> str:
        """The token in a form, which is small."""
        body = await self.read(request, MAX_QUERY_BYTES)
        content_type = request.headers.get("content-type", "")
        if content_type.lower().startswith(FORM):
            return parse_form(content_type, body).fields.get("token", "")
        return dict(parse_qsl(body.decode("utf-8", "replace"))).get("token", "")

    async def read(self, request: Request, max_bytes: int) -> bytes:
        """The body of a request that is no picture.

        Raises:
            Problem: it is larger, or takes too long.
        """
        place = self.admission.enter(_address(request))
        try:
            return await read_body(request, max_bytes, place)
        finally:
            place.leave()

    def set_session(self, request: Request, response: Response) -> None:
        """Begins a session. Only after the token was shown, where there is one."""
        response.set_cookie(
            _cookie(request),
            self.keys.new_session(),
            max_age=SESSION_S,
            path="/",
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )

    async def close_session(self, request: Request) -> Response:
        """Signs a browser out: the cookie is worth nothing any more, wherever it is, and the jobs are forgotten."""
        session = self.keys.end_session(request.cookies.get(_cookie(request)))
        if session is not None:
            for job in [job for job in self.jobs if job.owner == owner_of_session(session)]:
                self.jobs.delete(job)
        response = Response(status_code=204)
        response.delete_cookie(_cookie(request), path="/")
        return response

    async def get_health(self, request: Request) -> Response:
        """Whether the server is alive."""
        return JSONResponse({"status": "ok"})

    async def get_ready(self, request: Request) -> Response:
        """Whether it takes pictures."""
        if not self.is_ready:
            raise Problem("busy", "no worker is ready", headers={"Retry-After": "10"})
        return JSONResponse({"status": "ready", "kinds": usual_kinds(self.defaults.detect, self.thresholds)})

    async def get_settings(self, request: Request) -> Response:
        """What requests may set, what is looked for, and how much the server takes."""
        return JSONResponse(
            describe_offer(self.serve, self.defaults, self.thresholds, self.review, self.film_desk is not None)
        )

    async def get_metrics(self, request: Request) -> Response:
        """Numbers for Prometheus."""
        gauges = {
            "waiting_pictures": ("Pictures that no worker has taken yet.", float(self.desk.count_waiting())),
            "pictures_on_hand": ("Pictures from upload to the end.", float(self.admission.pictures.total())),
            "held_bytes": ("Uploads and results in memory.", float(self.admission.held_bytes)),
            "jobs": ("Jobs that are not fetched yet.", float(sum(1 for _ in self.jobs))),
            "workers": ("Processes that work on pictures.", float(self.desk.workers)),
        }
        if self.film_desk is not None and self.admission.films is not None:
            gauges |= {
                "waiting_films": ("Films that no worker has taken yet.", float(self.film_desk.count_waiting())),
                "films_on_hand": ("Films from upload to the end.", float(self.admission.films.total())),
                "film_workers": ("Processes that work on films.", float(self.film_desk.workers)),
            }
        return PlainTextResponse(self.metrics.render(gauges), media_type=METRICS_TYPE)


def _address(request: Request) -> str:
    return address_of(request.client.host if request.client is not None else "")


def _cookie(request: Request) -> str:
    return cookie_name(request.scope.get("server"))


def _query(request: Request) -> dict[str, str]:
    """What stands behind the question mark.

    Raises:
        Problem: a key is there twice.
    """
    pairs = request.query_params.multi_items()
    for key, number in Counter(key for key, _ in pairs).items():
        if number > 1:
            raise Problem("wrong-setting", f"{key[:100]!r} is there twice", setting=key[:100])
    return dict(pairs)


def _prefers_async(request: Request) -> bool:
    """RFC 7240."""
    preferences = ",".join(request.headers.getlist("prefer")).split(",")
    return any(each.partition(";")[0].strip().lower() == "respond-async" for each in preferences)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
