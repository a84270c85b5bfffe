"""tus 1.0: resumable uploads over HTTP (https://tus.io/protocols/resumable-upload)."""
