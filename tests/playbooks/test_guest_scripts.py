"""What the playbooks run inside guests, carried out on the twin's: what each says, and of which disk."""

import re
from typing import Any

import pytest

from playbooks import attestation, generation1
from readiness.model.context import Choice, Generation1, TrustedLaunchChoice
from readiness.model.playbook import Target
from readiness.model.steps import RunInGuest
from readiness.model.virtual_machine import OsFamily
from tests.builders import boot, vm
from tests.twin.seeds import TRUSTED, VM, Wire, disk, estate
from tests.twin.seeds import vm as resource
from tests.twin.test_guest import telling

CHOICE = Choice(trusted_launch=TrustedLaunchChoice(generation_1=Generation1.CONVERT))
MARKET = {"publisher": "RedHat", "offer": "RHEL", "sku": "8_10"}


def _target(family: OsFamily) -> Target:
    return Target(vm=vm(boot=boot(generation=1), os_family=family), disks=(), choice=CHOICE)


def _named(family: OsFamily, name: str) -> RunInGuest:
    steps = generation1.convert(_target(family))
    return next(step for step in steps if isinstance(step, RunInGuest) and step.name == name)


CHECK = _named(OsFamily.LINUX, "check-boot-layout")
VALIDATE = _named(OsFamily.WINDOWS, "validate-disk-layout")
CONVERT = _named(OsFamily.WINDOWS, "convert-disk-to-gpt")


def _machine(family: OsFamily, image: dict[str, str] | None = None, **said: Any) -> Wire:
    machine = resource(osProfile={"computerName": "web-1", "adminUsername": "boss"})
    storage = machine["properties"]["storageProfile"]
    storage["osDisk"]["osType"] = family.value
    if image:
        storage["imageReference"] = image
    first = disk("web-1-os", hyperVGeneration="V1", osType=family.value, diskSizeGB=127)
    return Wire(*estate(first, machine=telling(machine, **said)))


def _run(wire: Wire, step: RunInGuest) -> tuple[bool, str]:
    """Return whether a script ended as its step expects, and what it said."""
    body = {"location": "westeurope", "properties": {"source": {"script": step.script}}}
    wire.do("PUT", f"{VM}/runCommands/probe", body)
    found = wire.get(f"{VM}/runCommands/probe", query={"$expand": "instanceView"})
    view = found["properties"]["instanceView"]
    output = view["output"]
    expected = not step.expects or re.search(step.expects, output, re.MULTILINE)
    refused = step.refuses and re.search(step.refuses, output, re.MULTILINE)
    return view["exitCode"] == 0 and bool(expected) and not refused, output + view["error"]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({}, "exit code: 0"),
        ({"bitlocker": True}, "exit code: 6"),
        ({"primary_partitions": 4}, "exit code: 7"),
        ({"partition_style": "gpt"}, "exit code: 7"),
    ],
    ids=["fits", "encrypted", "four partitions", "converted before"],
)
def test_a_windows_disk_is_validated(said: dict[str, Any], told: str) -> None:
    """Only a disk that MBR2GPT accepts passes, and its exit code is told.

    MBR2GPT.EXE, https://learn.microsoft.com/windows/deployment/mbr-to-gpt
    """
    passed, output = _run(_machine(OsFamily.WINDOWS, **said), VALIDATE)

    assert (told == "exit code: 0", True) == (passed, told in output)


def test_a_windows_disk_is_converted_once() -> None:
    """The conversion passes, and passes again after a crash without converting twice."""
    wire = _machine(OsFamily.WINDOWS)
    first, again = _run(wire, CONVERT), _run(wire, CONVERT)

    assert (True, True) == (first[0], again[0])
    assert "Conversion completed successfully" in first[1]
    assert "converted already" in again[1]
    assert "Conversion completed" not in again[1]


def test_a_disk_that_does_not_fit_is_not_converted() -> None:
    """What MBR2GPT refuses fails the step."""
    passed, output = _run(_machine(OsFamily.WINDOWS, bitlocker=True), CONVERT)

    assert not passed
    assert "exit code: 6" in output


@pytest.mark.parametrize("code", ["1", "2", "3", "7", "1001", "10"])
def test_no_other_exit_code_passes(code: str) -> None:
    """0 and 100 are done; every other number is not, whatever it begins with."""
    assert re.search(CONVERT.expects, "x\nmbr2gpt exit code: 100\n", re.MULTILINE)
    assert not re.search(CONVERT.expects, f"x\nmbr2gpt exit code: {code}\n", re.MULTILINE)


@pytest.mark.parametrize(
    "image",
    [MARKET, {"publisher": "Canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts"}],
    ids=["RHEL with a /boot of its own", "Ubuntu"],
)
def test_a_marketplace_linux_is_ready_for_uefi(image: dict[str, str]) -> None:
    """Images of the marketplace bring GPT, an EFI system partition and its mount along."""
    passed, output = _run(_machine(OsFamily.LINUX, image), CHECK)

    assert passed, output
    assert "boot disk: /dev/sda\n" in output


def test_what_a_linux_disk_lacks_is_told() -> None:
    """A disk with an MBR lacks everything that UEFI needs, and each is named."""
    passed, output = _run(_machine(OsFamily.LINUX, MARKET, partition_style="mbr"), CHECK)

    assert not passed
    for missing in ("a GUID partition table", "an EFI system partition", "/boot/efi in /etc/fstab"):
        assert f"missing: {missing}\n" in output


def test_a_mount_that_is_only_a_comment_is_missing() -> None:
    """A line of fstab that is switched off mounts nothing."""
    files = {"/etc/fstab": "#UUID=1 /boot/efi vfat defaults 0 1\nUUID=2 / xfs defaults 0 1\n"}
    passed, output = _run(_machine(OsFamily.LINUX, MARKET, files=files), CHECK)

    assert not passed
    assert "missing: /boot/efi in /etc/fstab\n" in output
    assert "missing: a GUID" not in output


@pytest.mark.parametrize("family", list(OsFamily))
@pytest.mark.parametrize(("year", "current"), [("2011", False), ("2023", True)])
def test_certificates_are_told(family: OsFamily, year: str, *, current: bool) -> None:
    """Under Trusted Launch the guest says whether its firmware trusts the certificates of 2023.

    Support articles 5085395 and 5103014 of Microsoft
    """
    machine = resource(securityProfile=TRUSTED)
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = family.value
    wire = Wire(*estate(disk("web-1-os", osType=family.value), machine=telling(machine, certificates=year)))
    ask = attestation.steps(vm(os_family=family))[-1]

    assert isinstance(ask, RunInGuest)
    assert current is _run(wire, ask)[0]
