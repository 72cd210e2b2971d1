"""A model as a folder for browsers: a page, the network as ONNX, the tokenizer, and the runtime."""
