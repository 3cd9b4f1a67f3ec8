"""Where a run's requests go, and whose clock counts: a served twin, or Azure itself. Always said first."""

from pathlib import Path
from typing import Protocol

from msgspec import Struct

from readiness.app.clocks import RemoteTwinClock, WallClock
from readiness.app.endpoints import over_https
from readiness.app.people import Person, local_user, logged_in
from readiness.azure.connect import CLOUDS, Connection, Endpoint, live
from readiness.azure.subscriptions import tenant_of, visible_subscriptions
from readiness.errors import UsageError, WrongTargetError
from readiness.model.plan import Plan, TargetKind
from readiness.model.run import LIVE
from readiness.ports.clock import Clock

_CLOUDS = {"AzurePublic": "AzureCloud", "AzureChina": "AzureChinaCloud"}
"""What the Azure CLI calls the clouds that estates call otherwise."""


class Place(Struct, frozen=True, kw_only=True):
    """One place where plans are carried out."""

    words: str
    """For people: what this is."""
    name: str
    """Stable: a journal that was begun in one place is not taken up in another."""
    endpoint: Endpoint
    clock: Clock
    is_live: bool
    way: tuple[str, ...]
    """The options that lead here again."""
    who: Person
    """Whoever is at work: on Azure itself, who is logged in there."""


class Choice(Protocol):
    """What an operator says of the place."""

    @property
    def twin(self) -> str | None:
        """Address of a served twin."""

    @property
    def certificate(self) -> Path | None:
        """Certificate of the twin."""

    @property
    def live(self) -> bool:
        """Whether Azure itself is meant."""

    @property
    def state(self) -> Path:
        """The state folder."""


def find_place(plan: Plan, choice: Choice) -> Place:
    """Return the place that the plan was made for and that the operator named; both have to agree.

    Raises:
        UsageError: No place was named, or two.
        WrongTargetError: The plan was made for another kind of place.
    """
    if (choice.twin is None) is not choice.live:
        raise UsageError(
            "Say where the plan is to be carried out: either --twin URL or --live.",
            remedy="Serve a twin with 'readiness twin serve ESTATE' and give its address with --twin.",
        )
    wanted = TargetKind.LIVE if choice.live else TargetKind.TWIN
    if plan.target.kind is not wanted:
        raise WrongTargetError(
            f"This plan was made for {_KINDS[plan.target.kind]}, not for {_KINDS[wanted]}.",
            remedy="Rehearse any plan with 'readiness rehearse PLAN'; collect an estate to plan for Azure.",
        )
    return _live(plan) if choice.twin is None else _twin(plan, choice.twin, choice)


def check_subscriptions(plan: Plan, connection: Connection, place: Place) -> None:
    """Insist that the endpoint shows the subscriptions, and the tenant, that the plan was made for.

    Raises:
        WrongTargetError: It is another place.
    """
    wanted = frozenset(entry.lower() for entry in plan.target.subscriptions)
    missing = wanted - visible_subscriptions(connection, min(wanted)) if wanted else frozenset()
    if missing:
        raise WrongTargetError(
            f"The plan was made for {plan.target.estate}, and this is another place.",
            details=f"It does not show the subscription {', '.join(sorted(missing))}.",
            remedy="Serve a twin of the estate that was planned, or log in to the planned tenant.",
        )
    tenant = tenant_of(connection, min(wanted)) if place.is_live and wanted else ""
    if place.is_live and plan.target.tenant and tenant.lower() != plan.target.tenant.lower():
        raise WrongTargetError(
            "The plan was made for another tenant.",
            details=f"It was made for {plan.target.tenant}; whoever is logged in here sees {tenant}.",
            remedy="az login --tenant with the tenant of the plan.",
        )


_KINDS = {TargetKind.LIVE: "Azure itself", TargetKind.TWIN: "a twin"}


def whoever_is_logged_in(plan: Plan) -> Person:
    """Return who is logged in to the cloud that a plan was made for.

    Raises:
        CloudError: Nobody is.
    """
    return logged_in(_azure(plan)[0])


def _azure(plan: Plan) -> tuple[Endpoint, str]:
    cloud = _CLOUDS.get(plan.target.cloud, plan.target.cloud)
    if cloud not in CLOUDS:
        known = ", ".join(sorted(CLOUDS))
        raise WrongTargetError(f"There is no cloud {cloud!r}.", remedy=f"Clouds of this release: {known}.")
    return live(cloud)


def _live(plan: Plan) -> Place:
    endpoint, name = _azure(plan)
    return Place(
        words=f"LIVE Azure, cloud {name}, tenant {plan.target.tenant or 'not named in the plan'}",
        name=f"{LIVE} {name}",
        endpoint=endpoint,
        clock=WallClock(),
        is_live=True,
        way=("--live",),
        who=logged_in(endpoint),
    )


def _twin(plan: Plan, url: str, choice: Choice) -> Place:
    endpoint, certificate = over_https(url, choice.certificate, choice.state)
    clock = RemoteTwinClock(url, certificate)
    return Place(
        words=f"twin at {url}, made for {plan.target.estate}",
        name=f"twin {clock.instance}",
        endpoint=endpoint,
        clock=clock,
        is_live=False,
        way=("--twin", url, *(("--twin-ca", str(choice.certificate)) if choice.certificate else ())),
        who=Person(name=local_user()),
    )
