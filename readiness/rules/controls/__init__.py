"""The control catalogue: what each level asks for, of a VM and of a subscription."""
