"""A review becomes ids: cleaning, words, vocabulary."""
