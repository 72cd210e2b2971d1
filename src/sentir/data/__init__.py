"""From reviews to batches: encoded corpora on disk, and the padded batches drawn from them."""
