"""The disk of a generation 1 VM on its way to UEFI: what the running guest checks and converts.

Part of Trusted Launch. Source: Microsoft Learn, "Upgrade existing Azure Gen1 VMs to Trusted launch"
(https://learn.microsoft.com/azure/virtual-machines/trusted-launch-existing-vm-gen-1), and "MBR2GPT.EXE"
(https://learn.microsoft.com/windows/deployment/mbr-to-gpt) with its exit codes: 0 is done, 100 is done with
boot entries that were not all restored, 6 an encrypted volume, 7 a layout that does not fit.

Windows: validated, then a full snapshot while it still boots the old way, then converted as the last work on
the running VM: a converted disk boots by UEFI alone, so no restart may come between it and the upgrade.
Linux: images of the marketplace bring GPT and an EFI system partition along; that is checked and nothing is
converted. Other disks would need work by hand, which Azure does not support.
"""

from readiness.model.context import Choice, Generation1
from readiness.model.ids import ResourceId
from readiness.model.playbook import Target
from readiness.model.steps import Change, HandOver, PatchVm, RunInGuest, Step, SwapOsDisk, TakeSnapshot
from readiness.model.virtual_machine import OsFamily, VirtualMachine

MOMENT = "before-conversion"
"""Of the snapshot that still boots the old way."""
CONVERT = "convert-disk-to-gpt"
_CONVERSION_SECONDS = 600


def is_chosen(choice: Choice, vm: VirtualMachine) -> bool:
    """Tell whether a VM is of generation 1, and its conversion was chosen."""
    wish = choice.trusted_launch
    return wish is not None and wish.generation_1 is Generation1.CONVERT and vm.boot.generation == 1


def check(target: Target) -> tuple[Change, ...]:
    """Ask the guest whether its disk can go; changes nothing."""
    vm = target.vm
    if vm.os_family is OsFamily.LINUX:
        return (
            RunInGuest(
                vm=vm.id,
                name="check-boot-layout",
                script=_LINUX,
                expects="^layout: ready for UEFI$",
                refuses="^missing: .*$",
            ),
        )
    return (_mbr2gpt(vm.id, "validate-disk-layout", _VALIDATE),)


def convert(target: Target) -> tuple[Change, ...]:
    """Check again, keep the disk as it is in a full snapshot, and convert it if Windows is on it."""
    vm = target.vm
    if vm.os_disk is None or vm.os_disk.disk is None:
        return ()
    snapshot = TakeSnapshot(vm=vm.id, disk=vm.os_disk.disk, moment=MOMENT)
    change = (_mbr2gpt(vm.id, CONVERT, _CONVERT),) if vm.os_family is OsFamily.WINDOWS else ()
    return (*check(target), snapshot, *change)


def snapshot_of(begun: tuple[Step, ...]) -> TakeSnapshot | None:
    """Return the snapshot from before a conversion, if there was to be one."""
    return next((step for step in begun if isinstance(step, TakeSnapshot) and step.moment == MOMENT), None)


def undo(snapshot: TakeSnapshot, begun: tuple[Step, ...]) -> tuple[Step, ...]:
    """Swap the disk from before in, while the VM is of generation 1; after that only a person leads back.

    Azure makes the VM one of generation 2 with the write of its security type, and never one of generation 1
    again. Nothing tells whether a write that was begun was accepted, so it counts.
    """
    if any(isinstance(step, PatchVm) and "securityProfile" in step.properties for step in begun):
        return (HandOver(vm=snapshot.vm, code="RebuildNeeded", reason=_rebuild(snapshot)),)
    if any(isinstance(step, RunInGuest) and step.name == CONVERT for step in begun):
        return (SwapOsDisk(vm=snapshot.vm, disk=snapshot.disk, moment=MOMENT),)
    return ()


def consent(target: Target) -> tuple[str, ...]:
    """Return what its owner agrees to."""
    converted = "converted to GPT" if target.vm.os_family is OsFamily.WINDOWS else "booted by UEFI"
    return (
        f"its OS disk is {converted} and the VM becomes one of generation 2 for good",
        "it must never be reimaged: its image reference goes on naming an image of generation 1",
    )


def _rebuild(snapshot: TakeSnapshot) -> str:
    vm, disk = snapshot.vm.name, snapshot.disk.name
    return (
        f"{vm} was of generation 1, and Azure does not take it back there: it has to be rebuilt. Create a "
        f"disk from the older of the two snapshots of {disk} that carry this run's tags; set the deletion of "
        f"{vm}'s disks and interfaces to Detach; delete {vm}; create it anew from that disk, its data disks "
        "and its interfaces. It gets a new vmId and a new identity: assign its roles again"
    )


def _mbr2gpt(vm: ResourceId, name: str, script: str) -> RunInGuest:
    done = "^mbr2gpt exit code: (0|100)$"
    return RunInGuest(vm=vm, name=name, script=script, expects=done, timeout=_CONVERSION_SECONDS)


_VALIDATE = r"""
& "$env:SystemRoot\System32\mbr2gpt.exe" /validate /allowFullOS
$code = $LASTEXITCODE
"mbr2gpt exit code: $code"
exit $code
"""
# Looks first: a disk that was converted already would be refused with exit code 7.
_CONVERT = r"""
$code = 0
$disk = Get-Disk | Where-Object { $_.IsBoot }
if ($disk.PartitionStyle -eq 'GPT') {
    "the disk is converted already"
} else {
    & "$env:SystemRoot\System32\mbr2gpt.exe" /convert /allowFullOS
    $code = $LASTEXITCODE
}
"mbr2gpt exit code: $code"
if ($code -eq 100) { exit 0 }
exit $code
"""
# The disk is looked for from /boot upwards, since LVM puts volumes between; several disks are too many.
_LINUX = r"""
device=$(df -P /boot | tail -n 1 | awk '{print $1}')
for level in 1 2 3 4; do
    parents=$(lsblk -ndo PKNAME "$device" | sort -u | grep .)
    if [ "$(echo "$parents" | wc -l)" -gt 1 ]; then
        echo "missing: one disk under /boot, not several"; exit 0
    fi
    if [ -n "$parents" ]; then device="/dev/$parents"; fi
done
echo "boot disk: $device"
bad=0
if [ "$(lsblk -ndo TYPE "$device")" != disk ]; then echo "missing: the disk under /boot"; bad=1; fi
if [ "$(blkid "$device" -o value -s PTTYPE)" != gpt ]; then echo "missing: a GUID partition table"; bad=1; fi
if ! fdisk -l "$device" | grep -q "EFI System"; then echo "missing: an EFI system partition"; bad=1; fi
if ! grep -Eq "^[^#]*[[:space:]]/boot/efi[[:space:]]" /etc/fstab; then
    echo "missing: /boot/efi in /etc/fstab"; bad=1
fi
if [ "$bad" = 0 ]; then echo "layout: ready for UEFI"; fi
"""
