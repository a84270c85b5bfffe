"""What can be measured in the sound of a chunk. Pure: no model, no clock."""
