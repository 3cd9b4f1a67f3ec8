"""Passwordless access as values: exact steps for each way, what has to be seen, and the way back."""

from typing import Any

import pytest
from msgspec.structs import replace

from playbooks.passwordless import ADMINISTRATOR, PLAYBOOK, SPEC, USER
from playbooks.passwordless_scripts import CLOSE_PASSWORDS, LIST_LOGINS, OPEN_PASSWORDS, PROVE_WORKGROUP
from readiness.model.context import Choice, IdentityChoice, LoginChoice, LoginMethod
from readiness.model.ids import ResourceId
from readiness.model.observation import Observation, before_of
from readiness.model.playbook import Opening, Target
from readiness.model.steps import (
    AssignIdentity,
    AssignRole,
    Change,
    InstallExtension,
    ProveClosed,
    RemoveSecurityRule,
    RunInGuest,
    SetSecurityRule,
)
from readiness.model.virtual_machine import Identity, OsFamily, VirtualMachine
from tests.builders import GROUP, extension, rid, vm

LINUX = vm()
WINDOWS = vm(os_family=OsFamily.WINDOWS)
ADMINS, USERS = "2b1d4a52-0c8e-4d41-9f5b-1d6f0d0a7c11", "7e1d4a52-0c8e-4d41-9f5b-1d6f0d0a7c11"
KEY = LoginChoice(method=LoginMethod.KEY)
ENTRA = LoginChoice(method=LoginMethod.ENTRA, admin_groups=(ADMINS,), user_groups=(USERS,))
NAMED = LoginChoice(method=LoginMethod.KEY, allow_from=("203.0.113.0/28",))
OWN = Identity(system_assigned=True)
LINUX_LOGIN = extension("Microsoft.Azure.ActiveDirectory", "AADSSHLoginForLinux")
WINDOWS_LOGIN = extension("Microsoft.Azure.ActiveDirectory", "AADLoginForWindows")
IN_DOMAIN = extension("Microsoft.Compute", "JsonADDomainExtension")

IDENTITY = AssignIdentity(vm=LINUX.id)
LOGINS = RunInGuest(
    vm=LINUX.id,
    name="prove-logins",
    script=LIST_LOGINS,
    expects=r"^key-login \S+$",
    refuses=r"^password-login \S+$",
)
WORKGROUP = RunInGuest(vm=LINUX.id, name="prove-workgroup", script=PROVE_WORKGROUP, expects=r"^workgroup\s*$")
OFF = RunInGuest(
    vm=LINUX.id,
    name="close-passwords",
    script=CLOSE_PASSWORDS,
    expects="^passwordauthentication no$",
    refuses="^(passwordauthentication|kbdinteractiveauthentication) yes$",
)
AGAIN = RunInGuest(
    vm=LINUX.id,
    name="open-passwords",
    script=OPEN_PASSWORDS,
    expects="^readiness: passwords are as they were$",
)
ROLES = tuple(
    AssignRole(vm=LINUX.id, role=role, scope=LINUX.id, principal=group, kind="Group")
    for role, group in ((ADMINISTRATOR, ADMINS), (USER, USERS))
)


def installed(kind: str) -> InstallExtension:
    """Return the step that installs Entra login."""
    return InstallExtension(
        vm=LINUX.id, name=kind, publisher="Microsoft.Azure.ActiveDirectory", kind=kind, version="1.0"
    )


FOR_LINUX, FOR_WINDOWS = installed("AADSSHLoginForLinux"), installed("AADLoginForWindows")
EVERY_IDENTITY = IdentityChoice(
    user_assigned=(rid("Microsoft.ManagedIdentity/userAssignedIdentities", "id1"),), accept_new_default=True
)
PREPARE: dict[str, tuple[VirtualMachine, Choice, tuple[Change, ...]]] = {
    "not chosen": (LINUX, Choice(), ()),
    "keys": (LINUX, Choice(login=KEY), (LOGINS,)),
    "Entra": (LINUX, Choice(login=ENTRA), (IDENTITY, FOR_LINUX, *ROLES, LOGINS)),
    "Entra, with the identity that was chosen": (
        LINUX,
        Choice(login=ENTRA, identity=EVERY_IDENTITY),
        (
            AssignIdentity(vm=LINUX.id, user_assigned=EVERY_IDENTITY.user_assigned, accept_new_default=True),
            FOR_LINUX,
            *ROLES,
            LOGINS,
        ),
    ),
    "Entra, everything there": (
        replace(LINUX, identity=OWN, extensions=(LINUX_LOGIN,)),
        Choice(login=ENTRA),
        (*ROLES, LOGINS),
    ),
    "Entra, an extension that failed": (
        replace(LINUX, identity=OWN, extensions=(replace(LINUX_LOGIN, provisioning_state="Failed"),)),
        Choice(login=ENTRA),
        (FOR_LINUX, *ROLES, LOGINS),
    ),
    "Windows with keys": (WINDOWS, Choice(login=KEY), ()),
    "Windows with Entra": (WINDOWS, Choice(login=ENTRA), (IDENTITY, WORKGROUP, FOR_WINDOWS, *ROLES)),
    "Windows in a domain": (replace(WINDOWS, extensions=(IN_DOMAIN,)), Choice(login=ENTRA), ()),
    "Windows that has joined Entra": (
        replace(WINDOWS, identity=OWN, extensions=(WINDOWS_LOGIN,)),
        Choice(login=ENTRA),
        ROLES,
    ),
    "an unknown system": (replace(LINUX, os_family=None), Choice(login=ENTRA), ()),
}


