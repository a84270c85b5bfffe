"""Templates of summaries: those of tenants, and those that come with the deployment."""
