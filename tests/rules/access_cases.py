"""Cases of the password access rules."""

from msgspec.structs import replace

from readiness.model.context import LoginChoice, LoginMethod
from readiness.model.ids import ResourceId
from readiness.model.network import LoadBalancer, LoadBalancerPath
from readiness.model.virtual_machine import Identity, OsFamily, OsProfile
from readiness.rules.not_read import EXTENSIONS
from tests.builders import (
    GROUP,
    NIC,
    PUBLIC_IP,
    SUBNET,
    SUBNET_GROUP,
    extension,
    ip_configuration,
    nic,
    public_ip,
    rid,
    security_group,
    security_rule,
    vm,
)
from tests.rules.case import Case, chosen

_WINDOWS = vm(os_family=OsFamily.WINDOWS, os_profile=OsProfile(computer_name="vm1", agent_provisioned=True))
_NO_PROFILE = vm(os_profile=None, agent_ready=False)
_LINUX = OsProfile(computer_name="vm1", password_disabled=True, agent_provisioned=True)
_ENTRA = ("Microsoft.Azure.ActiveDirectory", "AADSSHLoginForLinux")
_SYSTEM = Identity(system_assigned=True)
_NAMED_ADDRESSES = LoginChoice(method=LoginMethod.KEY, allow_from=("203.0.113.0/28",))

_PUBLIC = ip_configuration(public_ip=PUBLIC_IP)
_PUBLIC_NIC = {"nics": [nic(ip_configurations=(_PUBLIC,))], "public_ips": [public_ip()]}
_GUARDED = {
    "nics": [nic(ip_configurations=(_PUBLIC,), network_security_group=GROUP)],
    "public_ips": [public_ip()],
}
_OPEN_GROUP = security_group(security_rule())
_OPEN = {**_GUARDED, "security_groups": [_OPEN_GROUP]}

_BALANCER = rid("Microsoft.Network/loadBalancers", "lb1")
_POOL = ResourceId(f"{_BALANCER}/backendAddressPools/pool")
_NAT = ResourceId(f"{_BALANCER}/inboundNatRules/ssh")
_POOLED_NIC = nic(
    ip_configurations=(ip_configuration(load_balancer_pools=(_POOL,)),), network_security_group=GROUP
)
_NAT_NIC = nic(ip_configurations=(ip_configuration(inbound_nat_rules=(_NAT,)),))


def _behind(path: LoadBalancerPath, *, is_basic: bool = False, guarded: bool = True) -> dict[str, object]:
    card = _POOLED_NIC if guarded else replace(_POOLED_NIC, network_security_group=None)
    balancer = LoadBalancer(id=_BALANCER, is_basic=is_basic, paths=(path,), pools=(_POOL,))
    return {"nics": [card], "load_balancers": [balancer], "security_groups": [_OPEN_GROUP]}


_SSH_PATH = LoadBalancerPath(name="ssh", backend_port=22, is_public=True, pool=_POOL)

