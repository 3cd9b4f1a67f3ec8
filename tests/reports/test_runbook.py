"""The printed runbook: whole, harmless, on one page without a network, and for the plan's own VMs alone."""

import re
from html.parser import HTMLParser

import pytest
from msgspec.structs import replace

from readiness.app.runbook import runbook_of
from readiness.errors import PlanError
from readiness.model.context import Choice, Generation1, TrustedLaunchChoice
from readiness.model.estate import Estate
from readiness.model.outage import plan_steps
from readiness.model.plan import Plan
from readiness.model.steps import HandOver, InstallExtension, PlannedStep, SwapOsDisk, words_for
from readiness.model.virtual_machine import OsFamily, VirtualMachine
from reports.runbook import runbook_html, runbook_markdown
from reports.runbook_markdown import fenced
from reports.runbook_pages import Runbook, part
from tests.builders import boot, encryption_set, estate, vm_id
from tests.planner.plans import EVERYTHING, application, build, context, disks_of, machine
from tests.reports.runbook_steps import every_step, subject_of

MARKUP = "<img src=x onerror=alert(1)>"


def made(*vms: VirtualMachine, choice: Choice = EVERYTHING, owner: str = "shop") -> tuple[Plan, Estate]:
    """Plan VMs of one application; return the plan and the estate it was made of."""
    generation = {one.managed_disks[0]: one.boot.generation for one in vms}
    disks = [replace(each, generation=generation.get(each.id, 2)) for each in disks_of(vms)]
    given = context(application(owner, *(one.name for one in vms)), choice=choice)
    found = estate(*vms, context=given, disks=disks, encryption_sets=[encryption_set()])
    return build(found), found


def book_of(*vms: VirtualMachine, **changes: object) -> Runbook:
    """Return the runbook of the first wave."""
    plan, found = made(*vms, **changes)  # type: ignore[arg-type]
    return runbook_of(plan, plan.waves[0], found)


class Page(HTMLParser):
    """What a browser would make of a page: its tags, their attributes, and its text."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a tag."""
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def test_every_step_of_the_plan_is_printed() -> None:
    """Whatever the engine would carry out of a VM's plan stands in both forms, in its order."""
    book = book_of(machine("vm1", data_disks=1))
    (vm,) = book.wave.vms
    planned = [*vm.preparation, *(vm.outage.steps if vm.outage else ()), *vm.fallback, *vm.closure]
    page, text = Page(runbook_html(book)).text, runbook_markdown(book).decode()

    names = [entry.name for entry in book.entries()]
    assert [each.name for each in planned] == [
        name for name in names if name in {each.name for each in planned}
    ]
    for each in planned:
        assert each.name in page
        assert f"`{each.name}`" in text
        assert words_for(each.step) in page


def test_batches_and_what_has_to_be_known_stand_at_the_top() -> None:
    """Digest, window in local time and UTC, owner and boxes to sign come first."""
    text = Page(runbook_html(book_of(machine("vm1")))).text
    top = text[: text.index("VMs in their order")]

    assert "Sat 2026-11-21 22:00 Europe/Berlin (UTC+01:00) = 2026-11-21 21:00 UTC" in top
    assert "shop owner" in top
    assert "Begun by" in top


def test_a_page_fetches_nothing() -> None:
    """It has no script and no address but its own anchors, and forbids the rest to itself."""
    page = Page(runbook_html(book_of(machine("vm1"))))
    links = [attributes["href"] for tag, attributes in page.tags if tag == "a"]

    assert {"script", "img", "link", "iframe"}.isdisjoint(tag for tag, _ in page.tags)
    assert all(link is not None and link.startswith("#") for link in links)
    assert any("default-src 'none'" in (attributes.get("content") or "") for _, attributes in page.tags)


def test_markup_in_names_is_text() -> None:
    """A name that is markup is shown as it is written, in HTML and in Markdown."""
    book = book_of(machine("vm1"), owner=MARKUP)
    page, text = Page(runbook_html(book)), runbook_markdown(book).decode()

    assert "img" not in {tag for tag, _ in page.tags}
    assert MARKUP in page.text
    outside = re.sub(r"^(`{3,})\w*\n.*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert re.search(r"(?<!\\)<img", outside) is None


def test_a_fence_outlasts_what_is_in_it() -> None:
    """Lines that look like the end of a fence do not end it."""
    assert "`````text\n````\nx\n`````" == fenced("````\nx", "text")


def test_every_kind_of_step_can_be_printed() -> None:
    """Both forms take a part with a step of each kind."""
    book = book_of(machine("vm1"))
    whole = part("All", "Everything", plan_steps(every_step(), stage="all"), subject_of())
    book = replace(book, before=whole)

    assert "hand over to a person" in Page(runbook_html(book)).text
    assert "It has to be rebuilt" in runbook_markdown(book).decode()


def test_the_same_plan_gives_the_same_bytes() -> None:
    """Nothing of the day or of chance is in it."""
    first, second = (book_of(machine("vm1"), machine("vm2")) for _ in range(2))

    assert runbook_html(first) == runbook_html(second)
    assert runbook_markdown(first) == runbook_markdown(second)


def test_a_vm_of_generation_1_has_three_ways_back() -> None:
    """Before the conversion nothing is taken back; after it the disk is swapped; then people lead back."""
    choice = Choice(trusted_launch=TrustedLaunchChoice(generation_1=Generation1.CONVERT))
    windows = machine("vm1", boot=boot(generation=1), os_family=OsFamily.WINDOWS)
    plan, found = made(windows, choice=choice)
    assert plan.waves, plan.left_out
    book = runbook_of(plan, plan.waves[0], found)
    texts = [
        " ".join(entry.instruction.does for entry in each.entries)
        for each in book.parts()
        if each.is_way_back
    ]

    swap, person = SwapOsDisk.words, HandOver.words
    told = [(swap in text, person in text) for text in texts]
    assert [(False, False), (True, False), (False, True)] == list(dict.fromkeys(told))
    assert "it has to be rebuilt" in runbook_markdown(book).decode()


def test_a_vm_that_is_not_as_planned_is_refused() -> None:
    """Without the state from before nobody could say where the way back leads."""
    plan, _ = made(machine("vm1"))
    changed = estate(machine("vm1", size="Standard_D4s_v5"), disks=disks_of([machine("vm1")]))

    for other, why in (
        (changed, "as it was planned on"),
        (estate(machine("other")), "is not in the estate,"),
    ):
        with pytest.raises(PlanError, match=why):
            runbook_of(plan, plan.waves[0], other)


def test_a_name_that_no_command_can_carry_is_refused() -> None:
    """A name that begins like the name of a file for `az` is told, and no runbook is written."""
    plan, found = made(machine("vm1"))
    wave = plan.waves[0]
    hostile = replace(wave.vms[0], id=vm_id("vm1"), preparation=_named("@x"))
    wave = replace(wave, batches=(replace(wave.batches[0], vms=(hostile,)),))

    with pytest.raises(PlanError, match="No runbook can be written for vm1"):
        runbook_of(plan, wave, found)


def _named(name: str) -> tuple[PlannedStep, ...]:
    step = InstallExtension(vm=vm_id("vm1"), name=name, publisher="P", kind="K", version="1.0")
    return plan_steps((step,), stage="prepare")


def test_two_vms_of_one_name_keep_files_apart() -> None:
    """Names that differ only in what no file may hold never share a file of the state from before."""
    book = book_of(machine("vm 1"), machine("vm-1"))

    assert {"vm-1", "vm-1.2"} == {pages.subject.slug for pages in book.vms}
