"""Answers from a trained bundle."""
