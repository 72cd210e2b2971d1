"""Finding settings: many short runs, of which the best one's settings are kept."""
