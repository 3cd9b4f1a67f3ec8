"""Reads `policy.yaml`: limits, pilots, rings, windows, hubs, pins, execution; and writes a first one.

Every complaint names file, line and column. What is left out keeps its default; what is not known is
refused, with the closest known word.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import yaml

from readiness.errors import EstateError, UsageError
from readiness.model.context import Environment
from readiness.model.policy import ApartScope, HubHandling, HubRule, Limits, Pilot, Pin, Policy
from readiness.store.context_values import Words, match_of, text_of
from readiness.store.execution_section import execution_of
from readiness.store.marked_yaml import Entry, compose
from readiness.store.plain_text import read_text
from readiness.store.policy_values import decimal, number

FORMAT = "readiness/policy/1"
_Read = TypeVar("_Read")
_LIMITS = Limits.__struct_fields__
_MOST = 1_000_000
_KEYS = (
    "format",
    "limits",
    "max_vms_per_batch",
    "pilot",
    "rings",
    "windows",
    "lockout_minutes",
    "waves_at_once",
    "apart",
    "max_unavailable_percent",
    "hub_degree",
    "hubs",
    "pins",
    "snapshot_price",
    "currency",
    "execution",
)


def read_policy(path: Path, words: Words | None = None) -> Policy:
    """Read a policy from a file.

    Raises:
        UsageError: There is no such file, or something in it cannot be; the message names the place.
    """
    if not path.is_file():
        remedy = "Write one: readiness plan policy --init policy.yaml"
        raise UsageError(f"There is no policy at {path}.", remedy=remedy)
    try:
        return parse_policy(read_text(path), path.name, words)
    except EstateError as error:  # the reader of YAML takes every file for one of an estate
        raise UsageError(error.brief, details=error.details, remedy=error.remedy) from error


def parse_policy(text: str, file: str = "policy.yaml", words: Words | None = None) -> Policy:
    """Read the text of a policy; an empty one is the default."""
    root = compose(text, file)
    if root is None:
        return Policy()
    known = words or Words()
    fields = root.fields(*_KEYS)
    if "format" in fields and fields["format"].text() != FORMAT:
        raise fields["format"].error(
            f"'{fields['format'].text()}' is not a format of this file.", f"Write 'format: {FORMAT}'."
        )
    default = Policy()
    return Policy(
        limits=_limits(fields["limits"]) if "limits" in fields else default.limits,
        max_vms_per_batch=_count(fields, "max_vms_per_batch", default.max_vms_per_batch),
        pilot=_pilot(fields["pilot"]) if "pilot" in fields else default.pilot,
        rings=_rings(fields["rings"]) if "rings" in fields else default.rings,
        windows=fields["windows"].flag() if "windows" in fields else default.windows,
        lockout_minutes=_count(fields, "lockout_minutes", default.lockout_minutes, least=0),
        waves_at_once=number(fields["waves_at_once"], 1, _MOST)
        if "waves_at_once" in fields and fields["waves_at_once"].text() != "auto"
        else None,
        apart=fields["apart"].kind(ApartScope) if "apart" in fields else default.apart,
        max_unavailable_percent=_count(
            fields, "max_unavailable_percent", default.max_unavailable_percent, most=100
        ),
        hub_degree=_count(fields, "hub_degree", default.hub_degree),
        hubs=_each(fields, "hubs", lambda entry: _hub(entry, known)),
        pins=_each(fields, "pins", lambda entry: _pin(entry, known)),
        snapshot_price=_price(fields["snapshot_price"])
        if "snapshot_price" in fields
        else default.snapshot_price,
        currency=text_of(fields, "currency") or default.currency,
        execution=execution_of(fields["execution"]) if "execution" in fields else default.execution,
    )


def _limits(entry: Entry) -> Limits:
    """Read the limits; `none` takes a default limit away."""
    fields = entry.fields(*_LIMITS)
    given: dict[str, int | None] = {}
    for name, value in fields.items():
        given[name] = None if value.text().lower() in ("none", "unlimited") else number(value, 1, _MOST)
    return Limits(**given)


def _pilot(entry: Entry) -> Pilot | None:
    if _is_switch(entry):
        return Pilot() if entry.flag() else None
    fields = entry.fields("max_vms", "max_percent")
    default = Pilot()
    percent = default.max_percent
    if "max_percent" in fields:
        percent = decimal(fields["max_percent"], 100.0)
    return Pilot(max_vms=_count(fields, "max_vms", default.max_vms), max_percent=percent)


def _rings(entry: Entry) -> tuple[tuple[Environment, ...], ...]:
    if _is_switch(entry):
        return Policy().rings if entry.flag() else ()
    rings = []
    seen: set[Environment] = set()
    for ring in entry.entries():
        members = []
        for one in ring.entries():
            environment = one.kind(Environment)
            if environment in seen:
                raise one.error(f"'{environment}' stands in the rings twice.", "Name each environment once.")
            seen.add(environment)
            members.append(environment)
        if not members:
            raise ring.error("This ring is empty.", "Name its environments, such as [test].")
        rings.append(tuple(members))
    return tuple(rings)


def _hub(entry: Entry, words: Words) -> HubRule:
    fields = entry.fields("match", "handling", required=("match", "handling"))
    return HubRule(
        match=match_of(fields["match"], words),
        handling=fields["handling"].kind(HubHandling),
        place=entry.place,
    )


def _pin(entry: Entry, words: Words) -> Pin:
    wishes = ("wave", "not_before", "with", "exclude")
    fields = entry.fields("match", *wishes, "reason", required=("match",))
    if not any(wish in fields for wish in wishes):
        raise entry.error("This pin wishes for nothing.", f"Add one of {', '.join(wishes)}.")
    pin = Pin(
        match=match_of(fields["match"], words),
        wave=number(fields["wave"], 1, _MOST) if "wave" in fields else None,
        not_before=fields["not_before"].date() if "not_before" in fields else None,
        with_vm=text_of(fields, "with") or None,
        exclude=fields["exclude"].flag() if "exclude" in fields else False,
        reason=text_of(fields, "reason"),
        place=entry.place,
    )
    if pin.exclude and (pin.wave is not None or pin.not_before is not None or pin.with_vm is not None):
        raise entry.error("What is left out has no place.", "Keep 'exclude', or the other wishes.")
    return pin


def _each(fields: Mapping[str, Entry], section: str, read: Callable[[Entry], _Read]) -> tuple[_Read, ...]:
    return tuple(read(entry) for entry in fields[section].entries()) if section in fields else ()


def _is_switch(entry: Entry) -> bool:
    return isinstance(entry.node, yaml.ScalarNode)


def _count(fields: Mapping[str, Entry], key: str, default: int, *, least: int = 1, most: int = _MOST) -> int:
    return number(fields[key], least, most) if key in fields else default


def _price(entry: Entry) -> float:
    return decimal(entry, float(_MOST))


TEMPLATE = """\
# What a plan has to keep. Every line is optional; what stands here are the defaults.
# A policy of limits alone is legal: pilot: false, rings: false, windows: false.
format: readiness/policy/1

