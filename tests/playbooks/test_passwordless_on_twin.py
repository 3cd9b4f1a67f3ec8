"""Passwordless access carried out on a twin, from an estate's files to the guest: closed, refused, undone."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from playbooks.catalog import ALL_PLAYBOOKS
from readiness.app.estates import load, locate
from readiness.model.lifecycle import Phase, Stage
from readiness.model.plan import Batch, PlannedVm, Wave
from readiness.model.run import RunState
from readiness.planner.build import Request, build_plan
from readiness.planner.policy import Policy
from readiness.rules.evaluate import evaluate
from readiness.twin.core import Request as TwinRequest
from readiness.twin.core import Twin
from readiness.twin.faults import Faults
from readiness.twin.guest import inside
from readiness.twin.guest.system import Guest
from readiness.twin.seed import load as load_seed
from tests.engine.estates import AS_OF, RELEASE
from tests.engine.rig import Rig, planned

GROUP = "6f0b7a52-4a0e-4a53-9e0c-5b3c1c2f9a10"
CONTEXT = """\
format: readiness/context/1
applications:
  - {{name: All, owner: {{name: Ada}}, match: {{}}, windows: [night]}}
windows:
  - {{name: night, rrule: FREQ=DAILY, start: "22:00", duration: PT6H, timezone: Europe/Berlin}}
targets:
  - {{match: {{names: [{name}]}}, login: {login}}}
"""
ENTRA = f"{{method: entra, admin_groups: [{GROUP}]}}"
KEYED = [{"name": "boadmin", "administrator": True, "password": True, "keys": 1}]
BY_KEY = {"user": "boadmin", "method": "publickey", "days_ago": 2}
BY_PASSWORD = {"user": "svc", "method": "password", "days_ago": 2}


class Bench(Rig):
    """A twin of the starter estate where one VM is to do without passwords, and nothing else is asked."""

    def __init__(
        self,
        folder: Path,
        name: str,
        login: str,
        *faults: dict[str, object],
        is_windows: bool = False,
        **guest: Any,
    ) -> None:
        super().__init__(folder, _wave(planned("sf-web-01")))
        self.name = name
        home = folder / "estate"
        shutil.copytree(locate("starter"), home)
        (home / "context.yaml").write_text(CONTEXT.format(name=name, login=login))
        said = {"resource": name, "users": KEYED, "chances": {"match_block": 0}} | guest
        (home / "guest.json").write_text(json.dumps({"format": "readiness/guest/1", "guests": [said]}))
        if is_windows:
            _make_windows(home / "resources.jsonl", name)
        estate = load(home)
        assessment = evaluate(estate, as_of=AS_OF, release=RELEASE)
        request = Request(estate=estate, assessment=assessment, playbooks=ALL_PLAYBOOKS, policy=Policy())
        self.plan = build_plan(request)
        self.vm = next(vm for wave in self.plan.waves for vm in wave.vms if vm.name == name)
        self.wave = _wave(self.vm)
        document = {"format": "readiness/faults/1", "faults": list(faults)}
        self.twin = Twin(load_seed(home), clock=self.clock, faults=Faults.parse(document))

    def close(self) -> RunState:
        """Prepare and close, a soak apart."""
        assert Phase.DONE is self.process(stage=Stage.PREPARATION).units[0].phase
        self.clock.sleep(86_400)
        return self.process(stage=Stage.CLOSURE)

    @property
    def guest(self) -> Guest:
        """The guest of the VM."""
        state = self.twin._world.state
        found = next(
            vm for vm in state.of_kind("microsoft.compute/virtualmachines") if vm["name"] == self.name
        )
        return inside.guest_of(state, found, now=self.clock.now(), seed=0)

    @property
    def takes_passwords(self) -> bool:
        """Whether its SSH server takes passwords."""
        return "yes" == self.guest.sshd_in_force["passwordauthentication"]

    @property
    def rules(self) -> dict[str, dict[str, Any]]:
        """What the rules of the VM's own security group say that Azure lets people set."""
        group = next(each for each in self.twin.resources() if each["name"] == f"{self.name}-nsg")
        return {rule["name"]: _said(rule["properties"]) for rule in group["properties"]["securityRules"]}

    def roles(self) -> list[tuple[str, str]]:
        """Return principal and scope of the role assignments that were made for the group."""
        return [
            (each["properties"]["principalId"], each["properties"]["scope"].rsplit("/", 1)[-1])
            for each in self.twin.resources()
            if each["type"].lower() == "microsoft.authorization/roleassignments"
            and each["properties"].get("principalId") == GROUP
        ]

    def left_behind(self) -> list[str]:
        """Return the names of run commands that are still there."""
        return [each["name"] for each in self.twin.resources() if "/runcommands" in each["type"].lower()]


