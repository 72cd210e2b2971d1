"""Predictions of trained models: engines, files, evaluation, export, text generation."""
