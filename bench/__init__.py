"""Measurements: how fast the catalog is, and how good its answers; tests of right and wrong lie in tests/."""
