"""Synthetic reviews and sentences, generated from grammars."""
