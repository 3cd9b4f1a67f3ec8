"""Cmdlets and programs that tell of the machine: disks, firmware, BitLocker, services, registry, accounts."""

from typing import Any

from readiness.twin.guest.powershell import values
from readiness.twin.guest.powershell.invocation import Command, CommandError, Invocation
from readiness.twin.guest.system import Disk, Partition
from readiness.twin.guest.windows_birth import UPDATE_REBOOT

_MB = 1024 * 1024
_KINDS = {"efi": "System", "reserved": "Reserved", "recovery": "Recovery", "data": "Basic"}
_GUIDS = {
    "efi": "{c12a7328-f81f-11d2-ba4b-00a0c93ec93b}",
    "reserved": "{e3c9e316-0b5c-4db8-817d-f92df00215ae}",
    "recovery": "{de94bba4-06d1-4d40-a16a-bfd50179d6ac}",
    "data": "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}",
}


def _disks(run: Invocation) -> list[Any]:
    number = run.parameter("number", 0)
    return [
        {
            "Number": disk.number,
            "FriendlyName": "Msft Virtual Disk",
            "PartitionStyle": disk.style.upper(),
            "Size": disk.size_mb * _MB,
            "NumberOfPartitions": len(disk.partitions),
            "IsBoot": disk is run.guest.os_disk,
            "IsSystem": disk is run.guest.os_disk,
            "OperationalStatus": "Online",
            "HealthStatus": "Healthy",
        }
        for disk in run.guest.disks
        if number is None or disk.number == int(number)
    ]


def _partitions(run: Invocation) -> list[Any]:
    number, letter = run.parameter("disknumber"), run.text("driveletter").upper().rstrip(":")
    piped = {values.member(each, "number") for each in run.given}
    return [
        _partition(disk, part)
        for disk in run.guest.disks
        for part in disk.partitions
        if (number is None or disk.number == int(number))
        and (not piped or disk.number in piped)
        and (not letter or part.mount == f"{letter}:")
    ]


def _partition(disk: Disk, part: Partition) -> dict[str, Any]:
    return {
        "DiskNumber": disk.number,
        "PartitionNumber": part.number,
        "DriveLetter": part.mount.rstrip(":"),
        "Size": part.size_mb * _MB,
        "Type": _KINDS.get(part.kind, "Basic") if disk.style == "gpt" else "IFS",
        "GptType": _GUIDS.get(part.kind, "") if disk.style == "gpt" else "",
        "IsActive": part.is_active,
    }


def _secure_boot(run: Invocation) -> list[Any]:
    if not run.guest.is_uefi:
        raise CommandError(
            "Cmdlet not supported on this platform: 0xC0000002",
            "NotImplemented",
            "PlatformNotSupportedException",
        )
    return [run.guest.is_secure_boot]


def _tpm(run: Invocation) -> list[Any]:
    has = run.guest.has_tpm
    return [{"TpmPresent": has, "TpmReady": has, "TpmEnabled": has, "TpmActivated": has}]


def _volumes(run: Invocation) -> list[tuple[Disk, Partition]]:
    return [(disk, part) for disk in run.guest.disks for part in disk.partitions if part.mount]


def _bitlocker(run: Invocation) -> list[Any]:
    wanted = run.text("mountpoint", 0).upper()
    return [
        {
            "MountPoint": part.mount,
            "VolumeType": "OperatingSystem" if disk is run.guest.os_disk else "Data",
            "VolumeStatus": "FullyEncrypted" if part.is_bitlocked else "FullyDecrypted",
            "ProtectionStatus": "On" if part.is_protected else "Off",
            "EncryptionPercentage": 100 if part.is_bitlocked else 0,
            "KeyProtector": ["ExternalKey"] if part.is_bitlocked else [],
        }
        for disk, part in _volumes(run)
        if not wanted or part.mount == wanted.rstrip("\\")
    ]


