"""Carries a wave out, through the ports only. Knows no playbook by name, no SDK and no store."""
