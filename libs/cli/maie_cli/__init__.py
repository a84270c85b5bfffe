"""The maie command: process recordings, look after jobs, run the mesh locally."""
