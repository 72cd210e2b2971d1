"""Figures of the lesson: style, diagrams, pictures and tables."""