_SINGULAR = {"sourceAddressPrefixes": "sourceAddressPrefix", "destinationPortRanges": "destinationPortRange"}


def _said(properties: dict[str, Any]) -> dict[str, Any]:
    """Return what a rule says; a list of one is the same as its only value."""
    said = {name: value for name, value in properties.items() if value and name != "provisioningState"}
    for plural, singular in _SINGULAR.items():
        if len(said.get(plural, ())) == 1:
            said[singular] = said.pop(plural)[0]
    return said


def _wave(machine: PlannedVm) -> Wave:
    return Wave(number=1, name="test", batches=(Batch(number=1, vms=(machine,)),))


def _make_windows(file: Path, name: str) -> None:
    """Let a VM be one of Windows, and its security group open RDP in place of SSH."""
    lines = []
    for line in file.read_text().splitlines():
        each = json.loads(line)
        if each["name"] == name and each["type"].lower() == "microsoft.compute/virtualmachines":
            each["properties"]["osProfile"].pop("linuxConfiguration", None)
            each["properties"]["osProfile"]["windowsConfiguration"] = {"provisionVMAgent": True}
            each["properties"]["storageProfile"]["osDisk"]["osType"] = "Windows"
            each["properties"]["storageProfile"]["imageReference"] = {
                "publisher": "MicrosoftWindowsServer",
                "offer": "WindowsServer",
                "sku": "2022-datacenter-azure-edition",
            }
        if each["name"] == f"{name}-nsg":
            each["properties"]["securityRules"][0]["properties"]["destinationPortRanges"] = ["3389"]
        lines.append(json.dumps(each))
    file.write_text("\n".join(lines) + "\n")


def names(bench: Bench) -> list[str]:
    """Return the steps of preparation and closure by name."""
    return [step.name for step in (*bench.vm.preparation, *bench.vm.closure)]


def test_a_linux_vm_does_without_passwords(tmp_path: Path) -> None:
    """Identity, Entra login, role and proof come days before; then its SSH server takes no more passwords."""
    bench = Bench(tmp_path, "bo-app-01", ENTRA, logins=[BY_KEY])
    assert bench.takes_passwords
    assert [
        "prepare.assign-identity",
        "prepare.install-extension:AADSSHLoginForLinux",
        "prepare.run-in-guest:prove-logins",
        "close.run-in-guest:prove-logins",
        "close.run-in-guest:close-passwords",
    ] == [name for name in names(bench) if "assign-role" not in name]
    state = bench.close()
    assert Phase.DONE is state.units[0].phase, state
    assert (False, True) == (bench.takes_passwords, bench.guest.takes_entra_logins)
    assert [(GROUP, "bo-app-01")] == bench.roles()
    assert [] == bench.left_behind()


def test_nobody_was_seen_without_a_password(tmp_path: Path) -> None:
    """A key that nobody used proves nothing: preparation says so, and passwords stay."""
    bench = Bench(tmp_path, "bo-app-01", "{method: key}", logins=[])
    unit = bench.process(stage=Stage.PREPARATION).units[0]
    assert (Phase.BLOCKED, True) == (unit.phase, bench.takes_passwords)


