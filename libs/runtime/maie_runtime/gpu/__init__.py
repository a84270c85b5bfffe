"""Models in the memory of a GPU, for good or shared with other services."""
