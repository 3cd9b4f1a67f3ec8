"""Passwordless access: a way in that needs no password, proven in use, and only then the passwords closed.

Sources, Microsoft Learn: "Sign in to a Linux virtual machine in Azure by using Microsoft Entra ID and
OpenSSH" (https://learn.microsoft.com/entra/identity/devices/howto-vm-sign-in-azure-ad-linux), its sister for
Windows (https://learn.microsoft.com/entra/identity/devices/howto-vm-sign-in-azure-ad-windows), "How network
security groups filter network traffic"
(https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works).
Does, days before: identity, Entra login and its roles where they were chosen; proves in the guest that
somebody signed in by key or Entra account in the last 30 days, and nobody by password whose owner did not
accept its end. Does, after the soak and never beside a change that can stop a boot: the same proof once more,
passwords off in sshd, and the internet kept from the management ports. Does, once all of them were closed and
in a run of its own: tightens a security group that several VMs share; where it was chosen, puts VMs under
just-in-time access, in another run of its own.
Does not: remove public addresses, so the way out stays as it is; touch such a group for the sake of one VM;
put a Windows VM that is in a domain into Entra; remove accounts or keys. Azure's own setting of how a VM was
set up never changes. Point of no return: none; the closure is taken back by configuration.
"""

import re

from playbooks.managed_identity import assignment
from playbooks.passwordless_just_in_time import opened_on_request, taken_out
from playbooks.passwordless_rules import closed_ports, put_back, tightened, tightened_for_all
from playbooks.passwordless_scripts import CLOSE_PASSWORDS, LIST_LOGINS, OPEN_PASSWORDS, PROVE_WORKGROUP
from readiness.model.context import Choice, IdentityChoice, LoginChoice, LoginMethod
from readiness.model.ids import ResourceId
from readiness.model.observation import Before, Observation
from readiness.model.playbook import OutageNeed, Playbook, PlaybookSpec, Target
from readiness.model.steps import AssignRole, Change, InstallExtension, ProveClosed, RunInGuest, Step, Undo
from readiness.model.verdict import Dimension, Verdict, met, not_applicable, unmet
from readiness.model.virtual_machine import Extension, OsFamily, VirtualMachine

SPEC = PlaybookSpec(
    id="passwordless",
    title="Passwordless access",
    dimension=Dimension.PASSWORD_ACCESS,
    level=1,
    outage=OutageNeed.NONE,
    # What the playbook itself brings or proves is not needed: login (PW003, PW009), proof (PW007). Neither is
    # a way out without the public address (PW008), which it leaves in its place.
    needs=("PW004", "PW005", "PW006"),
    undo=Undo.CONFIG,
)
ADMINISTRATOR, USER = "Virtual Machine Administrator Login", "Virtual Machine User Login"
_CLOSE = "close-passwords"
_PUBLISHER = "Microsoft.Azure.ActiveDirectory"
_EXTENSION = {OsFamily.LINUX: "AADSSHLoginForLinux", OsFamily.WINDOWS: "AADLoginForWindows"}


def is_chosen(choice: Choice) -> bool:
    """Tell whether a way to sign in without passwords was chosen for the VM."""
    return choice.login is not None


def prepare(target: Target) -> tuple[Change, ...]:
    """Bring Entra login where it was chosen; on Linux prove that people come in without passwords."""
    vm, choice = target.vm, target.choice.login
    if choice is None or vm.os_family is None:
        return ()
    entra = _entra_login(target, choice) if choice.method is LoginMethod.ENTRA else ()
    proof = (_prove_logins(vm.id, choice),) if vm.os_family is OsFamily.LINUX else ()
    return (*entra, *proof)


def prepared(choice: Choice, seen: Observation) -> tuple[Verdict, ...]:
    """Prove that Entra login is there on Linux, where it was chosen; Windows is judged by its ports."""
    login, vm = choice.login, seen.vm
    if login is None or login.method is not LoginMethod.ENTRA or vm.os_family is not OsFamily.LINUX:
        return (not_applicable("EntraLoginNotChosen"),)
    if not vm.identity.system_assigned:
        return (unmet("NoSystemIdentity", f"{vm.name} has no identity, which Entra login needs"),)
    if not _has(vm, _EXTENSION[OsFamily.LINUX]):
        return (unmet("EntraLoginMissing", f"{vm.name} has no Entra login that works"),)
    return (met("EntraLogin"),)


