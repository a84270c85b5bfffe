"""Words in what CTC models say, wherever these run: vocabularies, the search, and scores."""
