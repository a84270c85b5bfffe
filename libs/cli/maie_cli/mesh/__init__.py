"""The mesh of one machine: what `maie up` and `maie demo` run."""
