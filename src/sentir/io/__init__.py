"""What was given, as rows: paths, streams, tables, labels; and rows written back."""