_NETWORK = (
    ("no public way", "met ManagementPortsClosed", {}),
    ("a Standard address without any group is closed", "met ManagementPortsClosed", _PUBLIC_NIC),
    (
        "a Basic address without any group is open",
        "unmet ManagementPortOpen",
        {**_PUBLIC_NIC, "public_ips": [public_ip(is_basic=True)]},
    ),
    ("a group that lets SSH in", "unmet ManagementPortOpen", _OPEN),
    (
        "a group that the interface names and nobody read",
        "unknown NetworkNotRead",
        _GUARDED,
    ),
    (
        "a group of the subnet that denies what the interface's allows",
        "met ManagementPortsClosed",
        {
            **_GUARDED,
            "subnets": {SUBNET: SUBNET_GROUP},
            "security_groups": [_OPEN_GROUP, security_group(group=SUBNET_GROUP)],
        },
    ),
    (
        "a subnet's group that denies, whatever the unread one says",
        "met ManagementPortsClosed",
        {
            **_GUARDED,
            "subnets": {SUBNET: SUBNET_GROUP},
            "security_groups": [security_group(group=SUBNET_GROUP)],
        },
    ),
    ("a subnet that nobody read", "unknown NetworkNotRead", {**_OPEN, "subnets": {}}),
    (
        "a subnet that is not reported",
        "unknown NetworkNotRead",
        {
            **_OPEN,
            "nics": [nic(ip_configurations=(replace(_PUBLIC, subnet=None),), network_security_group=GROUP)],
        },
    ),
    ("an address that nobody read and no group", "unknown NetworkNotRead", {**_PUBLIC_NIC, "public_ips": []}),
    (
        "an address that nobody read behind an open group",
        "unmet ManagementPortOpen",
        {**_OPEN, "public_ips": []},
    ),
    ("an interface that nobody read", "unknown NetworkNotRead", {"nics": []}),
    ("an interface without addresses", "unknown NetworkNotRead", {"nics": [nic(ip_configurations=())]}),
    ("SSH through a load balancer", "unmet ManagementPortOpen", _behind(_SSH_PATH)),
    (
        "all ports through a load balancer",
        "unmet ManagementPortOpen",
        _behind(replace(_SSH_PATH, backend_port=0)),
    ),
    (
        "HTTPS through a load balancer",
        "met ManagementPortsClosed",
        _behind(replace(_SSH_PATH, backend_port=443)),
    ),
    ("a private load balancer", "met ManagementPortsClosed", _behind(replace(_SSH_PATH, is_public=False))),
    (
        "a Standard load balancer without any group",
        "met ManagementPortsClosed",
        _behind(_SSH_PATH, guarded=False),
    ),
    (
        "a Basic load balancer without any group",
        "unmet ManagementPortOpen",
        _behind(_SSH_PATH, is_basic=True, guarded=False),
    ),
    (
        "a load balancer that nobody read",
        "unknown NetworkNotRead",
        {**_behind(_SSH_PATH), "load_balancers": []},
    ),
    (
        "a NAT rule to this very address",
        "unmet ManagementPortOpen",
        {
            **_behind(
                replace(_SSH_PATH, pool=None, ip_configuration=ResourceId(f"{NIC}/ipConfigurations/primary"))
            ),
        },
    ),
    ("a NAT rule of a load balancer that nobody read", "unknown NetworkNotRead", {"nics": [_NAT_NIC]}),
)

_RULES = (
    (
        "a Deny above the Allow",
        "met ManagementPortsClosed",
        (security_rule(90, allows=False), security_rule()),
    ),
    (
        "a Deny below the Allow",
        "unmet ManagementPortOpen",
        (security_rule(), security_rule(110, allows=False)),
    ),
    (
        "a Deny above for one address only",
        "unmet ManagementPortOpen",
        (security_rule(90, allows=False, sources=("198.51.100.7",)), security_rule()),
    ),
    ("a range of ports", "unmet ManagementPortOpen", (security_rule(destination_ports=("80", "3000-4000")),)),
    ("all ports", "unmet ManagementPortOpen", (security_rule(destination_ports=("*",), protocol="*"),)),
    ("another port", "met ManagementPortsClosed", (security_rule(destination_ports=("443",)),)),
    ("UDP only", "met ManagementPortsClosed", (security_rule(protocol="Udp"),)),
    ("an outbound rule", "met ManagementPortsClosed", (security_rule(inbound=False),)),
    ("the virtual network only", "met ManagementPortsClosed", (security_rule(sources=("VirtualNetwork",)),)),
    (
        "private addresses only",
        "met ManagementPortsClosed",
        (security_rule(sources=("10.0.0.0/8", "172.16.0.0/12")),),
    ),
    ("the tag Internet", "unmet ManagementPortOpen", (security_rule(sources=("internet",)),)),
    (
        "two halves of everything",
        "unmet ManagementPortOpen",
        (security_rule(sources=("0.0.0.0/1", "128.0.0.0/1")),),
    ),
    ("all of Azure", "unmet ManagementPortOpen", (security_rule(sources=("AzureCloud.westeurope",)),)),
    ("one office", "met OnlyNamedAddresses", (security_rule(sources=("198.51.100.0/24", "192.0.2.1")),)),
    ("a tag of another kind", "met ManagementPortsClosed", (security_rule(destinations=("Storage",)),)),
    (
        "half of it, and more of it",
        "unmet ManagementPortOpen",
        (security_rule(sources=("198.51.0.0/16", "198.50.0.0/15", "198.52.0.0/24")),),
    ),
    ("another IP version", "met ManagementPortsClosed", (security_rule(sources=("::/0",)),)),
    ("this address", "unmet ManagementPortOpen", (security_rule(destinations=("10.0.0.0/28",)),)),
    ("another address", "met ManagementPortsClosed", (security_rule(destinations=("10.0.1.0/24",)),)),
    (
        "the public address, which no rule sees",
        "met ManagementPortsClosed",
        (security_rule(destinations=("203.0.113.7",)),),
    ),
    (
        "a group of applications that this VM is not in",
        "met ManagementPortsClosed",
        (security_rule(destination_groups=(rid("Microsoft.Network/applicationSecurityGroups", "web"),)),),
    ),
    (
        "sources in a group of applications",
        "met ManagementPortsClosed",
        (
            security_rule(
                sources=(), source_groups=(rid("Microsoft.Network/applicationSecurityGroups", "web"),)
            ),
        ),
    ),
)

