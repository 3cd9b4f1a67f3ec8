"""Invents Azure estates in ARM wire shape: any size, any seed, the same bytes every time.

`catalogue` holds the public facts (images, sizes, extensions), `machine` describes one VM in few words, and
`compute`, `network`, `vaults` and `governance` turn such words into the JSON that ARM answers. `workload` and
`landing` draw a large estate, `writing` streams it into a folder; `samples` writes the hand-made estates.

Imports the standard library only: nothing here shares code with what reads the estates.
"""
