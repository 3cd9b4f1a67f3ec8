"""What is installed, asked of the package manager that the distribution has; nothing is ever installed."""

from readiness.twin.guest.shell.process import CommandCode, Process, not_found


def _rpm(process: Process) -> int:
    if process.guest.ssh_unit == "ssh":
        return not_found(process)
    names = [each for each in process.args if not each.startswith("-")]
    if any("a" in each for each in process.args if each.startswith("-q")):
        return process.say(*(f"{name}-{version}" for name, version in process.guest.packages.items()))
    status = 0
    for name in names:
        version = process.guest.packages.get(name)
        process.say(f"package {name} is not installed" if version is None else f"{name}-{version}.x86_64")
        status |= version is None
    return status


def _dpkg(process: Process) -> int:
    if process.guest.ssh_unit != "ssh":
        return not_found(process)
    names = [each for each in process.args if not each.startswith("-")]
    packages = process.guest.packages
    if process.args[:1] == ["-s"]:
        missing = [each for each in names if each not in packages]
        for name in names:
            if name in missing:
                process.err.write(
                    f"dpkg-query: package '{name}' is not installed and no information is available\n"
                )
            else:
                process.say(f"Package: {name}", "Status: install ok installed", f"Version: {packages[name]}")
        return 1 if missing else 0
    if process.args[:1] == ["-l"]:
        found = {name: version for name, version in packages.items() if not names or name in names}
        process.say(*(f"ii  {name:32} {version:24} amd64" for name, version in found.items()))
        if found or not names:
            return 0
        process.err.write(f"dpkg-query: no packages found matching {names[0]}\n")
        return 1
    return process.fail("the guest knows -s and -l only", 2)


COMMANDS: dict[str, CommandCode] = {"rpm": _rpm, "dpkg": _dpkg}
