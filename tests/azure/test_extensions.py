"""Extensions through the real SDK on a twin: found, installed, mended, explained, removed."""

from typing import Any

import pytest

from readiness.errors import ConflictError
from readiness.model.steps import InstallExtension, RemoveExtension
from readiness.ports.cloud import Done, Failed, Pending
from tests.azure.test_perform import MACHINE, Process, on, writes
from tests.twin.seeds import TRUSTED, VM, deallocated, estate, vm
from tests.twin.test_extensions import IDENTITY, path_of
from tests.twin.test_guest import telling

ENTRA = InstallExtension(
    vm=MACHINE,
    name="AADSSHLoginForLinux",
    publisher="Microsoft.Azure.ActiveDirectory",
    kind="AADSSHLoginForLinux",
    version="1.0",
)
ATTEST = InstallExtension(
    vm=MACHINE,
    name="GuestAttestation",
    publisher="Microsoft.Azure.Security.LinuxAttestation",
    kind="GuestAttestation",
    version="1.0",
    settings={"useCustomToken": "false"},
)
ENTRA_WINDOWS = InstallExtension(
    vm=MACHINE,
    name="AADLoginForWindows",
    publisher="Microsoft.Azure.ActiveDirectory",
    kind="AADLoginForWindows",
    version="1.0",
)
REMOVE = RemoveExtension(vm=MACHINE, name=ENTRA.name)


def seeded(name: str = ENTRA.name, state: str = "Succeeded", **changes: Any) -> dict[str, Any]:
    """Return the Entra extension of web-1 as somebody else left it."""
    return {
        "id": path_of(name),
        "name": name,
        "type": "Microsoft.Compute/virtualMachines/extensions",
        "location": "westeurope",
        "tags": {"by": "somebody"},
        "properties": {
            "publisher": ENTRA.publisher,
            "type": ENTRA.kind,
            "typeHandlerVersion": "1.0",
            "provisioningState": state,
            **changes,
        },
    }


def beside(*others: dict[str, Any], faults: list[dict[str, Any]] | None = None) -> Process:
    """Return a process on a running VM with an identity, and what else is there."""
    return on(*estate(*others, machine=vm() | {"identity": IDENTITY}), faults=faults)


def test_is_installed_marked_and_found_in_place() -> None:
    """An installation is one write with our marks and settings; asked for again it is found in place."""
    process = beside()
    begun = process.begin(ENTRA)
    assert isinstance(begun, Pending)
    assert begun.token is not None
    assert Done("done") == process.finish(ENTRA, begun)
    shown = process.wire.get(path_of(ENTRA.name))
    assert ("0123456789ab", True) == (
        shown["tags"]["readiness-plan"],
        shown["properties"]["autoUpgradeMinorVersion"],
    )
    assert "enableAutomaticUpgrade" not in shown["properties"]
    assert Done("AADSSHLoginForLinux is there already") == process.begin(ENTRA)
    assert 1 == len(writes(process))


def test_attestation_upgrades_itself() -> None:
    """The attestation extension is asked for with automatic upgrade and its settings, as documented."""
    process = on(*estate(machine=vm(securityProfile=TRUSTED)))
    assert Done("done") == process.do(ATTEST)
    properties = process.wire.get(path_of("GuestAttestation"))["properties"]
    assert (True, {"useCustomToken": "false"}) == (
        properties["enableAutomaticUpgrade"],
        properties["settings"],
    )


def test_begun_again_after_a_crash_it_waits() -> None:
    """Where the token was lost, the installation under way is waited for, and nothing is written again."""
    first = beside()
    first.begin(ENTRA)
    second = Process(first.wire)
    again = second.begin(ENTRA)
    assert isinstance(again, Pending)
    assert again.token is None
    assert isinstance(second.finish(ENTRA, again), Done)
    assert 1 == len(writes(second))


def test_one_that_failed_is_installed_again() -> None:
    """An extension that is there and failed proves nothing: it is installed again, and keeps its tags."""
    process = beside(seeded(state="Failed"))
    assert Done("done") == process.do(ENTRA)
    assert {"by": "somebody"} == process.wire.get(path_of(ENTRA.name))["tags"]


def test_an_older_major_version_is_replaced() -> None:
    """Only the same major version counts as in place."""
    older = {"typeHandlerVersion": "0.9"}
    process = beside(seeded(**older))
    assert Done("done") == process.do(ENTRA)
    assert "1.0" == process.wire.get(path_of(ENTRA.name))["properties"]["typeHandlerVersion"]


def test_the_type_under_another_name_is_enough() -> None:
    """Azure allows one extension of a type: what succeeded under another name is in place."""
    process = beside(seeded("login"))
    assert Done("already there as login") == process.begin(ENTRA)
    assert [] == writes(process)


