"""One step of an LSTM, by hand."""
