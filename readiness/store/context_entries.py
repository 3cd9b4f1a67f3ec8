"""Reads one entry of each section of a context, and checks everything it refers to."""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import UNSET

from readiness.model.context import (
    Application,
    Attestation,
    Choice,
    Criticality,
    Dependency,
    Environment,
    Estimate,
    Freeze,
    Generation1,
    IacTool,
    MaintenanceWindow,
    Owner,
    Ownership,
    RuleException,
    TargetEntry,
    TrustedLaunchChoice,
)
from readiness.model.plan_parts import Strictness
from readiness.model.verdict import Dimension
from readiness.store.context_access import identity, login
from readiness.store.context_values import (
    Resolver,
    Words,
    check_rrule,
    check_timezone,
    confidence,
    match_of,
    resource_id,
    secure_boot,
    size_names,
    text_of,
    texts_of,
)
from readiness.store.dependency_values import COLUMNS, Binding
from readiness.store.marked_yaml import Entry, closest


def application(entry: Entry, windows: set[str], words: Words) -> Application:
    """Read an application, whose windows have to be known."""
    needed = ("name", "owner", "match")
    more = ("criticality", "environment", "windows", "over", "may_be_empty")
    fields = entry.fields(*needed, *more, required=needed)
    owner = fields["owner"].fields("name", "email", required=("name",))
    chosen = fields["windows"].entries() if "windows" in fields else []
    for window in chosen:
        if window.text() not in windows:
            remedy = closest(window.text(), sorted(windows)) or "Describe it under 'windows'."
            raise window.error(f"There is no window '{window.text()}'.", remedy)
    return Application(
        name=fields["name"].text(),
        owner=Owner(name=owner["name"].text(), email=text_of(owner, "email")),
        match=match_of(fields["match"], words, within_applications=True),
        criticality=fields["criticality"].kind(Criticality)
        if "criticality" in fields
        else Criticality.MEDIUM,
        environment=fields["environment"].kind(Environment)
        if "environment" in fields
        else Environment.PRODUCTION,
        windows=tuple(window.text() for window in chosen),
        over=texts_of(fields, "over"),
        may_be_empty="may_be_empty" in fields and fields["may_be_empty"].flag(),
    )


def window(entry: Entry) -> MaintenanceWindow:
    """Read a maintenance window."""
    keys = ("name", "rrule", "start", "duration", "timezone")
    fields = entry.fields(*keys, required=keys)
    duration = fields["duration"].duration()
    if duration <= timedelta(0):
        raise fields["duration"].error("The window has no length.", "Write how long it lasts, such as PT6H.")
    check_rrule(fields["rrule"])
    check_timezone(fields["timezone"])
    return MaintenanceWindow(
        name=fields["name"].text(),
        rrule=fields["rrule"].text(),
        start=fields["start"].time(),
        duration=duration,
        timezone=fields["timezone"].text(),
    )


def dependency(entry: Entry, resolver: Resolver) -> Dependency:
    """Read who needs whom."""
    fields = entry.fields(*COLUMNS, required=("source", "target"))
    source, target = resolver.vm(fields["source"]), resolver.vm(fields["target"])
    if source == target:
        raise entry.error(f"'{source.name}' cannot depend on itself.", "Remove the entry or name another VM.")
    binding = Binding(
        hard=fields["hard"].flag() if "hard" in fields else None,
        strict=fields["strict"].kind(Strictness) if "strict" in fields else None,
        observed="observed" in fields and fields["observed"].flag(),
        evidence=text_of(fields, "evidence"),
        confidence=confidence(fields["confidence"]) if "confidence" in fields else 1.0,
    )
    if wrong := binding.wrong():
        raise entry.error(wrong.problem, wrong.remedy)
    return binding.between(source, target)


def target(entry: Entry, words: Words) -> TargetEntry:
    """Read what some VMs are to become."""
    fields = entry.fields(
        "match",
        "trusted_launch",
        "disk_encryption_set",
        "encryption_at_host",
        "identity",
        "login",
        "backup_policy",
        "alternative_sizes",
        "start_if_off",
        required=("match",),
    )
    return TargetEntry(match=match_of(fields["match"], words), choice=_choice(fields))


