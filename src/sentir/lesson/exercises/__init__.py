"""The exercises of the course and how answers are judged."""
