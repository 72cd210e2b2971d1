"""An HTTP server for trained models, and its page. It needs the extra ``serve``, and no PyTorch."""
