"""How near the twin is to Azure: published recordings of real traffic, asked of a twin once more.

`python -m tests.replay FOLDER` reads the recordings, seeds a twin for each with what its first reads show,
makes the same requests in the same order, and compares status, headers and the shape of the bodies. No
recording is part of this project: `recordings` says which formats of others are read.
"""
