"""Attacks on the promises of Sentir: kills, full disks, malformed files, signals, several writers.

``python3 dev.py attack --minutes 10`` runs them all for that long; the tests run a short part with
fixed seeds. ``docs/reliability.md`` is drawn from what the long runs counted.
"""