@pytest.mark.parametrize("case", PREPARE)
def test_prepare(case: str) -> None:
    """Identity, extension, roles, then the proof that somebody came in: in the order in which they work."""
    machine, choice, expected = PREPARE[case]
    assert expected == PLAYBOOK.prepare(Target(vm=machine, disks=(), choice=choice))


def test_accounts_are_accepted_by_name() -> None:
    """The proof refuses every login by password but those of the named accounts, word for word."""
    accepting = replace(KEY, accepted_password_logins=("svc.a", "scanner"))
    target = Target(vm=LINUX, disks=(), choice=Choice(login=accepting))
    (step,) = PLAYBOOK.prepare(target)
    assert isinstance(step, RunInGuest)
    assert r"^password-login (?!(?:svc\.a|scanner)$)\S+$" == step.refuses
    assert PLAYBOOK.consent is not None
    assert ("the password logins of svc.a, scanner end",) == PLAYBOOK.consent(target)
    assert () == PLAYBOOK.consent(replace(target, choice=Choice(login=KEY)))


# The closure ----------------------------------------------------------------------------------------------

SSH: dict[str, Any] = {
    "protocol": "Tcp",
    "access": "Allow",
    "priority": 300,
    "direction": "Inbound",
    "sourceAddressPrefix": "Internet",
    "destinationAddressPrefix": "*",
    "sourcePortRange": "*",
    "destinationPortRange": "22",
}
RULE = ResourceId(f"{GROUP}/securityRules/allow-ssh")
ALLOW, DENY = (ResourceId(f"{GROUP}/securityRules/readiness-{one}-allow-ssh") for one in ("allow", "deny"))


def opening(*, ports: tuple[int, ...] = (22,), shared: bool = False, **changes: Any) -> Opening:
    """Return an opening for the whole internet."""
    properties = {key: value for key, value in (SSH | changes).items() if value is not None}
    return Opening(rule=RULE, properties=properties, ports=ports, shared=shared, spare=(298, 299))


def narrowed(earlier: Opening, *gone: str, **changes: Any) -> SetSecurityRule:
    """Return the step that replaces a rule."""
    properties = {key: value for key, value in earlier.properties.items() if key not in gone} | changes
    return SetSecurityRule(vm=LINUX.id, rule=RULE, properties=properties, earlier=dict(earlier.properties))


def guard(rule: ResourceId, source: str, priority: int, *ports: str) -> SetSecurityRule:
    """Return the step that puts a rule before another."""
    properties = {
        "description": "Management ports before allow-ssh",
        "protocol": "*",
        "access": "Allow" if rule == ALLOW else "Deny",
        "priority": priority,
        "direction": "Inbound",
        "sourceAddressPrefix": source,
        "destinationAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationPortRanges": [*ports],
    }
    return SetSecurityRule(vm=LINUX.id, rule=rule, properties=properties)


PROOF = ProveClosed(vm=LINUX.id, ports=(22,))
INTERNET, EVERYBODY = opening(), opening(sourceAddressPrefix="*")
MIXED = opening(sourceAddressPrefix=None, sourceAddressPrefixes=["10.0.0.0/8", "8.8.8.8", "20.0.0.0/8"])
WIDE = opening(ports=(22, 3389), destinationPortRange="*", sourceAddressPrefix="*")
TAGGED = opening(sourceAddressPrefix=None, sourceAddressPrefixes=["VirtualNetwork", "Internet"])
RULES: dict[str, tuple[Opening, LoginChoice, tuple[Change, ...]]] = {
    "the internet is turned away": (INTERNET, KEY, (narrowed(INTERNET, access="Deny"), PROOF)),
    "named addresses stay": (
        INTERNET,
        NAMED,
        (narrowed(INTERNET, sourceAddressPrefix="203.0.113.0/28"), PROOF),
    ),
    "everybody becomes the virtual network": (
        EVERYBODY,
        KEY,
        (narrowed(EVERYBODY, sourceAddressPrefix="VirtualNetwork"), PROOF),
    ),
    "everybody, with named addresses": (
        EVERYBODY,
        NAMED,
        (guard(ALLOW, "203.0.113.0/28", 298, "22"), guard(DENY, "Internet", 299, "22"), PROOF),
    ),
    "private addresses stay": (
        MIXED,
        KEY,
        (narrowed(MIXED, "sourceAddressPrefixes", sourceAddressPrefix="10.0.0.0/8"), PROOF),
    ),
    "private and named addresses stay": (
        MIXED,
        NAMED,
        (narrowed(MIXED, sourceAddressPrefixes=["10.0.0.0/8", "203.0.113.0/28"]), PROOF),
    ),
    "a rule for other ports too is left alone": (
        WIDE,
        KEY,
        (guard(DENY, "Internet", 299, "22", "3389"), ProveClosed(vm=LINUX.id, ports=(22, 3389))),
    ),
    "a tag beside the internet is left alone": (TAGGED, KEY, (guard(DENY, "Internet", 299, "22"), PROOF)),
    "only the chosen ports are closed": (
        WIDE,
        replace(KEY, ports=(22,)),
        (guard(DENY, "Internet", 299, "22"), PROOF),
    ),
    "no room before the rule": (replace(WIDE, spare=()), replace(KEY, ports=(22,)), (PROOF,)),
    "a port that was not chosen": (INTERNET, replace(KEY, ports=(3389,)), ()),
    "a shared group": (opening(shared=True), KEY, ()),
}


