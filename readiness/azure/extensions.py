"""VM extensions, installed and removed.

Guarantees: an extension that is there is not installed again, under whatever name; what was there before us
never gets our mark, and only what has the mark of the plan is removed. Its failure is told in words, by what
the VM's agent reports.
"""

import re
from contextlib import suppress
from functools import partial
from typing import Any

from readiness.azure.connect import Connection
from readiness.azure.evidence import fit_to_keep
from readiness.azure.marks import is_ours, marks_of
from readiness.azure.operations import DEFAULT_WAIT
from readiness.azure.operations import begin as begin_operation
from readiness.azure.plain import body_of, vm_body
from readiness.azure.wire_values import Json, obj, objects, text
from readiness.errors import CloudError, MissingError
from readiness.model.steps import InstallExtension, RemoveExtension
from readiness.ports.cloud import Done, Failed, Pending, Progress, StepContext

_ENDED_BADLY = ("failed", "canceled")
_SELF_UPGRADING = "guestattestation"
"""The type that is documented to be installed with `enableAutomaticUpgrade`."""
_DETAIL = 300

_CODE = r"(?:exit|error|status)[ _]?(?:code|status)?[:= ]+"
_NO_IDENTITY = (
    "the VM has no system-assigned managed identity, which this extension needs: add one, and install again"
)
_CAUSES = (
    ("aadsshloginforlinux", rf"{_CODE}22(?!\d)", _NO_IDENTITY),
    (
        "aadsshloginforlinux",
        rf"{_CODE}23(?!\d)",
        "the old extension AADLoginForLinux is installed: remove it, and install again",
    ),
    (
        "aadloginforwindows",
        rf"{_CODE}51(?!\d)",
        "the operating system is not one that this extension supports",
    ),
    ("aadloginforwindows", r"-2145648574|DSREG_E_MSI_TENANTID_UNAVAILABLE", _NO_IDENTITY),
    (
        "aadloginforwindows",
        r"-2145648607|DSREG_AUTOJOIN_DISC_FAILED",
        "the VM cannot join Microsoft Entra ID: it is in a domain, or its registration is out of reach",
    ),
    (
        "guestattestation",
        r"needs Trusted Launch",
        "attestation needs Trusted Launch with Secure Boot and vTPM",
    ),
)
"""By the extension's type: how an agent tells a cause, as a pattern, and what it means."""


def begin(connection: Connection, step: InstallExtension | RemoveExtension, context: StepContext) -> Progress:
    """Look whether it is in place, and begin it if not."""
    if isinstance(step, RemoveExtension):
        return _remove(connection, step, context)
    return _install(connection, step, context)


def explained(connection: Connection, step: InstallExtension, failed: Failed) -> Failed:
    """Return a failed installation with its cause in words, and what the agent reports as evidence."""
    told = [failed.detail]
    with suppress(CloudError):
        extensions = connection.compute(step.vm.subscription).virtual_machine_extensions
        place = (step.vm.resource_group, step.vm.name, step.name)
        told += _messages(body_of(partial(extensions.get, *place, expand="instanceView")))
    said = fit_to_keep("\n".join(dict.fromkeys(told)))
    detail = _cause(step.kind, said) or fit_to_keep(failed.detail, longest=_DETAIL)
    return Failed(failed.code, f"{step.name}: {detail}", failed.is_capacity, evidence=said)


def _install(connection: Connection, step: InstallExtension, context: StepContext) -> Progress:
    extensions = connection.compute(step.vm.subscription).virtual_machine_extensions
    place = (step.vm.resource_group, step.vm.name)
    found = objects(body_of(partial(extensions.list, *place, expand="instanceView")), "value")
    own = next((each for each in found if _same(text(each, "name"), step.name)), None)
    if own is not None:
        answer = _as_found(step, own)
    else:
        twin = next((each for each in found if _is_of_type(each, step)), None)
        answer = None if twin is None else _under_another_name(step, twin)
    if answer is not None:
        return answer
    location = vm_body(connection, step.vm)["location"]
    body: Any = extension_body(step, location, own, context)
    progress = begin_operation(partial(extensions.begin_create_or_update, *place, step.name, body))
    return explained(connection, step, progress) if isinstance(progress, Failed) else progress


