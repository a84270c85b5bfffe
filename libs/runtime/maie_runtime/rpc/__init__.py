"""gRPC: servers, a stage as an RPC, errors as a status. Nothing else here imports grpc."""
