"""Our own compiled kernels (Numba), each with a readable twin in PyTorch."""