CASES = (
    *(Case("PW001", description, expected, vm(), facts) for description, expected, facts in _NETWORK),
    *(
        Case("PW001", description, expected, vm(), {**_GUARDED, "security_groups": [security_group(*rules)]})
        for description, expected, rules in _RULES
    ),
    Case("PW001", "no interface reported", "unknown NetworkNotRead", vm(nics=())),
    Case(
        "PW001",
        "an unknown private address is taken for the one the rule means",
        "unmet ManagementPortOpen",
        vm(),
        {
            **_OPEN,
            "nics": [
                nic(ip_configurations=(replace(_PUBLIC, private_address=None),), network_security_group=GROUP)
            ],
            "security_groups": [security_group(security_rule(destinations=("10.9.9.9",)))],
        },
    ),
    Case("PW002", "keys only", "met KeysOnly"),
    Case(
        "PW002",
        "a password",
        "unmet PasswordProvisioned",
        vm(os_profile=replace(_LINUX, password_disabled=False)),
    ),
    Case(
        "PW002",
        "a setting that is not reported",
        "unknown PasswordSettingNotReported",
        vm(os_profile=replace(_LINUX, password_disabled=None)),
    ),
    Case("PW002", "a specialised disk", "unknown NoOsProfile", _NO_PROFILE),
    Case("PW002", "Windows", "not-applicable Windows", _WINDOWS),
    Case("PW002", "no operating system reported", "unknown OsNotReported", vm(os_family=None)),
    Case(
        "PW003",
        "everything in place",
        "met EntraLogin",
        vm(extensions=(extension(*_ENTRA),), identity=_SYSTEM),
    ),
    Case("PW003", "no extension", "unmet EntraLoginMissing", vm(), {"listed": [EXTENSIONS]}),
    Case("PW003", "no extension, and nobody asked for them", "unknown NotListed"),
    Case(
        "PW003",
        "other extensions stand in the VM itself",
        "unmet EntraLoginMissing",
        vm(extensions=(extension("Microsoft.Azure.Monitor", "AzureMonitorLinuxAgent"),)),
    ),
    Case(
        "PW003",
        "an extension that failed",
        "unmet EntraLoginFailed",
        vm(extensions=(extension(*_ENTRA, state="Failed"),), identity=_SYSTEM),
    ),
    Case(
        "PW003", "no system identity", "unmet EntraLoginWithoutIdentity", vm(extensions=(extension(*_ENTRA),))
    ),
    Case(
        "PW003",
        "an extension nobody can name",
        "unknown ExtensionNotRead",
        vm(extensions=(extension("", ""),)),
    ),
    Case("PW003", "Windows", "not-applicable Windows", _WINDOWS),
    Case("PW003", "no operating system reported", "unknown OsNotReported", vm(os_family=None)),
    Case("PW004", "an open port", "unmet OtherWayNotAgreed", vm(), _OPEN),
    Case(
        "PW004",
        "an open port, and addresses that stay let in",
        "met NamedAddressesChosen",
        vm(),
        {**_OPEN, "context": chosen(login=_NAMED_ADDRESSES)},
    ),
    Case(
        "PW004",
        "an open port that is closed to all",
        "unmet OtherWayNotAgreed",
        vm(),
        {**_OPEN, "context": chosen(login=LoginChoice(method=LoginMethod.KEY))},
    ),
    Case("PW004", "no open port", "not-applicable NothingToClose"),
    Case("PW004", "a network that was not read", "unknown NetworkNotRead", vm(), {"nics": []}),
    Case("PW005", "an agent that may", "met ExtensionsAllowed"),
    Case(
        "PW005",
        "extension operations off",
        "unmet ExtensionsForbidden",
        vm(os_profile=replace(_LINUX, extension_operations_allowed=False)),
    ),
    Case("PW005", "no agent", "unmet NoAgent", vm(os_profile=replace(_LINUX, agent_provisioned=False))),
    Case("PW005", "a specialised disk", "unknown AgentNotReported", _NO_PROFILE),
    Case(
        "PW005",
        "a specialised disk with an agent",
        "met ExtensionsAllowed",
        vm(os_profile=None, agent_ready=True),
    ),
    Case("PW005", "Windows", "not-applicable Windows", _WINDOWS),
)
