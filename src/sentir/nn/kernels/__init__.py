"""Sentir's own kernels, compiled by Numba, each with a readable twin in PyTorch."""
