"""Every error a user can meet, as one tree.

    ReadinessError
    ├── UsageError ............ 2   bad options, unreadable policy or workbook
    ├── EstateError ........... 3   implausible or malformed estate or context
    ├── PlanError ............. 4   a plan that cannot be made, read or run
    │   ├── WrongDigestError        the approved digest is not the plan's
    │   ├── WrongTargetError        the plan was made for another place
    │   └── ConsentError            somebody has not agreed who has to
    ├── CloudError ............ 5   Azure said no
    │   ├── ThrottledError  DeniedError  ConflictError  CapacityError  MissingError  UnreachableError
    │   │       └── LoginError ...... nobody is logged in, or to another tenant
    └── JournalError .......... 6   the memory of a run cannot be used
        ├── LockedError             another process is running it
        ├── ReplayMismatchError     it belongs to another plan or release
        └── HistoryError            the memory of assessments and runs cannot be used

Each error carries what happened (`brief`), what is known (`details`) and what to do (`remedy`).
Only `cli.main` turns them into text and an exit code. Results that are no errors have exit codes too: `Exit`.
"""

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command. 2 to 6 belong to errors, the rest to results."""

    DONE = 0
    FINDINGS = 1
    USAGE = 2
    ESTATE = 3
    PLAN = 4
    CLOUD = 5
    JOURNAL = 6
    SOME_ROLLED_BACK = 7
    NEEDS_A_PERSON = 8
    HELD = 9
    COVERAGE = 10
    INTERRUPTED = 130


class ReadinessError(Exception):
    """The root of the tree; never raised itself."""

    exit_code = Exit.FINDINGS

    def __init__(self, brief: str, *, details: str = "", remedy: str = "") -> None:
        super().__init__(brief)
        self.brief = brief
        self.details = details
        self.remedy = remedy

    def __str__(self) -> str:
        return "\n".join(part for part in (self.brief, self.details, self.remedy) if part)


class UsageError(ReadinessError):
    """The command was given something it cannot use."""

    exit_code = Exit.USAGE


class EstateError(ReadinessError):
    """An estate folder or its context is malformed or contradicts itself."""

    exit_code = Exit.ESTATE


class PlanError(ReadinessError):
    """A plan cannot be made, read or run."""

    exit_code = Exit.PLAN


class WrongDigestError(PlanError):
    """The digest that was approved is not the digest of this plan."""


class WrongTargetError(PlanError):
    """The plan was made for another place than the one it is to run on."""


class ConsentError(PlanError):
    """Somebody who has to agree beforehand has not."""


class CloudError(ReadinessError):
    """Azure refused or failed a request; `code` is the innermost ARM error code."""

    exit_code = Exit.CLOUD

    def __init__(
        self, brief: str, *, code: str = "", details: str = "", remedy: str = "", retry_after: float = 0.0
    ) -> None:
        super().__init__(brief, details=details, remedy=remedy)
        self.code = code
        self.retry_after = retry_after
        """Wall-clock seconds that Azure wants to pass before the next try; 0 where it names none."""


class ThrottledError(CloudError):
    """Too many requests, and the client's own retries were used up."""


class DeniedError(CloudError):
    """The identity lacks a permission, or a policy or lock forbids the change."""


class ConflictError(CloudError):
    """The resource is in a state that does not allow the change now."""


class CapacityError(CloudError):
    """Azure has no capacity for this size here and now."""


class MissingError(CloudError):
    """The resource or operation does not exist (any more)."""


class UnreachableError(CloudError):
    """No answer from the endpoint."""


class LoginError(UnreachableError):
    """Nobody is logged in, or somebody of another tenant: a person mends it, and nothing was refused."""

    is_lasting = False
    """Whether no waiting helps: whoever is logged in is never let in."""
    concerns_one = False
    """Whether they are let in elsewhere: one subscription is of another tenant, and not they are."""


class JournalError(ReadinessError):
    """The journal of a run cannot be used."""

    exit_code = Exit.JOURNAL


class LockedError(JournalError):
    """Another process is carrying out this run."""


class ReplayMismatchError(JournalError):
    """The journal belongs to another plan, or was begun by another release."""


class HistoryError(JournalError):
    """The history of assessments and runs cannot be used."""
