"""Runs side by side: what differs between them, their figures and the spread over seeds."""
