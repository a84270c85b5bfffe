"""What a broker lacks for a mesh: its servers, its streams, and who may connect to it."""
