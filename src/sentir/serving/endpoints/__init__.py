"""The endpoints: each is a plain ASGI application that gets what it shares in a `Service`."""
