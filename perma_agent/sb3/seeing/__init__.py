"""What a policy sees: pictures found in observations, and codes in their place, inside the policy or before it."""