def _change_bitlocker(run: Invocation) -> list[Any]:
    wanted, verb = run.text("mountpoint", 0).upper(), run.name.lower().partition("-")[0]
    for _, part in _volumes(run):
        if part.mount == wanted.rstrip("\\"):
            part.is_protected = verb == "resume" and part.is_bitlocked
            if verb == "disable":
                part.is_bitlocked = False
    return []


def _manage_bde(run: Invocation) -> list[Any]:
    if not run.parameters.keys() & {"status", "protectors", "off"}:
        return run.ended(1, "ERROR: Parameter error.")
    letter = next((values.shown(each).upper() for each in (*run.args, *run.parameters.values()) if each), "")
    found = [(disk, part) for disk, part in _volumes(run) if letter in ("", "TRUE", part.mount)]
    if not found:
        return run.ended(-1, f"ERROR: The volume {letter} could not be opened by BitLocker.")
    if "off" in run.parameters:
        for _, part in found:
            part.is_bitlocked = part.is_protected = False
        return run.ended(0, "Decryption is now in progress.")
    lines = ["BitLocker Drive Encryption: Configuration Tool version 10.0", ""]
    for disk, part in found:
        status = "Fully Encrypted" if part.is_bitlocked else "Fully Decrypted"
        lines += [
            f"Volume {part.mount} [{part.label}]",
            f"[{'OS' if disk is run.guest.os_disk else 'Data'} Volume]",
            f"    Conversion Status:    {status}",
            f"    Percentage Encrypted: {100.0 if part.is_bitlocked else 0.0}%",
            f"    Protection Status:    Protection {'On' if part.is_protected else 'Off'}",
            "",
        ]
    return run.ended(0, *lines)


def _services(run: Invocation) -> list[Any]:
    wanted = [values.shown(each).lower() for each in values.as_list(run.parameter("name", 0))]
    found = [each for each in run.guest.services.values() if not wanted or each.name.lower() in wanted]
    if wanted and not found:
        raise CommandError(
            f"Cannot find any service with service name '{run.text('name', 0)}'.",
            "ObjectNotFound",
            "NoServiceFoundForGivenName",
        )
    return [
        {
            "Name": each.name,
            "DisplayName": each.description,
            "Status": "Running" if each.state == "active" else "Stopped",
            "StartType": "Automatic" if each.is_enabled else "Disabled",
        }
        for each in found
    ]


def _change_service(run: Invocation) -> list[Any]:
    _services(run)
    wanted = run.text("name", 0).lower()
    for each in run.guest.services.values():
        if each.name.lower() == wanted:
            each.state = "inactive" if run.name.lower().startswith("stop") else "active"
    return []


def _key(path: str) -> str:
    folded = path.lower().removeprefix("registry::").rstrip("\\")
    return folded.replace("hkey_local_machine", "hklm:") if folded.startswith("hkey") else folded


def _registry(run: Invocation) -> dict[str, dict[str, int | str]]:
    """Return the registry, with the keys that say what is true by now."""
    found = dict(run.guest.registry)
    if run.guest.needs_reboot:
        found[UPDATE_REBOOT] = {}
    if run.guest.is_uefi:
        current = run.guest.has_current_certificates
        found[r"hklm:\system\currentcontrolset\control\secureboot\servicing"] = {
            "UEFICA2023Status": "Updated" if current else "NotStarted"
        }
        found[r"hklm:\system\currentcontrolset\control\secureboot\state"] = {
            "UEFISecureBootEnabled": int(run.guest.is_secure_boot)
        }
    return found


def _property(run: Invocation) -> list[Any]:
    path, name = run.text("path", 0), run.text("name", 1)
    key = _registry(run).get(_key(path))
    if key is None:
        raise CommandError(
            f"Cannot find path '{path}' because it does not exist.", "ObjectNotFound", "PathNotFound"
        )
    if not name:
        return [dict(key)]
    found = values.member(key, name)
    if found is None:
        raise CommandError(
            f"Property {name} does not exist at path {path}.", "InvalidArgument", "PSArgumentException"
        )
    return [found if run.name.lower().endswith("value") else {name: found}]


