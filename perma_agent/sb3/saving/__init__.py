"""Bundles: a policy and all it needs as safetensors and JSON."""
