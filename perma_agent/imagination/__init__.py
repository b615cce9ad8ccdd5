"""Imagination: configurations of latents that were never met here, and what exploring for them is worth."""
