"""What is likely wrong in labelled reviews: labels, copies, texts. Pure functions of rows."""
