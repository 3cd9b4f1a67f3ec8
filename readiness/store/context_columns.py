"""The context workbook as data: its sheets and their columns.

The template and the reader both come from these tables, so that they cannot disagree.
"""

from readiness.model.context import Criticality, Environment, IdentityKind, LoginMethod
from readiness.model.plan_parts import Strictness
from readiness.model.verdict import Dimension
from readiness.store.context_cells import (
    Column,
    Sheet,
    as_covered_id,
    as_date,
    as_duration,
    as_flag,
    as_group,
    as_identity,
    as_key_set,
    as_network,
    as_recurrence,
    as_share,
    as_size,
    as_tag,
    as_text,
    as_time,
    as_vm,
    as_zone,
    choice,
    column,
    needed,
    one_of,
    several,
    words_of,
)

FORMAT = "readiness/context-workbook/1"
README = "Read me"

_TRUTH = ("true", "false")
_OBJECT = "11111111-1111-1111-1111-111111111111"
_NAMES = Column(
    title="VM names",
    key="match.names",
    meaning="Names of VMs; * and ? stand for anything. * alone is every VM.",
    example="sf-web-*",
    check=as_text,
    is_list=True,
)
_MATCH = (
    _NAMES,
    Column(
        title="Resource groups",
        key="match.resource_groups",
        meaning="Names of resource groups.",
        example="rg-storefront",
        check=as_text,
        is_list=True,
    ),
    Column(
        title="Tags",
        key="match.tags",
        meaning="Tags as name=value; all of them have to be there.",
        example="role=web",
        check=as_tag,
        is_list=True,
    ),
    Column(
        title="VM ids",
        key="match.ids",
        meaning="Full ids of VMs, or of subscriptions and resource groups: then of every VM in them.",
        example="/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Compute/virtualMachines/<name>",
        check=as_covered_id,
        is_list=True,
    ),
)
_WIDE_MATCH = (
    *_MATCH,
    Column(
        title="Applications",
        key="match.applications",
        meaning="Names from the sheet Applications.",
        example="Storefront",
        check=as_text,
        is_list=True,
    ),
)


