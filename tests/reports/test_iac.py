"""Hints for code as text and Markdown: everything is said, and nothing from outside is a mark."""

import re

from readiness.model.iac import IacReport, Patch, Remark, VmCode, settings_of
from reports.iac import as_markdown, as_text
from tests.builders import OS_DISK, vm_id

NASTY = "a`|b\x1b[31m<script>alert(1)</script>\u202e\n# [x](javascript:y)"
STEPS = [{"type": "assign-identity"}, {"type": "take-snapshot", "disk": OS_DISK.text}]


def report(text: str) -> IacReport:
    """Return a report in which every text from outside is that one."""
    vm = VmCode(
        id=vm_id(),
        name=text,
        application=text,
        wave=2,
        code=text,
        settings=settings_of(vm_id(), STEPS)[0],
        unknown=(text,),
    )
    return IacReport(
        plan="0123456789ab",
        vms=(vm,),
        patches=(Patch(file=text, vms=(text,), diff=f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{text}\n+``` b\n"),),
        remarks=(Remark(file=text, line=3, what=text, remedy=text, is_error=True),),
    )


def test_nothing_from_outside_is_a_mark_in_markdown() -> None:
    """Outside the fence no tag, link, cell or heading comes from a value; inside, the fence stays closed."""
    told = as_markdown(report(NASTY))
    before, fence, after = re.split(r"(?m)^(````diff)$", told)
    inside, closing, rest = re.split(r"(?m)^(````)$", after)
    assert ("````diff", "````", "\n") == (fence, closing, rest)
    assert "+``` b" in inside
    assert "<script" not in before
    assert "\n# [" not in before
    assert not re.search(r"(?<!\\)\]\(", before)
    rows = [line for line in before.splitlines() if line.startswith("|")]
    assert {5} == {len(re.findall(r"(?<!\\)\|", row)) for row in rows}


def test_nothing_from_outside_steers_a_terminal() -> None:
    """Text holds printable characters and line ends only, and a value cannot begin a line."""
    told = as_text(report(NASTY))
    assert all(character.isprintable() or character == "\n" for character in told)
    assert not any(line.startswith("# [") for line in as_text(report(NASTY)).split("--- a/x")[0].splitlines())


def test_all_of_it_is_said() -> None:
    """VM, wave, setting, its consequence, remark with place and diff: each stands in both forms."""
    for told in (as_text(report("web")), as_markdown(report("web")).replace("\\", "")):
        for part in ("web", "ave 2", 'identity.type = "SystemAssigned"', "UNDOES: ", "web:3: ", "+``` b"):
            assert part in told
