"""`import`, `explain` and the scope of `assess`, as they are typed."""

import json

from tests.cli.terminal import AS_OF

VM = "/subscriptions/s1/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/web-01"


def test_an_export_becomes_an_estate(terminal, tmp_path):
    """Import says what it took and what it could not use; assess and explain go on from there."""
    export = tmp_path / "vms.json"
    export.write_text(json.dumps([{"id": VM, "properties": {"storageProfile": {}}}, {"name": "x"}]))
    ended = terminal.type("import", export, "--to", tmp_path / "estate")
    assert (0, "") == (ended.code, ended.err)
    assert "vms.json: 1 taken, 1 could not be used" in ended.out
    assert "vms.json:1[1] x: It has no 'id'" in ended.out
    assert 0 == terminal.type("assess", tmp_path / "estate").code
    explained = terminal.type("explain", tmp_path / "estate", "web-01", "--output", "json")
    assert VM == json.loads(explained.out)["card"]["Id"]


def test_import_as_json(terminal, tmp_path):
    """Machines get the same report."""
    export = tmp_path / "vms.json"
    export.write_text(json.dumps([{"id": VM}]))
    ended = terminal.type("import", export, "--to", tmp_path / "e", "--output", "json")
    assert {"microsoft.compute/virtualmachines": 1} == json.loads(ended.out)["bare"]


def test_a_template_and_its_refusals(terminal, tmp_path):
    """The workbook is written once; the option makes sense with contexts alone."""
    path = tmp_path / "context.xlsx"
    assert 0 == terminal.type("import", "--kind", "context", "--template", path).code
    assert "there already" in terminal.refused(2, "import", "--kind", "context", "--template", path)
    assert "empty workbook" in terminal.refused(2, "import", "--template", path)
    assert "nothing to import" in terminal.refused(2, "import", "--to", tmp_path)
    assert "no folder" in terminal.refused(2, "import", path)


def test_explain_refuses_what_it_cannot_tell(terminal):
    """An unknown VM is answered with the closest names."""
    assert "sf-web-01" in terminal.refused(2, "explain", "starter", "sf-web-1", "--as-of", AS_OF)


def test_explain_on_a_screen(terminal):
    """The table names each rule, its answer, the remedy and what would make the VM ready."""
    ended = terminal.type("explain", "starter", "sf-legacy-01", "--as-of", AS_OF)
    assert (0, "") == (ended.code, ended.err)
    assert [] == [
        word for word in ("TL001", "unmet", "Remedy:", "To be ready:", "Level") if word not in ended.out
    ]


def test_scope_and_failing(terminal):
    """Out of scope is counted, and a class that must not be there ends with exit code 1."""
    asked = ("assess", "starter", "--as-of", AS_OF, "--scope", "name:bo-*")
    ended = terminal.type(*asked, "--fail-on", "cmk:blocked")
    assert (1, True) == (ended.code, "8 VMs are in scope, 8 are out of it" in ended.out)
    assert 0 == terminal.type(*asked, "--fail-on", "cmk:not-applicable").code
    assert "not understood" in terminal.refused(2, *asked, "--fail-on", "nothing")
