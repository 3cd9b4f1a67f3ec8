"""Hints for infrastructure code as text and as Markdown.

Names and values from outside are text: what would steer a terminal is taken out, what Markdown or HTML would
read as a mark is written so that it is none. A diff in Markdown stands in a fence that nothing in it closes.
"""

import json
import re
from collections.abc import Iterable, Iterator

from readiness.model.iac import IacReport, NotDone, Remark, VmCode
from readiness.model.iac_settings import CodeForm, Setting

_TITLES = {
    CodeForm.AZURERM: "Terraform, azurerm",
    CodeForm.AZAPI: "Terraform, AzAPI",
    CodeForm.BICEP: "Bicep and ARM templates",
}
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|!&~@:])")


def as_text(report: IacReport) -> str:
    """Return the report for a terminal: plain text without colours."""
    return "\n".join(_text(report)) + "\n"


def as_markdown(report: IacReport) -> str:
    """Return the report as Markdown."""
    return "\n".join(_markdown(report)) + "\n"


def _text(report: IacReport) -> Iterator[str]:
    yield f"Infrastructure code after {_subject(report)}: {_counted(len(report.vms), 'VM')}"
    for line in report.order:
        yield f"  - {line}"
    yield from _text_not_done(report)
    for vm in report.vms:
        yield ""
        yield f"{_plain(vm.name)}  ({_plain(_when(vm))})  {_plain(vm.id.text)}"
        if vm.code:
            yield f"  Code: {_plain(vm.code)}"
        if vm.note:
            yield f"  {_plain(vm.note)}"
        for form, settings in _by_form(vm):
            yield f"  {_TITLES[form]}"
            yield from _text_settings(settings)
        for kind in vm.unknown:
            yield f"  Not known to this release: what code has to say after {_plain(kind)}"
    yield from _text_finds(report)


def _text_not_done(report: IacReport) -> Iterator[str]:
    if report.not_done:
        yield ""
        yield f"Not done, and so not said below ({len(report.not_done)}):"
    for entry in report.not_done:
        yield f"  {_plain(entry.name)}: {_plain(_why(entry))}  {_plain(entry.id.text)}"


def _text_settings(settings: list[Setting]) -> Iterator[str]:
    said = ""
    for setting in settings:
        yield f"    {_plain(setting.target.name)}: {_plain(_line(setting))}  ({', '.join(setting.types)})"
        told = _otherwise(setting)
        if told != said:
            yield f"      {told}"
        said = told


def _text_finds(report: IacReport) -> Iterator[str]:
    if report.remarks:
        yield ""
        yield f"To look at ({len(report.remarks)}):"
    for remark in report.remarks:
        kind = "error: " if remark.is_error else ""
        yield f"  {_plain(_place(remark))}{kind}{_plain(remark.what)}. {_plain(remark.remedy)}"
    for patch in report.patches:
        yield ""
        yield from (_plain(line) for line in patch.diff.rstrip("\n").split("\n"))


def _markdown(report: IacReport) -> Iterator[str]:
    yield f"# Infrastructure code after {_marked(_subject(report))}"
    yield ""
    yield from (f"* {_marked(line)}" for line in report.order)
    if report.not_done:
        yield from ("", "## Not done", "", "| VM | Why | Resource id |", "|---|---|---|")
    for left in report.not_done:
        cells = (left.name, _why(left), left.id.text)
        yield f"| {' | '.join(_marked(cell) for cell in cells)} |"
    for vm in report.vms:
        yield from _markdown_vm(vm)
    if report.remarks:
        yield from ("", "## To look at", "")
    for remark in report.remarks:
        kind = "**error:** " if remark.is_error else ""
        yield f"* {_marked(_place(remark))}{kind}{_marked(remark.what)}. {_marked(remark.remedy)}"
    for patch in report.patches:
        yield from ("", f"## {_marked(patch.file)}", "")
        longest = max(map(len, re.findall("`+", patch.diff)), default=0)
        fence = "`" * max(3, longest + 1)
        yield f"{fence}diff"
        yield from (_plain(line) for line in patch.diff.rstrip("\n").split("\n"))
        yield fence


def _markdown_vm(vm: VmCode) -> Iterator[str]:
    yield ""
    yield f"## {_marked(vm.name)}"
    yield ""
    yield f"{_marked(_when(vm))}, {_marked(vm.id.text)}"
    if vm.code:
        yield ""
        yield f"Code: {_marked(vm.code)}"
    if vm.note:
        yield ""
        yield _marked(vm.note)
    yield ""
    yield "| In | Resource | What has to stand there | Otherwise |"
    yield "|---|---|---|---|"
    for entry in vm.settings:
        cells = (", ".join(entry.types), entry.target.name, _line(entry), _otherwise(entry))
        yield f"| {' | '.join(_marked(cell) for cell in cells)} |"
    for kind in vm.unknown:
        yield ""
        yield f"Not known to this release: what code has to say after {_marked(kind)}"


def _by_form(vm: VmCode) -> Iterator[tuple[CodeForm, list[Setting]]]:
    for form in CodeForm:
        settings = [entry for entry in vm.settings if entry.form is form]
        if settings:
            yield form, settings


def _line(setting: Setting) -> str:
    parts = [setting.advice] if setting.advice else []
    if setting.path:
        value = json.dumps(setting.value, ensure_ascii=False)
        parts.append(f"{'.'.join(setting.path)} = {value}")
    if setting.instead_of:
        parts.append(f"without {' or '.join(setting.instead_of)} beside it")
    if setting.ignored:
        parts.append(f"lifecycle.ignore_changes with {setting.ignored}")
    return ", ".join(parts)


def _subject(report: IacReport) -> str:
    return f"run {report.run}" if report.run else f"plan {report.plan}"


def _when(vm: VmCode) -> str:
    """Return the wave of a VM; what many VMs share is in none."""
    return f"wave {vm.wave}, {vm.application}" if vm.wave else "shared, in no wave"


def _why(entry: NotDone) -> str:
    return f"{entry.stage} {entry.phase}: {entry.reason}" if entry.phase else f"{entry.stage}: {entry.reason}"


def _otherwise(setting: Setting) -> str:
    return f"{setting.effect.upper()}: {setting.otherwise}{'' if setting.verified else ' [not verified]'}"


def _place(remark: Remark) -> str:
    line = f":{remark.line}" if remark.line else ""
    return f"{remark.file}{line}: " if remark.file else ""


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _plain(text: str) -> str:
    """Take out what is no printable character; a tab stays as two spaces."""
    return "".join(_printable(text))


def _printable(text: Iterable[str]) -> Iterator[str]:
    for character in text:
        if character == "\t":
            yield "  "
        elif character != "\r":
            yield character if character.isprintable() else " "


def _marked(text: str) -> str:
    return _MARKS.sub(r"\\\1", _plain(text)).replace("\\<", "&lt;").replace("\\>", "&gt;")
