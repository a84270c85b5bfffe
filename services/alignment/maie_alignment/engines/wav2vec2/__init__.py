"""CTC models as aligners: wav2vec2 and others, with letters or phones, on a CPU or a GPU."""
