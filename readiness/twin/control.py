"""The twin's own paths, beside Azure's: its clock, its ground truth, and the writes it accepted.

`GET /.twin/clock`, `POST /.twin/clock {"skip_to": ...}`, `GET /.twin/resources`, `GET /.twin/log`.
"""

from datetime import datetime

from readiness.twin.core import Twin
from readiness.twin.documents import look
from readiness.twin.messages import ArmError, Request, Response


def answer(twin: Twin, request: Request, instance: str) -> Response:
    """Answer one of them."""
    match request.method, request.path:
        case "GET", "/.twin/clock":
            return _time(twin, instance)
        case "POST", "/.twin/clock":
            twin.clock.skip_to(_moment(look(request.body, "skip_to")))
            return _time(twin, instance)
        case "GET", "/.twin/resources":
            return Response(200, {"value": twin.resources()})
        case "GET", "/.twin/log":
            log = [
                {"at": each.at.isoformat(), "method": each.method, "path": each.path, "status": each.status}
                for each in list(twin.log)
            ]
            return Response(200, {"value": log})
        case _:
            raise ArmError(
                404, "NotFound", "The twin's own paths are /.twin/clock, /.twin/resources and /.twin/log."
            )


def _time(twin: Twin, instance: str) -> Response:
    document = {"now": twin.clock.now().isoformat(), "rate": twin.clock.rate, "instance": instance}
    return Response(200, document)


def _moment(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ArmError(
            400, "InvalidParameter", f"skip_to: {text!r} is no moment; give ISO 8601 with a time zone."
        )
    return moment
