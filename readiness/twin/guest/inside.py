"""Where the truth of a twin and its guests meet: a guest of each machine, made when it is first asked for.

Guarantees: a guest stays with its machine and operating system disk, and what is done in it has its effect
outside: a disk that was converted counts as converted. What is said in a seed is laid down by `tell`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from readiness.twin.documents import Json, look, same
from readiness.twin.guest import birth, settings, sshd
from readiness.twin.guest.commands import COMMANDS
from readiness.twin.guest.commands.accounts import write_accounts
from readiness.twin.guest.commands.boot import kernel_lines
from readiness.twin.guest.commands.ssh import journal_line
from readiness.twin.guest.facts import Facts, is_windows
from readiness.twin.guest.powershell.evaluator import run_powershell
from readiness.twin.guest.session import Outcome, Session
from readiness.twin.guest.shell.interpreter import run_script
from readiness.twin.guest.system import Guest, hindrance
from readiness.twin.machine import os_disk_id
from readiness.twin.state import VM, State

_GUESTS = "guests"
_TOLD = "guest settings"
_EXTENSIONS = f"{VM}/extensions"


def tell(state: State, resource_id: str, given: object) -> None:
    """Remember what a seed says of a guest; what is wrong with it is a `GuestFileError`."""
    state.hidden(_TOLD)[resource_id.lower()] = settings.read(f"{resource_id}: twin.guest", given)


def guest_of(state: State, vm: Json, *, now: datetime, seed: int) -> Guest:
    """Return the guest of a machine."""
    key, mark = vm["id"].lower(), (look(vm, "properties.vmId"), str(os_disk_id(vm)).lower())
    known = state.hidden(_GUESTS)
    if key not in known or known[key][0] != mark:
        told = state.hidden(_TOLD).get(key) or settings.Settings()
        made = birth.make(_facts(state, vm, now=now, seed=seed), told)
        _set_firmware(state, vm, made)
        known[key] = (mark, made)
    guest: Guest = known[key][1]
    return guest


def _facts(state: State, vm: Json, *, now: datetime, seed: int) -> Facts:
    machine = state.machine(vm)
    disk = state.os_disk(vm)
    marks = {vm["id"].lower(), str(os_disk_id(vm)).lower()}
    generation = state.generation(vm)
    return Facts(
        vm=vm,
        disks=tuple(state.disks(vm)),
        extensions=tuple(
            each
            for each in state.of_kind(_EXTENSIONS, vm["id"])
            if look(each, "properties.provisioningState") in (None, "Succeeded")
        ),
        reported=machine.guest,
        # A disk that could not be booted after its conversion was one of generation 1.
        generation=generation if machine.can_boot else "V1",
        is_gpt=machine.can_boot and is_gpt(state, vm, disk),
        had_ade=bool(marks & state.ever_ade),
        seed=seed,
        now=now,
    )


def is_gpt(state: State, vm: Json, disk: Json | None) -> bool:
    """Tell whether an operating system disk carries a GUID partition table, as far as is known outside."""
    if str(os_disk_id(vm)).lower() in state.gpt or same(look(disk, "tags.guestPartitionStyle"), "gpt"):
        return True
    publisher = str(look(vm, "properties.storageProfile.imageReference.publisher") or "").lower()
    return publisher in birth.ENDORSED and not is_windows(vm)


def boot(state: State, vm: Json, *, when: datetime, seed: int, is_stopped: bool = False) -> bool:
    """Boot a guest, and tell whether it comes up; `is_stopped` by what a faults file says."""
    guest = guest_of(state, vm, now=when, seed=seed)
    _set_firmware(state, vm, guest)
    reason = hindrance(guest)
    if is_stopped and reason is None:
        reason = "The boot loader did not load an operating system."
    if reason is not None:
        guest.console = ["Hyper-V UEFI firmware", f"Boot failed. {reason}"]
        return False
    guest.booted, guest.needs_reboot = when, False
    for service in guest.services.values():
        service.state = "active" if service.is_enabled else "inactive"
    if guest.family == "linux":
        _start_ssh(guest)
    guest.console = [
        *kernel_lines(guest),
        f"{guest.title} {guest.host_name} ttyS0",
        f"{guest.host_name} login:",
    ]
    return True


def _set_firmware(state: State, vm: Json, guest: Guest) -> None:
    profile = look(vm, "properties.securityProfile.uefiSettings")
    usual = "V2" if guest.os_disk.style == "gpt" else "V1"
    guest.is_uefi = (state.generation(vm) or usual) == "V2"
    guest.is_secure_boot = look(profile, "secureBootEnabled") is True
    guest.has_tpm = look(profile, "vTpmEnabled") is True


def _start_ssh(guest: Guest) -> None:
    reading = sshd.read(guest.files)
    if reading.is_valid:
        guest.sshd_in_force = reading.settings()
    elif guest.ssh_unit in guest.services:
        guest.services[guest.ssh_unit].state = "failed"


def run(  # noqa: PLR0913  a script, and all that it starts from
    state: State,
    vm: Json,
    script: str,
    *,
    when: datetime,
    seed: int,
    limit: float,
    parameters: Sequence[Mapping[str, Any]] = (),
) -> Outcome:
    """Carry a script out in a guest, as its administrator."""
    guest = guest_of(state, vm, now=when, seed=seed)
    session = Session(
        guest=guest, began=when, limit=limit, identity=vm.get("identity"), instance=_instance(vm)
    )
    named = {str(each["name"]): str(each.get("value", "")) for each in parameters if each.get("name")}
    positional = [str(each.get("value", "")) for each in parameters if not each.get("name")]
    if guest.family == "windows":
        outcome = run_powershell(session, script, named)
    else:
        _write_files(guest, when)
        outcome = run_script(session, script, COMMANDS, named=named, positional=positional)
    disk = guest.os_disk
    if disk.style == "gpt" and disk.resource_id:
        state.gpt.add(disk.resource_id.lower())
    return outcome


def _write_files(guest: Guest, now: datetime) -> None:
    """Let the files that the system itself writes say what is true by now."""
    write_accounts(guest)
    lines = [journal_line(each, guest.host_name) for each in reversed(guest.seen_logins(now))]
    log = "/var/log/auth.log" if guest.ssh_unit == "ssh" else "/var/log/secure"
    guest.files.plant(log, "".join(f"{line}\n" for line in lines), 0o640)
    if guest.needs_reboot and guest.ssh_unit == "ssh":
        guest.files.plant("/var/run/reboot-required", "*** System restart required ***\n")
    elif guest.files.exists("/var/run/reboot-required"):
        guest.files.remove("/var/run/reboot-required")


def _instance(vm: Json) -> Json:
    words = vm["id"].split("/")
    return {
        "compute": {
            "name": vm["name"],
            "location": vm.get("location"),
            "resourceId": vm["id"],
            "subscriptionId": words[2],
            "resourceGroupName": words[4],
            "vmId": look(vm, "properties.vmId"),
            "vmSize": look(vm, "properties.hardwareProfile.vmSize"),
            "osType": look(vm, "properties.storageProfile.osDisk.osType"),
            "securityProfile": {
                "secureBootEnabled": str(
                    look(vm, "properties.securityProfile.uefiSettings.secureBootEnabled") is True
                ).lower(),
                "virtualTpmEnabled": str(
                    look(vm, "properties.securityProfile.uefiSettings.vTpmEnabled") is True
                ).lower(),
            },
        }
    }
