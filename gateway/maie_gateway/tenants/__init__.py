"""Tenants: what they use, and the limits that were set for them."""