def _choice(fields: Mapping[str, Entry]) -> Choice:
    trusted_launch = None
    if "trusted_launch" in fields:
        trusted_launch = _trusted_launch(fields["trusted_launch"])
    key = fields.get("disk_encryption_set")
    at_host = fields.get("encryption_at_host")
    policy = fields.get("backup_policy")
    return Choice(
        trusted_launch=trusted_launch,
        disk_encryption_set=resource_id(key, "Microsoft.Compute/diskEncryptionSets") if key else None,
        encryption_at_host=at_host.flag() if at_host else None,
        identity=identity(fields["identity"]) if "identity" in fields else None,
        login=login(fields["login"]) if "login" in fields else None,
        backup_policy=resource_id(policy, "Microsoft.RecoveryServices/vaults/backupPolicies")
        if policy
        else None,
        alternative_sizes=size_names(fields["alternative_sizes"]) if "alternative_sizes" in fields else UNSET,
        start_if_off=fields["start_if_off"].flag() if "start_if_off" in fields else UNSET,
    )


def _trusted_launch(entry: Entry) -> TrustedLaunchChoice:
    parts = entry.fields("secure_boot", "fall_back", "generation_1")
    return TrustedLaunchChoice(
        secure_boot=secure_boot(parts["secure_boot"]) if "secure_boot" in parts else None,
        fall_back=parts["fall_back"].flag() if "fall_back" in parts else True,
        generation_1=parts["generation_1"].kind(Generation1) if "generation_1" in parts else None,
    )


def exception(entry: Entry, words: Words) -> RuleException:
    """Read a permission not to meet a rule or a dimension; one that has expired is read like any other."""
    needed = ("id", "match", "owner", "reason", "approved_by", "expires")
    fields = entry.fields(*needed, "dimension", "rule", "compensating_control", required=needed)
    if ("dimension" in fields) == ("rule" in fields):
        raise entry.error(
            "An exception is from one dimension or one rule.", "Name either 'dimension' or 'rule'."
        )
    return RuleException(
        id=fields["id"].text(),
        match=match_of(fields["match"], words),
        owner=fields["owner"].text(),
        reason=fields["reason"].text(),
        approved_by=fields["approved_by"].text(),
        expires=fields["expires"].date(),
        dimension=fields["dimension"].kind(Dimension) if "dimension" in fields else None,
        rule=words.rule(fields["rule"]) if "rule" in fields else None,
        compensating_control=text_of(fields, "compensating_control"),
    )


def freeze(entry: Entry, words: Words) -> Freeze:
    """Read days on which nothing may be changed."""
    needed = ("name", "match", "starts", "ends")
    fields = entry.fields(*needed, "reason", required=needed)
    starts, ends = fields["starts"].date(), fields["ends"].date()
    if ends < starts:
        raise fields["ends"].error("The freeze ends before it starts.", "Exchange the two days.")
    return Freeze(
        name=fields["name"].text(),
        match=match_of(fields["match"], words),
        starts=starts,
        ends=ends,
        reason=text_of(fields, "reason"),
    )


def attestation(entry: Entry, words: Words) -> Attestation:
    """Read somebody's word that a control is met; one that has expired is read like any other."""
    needed = ("control", "match", "owner", "date", "expires", "statement")
    fields = entry.fields(*needed, required=needed)
    given, expires = fields["date"].date(), fields["expires"].date()
    if expires < given:
        remedy = "Write the last day on which it holds."
        raise fields["expires"].error("The attestation expires before it was given.", remedy)
    return Attestation(
        control=words.control(fields["control"]),
        match=match_of(fields["match"], words),
        owner=fields["owner"].text(),
        given=given,
        expires=expires,
        statement=fields["statement"].text(),
    )


def ownership(entry: Entry, words: Words) -> Ownership:
    """Read which infrastructure code owns some VMs."""
    needed = ("match", "tool", "repository")
    fields = entry.fields(*needed, "confirmed_by", required=needed)
    return Ownership(
        match=match_of(fields["match"], words),
        tool=fields["tool"].kind(IacTool),
        repository=fields["repository"].text(),
        confirmed_by=text_of(fields, "confirmed_by"),
    )


def estimate(entry: Entry, words: Words) -> Estimate:
    """Read how long changes take on some VMs."""
    fields = entry.fields("match", "playbook", "duration", "effort", required=("match",))
    if "duration" not in fields and "effort" not in fields:
        remedy = "Add 'duration: PT45M', 'effort: PT2H', or both."
        raise entry.error("The entry estimates neither duration nor effort.", remedy)
    return Estimate(
        match=match_of(fields["match"], words),
        playbook=words.playbook(fields["playbook"]) if "playbook" in fields else None,
        duration=_length(fields, "duration"),
        effort=_length(fields, "effort"),
    )


def _length(fields: Mapping[str, Entry], key: str) -> timedelta | None:
    if key not in fields:
        return None
    found = fields[key].duration()
    if found <= timedelta(0):
        raise fields[key].error("Nothing takes no time at all.", "Write how long it takes, such as PT45M.")
    return found
