"""The lesson's exercises and how answers are checked."""
