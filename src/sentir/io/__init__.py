"""Input and output: from paths and URLs to rows of text and label, and rows back to files."""
