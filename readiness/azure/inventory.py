"""Lists everything that an assessment reads, once: Resource Graph first, Resource Manager where it must.

What could not be read is a gap of its subscription and type, never a shorter list: a type counts as listed
only where every list of it, in every subscription, was answered to its last page.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

from msgspec import Struct

from readiness.azure.inventory_plan import Ask, Seen, of_resources, of_subscriptions, subscription_of
from readiness.azure.inventory_reader import Pages, Reader
from readiness.azure.inventory_rows import harmless, view_of
from readiness.azure.inventory_sources import CONTAINERS, LISTS, TABLES, VIEWS, VM, GraphTable
from readiness.azure.wire_values import Json
from readiness.errors import CloudError, DeniedError, MissingError, ThrottledError, UnreachableError
from readiness.model.estate_info import Gap, Subscription

BATCH = 300
"""Subscriptions of one query."""
_Entry = TypeVar("_Entry")
_REASONS: tuple[tuple[type[CloudError], str], ...] = (
    (DeniedError, "Forbidden"),
    (ThrottledError, "Throttled"),
    (UnreachableError, "Unreachable"),
    (MissingError, "NotFound"),
)
_NOTHING = "NoValidSubscriptionsInQueryRequest"
Tick = Callable[[str, int, int | None], None]


class KeptPages(Pages, Protocol):
    """Pages that can be read back."""

    def rows(self, key: str, kind: type[_Entry]) -> Iterator[_Entry]:
        """Yield the resources of a question, each read as a type."""


class Scope(Struct, frozen=True, kw_only=True):
    """What is to be collected: subscriptions, what lies below management groups, or all that can be seen."""

    subscriptions: tuple[str, ...] = ()
    management_groups: tuple[str, ...] = ()


class Inventory(Struct, frozen=True, kw_only=True):
    """What was collected, and what was not."""

    subscriptions: tuple[Subscription, ...]
    tenant: str
    keys: tuple[str, ...]
    """The questions whose pages hold the resources, in order."""
    views: tuple[str, ...]
    """The questions whose pages hold the instance views of machines."""
    gaps: tuple[Gap, ...]
    listed_types: tuple[str, ...]
    unproven: frozenset[str]
    """Subscriptions of whose machines Resource Manager gave no list."""


class Collector:
    """Collects one inventory."""

    def __init__(self, reader: Reader, pages: KeptPages, tick: Tick, workers: int) -> None:
        self._reader, self._pages, self._tick, self._workers = reader, pages, tick, workers
        self._gaps: dict[tuple[str, str], Gap] = {}
        self._partial: set[str] = set()
        self._rows = self._total = 0

    def collect(self, scope: Scope) -> Inventory:
        """Ask every question and return what came of it.

        Raises:
            CloudError: Not even the subscriptions could be read, or there are none.
        """
        containers = tuple(self._containers(scope))
        found, tenant = self._subscriptions(containers)
        visible = tuple(sorted(found))
        missing = [each for each in scope.subscriptions if each.lower() not in found]
        if not visible:
            raise _nothing_visible()
        graph = tuple(self._tables(visible))
        lists = tuple(of_subscriptions(visible))
        self._asked_of_manager(lists, "Resource Manager, lists")
        keys = [ask.key for ask in lists if ask.source is not VIEWS]
        views = tuple(ask.key for ask in lists if ask.source is VIEWS)
        unproven = frozenset(gap_of[0] for gap_of in self._gaps if gap_of[1] == VM)
        more = tuple(of_resources(seen for key in graph for seen in self._pages.rows(key, Seen)))
        self._asked_of_manager(more, "Resource Manager, details")
        for each in missing:
            self._miss_all(each, "NotVisible", "The subscription is not there, or nobody may see it here.")
        return Inventory(
            subscriptions=tuple(Subscription(each, found.get(each, "")) for each in (*visible, *missing)),
            tenant=tenant,
            keys=(*containers, *graph, *keys, *(ask.key for ask in more)),
            views=views,
            gaps=tuple(gap for _, gap in sorted(self._gaps.items())),
            listed_types=self._listed(),
            unproven=unproven,
        )

    # Resource Graph ---------------------------------------------------------------------------------

    def _containers(self, scope: Scope) -> Iterator[str]:
        """Ask for subscriptions and groups; without them there is nothing to go on with."""
        scopes: list[Json] = [{"subscriptions": list(batch)} for batch in _batches(scope.subscriptions)]
        if scope.management_groups:
            scopes.append({"managementGroups": list(scope.management_groups)})
        for number, where in enumerate(scopes or [{}]):
            key = _key(CONTAINERS, number)
            try:
                self._reader.query(key, _body(CONTAINERS, where), self._told())
            except CloudError as error:
                if error.code == _NOTHING:
                    raise _nothing_visible() from error
                raise
            yield key

    def _subscriptions(self, keys: Iterable[str]) -> tuple[dict[str, str], str]:
        found: dict[str, str] = {}
        tenants: set[str] = set()
        for row in (row for key in keys for row in self._pages.rows(key, dict)):
            own = str(row.get("id") or "").lower().strip("/").split("/")
            if len(own) == 2:  # noqa: PLR2004  /subscriptions/<id>
                found[own[1]] = str(row.get("name") or "")
                tenants.add(str(row.get("tenantId") or ""))
        return found, tenants.pop() if len(tenants) == 1 else ""

    def _tables(self, visible: tuple[str, ...]) -> Iterator[str]:
        for number, batch in enumerate(_batches(visible)):
            for table in TABLES:
                key = _key(table, number)
                try:
                    self._reader.query(key, _body(table, {"subscriptions": list(batch)}), self._told())
                except CloudError as error:
                    for subscription in batch:
                        for kind in table.kinds:
                            self._miss(subscription, kind, error)
                yield key

    def _told(self) -> Callable[[int, int], None]:
        """Return what is told of the pages of one more query: the totals of all queries add up."""
        own = 0

        def told(rows: int, total: int) -> None:
            nonlocal own
            self._rows, self._total, own = self._rows + rows, self._total + total - own, total
            self._tick("Resource Graph, rows", self._rows, self._total)

        return told

    # Resource Manager -------------------------------------------------------------------------------

    def _asked_of_manager(self, asks: tuple[Ask, ...], what: str) -> None:
        with ThreadPoolExecutor(self._workers, thread_name_prefix="collect") as executor:
            for number, (ask, error) in enumerate(zip(asks, executor.map(self._list, asks), strict=True), 1):
                if error is not None:
                    self._miss(ask.subscription, ask.source.kind, error)
                    if ask.source is VIEWS and isinstance(error, DeniedError):
                        self._miss_tables(ask.subscription)
                self._tick(what, number, len(asks))

    def _list(self, ask: Ask) -> CloudError | None:
        try:
            shape = view_of if ask.source is VIEWS else harmless
            self._reader.list(ask.key, ask.path, ask.source.inner, shape)
        except CloudError as error:
            return error
        return None

    # Gaps -------------------------------------------------------------------------------------------

    def _miss(self, subscription: str, kind: str, error: CloudError) -> None:
        reason = next(
            (word for family, word in _REASONS if isinstance(error, family)), error.code or "NotRead"
        )
        detail = f"{error.code}: {error.brief}" if error.code else error.brief
        self._gaps.setdefault((subscription, kind), _gap(subscription, kind, reason, detail))

    def _miss_tables(self, subscription: str) -> None:
        """Whoever may not list the machines of a subscription may see a part of it: that proves nothing."""
        detail = "Who collects may not read all of the subscription: Resource Graph shows a part of it."
        for kind in (kind for table in (CONTAINERS, *TABLES) for kind in table.kinds):
            self._gaps.setdefault((subscription, kind), _gap(subscription, kind, "PartlyVisible", detail))

    def _miss_all(self, subscription: str, reason: str, detail: str) -> None:
        for kind in _all_kinds():
            self._gaps.setdefault((subscription, kind), _gap(subscription, kind, reason, detail))

    def _listed(self) -> tuple[str, ...]:
        missed = {kind for _, kind in self._gaps} | {each.kind for each in LISTS if not each.is_whole}
        return tuple(sorted(kind for kind in _all_kinds() if kind not in missed))


def unproven_machines(inventory: Inventory, rows: Iterable[str], views: Iterable[str]) -> tuple[Gap, ...]:
    """Compare the machines of Resource Graph with those of Resource Manager, and return who is missing.

    Args:
        inventory: What was collected.
        rows: Ids of the machines that Resource Graph has.
        views: Ids of the machines that Resource Manager has.
    """
    known = {each.lower() for each in rows}
    return tuple(
        Gap(
            "collect",
            each,
            "NotInResourceGraph",
            "Resource Manager has it and Resource Graph does not yet: collect again in some minutes.",
            is_vm=True,
        )
        for each in sorted(views)
        if each.lower() not in known and subscription_of(each) not in inventory.unproven
    )


def _nothing_visible() -> DeniedError:
    return DeniedError(
        "None of these subscriptions can be seen.",
        code="NoSubscriptions",
        remedy="Give the identity that collects the Reader role on them, and look at the tenant.",
    )


def _all_kinds() -> set[str]:
    return {kind for table in (CONTAINERS, *TABLES) for kind in table.kinds} | {each.kind for each in LISTS}


def _gap(subscription: str, kind: str, reason: str, detail: str) -> Gap:
    return Gap("collect", f"/subscriptions/{subscription}/providers/{kind}", reason, detail, is_vm=kind == VM)


def _key(table: GraphTable, number: int) -> str:
    return f"graph-{table.name.lower()}-{number}"


def _body(table: GraphTable, where: Json) -> Json:
    options: Json = {"authorizationScopeFilter": table.reach} if table.reach else {}
    return {**where, "query": table.query, "options": options}


def _batches(entries: tuple[_Entry, ...]) -> Iterator[tuple[_Entry, ...]]:
    for start in range(0, len(entries), BATCH):
        yield entries[start : start + BATCH]
