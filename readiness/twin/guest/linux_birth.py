"""What a Linux guest is furnished with: kernel, packages, services, and SSH's files as images bring them.

Plausible, by distribution and version: newer ones include `/etc/ssh/sshd_config.d`, and cloud-init writes
there what the machine was provisioned with; older ones keep it in the main file.
"""

from readiness.twin.guest import sshd
from readiness.twin.guest.facts import Facts
from readiness.twin.guest.settings import Settings
from readiness.twin.guest.system import Guest, Module, Partition, Service

_TITLES = {
    "ubuntu": "Ubuntu {} LTS",
    "debian": "Debian GNU/Linux {}",
    "rhel": "Red Hat Enterprise Linux {}",
    "sles": "SUSE Linux Enterprise Server {}",
    "almalinux": "AlmaLinux {}",
    "rocky": "Rocky Linux {}",
    "ol": "Oracle Linux Server {}",
    "azurelinux": "Azure Linux {}",
}
_KERNELS = {"ubuntu": "6.8.0-1031-azure", "debian": "6.1.0-28-cloud-amd64", "sles": "6.4.0-150600.8.23-azure"}
_INCLUDES_SINCE = {"ubuntu": 20, "debian": 11, "rhel": 9, "almalinux": 9, "rocky": 9, "ol": 9, "sles": 16}
_UNSIGNED = "vendor_agent"


def furnish(guest: Guest, facts: Facts, settings: Settings) -> None:
    """Furnish a Linux guest."""
    guest.title = _TITLES.get(guest.distribution, f"{guest.distribution} {{}}").format(guest.version)
    guest.kernel = _KERNELS.get(guest.distribution, f"5.14.0-427.40.1.el{_major(guest)}_4.x86_64")
    _add_files(guest)
    _add_services(guest)
    _add_modules(guest, facts, settings)
    _configure_sshd(guest, facts, settings)
    if settings.luks is True or (settings.luks is None and facts.had_ade):
        encrypt(guest)
    guest.takes_entra_logins = settings.entra_joined is True or facts.has_extension("AADSSHLoginForLinux")
    if guest.takes_entra_logins:
        guest.packages["aadsshlogin"] = "1.0.027980001"


def _major(guest: Guest) -> int:
    head = guest.version.partition(".")[0]
    return int(head) if head.isdecimal() else 0


def _add_files(guest: Guest) -> None:
    files = guest.files
    files.plant(
        "/etc/os-release",
        f'NAME="{guest.title.rsplit(" ", 1)[0]}"\nID={guest.distribution}\nVERSION_ID="{guest.version}"\n'
        f'PRETTY_NAME="{guest.title}"\n',
    )
    files.plant("/etc/hostname", f"{guest.host_name}\n")
    lines = [
        f"UUID={part.uuid} {part.mount} {part.file_system} defaults 0 1"
        for disk in guest.disks
        for part in disk.partitions
        if part.mount
    ]
    files.plant("/etc/fstab", "\n".join(lines) + "\n")
    for folder in (
        "/tmp",  # noqa: S108  a folder of the guest
        "/var/log/azure",
        "/var/lib/waagent",
        "/var/lib/cloud/instance",
        "/run/sshd",
        "/root",
    ):
        files.make_folder(folder, parents=True)
    files.plant("/var/lib/cloud/instance/boot-finished", "")
    files.plant("/etc/cloud/cloud.cfg.d/90-azure.cfg", "datasource_list: [ Azure ]\n")
    if guest.os_disk.esp is not None:
        files.make_folder("/boot/efi/EFI", parents=True)


def _add_services(guest: Guest) -> None:
    agent = "waagent" if guest.is_red_hat or guest.distribution == "sles" else "walinuxagent"
    for name, text in (
        (guest.ssh_unit, "OpenSSH server daemon" if guest.is_red_hat else "OpenBSD Secure Shell server"),
        (agent, "Azure Linux Agent"),
        ("cloud-init", "Initial cloud-init job (metadata service crawler)"),
        ("cron" if guest.ssh_unit == "ssh" else "crond", "Command Scheduler"),
        ("systemd-journald", "Journal Service"),
        ("chronyd" if guest.is_red_hat else "chrony", "NTP client/server"),
    ):
        guest.services[name] = Service(name=name, description=text)
    guest.packages |= {"openssh-server": "1:8.9p1-3ubuntu0.11", "cloud-init": "24.4-0ubuntu1"}
    if guest.is_red_hat or guest.distribution == "sles":
        guest.packages |= {"openssh-server": "8.7p1-43.el9", "cloud-init": "24.4-4.el9"}


def _add_modules(guest: Guest, facts: Facts, settings: Settings) -> None:
    folder = f"/lib/modules/{guest.kernel}"
    for name in ("hv_vmbus", "hv_netvsc", "hv_storvsc", "nvme", "ext4"):
        guest.modules.append(Module(name=name, file=f"{folder}/kernel/drivers/{name}.ko"))
    unsigned = settings.unsigned_modules
    if unsigned is None:
        unsigned = [_UNSIGNED] if facts.chance(settings, "unsigned_module") else []
    for name in unsigned:
        guest.modules.append(Module(name=str(name), is_signed=False, file=f"{folder}/extra/{name}.ko"))
    for module in guest.modules:
        guest.files.plant(module.file, "")


def _configure_sshd(guest: Guest, facts: Facts, settings: Settings) -> None:
    password = "yes" if any(user.has_password for user in guest.users.values()) else "no"
    includes = _major(guest) >= _INCLUDES_SINCE.get(guest.distribution, 0)
    lines = ["# This is the sshd server system-wide configuration file.", ""]
    if includes:
        lines += [f"Include {sshd.FOLDER}/sshd_config.d/*.conf", ""]
        guest.files.make_folder(f"{sshd.FOLDER}/sshd_config.d", parents=True)
        guest.files.plant(
            f"{sshd.FOLDER}/sshd_config.d/50-cloud-init.conf", f"PasswordAuthentication {password}\n", 0o600
        )
    else:
        lines += [f"PasswordAuthentication {password}"]
    lines += [
        "KbdInteractiveAuthentication no",
        "UsePAM yes",
        "X11Forwarding no",
        "PrintMotd no",
        "ClientAliveInterval 120",
        "AcceptEnv LANG LC_*",
        "Subsystem sftp /usr/lib/openssh/sftp-server",
    ]
    if facts.chance(settings, "match_block"):
        lines += ["", "Match User sftp-*", "    PasswordAuthentication yes", "    X11Forwarding no"]
    guest.files.plant(sshd.MAIN, "\n".join(lines) + "\n")
    guest.sshd_in_force = sshd.read(guest.files).settings()


def encrypt(guest: Guest) -> None:
    """Put LUKS beneath the file system of every disk of data, and of the root where there is none."""
    disks = guest.disks[1:] or guest.disks[:1]
    for disk in disks:
        for index, part in enumerate(disk.partitions):
            if part.kind == "data" and part.mount not in ("/boot",):
                disk.partitions[index] = Partition(
                    number=part.number,
                    kind="crypt",
                    size_mb=part.size_mb,
                    file_system="crypto_LUKS",
                    mount=part.mount,
                    uuid=part.uuid,
                )
