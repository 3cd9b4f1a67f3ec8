"""Tests of the engine: crashes, failures and order."""
