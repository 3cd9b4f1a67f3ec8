"""The release that is running; plans and runs remember it."""

from importlib.metadata import version

RELEASE = version("readiness")
