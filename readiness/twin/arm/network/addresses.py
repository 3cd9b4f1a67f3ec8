"""Address prefixes, port ranges and service tags, as network security rules spell them. Pure.

Learn, "Virtual network service tags" has the names; which addresses stand behind a tag changes weekly and is
not known here, with the exception of the three tags that every default rule uses.
"""

from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network

PORTS = range(65536)
PLATFORM = "168.63.129.16/32"
"""The host's own address: name resolution, health probes and the agent's wire server."""

TAGS = frozenset(
    """
    actiongroup apimanagement appconfiguration applicationinsightsavailability appservice
    appservicemanagement autonomousdevelopmentplatform azureactivedirectory
    azureactivedirectorydomainservices azureadvancedthreatprotection azurearcinfrastructure
    azureattestation azurebackup azurebotservice azurecloud azurecognitivesearch azureconnectors
    azurecontainerregistry azurecosmosdb azuredatabricks azuredataexplorermanagement azuredeviceupdate
    azuredevops azuredigitaltwins azureeventgrid azurefrontdoor azurehealthcareapis
    azureinformationprotection azureiothub azurekeyvault azureloadbalancer azuremachinelearning
    azuremachinelearninginference azuremanagedgrafana azuremonitor azureopendatasets azureplatformdns
    azureplatformimds azureplatformlkm azureresourcemanager azuresentinel azuresignalr azuresiterecovery
    azuresphere azurespringcloud azurestack azuretrafficmanager azureupdatedelivery azurevirtualdesktop
    azurewebpubsub batchnodemanagement chaosstudio cognitiveservicesfrontend cognitiveservicesmanagement
    containerappsmanagement datafactory datafactorymanagement dynamics365businesscentral eventhub
    gatewaymanager grafana guestandhybridmanagement hdinsight internet kustoanalytics logicapps
    logicappsmanagement m365managementactivityapi microsoftazurefluidrelay microsoftcloudappsecurity
    microsoftcontainerregistry microsoftdefenderforendpoint microsoftpurviewpolicydistribution
    onedsanalytics powerbi powerplatforminfra powerplatformplex powerqueryonline scuba serialconsole
    servicebus servicefabric sql sqlmanagement storage storagemover storagesyncservice videoindexer
    virtualdesktop virtualnetwork windowsadmincenter windowsvirtualdesktop
    """.split()  # noqa: SIM905 - a list would take ninety lines
)
"""Names of service tags in lower case; a region may follow after a dot."""

SINGLE_ONLY = frozenset({"virtualnetwork", "internet", "azureloadbalancer", "*"})
"""What a list of prefixes cannot hold."""

_NOT_INTERNET = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8"),
    *("169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3"),
)

Network = IPv4Network | IPv6Network


def is_port_range(value: object) -> bool:
    """Tell whether a value is a port, a range of ports, or the star."""
    words = str(value).split("-")
    if value == "*":
        return True
    if len(words) > 2 or not all(word.isascii() and word.isdecimal() for word in words):  # noqa: PLR2004
        return False
    return all(int(word) in PORTS for word in words) and int(words[0]) <= int(words[-1])


def is_prefix(value: object) -> bool:
    """Tell whether a value is a star, an address, a prefix without host bits, or a service tag."""
    return value == "*" or is_tag(value) or network_of(value) is not None


def is_tag(value: object) -> bool:
    """Tell whether a value is a service tag, of a region or of all."""
    return str(value).partition(".")[0].lower() in TAGS


def network_of(value: object) -> Network | None:
    """Return the network a prefix or a single address names; host bits beyond the prefix name none."""
    try:
        return ip_network(str(value))
    except ValueError:
        return None


def port_range(value: str) -> str:
    """Spell a port range the way effective rules do: `22-22`, `0-65535`."""
    if value == "*":
        return "0-65535"
    return value if "-" in value else f"{value}-{value}"


@cache
def internet() -> tuple[str, ...]:
    """Return the public IPv4 space; Azure takes the ranges it keeps to itself out of it, too."""
    left = [IPv4Network("0.0.0.0/0")]
    for taken in map(IPv4Network, _NOT_INTERNET):
        left = [
            piece
            for each in left
            for piece in (each.address_exclude(taken) if taken.subnet_of(each) else (each,))
        ]
    return tuple(map(str, sorted(left)))


def expanded(value: str, tags: dict[str, list[str]]) -> list[str] | None:
    """Return the prefixes behind a tag, or None where a value is no tag whose addresses are known."""
    return next((prefixes for name, prefixes in tags.items() if name.lower() == value.lower()), None)


def covered(inner: object, outers: Iterable[object]) -> bool:
    """Tell whether a prefix lies within one of several."""
    network = network_of(inner)
    return any(
        isinstance(network, type(outer)) and network.subnet_of(outer)  # type: ignore[arg-type]
        for outer in map(network_of, outers)
        if outer is not None and network is not None
    )


def overlap(one: object, other: object) -> bool:
    """Tell whether two prefixes share an address."""
    first, second = network_of(one), network_of(other)
    if first is None or second is None or first.version != second.version:
        return False
    return first.overlaps(second)
