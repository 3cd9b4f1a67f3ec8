"""Domain controllers: who is one, and of which domain.

One per domain goes at a time, with replication proven healthy between two, and none is ever restored from a
snapshot. No hook can prove replication yet, so the plan leaves them out and says so; their groups are told
among the VMs that stay apart, for whoever upgrades them by hand.
"""

import re

from msgspec import Struct

from readiness.model.context import Application
from readiness.model.virtual_machine import OsFamily, VirtualMachine

_ROLE_TAGS = ("role", "server-role", "serverrole")
_DOMAIN_TAGS = ("domain", "ad-domain", "active-directory-domain")
_ROLES = frozenset(
    {
        "active-directory-domain-services",
        "ad-dc",
        "ad-ds",
        "addc",
        "adds",
        "dc",
        "domain-controller",
        "domain-controllers",
        "domaincontroller",
        "read-only-domain-controller",
        "rodc",
    }
)
_NAME = re.compile(r"(?:.*[-_])?(?:ad|ro)?dc[-_]?\d{1,3}")
_SURE, _GUESS = 1.0, 0.5


class DomainController(Struct, frozen=True, kw_only=True):
    """Why a VM is taken for a domain controller."""

    evidence: str
    confidence: float
    domain: str = ""
    """In lower case; empty where no tag says which."""


def domain_controller(vm: VirtualMachine, application: Application | None) -> DomainController | None:
    """Return why the VM is taken for a domain controller; None where it is none.

    A tag for its role has the last word. Without one its application's name says it, or, unless it runs
    Linux, its own name by the usual convention (`dc01`, `corp-dc-02`).
    """
    for tag in _ROLE_TAGS:
        role = vm.tag(tag)
        if role:
            is_one = re.sub(r"[\s_-]+", "-", role.strip().lower()) in _ROLES
            evidence = f"by its tag {tag}"
            return _controller(vm, evidence, _SURE) if is_one else None
    if application is not None and "domain controller" in application.name.lower():
        evidence = f"by its application {application.name}"
        return _controller(vm, evidence, _SURE)
    if vm.os_family is not OsFamily.LINUX and _NAME.fullmatch(vm.name.lower()):
        evidence = "by its name alone: give it a tag role that says otherwise if it is none"
        return _controller(vm, evidence, _GUESS)
    return None


def _controller(vm: VirtualMachine, evidence: str, confidence: float) -> DomainController:
    domain = next((value for tag in _DOMAIN_TAGS if (value := vm.tag(tag))), "")
    return DomainController(evidence=evidence, confidence=confidence, domain=domain.strip().lower())
