"""What tenants and keys may ask of a gateway."""
