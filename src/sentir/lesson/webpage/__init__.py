"""The interactive page and its small networks."""
