"""What runs inside a virtual machine: an operating system with files, accounts, services and disks.

Guarantees: what a script is answered follows from the state of the guest and never from the text of the
script; a command that is not known is not found, as on any machine. Knows nothing of Resource Manager.
"""
