"""How well texts are found in recordings, and errors of reading."""
