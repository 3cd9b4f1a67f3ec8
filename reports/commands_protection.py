"""By hand: what Azure would refuse, Azure Backup, and the team's own commands."""

import shlex

from readiness.model.ids import ResourceId
from readiness.model.steps import (
    BackUp,
    ChangeBackupPolicy,
    Preflight,
    ProveBackup,
    RunHook,
    RunHookAfter,
    words_for,
)
from reports.az import Check, Instruction, Value, az, rest
from reports.subject import Subject

_PERMISSIONS_API = "2022-04-01"
_KIND: dict[str, Value] = {"backup_management_type": "AzureIaasVM"}
_WORKLOAD: dict[str, Value] = {"workload_type": "VM"}


def asked_before(step: Preflight, subject: Subject) -> Instruction:
    """Ask for permissions, locks, policies, incremental snapshots, backups under way and quotas."""
    vm = step.vm
    allowed = ResourceId(f"{_group(vm)}/providers/Microsoft.Authorization/permissions")
    checks = [
        Check(
            command=rest("get", allowed, _PERMISSIONS_API),
            sees="each of these among the actions, and among no notActions (* stands for any text):\n"
            + "\n".join(step.needed),
        ),
        Check(
            command=az(
                "lock list", subscription=vm.subscription, query="[].{name: name, level: level, on: id}"
            ),
            sees="no ReadOnly lock on the VM, on one of its disks, on their groups or on the subscription",
        ),
        Check(
            command=az(
                "policy assignment list",
                subscription=vm.subscription,
                resource_group=vm.resource_group,
                filter="atScope()",
                query="[?enforcementMode=='Default'].{shown: displayName, policy: policyDefinitionId}",
            ),
            sees="none that denies what is written here: the VM, its disks, and full snapshots of them",
        ),
    ]
    checks += [
        Check(
            command=az(
                "snapshot list", subscription=disk.subscription, query=_increments(disk), output="tsv"
            ),
            sees="nothing: a disk that has incremental snapshots refuses a change of its encryption",
        )
        for disk in step.disks
    ]
    if step.item is not None:
        vault = _vault(step.item)
        jobs = az(
            "backup job list", **_in(vault), status="InProgress", query="[].properties.entityFriendlyName"
        )
        checks.append(Check(command=jobs, sees=f"nothing of {vm.name}"))
    usage = az(
        "vm list-usage",
        subscription=vm.subscription,
        location=subject.location,
        query="[].{name: name.value, used: currentValue, limit: limit}",
        output="table",
    )
    room = f"cores: no more used than allowed; StandardSnapshotCount: room for {len(subject.seen.disks) + 1}"
    return Instruction(does=words_for(step), checks=(*checks, Check(command=usage, sees=room)))


def backed_up(step: BackUp | ProveBackup) -> Instruction:
    """Have a recovery point that is young enough."""
    listed = az(
        "backup recoverypoint list",
        **_in(_vault(step.item)),
        container_name=step.item.parent.name,
        item_name=step.item.name,
        **_KIND,
        **_WORKLOAD,
        query="[].properties.recoveryPointTime",
        output="tsv",
    )
    checks = [Check(command=listed, sees=f"one that is at most {step.max_age_hours} hours old")]
    if isinstance(step, ProveBackup):
        if step.policy is not None:
            checks.append(_under(step.item, step.policy))
        return Instruction(does=words_for(step), checks=tuple(checks))
    day = f'"$(date -u -d "+{step.retain_days} days" +%d-%m-%Y)"'
    now = az("backup protection backup-now", ids=step.item, **_KIND, **_WORKLOAD)
    jobs = az(
        "backup job list",
        **_in(_vault(step.item)),
        operation="Backup",
        query="[].{vm: properties.entityFriendlyName, status: properties.status}",
    )
    return Instruction(
        does=words_for(step),
        note="Look first: where there is a young recovery point, go on. A backup takes an hour or more.",
        commands=(f"{now} \\\n  --retain-until {day}",),
        checks=(Check(command=jobs, sees=f"{step.vm.name}: Completed"), *checks),
    )


def policed(step: ChangeBackupPolicy) -> Instruction:
    """Move the backup to another policy."""
    return Instruction(
        does=words_for(step),
        note="There is no way back from an Enhanced policy to a Standard one.",
        commands=(
            az(
                "backup item set-policy",
                ids=step.item,
                policy_name=step.policy,
                **_KIND,
                **_WORKLOAD,
                yes=(),
            ),
        ),
        checks=(_under(step.item, step.policy),),
    )


def hooked(step: RunHook | RunHookAfter) -> Instruction:
    """Run the team's own command."""
    stop = "A failure is told to the team, and changes nothing." if step.courtesy else "If it fails, stop."
    return Instruction(
        does=words_for(step),
        note=f"On the machine from which the team runs its commands, within {step.timeout} seconds. {stop}",
        commands=(shlex.join(step.command),),
    )


def _under(item: ResourceId, policy: ResourceId) -> Check:
    show = az(
        "backup item show",
        **_in(_vault(item)),
        container_name=item.parent.name,
        name=item.name,
        **_KIND,
        **_WORKLOAD,
        query="properties.policyId",
        output="tsv",
    )
    return Check(command=show, sees=policy.text)


def _vault(item: ResourceId) -> ResourceId:
    """Return the vault of a protected item: above its container and fabric."""
    return item.parent.parent.parent


def _in(vault: ResourceId) -> dict[str, Value]:
    return {
        "subscription": vault.subscription,
        "resource_group": vault.resource_group,
        "vault_name": vault.name,
    }


def _group(resource: ResourceId) -> str:
    return f"/subscriptions/{resource.subscription}/resourceGroups/{resource.resource_group}"


def _increments(disk: ResourceId) -> str:
    source = disk.text.replace("\\", "\\\\").replace("'", "\\'")
    return f"[?incremental && creationData.sourceResourceId=='{source}'].name"
