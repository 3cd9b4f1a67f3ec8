"""systemctl and service: what runs, and what a reload or restart of SSH makes of its configuration.

As the units of the distributions have it: Debian's and Ubuntu's check the configuration before a reload,
which fails where it is broken; Red Hat's reload only sends a signal, succeeds, and leaves a server that has
ended.
"""

from readiness.twin.guest import sshd
from readiness.twin.guest.shell.process import CommandCode, Process
from readiness.twin.guest.system import Service

_NO_UNIT = 4
_INACTIVE = 3
_ALIASES = {"sshd": "ssh", "waagent": "walinuxagent"}
_LOADING = ("restart", "reload-or-restart", "try-restart", "start")


def find(process: Process, unit: str) -> Service | None:
    """Return the service of a unit's name, or of an alias that the distribution has."""
    name = unit.removesuffix(".service")
    services = process.guest.services
    return services.get(name) or services.get(_ALIASES.get(name, ""))


def _systemctl(process: Process) -> int:
    words = [each for each in process.args if not each.startswith("-")]
    verb, units = (words[0], words[1:]) if words else ("list-units", [])
    is_quiet = any(each in ("-q", "--quiet") for each in process.args)
    match verb:
        case "daemon-reload":
            return 0
        case "list-units" | "list-unit-files":
            return _list(process)
        case "is-system-running":
            is_degraded = any(each.state == "failed" for each in process.guest.services.values())
            return process.say("degraded" if is_degraded else "running") or int(is_degraded)
        case "is-active" | "is-enabled" | "is-failed":
            return max((_ask(process, verb, each, is_quiet=is_quiet) for each in units), default=1)
        case "status" | "show" | "cat":
            return max((_status(process, each) for each in units), default=0)
        case "reload" | "stop" | "enable" | "disable" | "mask":
            return max((_change(process, verb, each) for each in units), default=1)
        case _ if verb in _LOADING:
            return max((_change(process, verb, each) for each in units), default=1)
        case _:
            return process.fail(f"Unknown command verb {verb}.")


def _list(process: Process) -> int:
    is_failed = any("failed" in each for each in process.args)
    for each in process.guest.services.values():
        if is_failed and each.state != "failed":
            continue
        word = {"active": "running", "inactive": "dead", "failed": "failed"}[each.state]
        process.say(f"  {each.name}.service loaded {each.state} {word} {each.description}")
    return 0


def _ask(process: Process, verb: str, unit: str, *, is_quiet: bool) -> int:
    service = find(process, unit)
    state = service.state if service else "inactive"
    is_so = {"is-active": state == "active", "is-failed": state == "failed"}.get(
        verb, service is not None and service.is_enabled
    )
    shown = state if verb != "is-enabled" else "enabled" if is_so else "disabled"
    if not is_quiet:
        process.say(shown)
    if is_so:
        return 0
    return 1 if verb != "is-active" else _NO_UNIT if service is None else _INACTIVE


def _status(process: Process, unit: str) -> int:
    service = find(process, unit)
    if service is None:
        process.err.write(f"Unit {unit.removesuffix('.service')}.service could not be found.\n")
        return _NO_UNIT
    word = {"active": "active (running)", "inactive": "inactive (dead)"}.get(
        service.state, "failed (Result: exit-code)"
    )
    enabled = "enabled" if service.is_enabled else "disabled"
    process.say(
        f"● {service.name}.service - {service.description}",
        f"     Loaded: loaded (/lib/systemd/system/{service.name}.service; {enabled}; preset: enabled)",
        f"     Active: {word} since {process.guest.booted:%a %Y-%m-%d %H:%M:%S UTC}",
    )
    return 0 if service.state == "active" else _INACTIVE


def _change(process: Process, verb: str, unit: str) -> int:
    service = find(process, unit)
    name = unit.removesuffix(".service")
    if service is None:
        process.err.write(f"Failed to {verb} {name}.service: Unit {name}.service not found.\n")
        return 5
    if verb in ("enable", "disable", "mask"):
        service.is_enabled = verb == "enable"
        if "--now" not in process.args:
            return 0
        verb = "start" if verb == "enable" else "stop"
    if verb == "stop":
        service.state = "inactive"
        return 0
    if verb == "reload" and service.state != "active":
        process.err.write(f"{name}.service is not active, cannot reload.\n")
        return 1
    if service.name != process.guest.ssh_unit:
        service.state = "active"
        return 0
    return _load_ssh(process, service, verb)


def _load_ssh(process: Process, service: Service, verb: str) -> int:
    """Let the SSH server read its configuration, and come to an end or stay as it was where it cannot."""
    reading = sshd.read(process.files)
    if reading.is_valid:
        service.state = "active"
        process.guest.sshd_in_force = reading.settings()
        return 0
    is_reload = verb == "reload"
    if process.guest.is_red_hat and is_reload:
        service.state = "failed"
        return 0
    if not is_reload:
        service.state = "failed"
    process.err.write(
        f"Job for {service.name}.service failed because the control process exited with error code.\n"
        f'See "systemctl status {service.name}.service" and "journalctl -xeu {service.name}.service" for '
        "details.\n"
    )
    return 1


def _service(process: Process) -> int:
    if len(process.args) < 2:  # noqa: PLR2004  a name and what to do with it
        return process.fail("usage: service < option > | [ service_name [ command ] ]")
    unit, verb = process.args[:2]
    return _status(process, unit) if verb == "status" else _change(process, verb, unit)


def _cloud_init(process: Process) -> int:
    if process.args[:1] == ["status"]:
        return process.say("status: done")
    return process.fail("the guest knows 'cloud-init status' only", 2)


COMMANDS: dict[str, CommandCode] = {
    "systemctl": _systemctl,
    "service": _service,
    "cloud-init": _cloud_init,
}
