"""From data to parameters: likelihood, minimum, posterior."""
