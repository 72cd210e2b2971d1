"""How the lesson draws."""