def close(target: Target) -> tuple[Change, ...]:
    """Prove the logins once more, switch passwords off, close the ports, and prove that they are."""
    vm, choice = target.vm, target.choice.login
    if choice is None:
        return ()
    steps: list[Change] = []
    if vm.os_family is OsFamily.LINUX:
        off = RunInGuest(
            vm=vm.id,
            name=_CLOSE,
            script=CLOSE_PASSWORDS,
            expects="^passwordauthentication no$",
            refuses="^(passwordauthentication|kbdinteractiveauthentication) yes$",
        )
        steps += [_prove_logins(vm.id, choice), off]
    for opening in target.openings:
        if not opening.shared:
            steps += tightened(vm.id, opening, choice)
    ports = closed_ports(target.openings, choice)
    return (*steps, ProveClosed(vm=vm.id, ports=ports)) if ports else tuple(steps)


def verify(choice: Choice, _seen: Observation) -> tuple[Verdict, ...]:
    """Ask nothing of the outage: the closure comes after it, and its steps prove themselves."""
    return (not_applicable("ClosedAfterTheSoak" if is_chosen(choice) else "NotChosen"),)


def undo(before: Before, begun: tuple[Step, ...]) -> tuple[Step, ...]:
    """Put the rules back as they were, last one first, then let passwords in again."""
    rules = (*taken_out(begun), *put_back(begun))
    if not any(isinstance(step, RunInGuest) and step.name == _CLOSE for step in begun):
        return rules
    again = RunInGuest(
        vm=before.vm,
        name="open-passwords",
        script=OPEN_PASSWORDS,
        expects="^readiness: passwords are as they were$",
    )
    return (*rules, again)


def consent(target: Target) -> tuple[str, ...]:
    """Return whose password logins end."""
    choice = target.choice.login
    names = ", ".join(choice.accepted_password_logins) if choice else ""
    return (f"the password logins of {names} end",) if names else ()


def _entra_login(target: Target, choice: LoginChoice) -> tuple[Change, ...]:
    """Return identity, extension and roles, in the order in which they work."""
    vm = target.vm
    kind = _EXTENSION[vm.os_family or OsFamily.LINUX]
    if vm.os_family is OsFamily.WINDOWS and _in_domain(vm):
        return ()
    steps: list[Change] = []
    if not vm.identity.system_assigned:
        chosen = target.choice.identity
        steps.append(assignment(vm.id, chosen if chosen and chosen.wants_system else IdentityChoice()))
    if not _has(vm, kind):
        if vm.os_family is OsFamily.WINDOWS:
            steps.append(
                RunInGuest(
                    vm=vm.id, name="prove-workgroup", script=PROVE_WORKGROUP, expects=r"^workgroup\s*$"
                )
            )
        steps.append(InstallExtension(vm=vm.id, name=kind, publisher=_PUBLISHER, kind=kind, version="1.0"))
    wanted = [(ADMINISTRATOR, group) for group in choice.admin_groups]
    wanted += [(USER, group) for group in choice.user_groups]
    return (
        *steps,
        *(
            AssignRole(vm=vm.id, role=role, scope=vm.id, principal=group, kind="Group")
            for role, group in wanted
        ),
    )


def _prove_logins(vm: ResourceId, choice: LoginChoice) -> RunInGuest:
    """Return the proof that somebody comes in without a password, and nobody unknown with one."""
    accepted = "|".join(re.escape(name) for name in choice.accepted_password_logins)
    unless = rf"(?!(?:{accepted})$)" if accepted else ""
    return RunInGuest(
        vm=vm,
        name="prove-logins",
        script=LIST_LOGINS,
        expects=r"^key-login \S+$",
        refuses=rf"^password-login {unless}\S+$",
    )


def _has(vm: VirtualMachine, kind: str) -> bool:
    return any(_is(entry, kind) and entry.has_succeeded for entry in vm.extensions)


def _in_domain(vm: VirtualMachine) -> bool:
    return any(_is(entry, "JsonADDomainExtension") for entry in vm.extensions)


def _is(extension: Extension, kind: str) -> bool:
    return extension.type.lower() == kind.lower()


PLAYBOOK = Playbook(
    spec=SPEC,
    is_chosen=is_chosen,
    prepare=prepare,
    prepared=prepared,
    close=close,
    close_shared=tightened_for_all,
    open_on_request=opened_on_request,
    verify=verify,
    undo=undo,
    consent=consent,
)
