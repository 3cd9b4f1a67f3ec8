"""Which code answers which path: the tables of the modules in `arm`, merged; nothing registers itself.

A module that is not named here answers nothing. Guarantees: no two modules answer the same path.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

from readiness.twin.arm import (
    availability_sets,
    data_access,
    deleted_vaults,
    deployments,
    disk_accesses,
    disks,
    encryption_sets,
    extension_images,
    extensions,
    images,
    jit_policies,
    key_vaults,
    keys,
    locks,
    managed_identities,
    managed_run_commands,
    marketplace,
    metadata,
    network,
    policy,
    policy_restrictions,
    power,
    pricings,
    progress,
    providers,
    proximity_placement_groups,
    reads,
    recovery_services,
    resource_graph,
    resource_groups,
    restore_point_collections,
    restore_points,
    role_assignments,
    role_definitions,
    run_commands,
    scale_sets,
    skus,
    snapshots,
    tags,
    tokens,
    virtual_machines,
)
from readiness.twin.paths import Address
from readiness.twin.protocols import POLLED
from readiness.twin.world import Handler, Outside, OutsideHandler, Routes

MODULES = (
    availability_sets,
    data_access,
    deleted_vaults,
    deployments,
    disk_accesses,
    disks,
    encryption_sets,
    extension_images,
    extensions,
    images,
    jit_policies,
    key_vaults,
    keys,
    locks,
    managed_identities,
    managed_run_commands,
    marketplace,
    network,
    policy,
    policy_restrictions,
    power,
    pricings,
    providers,
    proximity_placement_groups,
    reads,
    recovery_services,
    resource_graph,
    resource_groups,
    restore_point_collections,
    restore_points,
    role_assignments,
    role_definitions,
    run_commands,
    scale_sets,
    skus,
    snapshots,
    tags,
    virtual_machines,
)
"""The modules with ROUTES: paths beneath /subscriptions, /providers and the like."""

OUTSIDE_TABLES: tuple[Outside, ...] = (metadata.OUTSIDE, tokens.OUTSIDE)
"""The OUTSIDE tables of modules that answer paths of no subscription and no provider."""

Key = TypeVar("Key")
Answer = TypeVar("Answer", bound=Callable[..., object])


def merge(tables: Iterable[Mapping[Key, Answer]]) -> dict[Key, Answer]:
    """Merge tables; a key that two of them have is an error."""
    merged: dict[Key, Answer] = {}
    for table in tables:
        for key, answer in table.items():
            if key in merged:
                raise ValueError(f"{key} is answered twice: by {merged[key]} and by {answer}")
            merged[key] = answer
    return merged


QUESTIONS = frozenset(policy_restrictions.ROUTES)
"""What is asked by POST, and changes nothing."""

ROUTES: Routes = merge(module.ROUTES for module in MODULES)
OUTSIDE: Outside = merge(OUTSIDE_TABLES)


def handler(method: str, address: Address) -> Handler:
    """Return the code that answers."""
    found = ROUTES.get((method, address.kind, address.tail))
    if found is not None:
        return found
    if method != "GET":
        return reads.refuse
    if is_poll(address):
        return progress.poll
    return reads.read


def is_poll(address: Address) -> bool:
    """Tell whether a path is the address of an operation, whatever its provider."""
    return not address.tail and address.kind.rpartition("/")[2] in POLLED


def outside(method: str, path: str) -> tuple[OutsideHandler, dict[str, str]] | None:
    """Return the code that answers a path of no subscription and no provider, and the names in the path."""
    words = path.strip("/").split("/")
    for (wanted, template), answer in OUTSIDE.items():
        names = _names(template.strip("/").split("/"), words)
        if wanted == method and names is not None:
            return answer, names
    return None


def _names(template: list[str], words: list[str]) -> dict[str, str] | None:
    if len(template) != len(words):
        return None
    names = {}
    for wanted, word in zip(template, words, strict=True):
        if wanted.startswith("{"):
            names[wanted.strip("{}")] = word
        elif wanted.lower() != word.lower():
            return None
    return names
