"""The compiled event loop. It calls schedulers and guests; they never call it."""
