"""What a workload has beside its machines whose team works for Level 2 or 3: agents, evidence, findings."""

from collections.abc import Iterator

from sample_estates.generator import governance, posture
from sample_estates.generator.catalogue import Json
from sample_estates.generator.dice import Dice
from sample_estates.generator.machine import Machine

_AIMS = ((1, 94), (2, 3), (3, 3))
"""Of a hundred teams so many work for each level; most have never heard of the upper two."""


def drawn_aim(seed: int, number: int) -> int:
    """Return the level that the team of a workload works for; most work for none in particular."""
    return Dice(seed, "aim", number).weighted(_AIMS)


def agents(*, windows: bool) -> tuple[str, ...]:
    """Return the extensions that such a team has on every machine."""
    system = "Windows" if windows else "Linux"
    login = "AADLoginForWindows" if windows else "AADSSHLoginForLinux"
    return (
        f"AzureMonitor{system}Agent",
        f"MDE.{system}",
        login,
        f"GuestAttestation.{system}",
        f"AzurePolicyfor{system}",
    )


def evidence(vm: Machine, aim: int) -> Iterator[Json]:
    """Yield what was found inside a machine; for Level 3 its guest sets right what drifts."""
    system = "Windows" if vm.windows else "Linux"
    kind = "ApplyAndAutoCorrect" if aim == _HIGHEST else "Audit"
    yield governance.guest_assignment(vm, f"Azure{system}Baseline", "Compliant", kind)
    if aim == _HIGHEST and not vm.windows:
        yield governance.guest_assignment(vm, "AADDisableLocalAuth_Linux", "Compliant")
    yield posture.finding(vm, posture.SCANNED)


_HIGHEST = 3
