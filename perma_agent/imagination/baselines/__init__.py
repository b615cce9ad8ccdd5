"""Baselines: intrinsic rewards of the literature, under the same interface as imagination."""
