"""What people decided for one VM, in words: application, windows, targets, freezes, code and estimates."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from readiness.model.context import (
    Application,
    Attestation,
    Estimate,
    Freeze,
    IdentityChoice,
    LoginChoice,
    ManagementAccess,
    Match,
    SecureBoot,
    TargetEntry,
)
from readiness.model.estate import Estate
from readiness.model.virtual_machine import VirtualMachine


def decided_for(vm: VirtualMachine, estate: Estate, as_of: date) -> dict[str, tuple[str, ...]]:
    """Return everything in the context that speaks of the VM, exceptions aside, as label and lines."""
    context = estate.context
    application = estate.application_of(vm)
    name = application.name if application else None

    def hits(match: Match) -> bool:
        return match.hits(vm, name)

    claims = [entry.name for entry in context.applications if hits(entry.match)]
    lines = {
        "Application": [_application(application, claims[1:])]
        if application
        else ["none: it is never planned"],
        "Windows": list(_windows(application, estate)),
        "Targets": [
            f"number {position}: {told}"
            for position, entry in enumerate(context.targets, start=1)
            if hits(entry.match)
            for told in [", ".join(_target(entry))]
        ],
        "Freezes": [_freeze(entry, as_of) for entry in estate.freezes_for(vm)],
        "Code": [
            f"{entry.tool} in {entry.repository}, "
            + (f"confirmed by {entry.confirmed_by}" if entry.confirmed_by else "confirmed by nobody yet")
            for entry in estate.ownership_of(vm)
        ],
        "Estimates": [_estimate(entry) for entry in estate.estimates_for(vm)],
        "Attested": list(_attested(estate.attestations_for(vm), as_of)),
    }
    return {label: tuple(told) for label, told in lines.items() if told}


def _application(application: Application, others: list[str]) -> str:
    owner = f"{application.owner.name} {application.owner.email}".strip()
    told = f"{application.name}, {application.environment}, {application.criticality}; owner {owner}"
    if others:
        told += f". Claimed by {', '.join(others)} as well: the first in context.yaml has it"
    return told


def _windows(application: Application | None, estate: Estate) -> Iterator[str]:
    if application is None:
        return
    for name in application.windows:
        window = estate.context.window(name)
        if window is not None:
            yield (
                f"{name}: {window.rrule} at {window.start:%H:%M} for {_length(window.duration)}, "
                f"{window.timezone}"
            )
    if not application.windows:
        yield "none: it is never planned"


def _target(entry: TargetEntry) -> Iterator[str]:
    choice = entry.choice
    if choice.trusted_launch is not None:
        yield f"Trusted Launch {_SECURE_BOOT[choice.trusted_launch.secure_boot]}"
        if choice.trusted_launch.generation_1 is not None:
            yield "conversion from generation 1"
    if choice.disk_encryption_set is not None:
        yield f"disk encryption set {choice.disk_encryption_set.name}"
    if choice.encryption_at_host is not None:
        yield f"{'' if choice.encryption_at_host else 'no '}encryption at host"
    if choice.identity is not None:
        yield from _identity(choice.identity)
    if choice.backup_policy is not None:
        yield f"backup policy {choice.backup_policy.name}"
    if choice.login is not None:
        yield from _login(choice.login)
    if choice.sizes:
        yield f"where Azure has no room, size {' or '.join(choice.sizes)}"
    if choice.starts_if_off:
        yield "started to prove its boot if it is off"


def _identity(choice: IdentityChoice) -> Iterator[str]:
    if choice.wants_system:
        yield "system-assigned identity"
    yield from (f"identity {identity.name}" for identity in choice.user_assigned)
    yield from (f"role {wish.role} on {wish.scope.name or wish.scope.text}" for wish in choice.roles)
    if choice.accept_new_default:
        yield "a new default identity accepted"


def _login(choice: LoginChoice) -> Iterator[str]:
    yield f"sign-in by {choice.method} without passwords"
    yield from (f"administrators of group {group}" for group in choice.admin_groups)
    yield from (f"users of group {group}" for group in choice.user_groups)
    yield from (f"no more password for {name}" for name in choice.accepted_password_logins)
    yield from (f"ports reached from {source}" for source in choice.allow_from)
    if choice.management_access is ManagementAccess.JUST_IN_TIME:
        yield "ports opened on request (just-in-time access)"


_SECURE_BOOT = {
    None: "with Secure Boot, on Linux at once only where nothing speaks against it",
    SecureBoot.ON: "with Secure Boot",
    SecureBoot.OFF: "without Secure Boot",
    SecureBoot.STAGED: "with Secure Boot once a first boot was proven",
}


def _attested(entries: Iterable[Attestation], as_of: date) -> Iterator[str]:
    """Yield who attested what and until when; the words of one person for one time stand together."""
    together: dict[str, list[str]] = {}
    for entry in entries:
        when = "until" if entry.is_valid(as_of) else "not on this day: until"
        together.setdefault(f"by {entry.owner}, {when} {entry.expires}", []).append(entry.control)
    for by, controls in together.items():
        yield f"{', '.join(controls)} {by}"


def _freeze(entry: Freeze, as_of: date) -> str:
    begun = "over" if as_of > entry.ends else "in force"
    when = begun if as_of >= entry.starts else "not begun"
    reason = f": {entry.reason}" if entry.reason else ""
    return f"{entry.name}, {entry.starts} to {entry.ends}, {when}{reason}"


def _estimate(entry: Estimate) -> str:
    parts = [
        f"{_length(entry.duration)} of the outage" if entry.duration else "",
        f"{_length(entry.effort)} of people's time" if entry.effort else "",
    ]
    return f"{entry.playbook or 'each playbook'}: {', '.join(filter(None, parts))}"


def _length(duration: timedelta) -> str:
    hours, minutes = divmod(int(duration.total_seconds()) // 60, 60)
    return " ".join(part for part in (f"{hours} h" * bool(hours), f"{minutes} min" * bool(minutes)) if part)
