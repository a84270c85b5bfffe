"""The front door of the mesh: jobs, catalogue and the conductor."""
