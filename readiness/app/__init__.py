"""The use cases, and the only floor that may name playbooks, reports, azure, twin and store."""
