"""What runs a stage: blobs, the broker, gRPC, the host of its work, models in a GPU's memory."""