def _set_property(run: Invocation) -> list[Any]:
    path, name, value = run.text("path", 0), run.text("name", 1), run.parameter("value", 2)
    key = run.guest.registry.setdefault(_key(path), {})
    known = next((each for each in key if each.lower() == name.lower()), name)
    key[known] = value if isinstance(value, int) else values.shown(value)
    return []


def _path_exists(run: Invocation) -> list[Any]:
    path = run.text("path", 0)
    return [_key(path) in _registry(run) or path.lower() in (r"c:\windows", "c:\\")]


def _instance(run: Invocation) -> list[Any]:
    guest = run.guest
    match run.text("classname", 0).lower():
        case "win32_computersystem":
            role = 5 if guest.is_domain_controller else 3 if guest.domain else 2
            return [
                {
                    "Name": guest.host_name,
                    "Domain": guest.domain or "WORKGROUP",
                    "PartOfDomain": bool(guest.domain),
                    "DomainRole": role,
                    "Model": "Virtual Machine",
                    "Manufacturer": "Microsoft Corporation",
                }
            ]
        case "win32_operatingsystem":
            return [
                {
                    "Caption": guest.title,
                    "Version": guest.kernel,
                    "BuildNumber": guest.kernel.rsplit(".", 1)[-1],
                    "LastBootUpTime": f"{guest.booted:%m/%d/%Y %H:%M:%S}",
                    "ProductType": 2 if guest.is_domain_controller else 3,
                }
            ]
        case _:
            pass
    raise CommandError("Invalid class", "MetadataError", "HRESULT 0x80041010")


def _local_users(run: Invocation) -> list[Any]:
    if run.guest.is_domain_controller:
        raise CommandError(
            "An unspecified error occurred: error code = 5", "NotSpecified", "Win32InternalException"
        )
    wanted = run.text("name", 0).lower()
    return [
        {"Name": each.name, "Enabled": each.is_enabled, "PasswordRequired": True}
        for each in run.guest.users.values()
        if not wanted or each.name.lower() == wanted
    ]


def _cluster(run: Invocation) -> list[Any]:
    if not run.guest.cluster:
        raise CommandError(
            "The cluster service is not running. Make sure that the service is running on all nodes in the "
            "cluster.",
            "ConnectionError",
            "ClusterCmdletException",
        )
    return [{"Name": run.guest.cluster, "State": "Up"}]


def _quser(_run: Invocation) -> list[Any]:
    """Nobody is in while a script runs: sessions are not modelled."""
    raise CommandError("No User exists for *", "NotSpecified", "NativeCommandError")


def _host_name(run: Invocation) -> list[Any]:
    return run.ended(0, run.guest.host_name)


def _who(run: Invocation) -> list[Any]:
    return run.ended(0, r"nt authority\system")


def _status_of_join(run: Invocation) -> list[Any]:
    joined = "YES" if run.guest.takes_entra_logins else "NO"
    domain = "YES" if run.guest.domain else "NO"
    return run.ended(0, f"             AzureAdJoined : {joined}", f"              DomainJoined : {domain}")


COMMANDS: dict[str, Command] = {
    "get-disk": _disks,
    "get-partition": _partitions,
    "confirm-securebootuefi": _secure_boot,
    "get-tpm": _tpm,
    "get-bitlockervolume": _bitlocker,
    "suspend-bitlocker": _change_bitlocker,
    "resume-bitlocker": _change_bitlocker,
    "disable-bitlocker": _change_bitlocker,
    "manage-bde": _manage_bde,
    "get-service": _services,
    "start-service": _change_service,
    "stop-service": _change_service,
    "restart-service": _change_service,
    "get-itemproperty": _property,
    "get-itempropertyvalue": _property,
    "set-itemproperty": _set_property,
    "test-path": _path_exists,
    "get-ciminstance": _instance,
    "get-wmiobject": _instance,
    "get-localuser": _local_users,
    "get-cluster": _cluster,
    "quser": _quser,
    "hostname": _host_name,
    "whoami": _who,
    "dsregcmd": _status_of_join,
}
