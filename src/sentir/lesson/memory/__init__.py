"""How long a recurrent network remembers."""
