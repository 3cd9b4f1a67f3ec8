"""Whether the sizes that an owner approved would do, asked before the first effect.

Each is looked at as Azure has it now: offered in the region and zone, open to the subscription, able to boot
the VM before and after its change, with quota left, and allowed by policies. What would not do is told with
its reasons and blocks nothing: the VM's own size may well have room, and Azure has the last word on others.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from readiness.azure import wire, wire_storage
from readiness.azure.plain import read
from readiness.azure.preflight_bodies import vm_states
from readiness.azure.preflight_parts import Asker, Finding, Refusal, Subject, Unknown, subscription_of
from readiness.azure.preflight_policies import Policies
from readiness.azure.preflight_quotas import cores_left, usages_of
from readiness.azure.remembered import Json
from readiness.azure.wire_values import flag, location_of, obj, objects, text
from readiness.errors import DeniedError
from readiness.model.ids import ResourceId
from readiness.model.sku import Sku
from readiness.model.steps import PatchVm, Preflight, Resize
from readiness.planner.size_needs import Needs, misfits

_SKUS_API, _NETWORK_API, _DISKS_API = "2021-07-01", "2024-05-01", "2024-03-02"


class Sizes:
    """Looks at the sizes that a VM may run as where Azure has no room for its own."""

    def __init__(self, asker: Asker, policies: Policies) -> None:
        self._asker = asker
        self._policies = policies

    def find(self, subject: Subject) -> Iterator[Finding]:
        """Find why the VM could not run as the sizes that were approved."""
        wanted = [step.size for step in subject.step.spare if isinstance(step, Resize)]
        if not wanted:
            return
        known = self._offered(subject, {size.lower() for size in (*wanted, _size_of(subject.body))})
        if known is None:
            yield Unknown("not known: what its approved sizes can do, since Azure does not tell of sizes")
        told = {size: tuple(self._whys(subject, size, known)) for size in wanted}
        for size, whys in told.items():
            if whys:
                yield Unknown(f"it could not run as {size}: {'; '.join(whys)}")
        if all(told.values()):
            own = _size_of(subject.body)
            yield Unknown(f"none of its approved sizes would do: without room for {own} it would be stranded")

    def _whys(self, subject: Subject, size: str, known: dict[str, Sku] | None) -> Iterator[str]:
        location = location_of(subject.body)
        if known is not None:
            other = known.get(size.lower())
            if other is None:
                yield f"it is not offered in {location}"
                return
            needs = self._needs(subject, known.get(_size_of(subject.body).lower()))
            # Read only where it matters: nearly every size has both.
            if other.accelerated_networking is False:
                needs = replace(needs, accelerated_networking=self._is_accelerated(subject))
            if other.premium_disks is False:
                needs = replace(needs, premium_disks=self._has_premium(subject))
            yield from misfits(needs, other)
            found = usages_of(self._asker, subject)
            if not isinstance(found, DeniedError):
                yield from cores_left(found, needs.own, other, subject)
        yield from self._denied(subject, size)

    def _offered(self, subject: Subject, names: set[str]) -> dict[str, Sku] | None:
        """Return which of some sizes are offered where the VM runs, by name in lower case.

        None where Azure does not tell. A region has a thousand sizes, a wave thousands of VMs: only what is
        asked for is read.
        """
        location = location_of(subject.body)
        scope = subscription_of(subject.vm)
        path = f"{scope}/providers/Microsoft.Compute/skus?$filter=location%20eq%20%27{location}%27"
        place = ResourceId(f"{scope}/providers/Microsoft.Compute/locations/{location}")
        found = self._asker.listed(subject, "skus", place, path, _SKUS_API)
        if isinstance(found, DeniedError):
            return None
        machines = [one for one in found if (text(one, "resourceType") or "").lower() == "virtualmachines"]
        asked = (one for one in machines if (text(one, "name") or "").lower() in names)
        known = {name: sku for one in asked for (name, at), sku in wire_storage.skus(one) if at == location}
        return known if machines else None

    def _needs(self, subject: Subject, own: Sku | None) -> Needs:
        """Return what the VM needs as it is, and as it is after each of its writes."""
        now = wire.virtual_machine(subject.body)
        states = [wire.virtual_machine(one.content | {"id": subject.vm.text}) for one in vm_states(subject)]
        trusted = any(one.boot.security_type.lower() == "trustedlaunch" for one in (now, *states))
        profile = obj(obj(subject.body, "properties"), "storageProfile")
        generation = self._generation(subject)
        return Needs(
            zones=now.zones,
            generations=frozenset({generation, 2} if trusted else {generation}) - {None},
            trusted_launch=trusted,
            encryption_at_host=any(one.boot.encryption_at_host for one in (now, *states)),
            own=own,
            data_disks=len(objects(profile, "dataDisks")),
            nics=len(now.nics),
            disk_controller=text(profile, "diskControllerType") or "SCSI",
        )

    def _generation(self, subject: Subject) -> int | None:
        """Return the generation of the VM, which its OS disk knows."""
        profile = obj(obj(subject.body, "properties"), "storageProfile")
        disk = text(obj(obj(profile, "osDisk"), "managedDisk"), "id")
        found = self._one(subject, ResourceId(disk), _DISKS_API) if disk else None
        said = text(obj(found, "properties"), "hyperVGeneration") if found else None
        return {"V1": 1, "V2": 2}.get(said or "V1") if found else None

    def _is_accelerated(self, subject: Subject) -> bool:
        """Tell whether an interface of the VM is accelerated; what may not be read counts as if it is not."""
        nics = wire.virtual_machine(subject.body).nics
        found = [self._one(subject, nic, _NETWORK_API) for nic in nics]
        return any(flag(obj(nic, "properties"), "enableAcceleratedNetworking") for nic in found if nic)

    def _has_premium(self, subject: Subject) -> bool:
        """Tell whether a disk of the VM is a Premium one: the disk knows, and a VM that is off may not."""
        found = [self._one(subject, disk, _DISKS_API) for disk in subject.disks]
        return any((text(obj(disk, "sku"), "name") or "").startswith("Premium") for disk in found if disk)

    def _one(self, subject: Subject, resource: ResourceId, version: str) -> Json | None:
        """Return a resource as it is on the wire; None where it is not there, or may not be read."""

        def question() -> list[Json]:
            through = resource.subscription or subject.vm.subscription
            body = read(self._asker.connection, through, resource.text, version)
            return [body] if body is not None else []

        found = self._asker.ask(subject, "body", resource, question)
        return found[0] if not isinstance(found, DeniedError) and found else None

    def _denied(self, subject: Subject, size: str) -> Iterator[str]:
        """Yield which policies would deny the VM as it is at the end, with that size."""
        last = [one.content for one in vm_states(subject) if not one.is_spare]
        body = {**(last[-1] if last else subject.body), "id": subject.vm.text}
        resize = PatchVm(vm=subject.vm, properties={"hardwareProfile": {"vmSize": size}})
        step = Preflight(vm=subject.vm, work=(resize,))
        for finding in self._policies.find(Subject(step, subject.context, body, None)):
            if isinstance(finding, Refusal):
                yield finding.words


def _size_of(body: Json) -> str:
    return text(obj(obj(body, "properties"), "hardwareProfile"), "vmSize") or ""
