"""From files to padded tensors: corpus, clean, tokenizer, store, batches."""
