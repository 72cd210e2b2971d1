"""The lesson: its experiments, its drawings and its page."""
