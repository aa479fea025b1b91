"""Objects that are built step by step, with rules that can be taken back: what generative flow networks sample."""
