"""A slow, plain simulator written from docs/model.md and docs/xen-rules.md, to hold the engine against."""
