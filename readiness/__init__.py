"""Takes an existing Azure estate of virtual machines to the secure-by-default baseline."""
