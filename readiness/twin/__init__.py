"""The twin: an Azure Resource Manager in memory, seeded from ARM JSON resources.

One core (`readiness.twin.core.Twin`) answers requests as Azure does; two faces let real clients reach it:
`transport.TwinTransport` puts it underneath the Azure SDK inside this process, `server.TwinServer` offers it
over HTTPS on loopback to any client at all.

The twin shares no code with what is rehearsed on it. If both read Azure through one parser, a misreading of
Azure would cancel itself out and no rehearsal would ever find it.
"""
