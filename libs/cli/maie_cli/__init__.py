"""The maie command: process recordings, manage jobs, run the mesh locally."""