@pytest.mark.parametrize("case", RULES)
@pytest.mark.parametrize("machine", [LINUX, WINDOWS], ids=["Linux", "Windows"])
def test_close(case: str, machine: VirtualMachine) -> None:
    """On Linux the logins are proven again and passwords go; then all but the named are shut out."""
    found, choice, expected = RULES[case]
    first = (LOGINS, OFF) if machine is LINUX else ()
    target = Target(vm=machine, disks=(), choice=Choice(login=choice), openings=(found,))
    assert (*first, *expected) == PLAYBOOK.close(target)


def test_what_a_shared_group_keeps_open_is_not_proven() -> None:
    """A port that another VM's group keeps open cannot be proven closed, and takes nothing back."""
    shared = replace(opening(shared=True), rule=ResourceId(f"{GROUP}-2/securityRules/all"))
    rdp = opening(ports=(3389,), destinationPortRange="3389")
    choice = Choice(login=KEY)
    both = Target(vm=WINDOWS, disks=(), choice=choice, openings=(INTERNET, shared, rdp))
    assert ProveClosed(vm=LINUX.id, ports=(3389,)) == PLAYBOOK.close(both)[-1]


def test_nothing_is_closed_unasked() -> None:
    """Without a choice there is no closure."""
    assert () == PLAYBOOK.close(Target(vm=LINUX, disks=(), choice=Choice(), openings=(INTERNET,)))


# What is seen, and the way back ---------------------------------------------------------------------------

PREPARED: dict[str, tuple[VirtualMachine, LoginChoice | None, str]] = {
    "not chosen": (LINUX, None, "not-applicable EntraLoginNotChosen"),
    "keys": (LINUX, KEY, "not-applicable EntraLoginNotChosen"),
    "Windows": (WINDOWS, ENTRA, "not-applicable EntraLoginNotChosen"),
    "no identity": (LINUX, ENTRA, "unmet NoSystemIdentity"),
    "no extension": (replace(LINUX, identity=OWN), ENTRA, "unmet EntraLoginMissing"),
    "Entra": (replace(LINUX, identity=OWN, extensions=(LINUX_LOGIN,)), ENTRA, "met EntraLogin"),
}


@pytest.mark.parametrize("case", PREPARED)
def test_prepared(case: str) -> None:
    """Before the outage Entra login has to be there, where it was chosen."""
    machine, login, expected = PREPARED[case]
    verdicts = PLAYBOOK.prepared(Choice(login=login), Observation(vm=machine, disks=()))
    assert [expected] == [f"{one.status} {one.reason}" for one in verdicts]


def test_an_outage_owes_nothing() -> None:
    """Login is closed after the soak: no outage is taken back because passwords still work."""
    verdicts = PLAYBOOK.verify(Choice(login=ENTRA), Observation(vm=LINUX, disks=()))
    assert ["not-applicable ClosedAfterTheSoak"] == [f"{one.status} {one.reason}" for one in verdicts]


def test_the_way_back() -> None:
    """Rules go back as they were and what was created is removed, last one first; passwords come last."""
    before = before_of(Observation(vm=LINUX, disks=()))
    changed = narrowed(INTERNET, access="Deny")
    begun = (
        LOGINS,
        OFF,
        changed,
        guard(ALLOW, "203.0.113.0/28", 298, "22"),
        guard(DENY, "Internet", 299, "22"),
    )
    assert (
        RemoveSecurityRule(vm=LINUX.id, rule=DENY, made=guard(DENY, "Internet", 299, "22").properties),
        RemoveSecurityRule(
            vm=LINUX.id, rule=ALLOW, made=guard(ALLOW, "203.0.113.0/28", 298, "22").properties
        ),
        SetSecurityRule(vm=LINUX.id, rule=RULE, properties=SSH, earlier=changed.properties),
        AGAIN,
    ) == PLAYBOOK.undo(before, begun)
    assert (AGAIN,) == PLAYBOOK.undo(before, (LOGINS, OFF))
    assert () == PLAYBOOK.undo(before, (LOGINS,))
    assert () == PLAYBOOK.undo(before, ())


def test_what_it_does_itself_is_not_needed() -> None:
    """A VM without Entra login, role or proof is one to work on, not one to refuse."""
    assert {"PW003", "PW007", "PW009"}.isdisjoint(SPEC.needs)