SHEETS = (
    Sheet(
        title="Applications",
        section="applications",
        needs_match=True,
        columns=(
            needed("Name", "name", "The application's name; each only once.", "Storefront"),
            needed("Owner", "owner.name", "Who answers for it.", "Mirelle Okonjo-Tarn"),
            column("Owner's email", "owner.email", "Where to reach the owner.", "owner@example.com"),
            choice(
                "Criticality",
                "criticality",
                "How much hangs on it; medium if empty.",
                words_of(Criticality),
                one_of(Criticality),
            ),
            choice(
                "Environment",
                "environment",
                "Where it lives; production if empty.",
                words_of(Environment),
                one_of(Environment),
            ),
            Column(
                title="Windows",
                key="windows",
                meaning="Names from the sheet Windows.",
                example="weekend-night",
                check=as_text,
                is_list=True,
            ),
            *_MATCH,
            Column(
                title="Over",
                key="over",
                meaning="Applications further down whose VMs it has where both match.",
                example="Platform",
                check=as_text,
                is_list=True,
            ),
            choice("May be empty", "may_be_empty", "true: it need not match a VM.", _TRUTH, as_flag),
        ),
    ),
    Sheet(
        title="Windows",
        section="windows",
        columns=(
            needed("Name", "name", "The window's name; each only once.", "weekend-night"),
            needed("Recurrence", "rrule", "The days, as in RFC 5545.", "FREQ=WEEKLY;BYDAY=SA", as_recurrence),
            needed("Start", "start", "Local time of day.", "22:00", as_time),
            needed("Duration", "duration", "ISO 8601.", "PT6H", as_duration),
            needed("Time zone", "timezone", "IANA name.", "Europe/Berlin", as_zone),
        ),
    ),
    Sheet(
        title="Dependencies",
        section="dependencies",
        columns=(
            needed("Source", "source", "The VM that needs the target: name or full id.", "sf-web-01", as_vm),
            needed("Target", "target", "The VM that is needed: name or full id.", "sf-app-01", as_vm),
            choice("Hard", "hard", "true: the target is never in a later wave.", _TRUTH, as_flag),
            choice(
                "Strict",
                "strict",
                "next-wave: the target is in an earlier wave. same-wave: as hard. none: as if not hard.",
                ("next-wave", "same-wave", "none"),
                one_of(Strictness),
            ),
            choice("Observed", "observed", "true: seen in traffic; it binds nothing.", _TRUTH, as_flag),
            column("Evidence", "evidence", "Where it is known from.", "The runbook of 2026-09"),
            column("Confidence", "confidence", "How sure it is, from 0 to 1; 1 if empty.", "0.8", as_share),
        ),
    ),
    Sheet(
        title="Exceptions",
        section="exceptions",
        needs_match=True,
        columns=(
            needed("Id", "id", "The exception's own id; each only once.", "EX-2026-014"),
            choice(
                "Dimension",
                "dimension",
                "What need not be met: a dimension, or else a rule.",
                words_of(Dimension),
                one_of(Dimension),
            ),
            column("Rule", "rule", "A rule's id, where no dimension is given.", "TL001"),
            *_WIDE_MATCH,
            needed("Owner", "owner", "Who carries the risk.", "Joren Vasquelle"),
            needed("Reason", "reason", "Why it cannot be met now.", "Its successor is ordered for 2027."),
            needed("Approved by", "approved_by", "Who permitted it.", "Security office"),
            needed("Expires", "expires", "The last day on which it holds.", "2027-12-31", as_date),
            column(
                "Compensating control", "compensating_control", "What protects it meanwhile.", "A firewall."
            ),
        ),
    ),
    Sheet(
        title="Targets",
        section="targets",
        needs_match=True,
        columns=(
            *_WIDE_MATCH,
            choice(
                "Secure Boot",
                "trusted_launch.secure_boot",
                "Trusted Launch with (true) or without (false) Secure Boot; empty: not wanted here.",
                _TRUTH,
                as_flag,
            ),
            column(
                "Disk encryption set",
                "disk_encryption_set",
                "Full id; empty: platform keys stay.",
                "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.Compute/diskEncryptionSets/<name>",
                as_key_set,
            ),
            choice("Encryption at host", "encryption_at_host", "true or false.", _TRUTH, as_flag),
            choice(
                "Identity",
                "identity.type",
                "The identity to add: the VM's own (system), or only those that are named (user).",
                words_of(IdentityKind),
                one_of(IdentityKind),
            ),
            several(
                "Named identities",
                "identity.user_assigned",
                "Full ids of user-assigned identities to add.",
                "/subscriptions/<id>/resourceGroups/<group>/providers/Microsoft.ManagedIdentity/userAssignedIdentities/<name>",
                as_identity,
            ),
            choice(
                "Login",
                "login.method",
                "What takes the place of passwords; empty: passwords stay.",
                words_of(LoginMethod),
                one_of(LoginMethod),
            ),
            several("Admin groups", "login.admin_groups", "Object ids of Entra groups.", _OBJECT, as_group),
            several("User groups", "login.user_groups", "Object ids of Entra groups.", _OBJECT, as_group),
            several(
                "Accepted password logins",
                "login.accepted_password_logins",
                "Accounts whose password logins end with their owners' consent.",
                "svc-backup",
            ),
            several(
                "Allowed addresses",
                "login.allow_from",
                "Networks that may still reach the management ports from the internet.",
                "203.0.113.0/28",
                as_network,
            ),
            Column(
                title="Other sizes",
                key="alternative_sizes",
                meaning="Sizes that the VM may run as where Azure has no room for its own until its window "
                "closes, in their order; it keeps the one it gets. Empty: none.",
                example="Standard_D4s_v5; Standard_D2as_v5",
                check=as_size,
                is_list=True,
                begins=("Standard_", "Basic_"),
            ),
            choice(
                "Start if off",
                "start_if_off",
                "true: a VM that is found deallocated is started to prove its boot, and deallocated again. "
                "Empty: it stays off, unproven.",
                _TRUTH,
                as_flag,
            ),
        ),
    ),
    Sheet(
        title="Attestations",
        section="attestations",
        needs_match=True,
        columns=(
            needed("Control", "control", "The control's id.", "DF-4"),
            *_WIDE_MATCH,
            needed("Owner", "owner", "Who gives their word.", "Adaeze Lindqvarn"),
            needed("Date", "date", "When it was given.", "2026-11-02", as_date),
            needed("Expires", "expires", "The last day on which it holds.", "2027-05-02", as_date),
            needed("Statement", "statement", "What is so, in a sentence.", "Sessions are recorded."),
        ),
    ),
)