# What one wave may hold; a number, or none. A move group (VMs that need one another) that is larger than
# a limit by itself still goes, without others that count on that limit, and the plan says so.
limits:
  max_vms_per_wave: 100
  max_work_minutes_per_wave: none       # work and proof, added up over the VMs of a wave
  max_vms_per_subscription: none
  max_vms_per_region: none
  max_vms_per_application: none
  max_snapshots_per_subscription: none  # full snapshots that a wave takes
  max_vcpus_per_region: none            # what a region has to find again when VMs are started

# VMs that may be off at the same time in one wave.
max_vms_per_batch: 20

# One VM of each stratum (OS version, generation, actions) goes before the rest of its ring:
# at most the larger of max_vms and max_percent of all planned VMs. false: no pilots.
pilot: {max_vms: 10, max_percent: 1}

# Environments in the order in which they go; an unknown environment counts as production. false: all at once.
rings: [[development, test], [production]]

# Whether maintenance windows are kept. false: waves simply follow one another.
windows: true
# Nothing begins in the last minutes of a window.
lockout_minutes: 0
# How many waves may be under way at a time. Such waves share no application and no redundant group.
# auto: one, and more only for rings that would take more than about two dozen waves in a row.
waves_at_once: auto

# Redundant peers (availability set, load balancer pool) go in different batches, or in different waves.
# Those of mission-critical applications always go in different waves.
apart: batch                            # batch | wave
# Of a redundant group so many may be off at a time, rounded down, and always at least one.
max_unavailable_percent: 25

# A VM with many more neighbours than usual is a hub: its soft dependencies bind nothing (cut).
hub_degree: 20                          # with fewer neighbours a VM is never a hub
hubs: []
#  - {match: {names: [dns-01]}, handling: keep}      # keep | cut

# Wishes for single VMs: honoured, or refused with a reason in the plan. `match` is as in context.yaml.
pins: []
#  - {match: {names: [erp-db-01]}, wave: 4, reason: after the audit}
#  - {match: {applications: [Payroll]}, not_before: 2027-01-15}
#  - {match: {names: [app-02]}, with: app-01}
#  - {match: {tags: {frozen: "yes"}}, exclude: true, reason: is replaced next month}

# Of a gigabyte of full snapshot for a month: it only tells what protection costs.
snapshot_price: 0.05
currency: USD

# How waves are carried out.
execution:
  # VMs under way at once, in all and of each kind; a number, or none.
  max_concurrency: 20
  max_per_subscription: 10
  max_per_region: none
  max_per_application: none
  # A VM fails that was taken down and did not end upgraded. So many of a wave may: a share rounded down,
  # or a number (the smaller holds), and always failure_minimum. One more, and nothing more is started.
  failure_percent: 10
  failure_count: none
  failure_minimum: 1
  # So many failures for one reason stop the wave, too. One stranded VM always does.
  same_reason: 3
  # So long after its proof of health a VM is left alone before its logins are closed.
  soak_minutes: 120
  # A VM of Azure Backup goes down only with a recovery point that is no older.
  backup_max_age_hours: 72
  # Commands of your own on the machine of the runner; no shell reads them. Before: a failure blocks.
  # After: it is told. {wave} stands for the wave's number; around VMs also {vm}, {id} and {application}.
  hooks:
    before_wave: []
    after_wave: []
    before_vm: []
    #  - {name: silence, command: [./alerts, mute, "{vm}", 2h], timeout: 60}    # seconds; 300 if not given
    after_vm: []
"""
"""A policy of defaults, with what each line means."""