def test_the_type_failed_under_another_name_is_told() -> None:
    """What failed under another name is its owner's to mend: it is named, and not touched."""
    process = beside(seeded("login", "Failed"))
    answer = process.begin(ENTRA)
    assert isinstance(answer, Failed)
    assert "ExtensionFailed" == answer.code
    assert "already there as login, which has failed" in answer.detail
    assert [] == writes(process)


def test_the_name_of_another_type_is_not_taken_over() -> None:
    """An extension of another type under the name is left alone."""
    process = beside(seeded(publisher="Contoso", type="Login"))
    answer = process.begin(ENTRA)
    assert isinstance(answer, Failed)
    assert ("NameTaken", True) == (answer.code, "Contoso.Login" in answer.detail)


def test_exit_code_22_is_told_in_words() -> None:
    """Without an identity the Entra extension fails, and the answer says what is missing."""
    answer = on().do(ENTRA)
    assert isinstance(answer, Failed)
    assert "VMExtensionProvisioningError" == answer.code
    assert "no system-assigned managed identity" in answer.detail
    assert "22" in answer.evidence


def test_exit_code_23_is_told_in_words() -> None:
    """Beside the old login extension the new one fails, and the answer says which has to go."""
    old = seeded("old", publisher="Microsoft.Azure.ActiveDirectory.LinuxSSH", type="AADLoginForLinux")
    answer = beside(old).do(ENTRA)
    assert isinstance(answer, Failed)
    assert "AADLoginForLinux is installed: remove it" in answer.detail


def test_a_failure_of_any_kind_keeps_azures_words() -> None:
    """A failure whose cause is not known is told with Azure's own code and words, without secrets."""
    message = "VM has reported a failure: password=Hunter2! was refused"
    fault = {"kind": "fail", "operation": "*", "at": "end", "code": "Internal", "message": message}
    answer = beside(faults=[fault]).do(ENTRA)
    assert isinstance(answer, Failed)
    assert ("Internal", True) == (answer.code, "VM has reported a failure" in answer.detail)
    assert "Hunter2!" not in answer.detail + answer.evidence


def windows(**told: Any) -> dict[str, Any]:
    """Return a Windows VM with an identity."""
    machine = vm(osProfile={"adminUsername": "boss"}) | {"identity": IDENTITY}
    machine["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
    return telling(machine, **told)


def test_a_windows_machine_in_a_domain_is_told() -> None:
    """A join that the VM's domain stands against is told by what it means, not by its number."""
    answer = on(*estate(machine=windows(domain="corp.example.com"))).do(ENTRA_WINDOWS)
    assert isinstance(answer, Failed)
    assert "the VM cannot join Microsoft Entra ID: it is in a domain" in answer.detail


@pytest.mark.parametrize(("number", "is_known"), [("51", True), ("510", False)])
def test_exit_code_51_is_told_in_words(number: str, is_known: bool) -> None:  # noqa: FBT001
    """An operating system that is not supported is told as such, and no other number is taken for it."""
    message = f"Terminal error: exit code: {number}"
    fault = {"kind": "fail", "operation": "*", "at": "end", "code": "Internal", "message": message}
    answer = on(*estate(machine=windows()), faults=[fault]).do(ENTRA_WINDOWS)
    assert isinstance(answer, Failed)
    assert is_known == ("not one that this extension supports" in answer.detail)


# Removal ------------------------------------------------------------------------------------------------


def test_ours_is_removed_and_stays_away() -> None:
    """What the plan installed is removed; asked for again, there is nothing to do."""
    process = beside()
    process.do(ENTRA)
    assert Done("done") == process.do(REMOVE)
    assert Done("AADSSHLoginForLinux is not there") == process.begin(REMOVE)
    assert ["PUT", "DELETE"] == writes(process)


def test_a_removal_under_way_is_waited_for() -> None:
    """Where the token was lost, a removal is waited for."""
    first = beside()
    first.do(ENTRA)
    first.begin(REMOVE)
    again = Process(first.wire).begin(REMOVE)
    assert isinstance(again, Pending)
    assert again.token is None
    assert isinstance(first.finish(REMOVE, again), Done)


@pytest.mark.parametrize("state", ["Succeeded", "Failed"])
def test_what_is_not_ours_is_kept(state: str) -> None:
    """What was there before us is kept, also where we mended it."""
    process = beside(seeded(state=state))
    process.do(ENTRA)
    assert Done("AADSSHLoginForLinux is not ours, and is kept") == process.begin(REMOVE)
    assert path_of(ENTRA.name) == process.wire.get(path_of(ENTRA.name))["id"]


def test_a_machine_that_is_off_is_refused_in_azures_words() -> None:
    """Azure changes no extensions of a machine that is off, and the refusal comes through."""
    process = on(*estate(machine=deallocated()))
    with pytest.raises(ConflictError, match="not running"):
        process.begin(ENTRA)
    assert "PowerState/deallocated" == process.wire.power(VM)
