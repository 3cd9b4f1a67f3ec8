"""Long-running operations, begun in one process and asked about in any.

azure-core's own polling would block a thread for each operation. Here beginning ends at once, with the
continuation token; asking re-attaches by that token and makes exactly one request.
"""

from collections.abc import Callable
from typing import Any

from azure.core.exceptions import DecodeError, HttpResponseError, ResourceNotFoundError
from azure.core.polling import LROPoller
from azure.core.polling.base_polling import BadResponse, BadStatus
from azure.mgmt.core.polling.arm_polling import ARMPolling

from readiness.azure.faults import from_response, innermost, is_capacity, wait_asked_for
from readiness.ports.cloud import Done, Failed, Pending, Progress

DEFAULT_WAIT = 10.0
"""Wall-clock seconds between two questions where Azure names none."""

_UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
"""What the SDK's own parsers raise on a token or an answer that is not what they expect."""

Begin = Callable[..., LROPoller[Any]]
"""An SDK `begin_*` method with everything bound but `polling` and `continuation_token`."""


class Stepwise(ARMPolling):
    """ARM polling that never polls by itself."""

    def finished(self) -> bool:
        """Say that there is nothing to wait for, so that no thread is started."""
        return True

    def ask(self) -> None:
        """Make one request for the operation's status, unless the first answer was final already."""
        if not self.is_final:
            self.update_status()

    @property
    def is_final(self) -> bool:
        """Whether the operation has ended."""
        return self.status().lower() in ("succeeded", "failed", "canceled", "cancelled")

    @property
    def wait(self) -> float:
        """Wall-clock seconds to wait before asking, as the last answer says."""
        asked = wait_asked_for(self._pipeline_response.http_response.headers)
        return DEFAULT_WAIT if asked is None else asked

    def progress(self) -> Progress:
        """Return how the operation stands."""
        status = self.status().lower()
        if status == "succeeded":
            return Done("done")
        if not self.is_final:
            return Pending(self.get_continuation_token(), self.wait)
        code, message = innermost(self._pipeline_response.http_response.json())
        return Failed(code or status.title(), message or f"the operation {status}", is_capacity(code))


def begin(call: Begin) -> Progress:
    """Begin an operation and return how it stands after its first answer."""
    method = Stepwise()
    call(polling=method)
    return method.progress()


def only_begun(progress: Progress) -> Progress:
    """Return how a change stands of which the operation's success proves nothing, or not all.

    Its success means to begin again at once, which looks at what came of it.
    """
    return Pending(None, 0.0, "looking at what came of it") if isinstance(progress, Done) else progress


def ask(call: Begin, token: str) -> Progress:
    """Re-attach to an operation and ask once how it stands.

    An operation that Azure does not remember any more, or whose token cannot be read, is answered by
    *pending without a token*: whoever asked looks at the resource itself.
    """
    method = Stepwise()
    try:
        call(polling=method, continuation_token=token)
        method.ask()
    except (ResourceNotFoundError, *_UNREADABLE):
        return Pending(None, 0.0, "the operation is not known any more; looking at the resource itself")
    except (BadStatus, BadResponse, DecodeError) as error:
        return Pending(None, DEFAULT_WAIT, f"unclear answer ({error}); looking at the resource itself")
    except HttpResponseError as error:
        raise from_response(error) from error
    return method.progress()