@pytest.mark.parametrize(
    ("accepted", "phase"), [("[]", Phase.BLOCKED), ("[svc]", Phase.DONE)], ids=["not accepted", "accepted"]
)
def test_a_login_by_password_stops_it(tmp_path: Path, accepted: str, phase: Phase) -> None:
    """An account that signs in by password is told by name, and stops nothing once its owner accepted."""
    login = f"{{method: key, accepted_password_logins: {accepted}}}"
    bench = Bench(tmp_path, "bo-app-01", login, logins=[BY_KEY, BY_PASSWORD])
    unit = bench.process(stage=Stage.PREPARATION).units[0]
    assert (phase, phase is Phase.BLOCKED) == (unit.phase, "password-login svc" in unit.reason), unit


def test_what_sshd_refuses_ends_as_it_began(tmp_path: Path) -> None:
    """A closure that fails is taken back, and says why."""
    broken = {"/etc/ssh/sshd_config.d/60-own.conf": "Match User sftp\n  PasswordAuthentication yes\n"}
    bench = Bench(tmp_path, "bo-app-01", "{method: key}", logins=[BY_KEY], files=broken)
    unit = bench.close().units[0]
    assert Phase.ROLLED_BACK is unit.phase, unit
    assert "lets passwords in" in unit.reason or "exit code 11" in unit.reason
    assert bench.takes_passwords


@pytest.mark.parametrize("is_windows", [False, True], ids=["Linux", "Windows"])
def test_the_internet_is_shut_out(tmp_path: Path, is_windows: bool) -> None:  # noqa: FBT001
    """The VM's own rule lets in the named addresses alone, which Azure's rules in force prove."""
    login = "{method: key, allow_from: [203.0.113.0/28]}"
    bench = Bench(tmp_path, "jump-01", login, is_windows=is_windows, logins=[] if is_windows else [BY_KEY])
    before = bench.rules["SSH"]
    assert "Internet" == before["sourceAddressPrefix"]
    if is_windows:
        assert ["close.set-security-rule:SSH", "close.prove-closed:3389"] == names(bench)
        state = bench.process(stage=Stage.CLOSURE)
    else:
        state = bench.close()
    assert Phase.DONE is state.units[0].phase, state
    assert before | {"sourceAddressPrefix": "203.0.113.0/28"} == bench.rules["SSH"]
    if not is_windows:
        assert not bench.takes_passwords


def test_a_port_that_stays_open_takes_everything_back(tmp_path: Path) -> None:
    """Where somebody opens another way meanwhile, rule and passwords are as they were before."""
    bench = Bench(tmp_path, "jump-01", "{method: key, allow_from: [203.0.113.0/28]}", logins=[BY_KEY])
    before = bench.rules
    group = next(each for each in bench.twin.resources() if each["name"] == "jump-01-nsg")
    other = {"priority": 101, "description": "another way"}
    _open(bench, f"{group['id']}/securityRules/other", before["SSH"] | other)
    unit = bench.close().units[0]
    assert Phase.ROLLED_BACK is unit.phase, unit
    assert "still reaches port 22" in unit.reason
    assert (True, before["SSH"]) == (bench.takes_passwords, bench.rules["SSH"])


def test_a_rule_that_somebody_changed_stays_theirs(tmp_path: Path) -> None:
    """The closure ends before it, takes back what it did itself, and leaves nobody stranded."""
    bench = Bench(tmp_path, "jump-01", "{method: key, allow_from: [203.0.113.0/28]}", logins=[BY_KEY])
    group = next(each for each in bench.twin.resources() if each["name"] == "jump-01-nsg")
    theirs = bench.rules["SSH"] | {"sourceAddressPrefix": "198.51.100.0/24"}
    _open(bench, f"{group['id']}/securityRules/SSH", theirs)
    unit = bench.close().units[0]
    assert Phase.ROLLED_BACK is unit.phase, unit
    assert "not what it was" in unit.reason
    assert (True, theirs) == (bench.takes_passwords, bench.rules["SSH"])


def _open(bench: Bench, rule: str, properties: dict[str, Any]) -> None:
    body = {"properties": properties}
    answer = bench.twin.handle(TwinRequest("PUT", rule, {"api-version": "2024-05-01"}, {}, body))
    assert answer.status < 300, answer.body
    bench.clock.sleep(60)
