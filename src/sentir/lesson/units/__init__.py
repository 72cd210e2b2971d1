"""What single units of a network respond to."""
