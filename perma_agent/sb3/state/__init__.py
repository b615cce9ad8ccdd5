"""All that an agent, its levels and its callbacks depend on, as plain values, arrays and tensors."""
