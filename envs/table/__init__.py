"""An image on a table that moves by itself or may be pushed, for the VASE paper's figure 5B."""
