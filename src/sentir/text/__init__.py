"""From a review to ids: cleaning, words, vocabulary."""
