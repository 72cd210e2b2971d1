"""Sentir: labelled reviews in, a recurrent sentiment model out, measured and explained."""

__version__ = "0.1.0"