def _as_found(step: InstallExtension, own: Json) -> Progress | None:
    """Return how the extension of this name stands; None where it has to be installed again."""
    if not _is_of_type(own, step):
        properties = obj(own, "properties")
        kind = f"{text(properties, 'publisher')}.{text(properties, 'type')}"
        return Failed("NameTaken", f"{step.name} is the name of another extension on this VM: {kind}")
    state = _state(own)
    if state == "succeeded":
        return Done(f"{step.name} is there already") if _major(own) == _first(step.version) else None
    return None if state in _ENDED_BADLY else Pending(None, DEFAULT_WAIT, f"{step.name} is {state}")


def _under_another_name(step: InstallExtension, other: Json) -> Progress:
    """Return what another extension of the type means: Azure allows only one."""
    name, state = text(other, "name") or "", _state(other)
    if state == "succeeded":
        return Done(f"already there as {name}")
    if state not in _ENDED_BADLY:
        return Pending(None, DEFAULT_WAIT, f"already there as {name}, which is {state}")
    said = fit_to_keep("\n".join(_messages(other)))
    cause = _cause(step.kind, said) or "look at what it reports"
    return Failed("ExtensionFailed", f"already there as {name}, which has failed: {cause}", evidence=said)


def extension_body(step: InstallExtension, location: str, own: Json | None, context: StepContext) -> Json:
    """Return the PUT body of an extension; `own` is the one of its name that is there already."""
    tags: dict[str, str] = (own or {}).get("tags") or {}
    # What somebody else installed stays theirs, also when it is mended.
    is_made_by_us = own is None or is_ours(own, context.plan)
    body: Json = {
        "location": location,
        "tags": tags | marks_of(step.vm, context) if is_made_by_us else tags,
        "properties": {
            "publisher": step.publisher,
            "type": step.kind,
            "typeHandlerVersion": step.version,
            "autoUpgradeMinorVersion": True,
            "settings": step.settings,
        },
    }
    if _same(step.kind, _SELF_UPGRADING):
        body["properties"]["enableAutomaticUpgrade"] = True
    return body


def _remove(connection: Connection, step: RemoveExtension, context: StepContext) -> Progress:
    extensions = connection.compute(step.vm.subscription).virtual_machine_extensions
    place = (step.vm.resource_group, step.vm.name, step.name)
    try:
        found = body_of(partial(extensions.get, *place))
    except MissingError:
        return Done(f"{step.name} is not there")
    if not is_ours(found, context.plan):
        return Done(f"{step.name} is not ours, and is kept")
    if _state(found) == "deleting":
        return Pending(None, DEFAULT_WAIT, f"{step.name} is being deleted")
    return begin_operation(partial(extensions.begin_delete, *place))


def _is_of_type(extension: Json, step: InstallExtension) -> bool:
    properties = obj(extension, "properties")
    return _same(text(properties, "publisher"), step.publisher) and _same(text(properties, "type"), step.kind)


def _state(extension: Json) -> str:
    # Attestation has been seen to say `Provisioning succeeded`.
    words = (text(obj(extension, "properties"), "provisioningState") or "unknown").lower()
    return words.removeprefix("provisioning ")


def _major(extension: Json) -> str:
    return _first(text(obj(extension, "properties"), "typeHandlerVersion") or "")


def _first(version: str) -> str:
    return version.partition(".")[0]


def _messages(extension: Json) -> list[str]:
    view = obj(obj(extension, "properties"), "instanceView")
    statuses = [*objects(view, "statuses"), *objects(view, "substatuses")]
    return [said for each in statuses if (said := text(each, "message"))]


def _cause(kind: str, said: str) -> str | None:
    return next(
        (
            words
            for of_kind, sign, words in _CAUSES
            if _same(kind, of_kind) and re.search(sign, said, re.IGNORECASE)
        ),
        None,
    )


def _same(one: str | None, other: str) -> bool:
    return (one or "").lower() == other.lower()
